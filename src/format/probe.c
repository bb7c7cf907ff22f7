// SPDX-License-Identifier: MIT
#include "format/probe.h"

#include <stdarg.h>
#include <stdio.h>

#include "format/bytes.h"

struct probe probe_of(const struct view *view, struct error *err) {
    return (struct probe){
        .view = view,
        .err = err,
        .reads_left = PROBE_READS_MAX,
        .bytes_left = PROBE_BYTES_MAX,
    };
}

bool probe_read(struct probe *probe, void *out, size_t length, uint64_t offset) {
    if (!view_holds(probe->view, offset, length))
        return error_set(probe->err, ERROR_LENGTH,
                         "the file is cut: it has %llu bytes and its own structure wants %llu",
                         (unsigned long long)probe->view->length,
                         (unsigned long long)end_of(offset, length));
    if (probe->reads_left == 0)
        return probe_damaged(probe, "the file points to more than %d places", PROBE_READS_MAX);
    probe->reads_left--;
    if (!probe_spend(probe, length))
        return false;
    probe->failed = !view_read(probe->view, out, length, offset, probe->err);
    return !probe->failed;
}

bool probe_spend(struct probe *probe, size_t bytes) {
    if (bytes > probe->bytes_left)
        return probe_damaged(probe, "the file wants more than %d MiB to be read",
                             PROBE_BYTES_MAX >> 20);
    probe->bytes_left -= (uint32_t)bytes;
    return true;
}

bool probe_damaged(const struct probe *probe, const char *format, ...) {
    char text[sizeof probe->err->what];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(probe->err, ERROR_IDENTITY, "%s", text);
}
