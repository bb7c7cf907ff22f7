// SPDX-License-Identifier: MIT
#include "unit/codec/lzx_writer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    BLOCK_FRAMES = 8, /* one block of LZX, with its trees, spans so many frames */
    BLOCK_BYTES = BLOCK_FRAMES * LZX_FRAME_BYTES,
    SLOTS_MAX = 50,
    LITERALS = 256,
    MAIN_MAX = LITERALS + 8 * SLOTS_MAX,
    LENGTHS = 249,
    PRETREE = 20,
    PRETREE_BITS = 15,
    TREE_BITS = 16,
    MATCH_MIN = 2,
    MATCH_MAX = 257,
    HASH_BITS = 15,
    CHAIN_MAX = 12,
    VERBATIM = 1,
};

/* A literal, or a match: what is written for it. */
struct token {
    uint16_t symbol;
    int16_t length_symbol; /* -1: none */
    uint8_t footer_bits;
    uint32_t footer;
    uint16_t plain; /* bytes it stands for */
};

struct tree {
    size_t symbols;
    uint32_t uses[MAIN_MAX];
    uint8_t lengths[MAIN_MAX];
    uint8_t lengths_before[MAIN_MAX]; /* in the block before: what is written are differences */
    uint16_t codes[MAIN_MAX];
};

struct lzx_writer {
    const unsigned char *plain;
    size_t length;
    size_t at;
    size_t window;
    size_t slots;
    uint32_t slot_base[SLOTS_MAX + 1];
    uint8_t slot_bits[SLOTS_MAX + 1];
    uint32_t repeated[3];
    struct tree main;
    struct tree lengths;
    struct token tokens[BLOCK_BYTES];
    size_t tokens_at;
    size_t token_count;
    uint64_t bits;
    unsigned bit_count;
    int64_t heads[1 << HASH_BITS];
    int64_t *previous; /* the place before with the same hash */
};

/* --- bits: words of 16, little-endian, filled from the top --- */

static void put(struct lzx_writer *writer, struct buffer *out, uint32_t number, unsigned width) {
    writer->bits = writer->bits << width | number;
    writer->bit_count += width;
    while (writer->bit_count >= 16) {
        writer->bit_count -= 16;
        uint16_t word = (uint16_t)(writer->bits >> writer->bit_count);
        char bytes[2] = {(char)word, (char)(word >> 8)};
        if (!buffer_append(out, bytes, 2))
            abort();
    }
}

static void align(struct lzx_writer *writer, struct buffer *out) {
    if (writer->bit_count > 0)
        put(writer, out, 0, 16 - writer->bit_count);
}

/* --- trees --- */

static size_t lightest(const uint64_t *weights, const bool *open, size_t count) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (open[i] && (best == SIZE_MAX || weights[i] < weights[best]))
            best = i;
    return best;
}

/* Lengths of Huffman codes; the longest one. */
static unsigned measure(const uint32_t *uses, size_t symbols, uint8_t *lengths) {
    uint64_t weights[2 * MAIN_MAX];
    size_t parents[2 * MAIN_MAX] = {0};
    bool open[2 * MAIN_MAX] = {false};
    size_t nodes = symbols;
    for (size_t i = 0; i < symbols; i++) {
        weights[i] = uses[i];
        open[i] = uses[i] > 0;
    }
    for (;;) {
        size_t first = lightest(weights, open, nodes);
        open[first] = false;
        size_t second = lightest(weights, open, nodes);
        if (second == SIZE_MAX)
            break;
        open[second] = false;
        weights[nodes] = weights[first] + weights[second];
        parents[first] = parents[second] = nodes;
        open[nodes++] = true;
    }
    unsigned longest = 0;
    for (size_t i = 0; i < symbols; i++) {
        lengths[i] = 0;
        for (size_t node = i; uses[i] > 0 && node != nodes - 1; node = parents[node])
            lengths[i]++;
        longest = lengths[i] > longest ? lengths[i] : longest;
    }
    return longest;
}

/* Lengths within the limit, and the canonical codes. A tree has two leaves at least. */
static void build(struct tree *tree, unsigned bits_max) {
    size_t used = 0;
    for (size_t i = 0; i < tree->symbols; i++)
        used += tree->uses[i] > 0;
    for (size_t i = 0; used < 2; i++)
        if (tree->uses[i] == 0) {
            tree->uses[i] = 1;
            used++;
        }
    while (measure(tree->uses, tree->symbols, tree->lengths) > bits_max)
        for (size_t i = 0; i < tree->symbols; i++)
            tree->uses[i] = tree->uses[i] ? tree->uses[i] / 2 + 1 : 0;
    uint16_t code = 0;
    for (unsigned length = 1; length <= bits_max; length++, code = (uint16_t)(code << 1))
        for (size_t i = 0; i < tree->symbols; i++)
            if (tree->lengths[i] == length)
                tree->codes[i] = code++;
}

/* Writes the lengths of a part of a tree as differences, each coded by a small tree of its own. */
static void put_lengths(struct lzx_writer *writer, struct buffer *out, struct tree *tree,
                        size_t from, size_t to) {
    struct tree pretree = {.symbols = PRETREE};
    uint8_t differences[MAIN_MAX];
    for (size_t i = from; i < to; i++) {
        differences[i] = (uint8_t)((tree->lengths_before[i] + 17 - tree->lengths[i]) % 17);
        pretree.uses[differences[i]]++;
        tree->lengths_before[i] = tree->lengths[i];
    }
    build(&pretree, PRETREE_BITS);
    for (size_t i = 0; i < PRETREE; i++)
        put(writer, out, pretree.lengths[i], 4);
    for (size_t i = from; i < to; i++)
        put(writer, out, pretree.codes[differences[i]], pretree.lengths[differences[i]]);
}

/* --- matches --- */

static uint32_t hash(const unsigned char *bytes) {
    return (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) * 2654435761U >>
           (32 - HASH_BITS);
}

static size_t common(const unsigned char *one, const unsigned char *other, size_t most) {
    size_t length = 0;
    while (length < most && one[length] == other[length])
        length++;
    return length;
}

static void remember(struct lzx_writer *writer, size_t at) {
    if (at + 3 > writer->length)
        return;
    uint32_t slot = hash(writer->plain + at);
    writer->previous[at] = writer->heads[slot];
    writer->heads[slot] = (int64_t)at;
}

/* The longest match at this place and how far back it lies; 0: none. */
static size_t find(const struct lzx_writer *writer, size_t at, size_t most, size_t *out_back) {
    size_t best = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t back = writer->repeated[i];
        size_t length =
            back <= at ? common(writer->plain + at - back, writer->plain + at, most) : 0;
        if (length >= MATCH_MIN && length > best) {
            best = length;
            *out_back = back;
        }
    }
    if (most < 3)
        return best;
    int64_t place = writer->heads[hash(writer->plain + at)];
    for (size_t i = 0; i < CHAIN_MAX && place >= 0 && best < most;
         i++, place = writer->previous[place]) {
        size_t back = at - (size_t)place;
        if (back > writer->window - 3)
            break;
        size_t length = common(writer->plain + place, writer->plain + at, most);
        if (length >= 3 && length > best + 1) {
            best = length;
            *out_back = back;
        }
    }
    return best;
}

/* The slot of an offset, and the order of the repeated ones after it. */
static void place(struct lzx_writer *writer, size_t back, size_t length, struct token *token) {
    uint32_t *repeated = writer->repeated;
    size_t slot = 0;
    while (slot < 3 && repeated[slot] != back)
        slot++;
    if (slot == 3) {
        uint32_t formatted = (uint32_t)back + 2;
        while (slot + 1 < writer->slots && writer->slot_base[slot + 1] <= formatted)
            slot++;
        token->footer_bits = writer->slot_bits[slot];
        token->footer = formatted - writer->slot_base[slot];
        repeated[2] = repeated[1];
        repeated[1] = repeated[0];
    } else {
        repeated[slot] = repeated[0];
    }
    repeated[0] = (uint32_t)back;
    size_t header = length - MATCH_MIN < 7 ? length - MATCH_MIN : 7;
    token->length_symbol = header == 7 ? (int16_t)(length - MATCH_MIN - 7) : -1;
    token->symbol = (uint16_t)(LITERALS + slot * 8 + header);
    token->plain = (uint16_t)length;
}

/* Makes tokens of the next block; no match leaves its frame. */
static void tokenise(struct lzx_writer *writer, size_t end) {
    writer->tokens_at = writer->token_count = 0;
    for (size_t at = writer->at; at < end;) {
        size_t frame_end = (at / LZX_FRAME_BYTES + 1) * LZX_FRAME_BYTES;
        size_t most = (frame_end < end ? frame_end : end) - at;
        size_t back = 0;
        size_t length = find(writer, at, most < MATCH_MAX ? most : MATCH_MAX, &back);
        struct token token = {writer->plain[at], -1, 0, 0, 1};
        if (length > 0)
            place(writer, back, length, &token);
        writer->main.uses[token.symbol]++;
        if (token.length_symbol >= 0)
            writer->lengths.uses[token.length_symbol]++;
        writer->tokens[writer->token_count++] = token;
        for (size_t i = 0; i < token.plain; i++)
            remember(writer, at++);
    }
}

static void put_block_head(struct lzx_writer *writer, struct buffer *out) {
    size_t left = writer->length - writer->at;
    size_t plain = left < BLOCK_BYTES ? left : BLOCK_BYTES;
    memset(writer->main.uses, 0, sizeof writer->main.uses);
    memset(writer->lengths.uses, 0, sizeof writer->lengths.uses);
    tokenise(writer, writer->at + plain);
    build(&writer->main, TREE_BITS);
    build(&writer->lengths, TREE_BITS);
    put(writer, out, VERBATIM, 3);
    put(writer, out, (uint32_t)plain, 24);
    put_lengths(writer, out, &writer->main, 0, LITERALS);
    put_lengths(writer, out, &writer->main, LITERALS, writer->main.symbols);
    put_lengths(writer, out, &writer->lengths, 0, LENGTHS);
}

/* --- */

struct lzx_writer *lzx_writer_new(unsigned window_bits, const unsigned char *plain, size_t length) {
    static const uint8_t slots[] = {30, 32, 34, 36, 38, 42, 50}; /* from 15 bits on */
    struct lzx_writer *writer = NEW(struct lzx_writer);
    writer->plain = plain;
    writer->length = length;
    writer->window = (size_t)1 << window_bits;
    writer->slots = slots[window_bits - 15];
    for (size_t i = 0; i < SLOTS_MAX; i++) {
        writer->slot_bits[i] = (uint8_t)(i < 4 ? 0 : i < 36 ? i / 2 - 1 : 17);
        writer->slot_base[i + 1] = writer->slot_base[i] + ((uint32_t)1 << writer->slot_bits[i]);
    }
    for (size_t i = 0; i < 3; i++)
        writer->repeated[i] = 1;
    writer->main.symbols = LITERALS + 8 * writer->slots;
    writer->lengths.symbols = LENGTHS;
    memset(writer->heads, 0xff, sizeof writer->heads);
    writer->previous = NEW_ARRAY(int64_t, length + 1);
    return writer;
}

void lzx_writer_frame(struct lzx_writer *writer, struct buffer *out) {
    if (writer->at == 0)
        put(writer, out, 0, 1); /* no translation of calls */
    if (writer->at % BLOCK_BYTES == 0)
        put_block_head(writer, out);
    for (size_t end = writer->at + LZX_FRAME_BYTES; writer->at < end;) {
        if (writer->tokens_at == writer->token_count)
            break;
        const struct token *token = &writer->tokens[writer->tokens_at++];
        put(writer, out, writer->main.codes[token->symbol], writer->main.lengths[token->symbol]);
        if (token->length_symbol >= 0)
            put(writer, out, writer->lengths.codes[token->length_symbol],
                writer->lengths.lengths[token->length_symbol]);
        put(writer, out, token->footer, token->footer_bits);
        writer->at += token->plain;
    }
    align(writer, out);
}

void lzx_writer_free(struct lzx_writer *writer) {
    if (!writer)
        return;
    free(writer->previous);
    free(writer);
}
