// SPDX-License-Identifier: MIT
//
// The data blocks of a cabinet's one folder (CFDATA of [MS-CAB]), one after the other, each with
// its check sum verified before anything is made of it.
#pragma once

#include "codec/feed.h"

enum {
    BLOCK_PLAIN_BYTES = 32 * 1024,
    BLOCK_BYTES_MAX = BLOCK_PLAIN_BYTES + 6144, /* what LZX may grow to; MSZIP stays below */
};

struct blocks {
    struct feed *feed;
    uint32_t left;       /* blocks to come */
    uint64_t plain_left; /* bytes that they unfold to */
    uint8_t reserved;    /* bytes between a block's head and its data that are nobody's */
    bool filled;         /* every block but the last unfolds to BLOCK_PLAIN_BYTES */
};

struct block {
    const unsigned char *bytes; /* holds until the next call */
    uint16_t length;
    uint16_t plain; /* bytes that it unfolds to */
};

/* Can the blocks unfold to what they should, as far as their number tells? */
bool blocks_add_up(const struct blocks *blocks, struct error *err) MUST_CHECK;

/* The next one, of which there must be one left. Blocks where the feed does. */
bool blocks_next(struct blocks *blocks, struct block *out_block, struct error *err) MUST_CHECK;
