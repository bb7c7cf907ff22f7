// SPDX-License-Identifier: MIT
//
// One look into a file by its parser, with what it may cost: however the file lies about its counts
// and places, no more than PROBE_READS_MAX pieces and PROBE_BYTES_MAX bytes are read or unpacked,
// which bounds every loop that reads something each time round. On the stack of one thread.
#pragma once

#include "format/view.h"

enum {
    PROBE_READS_MAX = 1 << 16,
    PROBE_BYTES_MAX = 1 << 25,
};

struct probe {
    const struct view *view;
    struct error *err; /* may be NULL */
    uint32_t reads_left;
    uint32_t bytes_left;
    bool failed; /* the view could not be read: nothing follows for the file */
};

/* A look that has cost nothing yet. */
struct probe probe_of(const struct view *view, struct error *err);

/* Reads a piece that the structure points to. False, with err, where the file ends before it, the
 * look has cost too much, or the view fails. */
bool probe_read(struct probe *probe, void *out, size_t length, uint64_t offset) MUST_CHECK;

/* Counts bytes that were unpacked; false, with err, when that was too much. */
bool probe_spend(struct probe *probe, size_t bytes) MUST_CHECK;

/* Says what contradicts; false, so that `return probe_damaged(…)` reads as a sentence. */
bool probe_damaged(const struct probe *probe, const char *format, ...) PRINTF_LIKE(2, 3);
