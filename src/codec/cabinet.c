// SPDX-License-Identifier: MIT
//
// The head of a cabinet ([MS-CAB]): CFHEADER, one CFFOLDER, one CFFILE, and then the folder's
// blocks, which are unfolded by the folder's method. Symbol files lie alone in their cabinets;
// large ones were cut over several cabinets of one name by old tools, and sizes were written that
// wrapped around: these are told by what does not add up, before the first byte is passed on where
// possible.
#include "codec/cabinet.h"

#include <inttypes.h>

#include "codec/blocks.h"
#include "codec/lzx.h"
#include "codec/mszip.h"

enum {
    HEAD_BYTES = 36,
    FOLDER_BYTES = 8,
    FILE_BYTES = 16,
    NAME_BYTES_MAX = 256, /* with its NUL */
    GAP_BYTES_MAX = 64 * 1024,
    FLAG_PREVIOUS = 1,
    FLAG_NEXT = 2,
    FLAG_RESERVE = 4,
    FOLDER_SPANNED = 0xfffd, /* and above: continued from or to another cabinet */
};

enum method { METHOD_STORED, METHOD_MSZIP, METHOD_QUANTUM, METHOD_LZX };

struct cabinet {
    uint32_t files_at;
    uint32_t blocks_at;
    uint8_t folder_reserved;
    unsigned method;
    unsigned window_bits;
    struct blocks blocks;
};

static bool spanned(struct error *err) {
    error_set(err, ERROR_ENCODING, "the cabinet is one piece of several");
    return error_hint(err, "Publish the file again, in one cabinet or plain.");
}

static bool read_head(struct cabinet *cabinet, struct feed *feed, struct error *err) {
    const unsigned char *head = feed_take(feed, HEAD_BYTES, err);
    if (!head)
        return false;
    uint32_t whole = little_32(head + 8);
    cabinet->files_at = little_32(head + 16);
    unsigned folders = little_16(head + 26);
    unsigned files = little_16(head + 28);
    unsigned flags = little_16(head + 30);
    if (flags & (FLAG_PREVIOUS | FLAG_NEXT))
        return spanned(err);
    if (folders != 1 || files != 1)
        return error_set(err, ERROR_ENCODING,
                         "the cabinet has %u files in %u folders, where one in one is expected",
                         files, folders);
    if (!feed_claim(feed, whole, err))
        return false;
    if (!(flags & FLAG_RESERVE))
        return true;
    const unsigned char *reserve = feed_take(feed, 4, err);
    if (!reserve)
        return false;
    cabinet->folder_reserved = reserve[2];
    cabinet->blocks.reserved = reserve[3];
    return feed_skip_to(feed, feed->taken + little_16(reserve), err);
}

static bool read_folder(struct cabinet *cabinet, struct feed *feed, struct error *err) {
    const unsigned char *folder = feed_take(feed, FOLDER_BYTES + cabinet->folder_reserved, err);
    if (!folder)
        return false;
    cabinet->blocks_at = little_32(folder);
    cabinet->blocks.left = little_16(folder + 4);
    cabinet->method = folder[6] & 0x0f;
    cabinet->window_bits = folder[7] & 0x1f;
    cabinet->blocks.filled = cabinet->method != METHOD_STORED;
    if (cabinet->method == METHOD_QUANTUM)
        return error_set(err, ERROR_ENCODING, "the cabinet is compressed with Quantum");
    if (cabinet->method > METHOD_LZX)
        return error_set(err, ERROR_ENCODING, "the cabinet's method %u is unknown",
                         cabinet->method);
    if (cabinet->method == METHOD_LZX &&
        (cabinet->window_bits < LZX_WINDOW_MIN || cabinet->window_bits > LZX_WINDOW_MAX))
        return error_set(err, ERROR_ENCODING, "the cabinet's LZX window of %u bits is impossible",
                         cabinet->window_bits);
    return true;
}

/* On to the next part of the head, which may lie a little further on. */
static bool go_on(struct feed *feed, uint32_t offset, struct error *err) {
    if (offset < feed->taken || offset - feed->taken > GAP_BYTES_MAX)
        return error_set(err, ERROR_ENCODING, "the parts of the cabinet are out of order");
    return feed_skip_to(feed, offset, err);
}

static bool read_name(struct feed *feed, struct error *err) {
    for (unsigned i = 0; i < NAME_BYTES_MAX; i++) {
        const unsigned char *letter = feed_take(feed, 1, err);
        if (!letter)
            return false;
        if (*letter == '\0')
            return true;
    }
    return error_set(err, ERROR_ENCODING, "the name in the cabinet has no end");
}

static bool read_file(struct cabinet *cabinet, struct feed *feed, struct error *err) {
    const unsigned char *file = feed_take(feed, FILE_BYTES, err);
    if (!file)
        return false;
    unsigned folder = little_16(file + 8);
    cabinet->blocks.plain_left = little_32(file);
    if (folder >= FOLDER_SPANNED)
        return spanned(err);
    if (little_32(file + 4) != 0 || folder != 0)
        return error_set(err, ERROR_ENCODING, "the cabinet's file does not begin where it should");
    return read_name(feed, err) && blocks_add_up(&cabinet->blocks, err);
}

static bool copy_stored(struct blocks *blocks, struct outlet *outlet, struct error *err) {
    while (blocks->left > 0) {
        struct block block;
        if (!blocks_next(blocks, &block, err))
            return false;
        if (block.length != block.plain)
            return error_set(err, ERROR_ENCODING, "a stored block of the cabinet has two sizes");
        if (!outlet_write(outlet, block.bytes, block.length, err))
            return false;
    }
    return true;
}

static bool unfold(struct cabinet *cabinet, struct outlet *outlet, struct error *err) {
    if (cabinet->method == METHOD_LZX)
        return lzx_run(&cabinet->blocks, cabinet->window_bits, outlet, err);
    if (cabinet->method == METHOD_MSZIP)
        return mszip_run(&cabinet->blocks, outlet, err);
    return copy_stored(&cabinet->blocks, outlet, err);
}

bool cabinet_run(struct feed *feed, struct outlet *outlet, struct error *err) {
    struct cabinet cabinet = {.blocks.feed = feed};
    if (!read_head(&cabinet, feed, err) || !read_folder(&cabinet, feed, err) ||
        !go_on(feed, cabinet.files_at, err) || !read_file(&cabinet, feed, err) ||
        !go_on(feed, cabinet.blocks_at, err))
        return false;
    if (!outlet_announce(outlet, cabinet.blocks.plain_left, err) ||
        !unfold(&cabinet, outlet, err) || !outlet_end(outlet, err))
        return false;
    return feed->taken == feed->whole ||
           error_set(err, ERROR_ENCODING,
                     "the cabinet claims %" PRIu64 " bytes, its blocks end at %" PRIu64,
                     feed->whole, feed->taken);
}
