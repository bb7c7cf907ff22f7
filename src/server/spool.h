// SPDX-License-Identifier: MIT
//
// A text that may be larger than memory should hold: written to a file without a name by a pool
// thread, then sent from it by the loop. Also any file's bytes as they are now (log files). The
// loop never waits for the disk: what is not in memory is read by a pool thread first.
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { SPOOL_BLOCK_BYTES = 64 * 1024 };

/* Zeroed: closed. */
struct spool {
    bool open;
    bool failed;
    int fd;
    uint64_t at;  /* the next byte to send */
    uint64_t end; /* the byte after the last one */
    struct buffer block;
};

/* Makes an empty one in a folder. Blocks. */
bool spool_open(struct spool *spool, const char *folder, struct error *err) MUST_CHECK;

/* Takes a file over, to be sent as far as it is long now. Blocks. */
bool spool_take(struct spool *spool, int fd, struct error *err) MUST_CHECK;

/* Where text is to be appended; call spool_flow after every piece. */
struct buffer *spool_block(struct spool *spool);

/* Writes out what has gathered, if it is much. False once something has failed. */
bool spool_flow(struct spool *spool);

/* Writes out the rest. False when something has failed: then it must not be sent. */
bool spool_end(struct spool *spool) MUST_CHECK;

/* Closes it. A closed one is allowed. */
void spool_release(struct spool *spool);
