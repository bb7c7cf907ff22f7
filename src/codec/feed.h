// SPDX-License-Identifier: MIT
//
// What decoders read from: a reader with a bounded window in which bytes can be looked at before
// they are taken. It knows whether the reader broke, so that a break is never mistaken for a bad
// file. Pointers into it hold until the next feed_ call. One thread, the decoder's.
#pragma once

#include "codec/decoder.h"

enum { FEED_LOOK_MAX = 48 * 1024 }; /* the most that can be asked for at once */

struct feed {
    struct reader *reader;
    const char *name;   /* of the coding, for messages */
    uint64_t announced; /* size of the input, or SIZE_UNKNOWN */
    uint64_t whole;     /* size that the file itself claims, or SIZE_UNKNOWN */
    uint64_t taken;     /* offset in the input of what comes next */
    unsigned char *bytes;
    size_t at;
    size_t filled;
    bool ended;
    bool broken; /* the reader failed; err is its own */
};

/* Begins with what was read before. */
void feed_init(struct feed *feed, const struct decoder_input *in, const char *name);

/* For CLEANUP; the reader stays open. */
void feed_release(struct feed *feed);

/* Sees to it that `length` bytes (at most FEED_LOOK_MAX) can be looked at, or all that is left
   before the end. Blocks. False: the reader broke. */
bool feed_fill(struct feed *feed, size_t length, struct error *err) MUST_CHECK;

/* What can be looked at now, and how much it is. */
const unsigned char *feed_bytes(const struct feed *feed);
size_t feed_left(const struct feed *feed);

/* Will the next look need no waiting? */
bool feed_more(const struct feed *feed);

/* Takes `length` bytes, of which there must be as many. */
void feed_took(struct feed *feed, size_t length);

/* Takes exactly so many bytes (at most FEED_LOOK_MAX). NULL: the reader broke, the input is cut
   off, or the file is longer than it claims. */
const unsigned char *feed_take(struct feed *feed, size_t length, struct error *err) MUST_CHECK;

/* Takes bytes up to this offset, which must not lie behind what was taken. */
bool feed_skip_to(struct feed *feed, uint64_t offset, struct error *err) MUST_CHECK;

/* Notes the size that the file claims; false with err when another one was announced. */
bool feed_claim(struct feed *feed, uint64_t whole, struct error *err) MUST_CHECK;

/* Fills err for an input that ended too early; false. */
bool feed_cut(const struct feed *feed, struct error *err);

/* Little-endian numbers, as all these formats have them. */
static inline uint16_t little_16(const unsigned char *bytes) {
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t little_32(const unsigned char *bytes) {
    return (uint32_t)little_16(bytes) | (uint32_t)little_16(bytes + 2) << 16;
}

static inline uint64_t little_64(const unsigned char *bytes) {
    return little_32(bytes) | (uint64_t)little_32(bytes + 4) << 32;
}
