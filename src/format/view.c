// SPDX-License-Identifier: MIT
#include "format/view.h"

#include <assert.h>
#include <string.h>

#include "base/files.h"

#define OUTER(pointer, type)                                                                       \
    ((const type *)(const void *)(pointer)) /* `view` is its first member */

bool view_read(const struct view *view, void *out, size_t length, uint64_t offset,
               struct error *err) {
    assert(view_holds(view, offset, length));
    return length == 0 || view->ops->read(view, out, length, offset, err);
}

static bool read_memory(const struct view *view, void *out, size_t length, uint64_t offset,
                        struct error *err) {
    (void)err;
    memcpy(out, OUTER(view, struct memory_view)->bytes + offset, length);
    return true;
}

struct memory_view memory_view_of(const void *bytes, size_t length) {
    static const struct view_ops ops = {.read = read_memory};
    return (struct memory_view){.view = {.ops = &ops, .length = length}, .bytes = bytes};
}

static bool read_file(const struct view *view, void *out, size_t length, uint64_t offset,
                      struct error *err) {
    ssize_t got = files_read_at(OUTER(view, struct file_view)->fd, out, length, offset, err);
    if (got < 0)
        return false;
    if ((size_t)got == length)
        return true;
    return error_set(err, ERROR_CHANGED, "the file became shorter while it was read");
}

struct file_view file_view_of(int fd, uint64_t length) {
    static const struct view_ops ops = {.read = read_file};
    return (struct file_view){.view = {.ops = &ops, .length = length}, .fd = fd};
}
