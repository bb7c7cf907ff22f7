// SPDX-License-Identifier: MIT
//
// Random access to a file's bytes, wherever they lie: what parsers read through. A view is set at
// its creation and then only read; its file must not shrink while it is in use.
#pragma once

#include <stdint.h>

#include "base/error.h"

struct view {
    const struct view_ops *ops;
    uint64_t length;
};

struct view_ops {
    /* All `length` bytes at `offset`, which lie within the view; false with err when they cannot be
     * had: that says nothing of the file. May block. */
    bool (*read)(const struct view *view, void *out, size_t length, uint64_t offset,
                 struct error *err);
};

/* Do `length` bytes at `offset` lie within the view? */
static inline bool view_holds(const struct view *view, uint64_t offset, uint64_t length) {
    return offset <= view->length && length <= view->length - offset;
}

/* Reads what view_holds; a range outside of it is the caller's mistake. */
bool view_read(const struct view *view, void *out, size_t length, uint64_t offset,
               struct error *err) MUST_CHECK;

/* Bytes in memory, which stay the caller's and must outlive the view. */
struct memory_view {
    struct view view;
    const unsigned char *bytes;
};

/* A view of `length` bytes. */
struct memory_view memory_view_of(const void *bytes, size_t length);

/* An open file, whose descriptor stays the caller's. */
struct file_view {
    struct view view;
    int fd;
};

/* A view of the first `length` bytes of a file. */
struct file_view file_view_of(int fd, uint64_t length);
