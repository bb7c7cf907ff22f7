// SPDX-License-Identifier: MIT
//
// What the tests of this folder share: a reader of bytes in memory that comes in pieces and can
// break, a sink that keeps what it gets and can fail, and plain bytes that compress as symbol files
// do.
#pragma once

#include "codec/decoder.h"
#include "symbol/content.h"
#include "unit/base/check.h"

#define WHOLE_PIECE SIZE_MAX
#define RATIO_FROM (1 << 20) /* for limits that are tried on small bombs */

struct bytes {
    unsigned char *bytes;
    size_t length;
};

struct bench_reader {
    struct reader reader;
    const unsigned char *bytes;
    size_t length;
    size_t piece;    /* bytes that one read gives at most */
    size_t break_at; /* the read that would pass this offset fails; SIZE_MAX: none */
    size_t given;
    bool ended; /* said so, or broke: nobody may read any more */
};

struct bench_sink {
    struct decoder_sink sink;
    unsigned char *bytes;
    size_t length;
    size_t capacity;
    size_t writes;
    size_t fail_at;     /* the write that fails, from 0; SIZE_MAX: none */
    bool fail_announce; /* … or the announcement does */
    bool announced;
    uint64_t size;
    bool more;                         /* what the last write was told */
    const struct bench_reader *reader; /* to see how far it was at the first write */
    size_t given_first;
};

struct bench {
    enum coding coding;
    struct bench_reader in;
    struct bench_sink out;
    struct decoder_limits limits;
    uint64_t size;    /* announced to the decoder */
    size_t looked_at; /* bytes handed over as read before */
    struct error err;
};

/* A bench that expands these bytes in one piece, without a fault. */
void bench_init(struct bench *bench, enum coding coding, const unsigned char *bytes, size_t length);

/* Runs the decoder anew; what came is in bench->out until bench_release. */
enum decoder_end bench_run(struct bench *bench);

/* Frees what came. */
void bench_release(struct bench *bench);

/* Expands the bytes and requires that these plain ones come, with this announcement. */
void bench_expect(struct bench *bench, const struct bytes *plain, bool announced);

/* Is what came the beginning of the plain bytes? */
bool bench_began(const struct bench *bench, const struct bytes *plain);

/* Cuts the archive after every byte: each must be refused as cut, whatever came must be the
   beginning of the plain bytes, and the same cut told by a reader that breaks must stay the
   reader's own. */
void bench_cut(enum coding coding, const struct bytes *archive, const struct bytes *plain);

/* Turns every bit of the archive: each must be refused, or change nothing. Returns how many were
 * refused. */
size_t bench_flip(enum coding coding, const struct bytes *archive, const struct bytes *plain);

/* Requires that the archive is refused with this kind, and with this in its sentence. */
void bench_refused(enum coding coding, const struct bytes *archive, enum error_kind kind,
                   const char *part);

/* Words in no order, which repeat near and far; the same for the same seed. */
struct bytes bytes_words(size_t length, unsigned seed);

/* Zeroes. */
struct bytes bytes_zero(size_t length);

/* A copy on the heap. */
struct bytes bytes_copy(const void *bytes, size_t length);

/* One behind the other, anew on the heap. */
struct bytes bytes_join(const struct bytes *first, const struct bytes *second);

/* For CLEANUP. */
void bytes_release(struct bytes *bytes);

/* Writes a little-endian number into what is there. */
void bytes_put(struct bytes *bytes, size_t offset, uint64_t number, size_t width);
