// SPDX-License-Identifier: MIT
#include "format/unpack.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"

enum {
    PIECE_BYTES = 4096, /* input and output go by pieces of this size */
    WINDOW_LOG_MAX = 24,
    RAW_DEFLATE = -15,
};

_Static_assert(1 << WINDOW_LOG_MAX == UNPACK_WINDOW_MAX, "one limit");

struct unpack {
    struct probe *probe;
    enum packing packing;
    uint64_t offset; /* of the input that was not read yet */
    uint64_t packed_left;
    unsigned char input[PIECE_BYTES];
    size_t input_at;
    size_t input_bytes;
    bool ended; /* the packed data said so */
    z_stream deflate;
    ZSTD_DStream *zstd;
};

struct unpack *unpack_new(struct probe *probe, uint32_t packing, uint64_t offset,
                          uint64_t packed_bytes) {
    if (packing > PACKING_DEFLATE) {
        (void)probe_damaged(probe, "packing %u is not known", packing);
        return NULL;
    }
    struct unpack *unpack = NEW(struct unpack);
    unpack->probe = probe;
    unpack->packing = (enum packing)packing;
    unpack->offset = offset;
    unpack->packed_left = packed_bytes;
    if (packing == PACKING_DEFLATE && inflateInit2(&unpack->deflate, RAW_DEFLATE) != Z_OK)
        abort(); /* out of memory for 40 KiB */
    if (packing == PACKING_ZSTD) {
        unpack->zstd = ZSTD_createDStream();
        if (!unpack->zstd)
            abort(); /* and for as little here */
        ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    }
    return unpack;
}

void unpack_free(struct unpack *unpack) {
    if (!unpack)
        return;
    if (unpack->packing == PACKING_DEFLATE)
        inflateEnd(&unpack->deflate);
    ZSTD_freeDStream(unpack->zstd);
    free(unpack);
}

void unpack_free_at(struct unpack **unpack) {
    unpack_free(*unpack);
}

/* Sees to it that there is input. */
static bool refill(struct unpack *unpack) {
    if (unpack->input_at < unpack->input_bytes)
        return true;
    size_t length = unpack->packed_left < PIECE_BYTES ? (size_t)unpack->packed_left : PIECE_BYTES;
    if (length == 0 || unpack->ended)
        return probe_damaged(unpack->probe, "a packed piece of the file ends early");
    if (!probe_read(unpack->probe, unpack->input, length, unpack->offset))
        return false;
    unpack->offset += length;
    unpack->packed_left -= length;
    unpack->input_at = 0;
    unpack->input_bytes = length;
    return true;
}

static size_t step_copy(struct unpack *unpack, unsigned char *out, size_t room) {
    size_t left = unpack->input_bytes - unpack->input_at;
    size_t length = left < room ? left : room;
    memcpy(out, unpack->input + unpack->input_at, length);
    unpack->input_at += length;
    return length;
}

static bool step_zstd(struct unpack *unpack, unsigned char *out, size_t room, size_t *out_got) {
    ZSTD_inBuffer from = {unpack->input, unpack->input_bytes, unpack->input_at};
    ZSTD_outBuffer into = {out, room, 0};
    size_t rc = ZSTD_decompressStream(unpack->zstd, &into, &from);
    unpack->input_at = from.pos;
    *out_got = into.pos;
    if (ZSTD_isError(rc))
        return probe_damaged(unpack->probe, "a packed piece of the file is broken: %s",
                             ZSTD_getErrorName(rc));
    return true;
}

static bool step_deflate(struct unpack *unpack, unsigned char *out, size_t room, size_t *out_got) {
    z_stream *stream = &unpack->deflate;
    stream->next_in = unpack->input + unpack->input_at;
    stream->avail_in = (uInt)(unpack->input_bytes - unpack->input_at);
    stream->next_out = out;
    stream->avail_out = (uInt)room;
    int rc = inflate(stream, Z_NO_FLUSH);
    unpack->input_at = unpack->input_bytes - stream->avail_in;
    *out_got = room - stream->avail_out;
    if (rc == Z_STREAM_END) {
        unpack->ended = true;
        unpack->input_at = unpack->input_bytes;
    } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        return probe_damaged(unpack->probe, "a packed piece of the file is broken: %s",
                             stream->msg ? stream->msg : "it wants a dictionary");
    }
    return true;
}

/* Unpacks some bytes, up to `room`; none when more input is wanted first. */
static bool step(struct unpack *unpack, unsigned char *out, size_t room, size_t *out_got) {
    switch (unpack->packing) {
    case PACKING_ZSTD:
        return step_zstd(unpack, out, room, out_got);
    case PACKING_DEFLATE:
        return step_deflate(unpack, out, room, out_got);
    case PACKING_NONE:
        break;
    }
    *out_got = step_copy(unpack, out, room);
    return true;
}

bool unpack_read(struct unpack *unpack, void *out, uint64_t length) {
    unsigned char *to = out;
    unsigned char nowhere[PIECE_BYTES];
    while (length > 0) {
        size_t room = length < sizeof nowhere ? (size_t)length : sizeof nowhere;
        size_t got = 0;
        if (!step(unpack, to ? to : nowhere, room, &got) || !probe_spend(unpack->probe, got))
            return false;
        if (got == 0 && !refill(unpack))
            return false;
        to = to ? to + got : NULL;
        length -= got;
    }
    return true;
}
