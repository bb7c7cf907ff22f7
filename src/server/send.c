// SPDX-License-Identifier: MIT
//
// Sends bodies. Small ones lie in memory and go out with their head in one call; all others go from
// the file to the socket by sendfile, a few megabytes a call, never from a disk that would make
// the loop wait: what is not in memory is read by a thread of the shelf's pool first.
//
// Nothing false ends well: as long as a copy is not certain, the last HELD_BYTES of the answer's
// own bytes stay here, and so does the end mark of a chunked one.
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/text.h"
#include "server/exchange.h"
#include "server/internal.h"

enum {
    HELD_BYTES = 4096,
    CALL_BYTES = 4 * 1024 * 1024, /* a megabyte each costs a twentieth more */
    TURN_BYTES = 4 * 1024 * 1024,
    WARM_BYTES = 1024 * 1024,
    LOCAL_BYTES = 256 * 1024,
    WARM_MS = 100, /* so long a file that was found in memory is taken to be there */
};

static const uint64_t piece_bytes_max = 64U * 1024 * 1024;

enum exchange_step send_failed(void) {
    switch (errno) {
    case EAGAIN:
        return STEP_BLOCKED;
    case EPIPE:
    case ECONNRESET:
    case ETIMEDOUT:
    case ENOTCONN:
        return STEP_GONE;
    default:
        return STEP_BROKEN;
    }
}

bool send_head(struct exchange *exchange, bool more_follows, enum exchange_step *out_step) {
    while (exchange->head_sent < exchange->head_length) {
        ssize_t sent = send(exchange->connection->fd, exchange->head + exchange->head_sent,
                            exchange->head_length - exchange->head_sent,
                            MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            *out_step = send_failed();
            return false;
        }
        exchange->head_sent += (uint32_t)sent;
    }
    return true;
}

/* How far this answer may be sent now. */
static uint64_t sendable_end(const struct body_cursor *body, const struct copy_state *state) {
    uint64_t end = body->end < state->written ? body->end : state->written;
    if (state->certain)
        return end;
    uint64_t last = body->end != SIZE_UNKNOWN ? body->end : state->written;
    uint64_t free_end = last > HELD_BYTES ? last - HELD_BYTES : 0;
    return end < free_end ? end : free_end;
}

/* Appends framing to what is out already. */
static void append_mark(struct exchange *exchange, const char *mark) {
    if (exchange->head_sent == exchange->head_length) {
        exchange->head_sent = 0;
        exchange->head_length = 0;
    }
    size_t room = sizeof exchange->head - exchange->head_length;
    bool fits = text_format(exchange->head + exchange->head_length, room, "%s", mark);
    assert(fits);
    while (exchange->head[exchange->head_length])
        exchange->head_length++;
}

static void open_piece(struct exchange *exchange, uint64_t bytes) {
    struct body_cursor *body = &exchange->body;
    body->piece_left = bytes < piece_bytes_max ? bytes : piece_bytes_max;
    char mark[24];
    text_format(mark, sizeof mark, "%llx\r\n", (unsigned long long)body->piece_left);
    append_mark(exchange, mark);
}

static void advance(struct exchange *exchange, uint64_t bytes) {
    struct body_cursor *body = &exchange->body;
    body->at += bytes;
    exchange->sent += bytes;
    if (body->framing != FRAMING_CHUNKED)
        return;
    body->piece_left -= bytes;
    if (body->piece_left == 0)
        append_mark(exchange, "\r\n");
}

/* Head and a body that lies in memory, in as few calls as the socket allows. */
static enum exchange_step send_small(struct exchange *exchange, const char *small) {
    struct body_cursor *body = &exchange->body;
    while (exchange->head_sent < exchange->head_length || body->at < body->end) {
        struct iovec parts[2] = {
            {exchange->head + exchange->head_sent, exchange->head_length - exchange->head_sent},
            {(void *)(uintptr_t)(small + body->at), body->end - body->at},
        };
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t sent = sendmsg(exchange->connection->fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return send_failed();
        size_t of_head = (size_t)sent < parts[0].iov_len ? (size_t)sent : parts[0].iov_len;
        exchange->head_sent += (uint32_t)of_head;
        advance(exchange, (uint64_t)sent - of_head);
    }
    return STEP_DONE;
}

/* Runs on a thread of the copy's pool: reading is what brings a file into memory. */
static void warm(struct exchange *exchange) {
    char block[16 * 1024];
    uint64_t end = exchange->body.warm_end;
    for (uint64_t at = exchange->body.at; at < end;) {
        int fd;
        uint64_t from, bytes;
        copy_file(exchange->warming, at, &fd, &from, &bytes);
        ssize_t got = pread(fd, block, sizeof block, (off_t)from);
        if (got <= 0)
            return;
        at += (uint64_t)got;
    }
}

static bool in_memory(int fd, uint64_t at) {
    char byte;
    struct iovec part = {&byte, 1};
    return preadv2(fd, &part, 1, (off_t)at, RWF_NOWAIT) == 1;
}

/* Is it all in memory? Judged by both ends and each megabyte between them, and for whole files that
 * go out in one call not again each time: the two looks are an eighth of what a 64 KB file costs.
 */
static bool is_warm(struct exchange *exchange, int fd, uint64_t from, uint64_t bytes) {
    const struct body_cursor *body = &exchange->body;
    int64_t now_ms = exchange->connection->loop->now_ms;
    bool whole = exchange->range.kind == RANGE_NONE && body->at == 0 && bytes == body->end;
    if (whole && now_ms - copy_warm(exchange->copy) < WARM_MS)
        return true;
    for (uint64_t at = 0; at < bytes; at += WARM_BYTES)
        if (!in_memory(fd, from + at))
            return false;
    if (!in_memory(fd, from + bytes - 1))
        return false;
    if (whole)
        copy_note_warm(exchange->copy, now_ms);
    return true;
}

/* Has the reading been handed to a pool (or must it wait for one)? */
static bool must_warm(struct exchange *exchange, int fd, uint64_t from, uint64_t bytes) {
    struct body_cursor *body = &exchange->body;
    struct pool *pool = copy_pool(exchange->copy);
    if (!pool || body->at < body->warm_end || is_warm(exchange, fd, from, bytes))
        return false;
    uint64_t end = body->at + (bytes < WARM_BYTES ? bytes : WARM_BYTES);
    uint64_t before = body->warm_end;
    body->warm_end = end;
    exchange->warming = copy_ref(exchange->copy);
    if (exchange_work(exchange, pool, warm, NULL))
        return true;
    copy_unref(TAKE(exchange->warming));
    body->warm_end = before;
    return true;
}

static enum exchange_step send_file(struct exchange *exchange, uint64_t end) {
    struct body_cursor *body = &exchange->body;
    uint64_t most = body->framing == FRAMING_CHUNKED ? body->piece_left : CALL_BYTES;
    int fd;
    uint64_t from, bytes;
    copy_file(exchange->copy, body->at, &fd, &from, &bytes);
    if (bytes > end - body->at)
        bytes = end - body->at;
    if (bytes > most)
        bytes = most;
    if (bytes > CALL_BYTES)
        bytes = CALL_BYTES;
    if (must_warm(exchange, fd, from, bytes))
        return STEP_WAIT;
    if (body->at < body->warm_end && bytes > body->warm_end - body->at)
        bytes = body->warm_end - body->at;
    off_t offset = (off_t)from;
    ssize_t sent = sendfile(exchange->connection->fd, fd, &offset, bytes);
    if (sent < 0)
        return errno == EINTR ? STEP_YIELD : send_failed();
    if (sent == 0)
        return STEP_BROKEN; /* somebody has cut the file short */
    advance(exchange, (uint64_t)sent);
    return STEP_DONE;
}

/* A peer on this host (a front proxy, most often) has no line that could be overrun, but bbr paces
 * there as well, which can double the cost of a large body. (A smaller send buffer helps against
 * that too, and costs a third more wherever bbr is not the default.) */
static void tune_socket(struct exchange *exchange, uint64_t bytes) {
    struct connection *connection = exchange->connection;
    const struct in6_addr *ip = &connection->client.ip;
    bool local = IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
    if (connection->tuned || !local || bytes < LOCAL_BYTES)
        return;
    connection->tuned = true;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_CONGESTION, "reno", sizeof "reno" - 1);
}

static enum exchange_step end_body(struct exchange *exchange) {
    enum exchange_step step;
    if (!exchange->body.ended) {
        exchange->body.ended = true;
        if (exchange->body.framing == FRAMING_CHUNKED)
            append_mark(exchange, "0\r\n\r\n");
    }
    return send_head(exchange, false, &step) ? STEP_DONE : step;
}

/* One step towards the end: STEP_DONE means that something was sent and there may be more to do. */
static enum exchange_step send_some(struct exchange *exchange, uint64_t end) {
    struct body_cursor *body = &exchange->body;
    if (body->framing == FRAMING_CHUNKED && body->piece_left == 0)
        open_piece(exchange, end - body->at);
    enum exchange_step step;
    if (!send_head(exchange, true, &step))
        return step;
    return send_file(exchange, end);
}

enum exchange_step send_body(struct exchange *exchange) {
    struct body_cursor *body = &exchange->body;
    struct copy_state state;
    enum exchange_step step;
    if (exchange->job_running)
        return STEP_WAIT;
    for (uint64_t turn_end = body->at + TURN_BYTES; !body->ended;) {
        copy_look(exchange->copy, &state);
        if (state.phase == COPY_FAILED)
            return STEP_BROKEN;
        if (body->end == SIZE_UNKNOWN && state.certain)
            body->end = state.size;
        if (body->at == body->end)
            break;
        const char *small = body->framing == FRAMING_LENGTH ? copy_small(exchange->copy) : NULL;
        if (small)
            return send_small(exchange, small);
        uint64_t end = sendable_end(body, &state);
        if (body->at >= end)
            return send_head(exchange, false, &step) ? STEP_WAIT : step;
        if (end == body->end && state.in_place && !copy_intact(exchange->copy))
            return STEP_BROKEN;
        tune_socket(exchange, end - body->at);
        step = send_some(exchange, end);
        if (step != STEP_DONE)
            return step;
        if (body->at >= turn_end && body->at < body->end)
            return STEP_YIELD;
    }
    return end_body(exchange);
}
