// SPDX-License-Identifier: MIT
//
// One deflate stream (RFC 1951), bare or as a gzip member, from the feed to the outlet through
// zlib.
#pragma once

#include <zlib.h>

#include "codec/outlet.h"

enum inflater_form {
    INFLATER_BARE = -MAX_WBITS,
    INFLATER_GZIP = MAX_WBITS + 16, /* header and check sum are zlib's matter */
};

/* Where the room ends, zlib leaves its fast loop and copies its window: with 64 KiB that costs two
   hundredths more (bench/run --only expand). */
enum { INFLATER_BYTES = 256 * 1024 };

struct inflater {
    z_stream stream;
    enum inflater_form form;
    uint32_t crc; /* CRC-32 of what came out; bare streams only */
    unsigned char bytes[INFLATER_BYTES];
};

/* Makes ready for streams of that form. */
struct inflater *inflater_new(enum inflater_form form);

/* NULL is allowed. */
void inflater_free(struct inflater *inflater);

/* For CLEANUP. */
static inline void inflater_free_at(struct inflater **inflater) {
    inflater_free(*inflater);
}

/* Moves one stream from its first byte to its last, no byte further; may be called again for the
 * next.
 */
bool inflater_run(struct inflater *inflater, struct feed *feed, struct outlet *outlet,
                  struct error *err) MUST_CHECK;
