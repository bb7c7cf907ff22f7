// SPDX-License-Identifier: MIT
//
// Compressed symbol files, expanded while they arrive: what a reader gives is pulled, plain bytes
// are pushed as soon as they are there. Which coding it is shows in the first bytes; names say
// nothing.
//
// Cabinets are Microsoft's ([MS-CAB]), with MSZIP ([MS-MCI]), LZX ([MS-PATCH], chapter 2) or
// stored; gzip is RFC 1952, several members too; ZIP is PKWARE's APPNOTE, stored or deflated, with
// descriptor or without, ZIP64.
//
// What is taken is what holds exactly one file in one piece. A cut, a wrong check sum, sizes that
// do not add up and what grows out of all proportion are refused. Some of it shows at the very end
// only: until DECODER_WHOLE nothing that was pushed counts as the file.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "symbol/reader.h"

enum {
    DECODER_FIRST_BYTES = 4,       /* enough to recognise a coding */
    DECODER_FIRST_MAX = 32 * 1024, /* the most that may have been read before decoder_run */
};

enum coding {
    CODING_NONE,
    CODING_CABINET,
    CODING_GZIP,
    CODING_ZIP,
};

/* Where plain bytes go. */
struct decoder_sink {
    /* Told at most once, before the first write: the size that the file says it will have. May be
       NULL. False with err ends the decoding. */
    bool (*announce)(struct decoder_sink *sink, uint64_t size, struct error *err);
    /* Takes all the bytes; may block. `more`: input is at hand, so that the next write will not
       wait for the source (a sink that gathers need not flush). False with err ends the decoding.
     */
    bool (*write)(struct decoder_sink *sink, const void *bytes, size_t length, bool more,
                  struct error *err);
};

struct decoder_input {
    enum coding coding; /* not CODING_NONE */
    struct reader *reader;
    uint64_t size;       /* of the compressed file as announced, or SIZE_UNKNOWN */
    const void *first;   /* what was read of it already, at most DECODER_FIRST_MAX; copied */
    size_t first_length; /* may be 0 */
};

struct decoder_limits {
    uint64_t plain_max;  /* bytes of the expanded file */
    uint32_t ratio_max;  /* so many times what has come, from there on: */
    uint64_t ratio_from; /* so many bytes may come of however little */
};

/* 64 GiB, and what symbol/content.h says of bombs. Deflate reaches 1032 to 1 and LZX about 800, but
   only with what is empty almost throughout, as no large symbol file is. */
extern const struct decoder_limits decoder_default_limits;

enum decoder_end {
    DECODER_WHOLE,   /* the one file of a sound archive has been written, and the input has ended */
    DECODER_BROKEN,  /* the reader failed; err is the reader's own */
    DECODER_STOPPED, /* the sink failed, or memory is out; err is the sink's own, or says so */
    DECODER_REFUSED, /* the file is bad: ERROR_LENGTH when it is cut, else ERROR_ENCODING */
};

/* What a file that begins so is compressed with. */
enum coding decoder_recognise(const void *first_bytes, size_t length);

/* The coding's name as it stands in messages and logs ("cabinet"); never NULL. */
const char *coding_name(enum coding coding);

/* Expands the whole input into out, on the caller's thread; blocks where reader and sink do. Takes
   up to 2.5 MiB of memory meanwhile, whatever the input. The reader stays the caller's. */
enum decoder_end decoder_run(const struct decoder_input *in, struct decoder_sink *out,
                             const struct decoder_limits *limits, struct error *err) MUST_CHECK;
