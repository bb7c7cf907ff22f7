// SPDX-License-Identifier: MIT
#include "codec/mszip.h"

#include <string.h>
#include <zlib.h>

#include "base/memory.h"

struct mszip {
    z_stream stream;
    uint16_t history; /* bytes of `plain` that the block before left */
    unsigned char plain[BLOCK_PLAIN_BYTES];
};

static void mszip_free_at(struct mszip **mszip) {
    inflateEnd(&(*mszip)->stream);
    free(*mszip);
}

/* zlib's word on one block, of which it makes block->plain bytes or fails. */
static int unfold(struct mszip *mszip, const struct block *block) {
    z_stream *stream = &mszip->stream;
    inflateReset(stream);
    int rc = inflateSetDictionary(stream, mszip->plain, mszip->history);
    if (rc != Z_OK)
        return rc;
    stream->next_in = (z_const Bytef *)block->bytes + 2;
    stream->avail_in = block->length - 2U;
    stream->next_out = mszip->plain;
    stream->avail_out = block->plain;
    rc = inflate(stream, Z_FINISH);
    mszip->history = block->plain;
    return rc == Z_STREAM_END && stream->avail_out > 0 ? Z_DATA_ERROR : rc;
}

bool mszip_run(struct blocks *blocks, struct outlet *outlet, struct error *err) {
    CLEANUP(mszip_free_at) struct mszip *mszip = NEW(struct mszip);
    if (inflateInit2(&mszip->stream, -MAX_WBITS) != Z_OK)
        abort(); /* out of memory for 10 KiB */
    while (blocks->left > 0) {
        struct block block;
        if (!blocks_next(blocks, &block, err))
            return false;
        if (block.length < 2 || memcmp(block.bytes, "CK", 2) != 0)
            return error_set(err, ERROR_ENCODING, "a block of the cabinet is no MSZIP");
        int rc = unfold(mszip, &block);
        if (rc == Z_MEM_ERROR)
            return outlet_no_memory(outlet, err);
        if (rc != Z_STREAM_END)
            return error_set(err, ERROR_ENCODING, "a block of the cabinet is damaged: %s",
                             mszip->stream.msg ? mszip->stream.msg : "its size is another");
        if (!outlet_write(outlet, mszip->plain, block.plain, err))
            return false;
    }
    return true;
}
