// SPDX-License-Identifier: MIT
//
// Sends a spooled answer.
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "server/api.h"
#include "server/exchange.h"
#include "server/internal.h"

enum { TURN_BYTES = 1024 * 1024 };

/* On a pool thread: reading is what brings it into memory. */
static void warm(struct exchange *exchange) {
    char block[16 * 1024];
    const struct spool *spool = &exchange->call->spool;
    uint64_t end = spool->at + TURN_BYTES < spool->end ? spool->at + TURN_BYTES : spool->end;
    for (uint64_t at = spool->at; at < end;) {
        ssize_t got = pread(spool->fd, block, sizeof block, (off_t)at);
        if (got <= 0)
            return;
        at += (uint64_t)got;
    }
}

/* The next bytes, where they are in memory; -1 with errno. */
static ssize_t read_block(const struct spool *spool, char *block) {
    uint64_t left = spool->end - spool->at;
    struct iovec part = {block, left < INPUT_BYTES ? left : INPUT_BYTES};
    ssize_t got = preadv2(spool->fd, &part, 1, (off_t)spool->at, RWF_NOWAIT);
    /* A file system that knows no such question is one in memory, most often. */
    if (got < 0 && errno == EOPNOTSUPP)
        got = pread(spool->fd, block, part.iov_len, (off_t)spool->at);
    return got;
}

enum exchange_step send_spool(struct exchange *exchange) {
    struct connection *connection = exchange->connection;
    struct spool *spool = &exchange->call->spool;
    enum exchange_step step;
    if (exchange->job_running)
        return STEP_WAIT;
    for (uint64_t turn_end = spool->at + TURN_BYTES; spool->at < spool->end;) {
        if (!send_head(exchange, true, &step))
            return step;
        if (spool->at >= turn_end)
            return STEP_YIELD;
        ssize_t got = read_block(spool, connection->loop->input);
        if (got < 0 && errno == EAGAIN) {
            /* A full pool: looked at again at the next tick. */
            (void)!exchange_work(exchange, connection->loop->server->pool, warm, NULL);
            return STEP_WAIT;
        }
        if (got <= 0)
            return STEP_BROKEN;
        ssize_t sent = send(connection->fd, connection->loop->input, (size_t)got, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return send_failed();
        spool->at += (uint64_t)sent;
        exchange->sent += (uint64_t)sent;
    }
    return send_head(exchange, false, &step) ? STEP_DONE : step;
}
