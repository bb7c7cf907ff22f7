// SPDX-License-Identifier: MIT
#include "server/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/files.h"

enum { PIECE_BYTES_MAX = 1024 * 1024 }; /* no piece that is appended at once is larger */

bool spool_open(struct spool *spool, const char *folder, struct error *err) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_os(err, ERROR_DISK, errno, "could not make a file in \"%s\"", folder);
    *spool = (struct spool){.open = true, .fd = fd};
    buffer_init(&spool->block, SPOOL_BLOCK_BYTES + PIECE_BYTES_MAX);
    return true;
}

bool spool_take(struct spool *spool, int fd, struct error *err) {
    struct stat file;
    *spool = (struct spool){.open = true, .fd = fd};
    if (fstat(fd, &file) != 0)
        return error_os(err, ERROR_DISK, errno, "could not look at a file");
    spool->end = (uint64_t)file.st_size;
    return true;
}

struct buffer *spool_block(struct spool *spool) {
    return &spool->block;
}

static bool write_out(struct spool *spool) {
    struct buffer *block = &spool->block;
    struct error err;
    spool->failed = spool->failed || block->failed ||
                    (block->length > 0 &&
                     !files_write_at(spool->fd, block->bytes, block->length, spool->end, &err));
    spool->end += block->length;
    buffer_clear(block);
    return !spool->failed;
}

bool spool_flow(struct spool *spool) {
    if (spool->block.length < SPOOL_BLOCK_BYTES && !spool->block.failed)
        return !spool->failed;
    return write_out(spool);
}

bool spool_end(struct spool *spool) {
    bool good = write_out(spool);
    buffer_release(&spool->block);
    return good;
}

void spool_release(struct spool *spool) {
    if (!spool->open)
        return;
    spool->open = false;
    close(spool->fd);
    buffer_release(&spool->block);
}
