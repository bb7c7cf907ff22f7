// SPDX-License-Identifier: MIT
//
// libmspack's public interface takes cabinets, from files that it opens and seeks in. So it is
// given a cabinet that lies nowhere: a head made here, of one file without a name to speak of, and
// behind it the blocks as they come, in the order in which it reads them. Their check sums are
// verified already and left out. The real head, which may say anything, never reaches it.
#include "codec/lzx.h"

#include <mspack.h>
#include <string.h>

#include "base/memory.h"

enum {
    HEAD_BYTES = 36,
    FOLDER_BYTES = 8,
    FILE_BYTES = 16 + 2,
    BLOCKS_AT = HEAD_BYTES + FOLDER_BYTES + FILE_BYTES,
    BLOCK_HEAD_BYTES = 8,
    METHOD_LZX = 3,
};

struct lzx_file {
    struct mspack_file file; /* the first member, as in struct lzx */
    struct lzx *lzx;
    size_t at; /* in the head, then BLOCKS_AT */
};

struct lzx {
    struct mspack_system system; /* the first member: callbacks find the struct by it */
    struct blocks *blocks;
    struct outlet *outlet;
    struct error *err;
    bool failed; /* a callback has filled err */
    bool starved;
    unsigned char head[BLOCKS_AT];
    struct block block;
    unsigned char block_head[BLOCK_HEAD_BYTES];
    size_t block_at; /* in block_head and block, of what is read next */
};

static void put(unsigned char *bytes, uint64_t number, unsigned length) {
    for (unsigned i = 0; i < length; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
}

static void fill_head(struct lzx *lzx, unsigned window_bits) {
    unsigned char *head = lzx->head;
    memcpy(head, "MSCF", 4);
    put(head + 8, BLOCKS_AT, 4);
    put(head + 16, HEAD_BYTES + FOLDER_BYTES, 4); /* where the file's entry is */
    head[24] = 3;                                 /* version 1.3 */
    head[25] = 1;
    head[26] = 1; /* folders */
    head[28] = 1; /* files */
    unsigned char *folder = head + HEAD_BYTES;
    put(folder, BLOCKS_AT, 4);
    put(folder + 4, lzx->blocks->left, 2);
    put(folder + 6, METHOD_LZX | window_bits << 8, 2);
    unsigned char *file = folder + FOLDER_BYTES;
    put(file, lzx->blocks->plain_left, 4);
    file[16] = '-'; /* the name */
}

/* --- libmspack's system --- */

static struct mspack_file *open_file(struct mspack_system *system, const char *name, int mode) {
    (void)name;
    (void)mode;
    struct lzx_file *file = NEW(struct lzx_file);
    file->lzx = (struct lzx *)system;
    return &file->file;
}

static void close_file(struct mspack_file *file) {
    free(file);
}

/* Makes the next block the one that is read; false: there is none, or it is bad. */
static bool turn(struct lzx *lzx) {
    lzx->block_at = 0;
    lzx->starved = lzx->blocks->left == 0;
    if (lzx->starved)
        return false;
    lzx->failed = !blocks_next(lzx->blocks, &lzx->block, lzx->err);
    if (lzx->failed)
        return false;
    put(lzx->block_head + 4, lzx->block.length, 2);
    put(lzx->block_head + 6, lzx->block.plain, 2);
    return true;
}

static size_t read_some(const void *from, size_t size, size_t at, void *bytes, size_t length) {
    size_t given = length < size - at ? length : size - at;
    memcpy(bytes, (const char *)from + at, given);
    return given;
}

static int read_file(struct mspack_file *opened, void *bytes, int wanted) {
    struct lzx_file *file = (struct lzx_file *)opened;
    struct lzx *lzx = file->lzx;
    size_t length = (size_t)wanted;
    size_t given;
    if (lzx->failed)
        return -1;
    if (file->at < BLOCKS_AT) {
        given = read_some(lzx->head, BLOCKS_AT, file->at, bytes, length);
        file->at += given;
        return (int)given;
    }
    size_t whole = BLOCK_HEAD_BYTES + (size_t)lzx->block.length;
    if (lzx->block_at == whole && !turn(lzx))
        return lzx->failed ? -1 : 0;
    if (lzx->block_at < BLOCK_HEAD_BYTES)
        given = read_some(lzx->block_head, BLOCK_HEAD_BYTES, lzx->block_at, bytes, length);
    else
        given = read_some(lzx->block.bytes, lzx->block.length, lzx->block_at - BLOCK_HEAD_BYTES,
                          bytes, length);
    lzx->block_at += given;
    return (int)given;
}

static int write_file(struct mspack_file *file, void *bytes, int length) {
    struct lzx *lzx = ((struct lzx_file *)file)->lzx;
    lzx->failed = lzx->failed || !outlet_write(lzx->outlet, bytes, (size_t)length, lzx->err);
    return lzx->failed ? -1 : length;
}

/* Only ever back and forth in the head, and to the first block. */
static int seek_file(struct mspack_file *opened, off_t offset, int mode) {
    struct lzx_file *file = (struct lzx_file *)opened;
    off_t from = mode == MSPACK_SYS_SEEK_CUR ? (off_t)file->at : 0;
    if (mode == MSPACK_SYS_SEEK_END || from + offset < 0 || from + offset > BLOCKS_AT)
        return -1;
    file->at = (size_t)(from + offset);
    return 0;
}

static off_t tell_file(struct mspack_file *opened) {
    return (off_t)((struct lzx_file *)opened)->at;
}

static void ignore_message(struct mspack_file *file, const char *format, ...) {
    (void)file;
    (void)format;
}

static void *allocate(struct mspack_system *system, size_t bytes) {
    (void)system;
    return malloc(bytes);
}

static void copy_bytes(void *from, void *to, size_t length) {
    memcpy(to, from, length);
}

/* --- */

static bool expand(struct lzx *lzx, struct mscab_decompressor *mspack) {
    struct mscabd_cabinet *cabinet = mspack->open(mspack, "-");
    int rc = mspack->last_error(mspack);
    if (cabinet) {
        rc = mspack->extract(mspack, cabinet->files, "-");
        mspack->close(mspack, cabinet);
    }
    if (lzx->failed)
        return false;
    if (rc == MSPACK_ERR_NOMEMORY)
        return outlet_no_memory(lzx->outlet, lzx->err);
    if (rc != MSPACK_ERR_OK)
        return error_set(lzx->err, ERROR_ENCODING, "the cabinet's LZX is damaged%s",
                         lzx->starved ? ": it needs more than there is" : "");
    return lzx->blocks->left == 0 ||
           error_set(lzx->err, ERROR_ENCODING, "the cabinet's LZX ends before its last block");
}

bool lzx_run(struct blocks *blocks, unsigned window_bits, struct outlet *outlet,
             struct error *err) {
    CLEANUP(free_block) struct lzx *lzx = NEW(struct lzx);
    *lzx = (struct lzx){
        .system = {.open = open_file,
                   .close = close_file,
                   .read = read_file,
                   .write = write_file,
                   .seek = seek_file,
                   .tell = tell_file,
                   .message = ignore_message,
                   .alloc = allocate,
                   .free = free,
                   .copy = copy_bytes},
        .blocks = blocks,
        .outlet = outlet,
        .err = err,
        .block_at = BLOCK_HEAD_BYTES,
    };
    fill_head(lzx, window_bits);
    struct mscab_decompressor *mspack = mspack_create_cab_decompressor(&lzx->system);
    if (!mspack)
        return outlet_no_memory(outlet, err);
    bool whole = expand(lzx, mspack);
    mspack_destroy_cab_decompressor(mspack);
    return whole;
}
