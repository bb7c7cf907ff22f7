// SPDX-License-Identifier: MIT
//
// A body that is pulled: what sources give and decoders take. Sequential, one thread at a time.
#pragma once

#include <sys/types.h>

#include "base/error.h"

struct reader {
    const struct reader_ops *ops;
};

struct reader_ops {
    /* Up to `length` bytes as soon as some are there; 0 at the true end; -1 with err: a break, a
       stall, a cancel, or an end that is not where it was announced (ERROR_LENGTH). */
    ssize_t (*read)(struct reader *reader, void *bytes, size_t length, struct error *err);
    /* Is more there right now, so that the next read will not wait? (Fast sources are gathered into
     * large writes.) */
    bool (*ready)(struct reader *reader);
    /* Ends the transfer and frees. */
    void (*close)(struct reader *reader);
};

static inline ssize_t reader_read(struct reader *reader, void *bytes, size_t length,
                                  struct error *err) {
    return reader->ops->read(reader, bytes, length, err);
}

static inline bool reader_ready(struct reader *reader) {
    return reader->ops->ready(reader);
}

/* NULL is allowed. */
static inline void reader_close(struct reader *reader) {
    if (reader)
        reader->ops->close(reader);
}

/* For CLEANUP. */
static inline void reader_close_at(struct reader **reader) {
    reader_close(*reader);
}
