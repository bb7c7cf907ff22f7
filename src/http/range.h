// SPDX-License-Identifier: MIT
//
// The Range header (RFC 9110 14): one range of bytes; several are answered as if none had been
// asked.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum range_kind {
    RANGE_NONE,   /* no range, several, or not understood: the whole body */
    RANGE_FROM,   /* first to last, last may be UINT64_MAX for "to the end" */
    RANGE_SUFFIX, /* the last `length` bytes */
};

struct range {
    enum range_kind kind;
    uint64_t first;
    uint64_t last;
    uint64_t length; /* RANGE_SUFFIX */
};

enum range_fit {
    RANGE_WHOLE,         /* answer 200 */
    RANGE_PART,          /* answer 206 */
    RANGE_UNSATISFIABLE, /* answer 416 */
};

/* Reads a header value. */
struct range range_parse(const char *value);

/* Fits a range to a body of known size: bytes [*out_first, *out_end). */
enum range_fit range_resolve(const struct range *range, uint64_t size, uint64_t *out_first,
                             uint64_t *out_end);
