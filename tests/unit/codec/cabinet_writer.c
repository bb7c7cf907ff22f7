// SPDX-License-Identifier: MIT
#include "unit/codec/cabinet_writer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "unit/codec/lzx_writer.h"

enum {
    HEAD_BYTES = 36,
    RESERVE_BYTES = 4,
    FOLDER_BYTES = 8,
    FILE_BYTES = 16,
    BLOCK_HEAD_BYTES = 8,
    FRAMES_MAX = 65535,
    FLAG_RESERVE = 4,
};

static const char *name_of(const struct cabinet_shape *shape) {
    return shape->name ? shape->name : "foo.pdb";
}

static bool has_reserve(const struct cabinet_shape *shape) {
    return shape->head_reserve || shape->folder_reserve || shape->block_reserve;
}

size_t cabinet_folder_at(const struct cabinet_shape *shape) {
    return HEAD_BYTES + (has_reserve(shape) ? RESERVE_BYTES + (size_t)shape->head_reserve : 0);
}

size_t cabinet_file_at(const struct cabinet_shape *shape) {
    return cabinet_folder_at(shape) + FOLDER_BYTES + shape->folder_reserve + shape->gap;
}

size_t cabinet_blocks_at(const struct cabinet_shape *shape) {
    return cabinet_file_at(shape) + FILE_BYTES + strlen(name_of(shape)) + 1 + shape->gap;
}

static void put(struct buffer *out, uint64_t number, unsigned width) {
    for (unsigned i = 0; i < width; i++) {
        char byte = (char)(number >> 8 * i);
        if (!buffer_append(out, &byte, 1))
            abort();
    }
}

/* Bytes that no reader may look at. */
static void put_nobodys(struct buffer *out, size_t length) {
    for (size_t i = 0; i < length; i++)
        put(out, 0xa5 + i, 1);
}

static void poke(struct buffer *out, size_t offset, uint32_t number) {
    for (unsigned i = 0; i < 4; i++)
        out->bytes[offset + i] = (char)(number >> 8 * i);
}

static uint32_t sum(const unsigned char *bytes, size_t length, uint32_t sum) {
    for (; length >= 4; bytes += 4, length -= 4)
        sum ^= bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
               (uint32_t)bytes[3] << 24;
    for (; length > 0; length--)
        sum ^= (uint32_t)*bytes++ << 8 * (length - 1);
    return sum;
}

void cabinet_sum(const struct cabinet_shape *shape, unsigned char *block) {
    size_t length = block[4] | (size_t)block[5] << 8;
    size_t before = BLOCK_HEAD_BYTES + (size_t)shape->block_reserve;
    uint32_t right = sum(block + 4, before - 4, sum(block + before, length, 0));
    for (unsigned i = 0; i < 4; i++)
        block[i] = (unsigned char)(right >> 8 * i);
}

static void put_head(const struct cabinet_shape *shape, size_t length, struct buffer *out) {
    size_t frames = (length + CABINET_FRAME_BYTES - 1) / CABINET_FRAME_BYTES;
    if (frames > FRAMES_MAX)
        abort();
    buffer_append(out, "MSCF", 4);
    put(out, 0, 4);
    put(out, 0, 8); /* the size comes when it is known */
    put(out, cabinet_file_at(shape), 4);
    put(out, 0, 4);
    put(out, 0x0103, 2);
    put(out, 1, 2); /* folders */
    put(out, 1, 2); /* files */
    put(out, has_reserve(shape) ? FLAG_RESERVE : 0, 2);
    put(out, 0, 4);
    if (has_reserve(shape)) {
        put(out, shape->head_reserve, 2);
        put(out, shape->folder_reserve, 1);
        put(out, shape->block_reserve, 1);
        put_nobodys(out, shape->head_reserve);
    }
    put(out, cabinet_blocks_at(shape), 4);
    put(out, frames, 2);
    put(out, shape->method | (shape->method == CABINET_LZX ? shape->window_bits << 8 : 0), 2);
    put_nobodys(out, (size_t)shape->folder_reserve + shape->gap);
    put(out, length, 4);
    put(out, 0, 4);
    put(out, 0, 2);
    put(out, 0x60005b21, 4);
    put(out, 0x20, 2);
    buffer_append(out, name_of(shape), strlen(name_of(shape)) + 1);
    put_nobodys(out, shape->gap);
}

/* One block of MSZIP; `history` bytes before it may be referred to. */
static void put_mszip(const unsigned char *plain, size_t length, size_t history,
                      struct buffer *out) {
    z_stream stream = {0};
    if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflateSetDictionary(&stream, plain - history, (uInt)history) != Z_OK)
        abort();
    unsigned char bytes[2 * CABINET_FRAME_BYTES];
    stream.next_in = (z_const Bytef *)plain;
    stream.avail_in = (uInt)length;
    stream.next_out = bytes;
    stream.avail_out = sizeof bytes;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    buffer_append(out, "CK", 2);
    buffer_append(out, bytes, stream.total_out);
    deflateEnd(&stream);
}

static void put_block(const struct cabinet_shape *shape, const unsigned char *plain, size_t at,
                      size_t length, struct lzx_writer *lzx, struct buffer *out) {
    size_t block_at = out->length;
    put(out, 0, BLOCK_HEAD_BYTES);
    put_nobodys(out, shape->block_reserve);
    size_t data_at = out->length;
    switch (shape->method) {
    case CABINET_STORED:
        buffer_append(out, plain + at, length);
        break;
    case CABINET_MSZIP:
        put_mszip(plain + at, length, at < CABINET_FRAME_BYTES ? at : CABINET_FRAME_BYTES, out);
        break;
    case CABINET_LZX:
        lzx_writer_frame(lzx, out);
        break;
    }
    if (out->failed)
        abort();
    poke(out, block_at + 4, (uint32_t)(out->length - data_at) | (uint32_t)length << 16);
    if (!shape->unsummed)
        cabinet_sum(shape, (unsigned char *)out->bytes + block_at);
}

void cabinet_write(const struct cabinet_shape *shape, const unsigned char *plain, size_t length,
                   struct buffer *out) {
    size_t begin = out->length;
    struct lzx_writer *lzx = NULL;
    if (shape->method == CABINET_LZX)
        lzx = lzx_writer_new(shape->window_bits, plain, length);
    put_head(shape, length, out);
    for (size_t at = 0; at < length; at += CABINET_FRAME_BYTES) {
        size_t left = length - at;
        put_block(shape, plain, at, left < CABINET_FRAME_BYTES ? left : CABINET_FRAME_BYTES, lzx,
                  out);
    }
    lzx_writer_free(lzx);
    if (out->failed)
        abort();
    poke(out, begin + 8, (uint32_t)(out->length - begin));
}
