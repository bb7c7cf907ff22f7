// SPDX-License-Identifier: MIT
#include "codec/blocks.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <string.h>

enum { BLOCK_HEAD_BYTES = 8 };

static_assert(BLOCK_HEAD_BYTES + UINT8_MAX + BLOCK_BYTES_MAX <= (int)FEED_LOOK_MAX,
              "a block can be looked at in one piece");

bool blocks_add_up(const struct blocks *blocks, struct error *err) {
    uint64_t most = (uint64_t)blocks->left * BLOCK_PLAIN_BYTES;
    bool needless =
        blocks->filled && blocks->left > 1 && blocks->plain_left <= most - BLOCK_PLAIN_BYTES;
    if (blocks->plain_left <= most && !needless)
        return true;
    return error_set(err, ERROR_ENCODING,
                     "the cabinet claims %" PRIu64 " bytes in %" PRIu32 " blocks of 32 KiB",
                     blocks->plain_left, blocks->left);
}

/* The words xor-ed; a rest of less than four bytes counts with its first byte on top. */
static uint32_t check_sum(const unsigned char *bytes, size_t length, uint32_t sum) {
    uint64_t wide = 0;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        wide ^= word;
    }
    wide = le64toh(wide);
    sum ^= (uint32_t)wide ^ (uint32_t)(wide >> 32);
    if (length >= 4) {
        sum ^= little_32(bytes);
        bytes += 4;
        length -= 4;
    }
    uint32_t rest = 0;
    for (; length > 0; bytes++, length--)
        rest = rest << 8 | *bytes;
    return sum ^ rest;
}

/* Does the block unfold to as much as the file still needs of it? */
static bool sized(const struct blocks *blocks, uint16_t plain) {
    if (blocks->left == 1)
        return plain == blocks->plain_left;
    return plain <= blocks->plain_left && plain <= BLOCK_PLAIN_BYTES &&
           (plain == BLOCK_PLAIN_BYTES || !blocks->filled);
}

bool blocks_next(struct blocks *blocks, struct block *out_block, struct error *err) {
    assert(blocks->left > 0);
    struct feed *feed = blocks->feed;
    if (!feed_fill(feed, BLOCK_HEAD_BYTES, err))
        return false;
    if (feed_left(feed) < BLOCK_HEAD_BYTES)
        return feed_cut(feed, err);
    uint16_t length = little_16(feed_bytes(feed) + 4);
    uint16_t plain = little_16(feed_bytes(feed) + 6);
    if (length > BLOCK_BYTES_MAX || !sized(blocks, plain))
        return error_set(err, ERROR_ENCODING,
                         "a block of the cabinet has %u bytes that unfold to %u, and should not",
                         length, plain);
    size_t before = BLOCK_HEAD_BYTES + (size_t)blocks->reserved;
    const unsigned char *head = feed_take(feed, before + length, err);
    if (!head)
        return false;
    uint32_t claimed = little_32(head);
    uint32_t sum = check_sum(head + before, length, 0);
    if (claimed != 0 && claimed != check_sum(head + 4, before - 4, sum))
        return error_set(err, ERROR_ENCODING, "a block of the cabinet has a wrong check sum");
    *out_block = (struct block){.bytes = head + before, .length = length, .plain = plain};
    blocks->left--;
    blocks->plain_left -= plain;
    return true;
}
