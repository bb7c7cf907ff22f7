// SPDX-License-Identifier: MIT
#include "server/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "server/exchange.h"
#include "server/internal.h"

enum {
    TURNS_AT_ONCE = 512,
    PENDING_BYTES_MAX = REQUEST_HEAD_BYTES_MAX + INPUT_BYTES,
    BODY_BYTES_MAX = 64 * 1024,
    LINGER_BYTES_MAX = 1024 * 1024,
};

/* What a step of the connection's machine means for the loop around it. */
enum turn { TURN_AGAIN, TURN_STOP, TURN_YIELD };

void connection_wait(struct connection *connection, enum patience patience) {
    list_remove(&connection->in_patience);
    if (patience == PATIENCE_COUNT)
        return;
    connection->since_ms = connection->loop->now_ms;
    list_push_back(&connection->loop->patience[patience], &connection->in_patience);
}

void connection_accept(struct loop *loop, int fd, const struct address *client) {
    struct connection *connection = NEW(struct connection);
    connection->kind = ENDPOINT_CONNECTION;
    connection->phase = CONNECTION_READING;
    connection->fd = fd;
    connection->loop = loop;
    connection->client = *client;
    connection->ready = READY_IN | READY_OUT;
    buffer_init(&connection->pending, PENDING_BYTES_MAX);
    list_push_back(&loop->connections_open, &connection->in_loop);
    loop->connections++;
    loop->server->connections++;
    connection_wait(connection, PATIENCE_IDLE);
    connection_run(connection);
}

static void release_body(struct connection *connection) {
    if (!connection->body)
        return;
    body_release(connection->body);
    free(connection->body);
    connection->body = NULL;
}

void connection_close(struct connection *connection, bool reset) {
    if (connection->phase == CONNECTION_CLOSED)
        return;
    connection->phase = CONNECTION_CLOSED;
    release_body(connection);
    struct exchange *exchange = TAKE(connection->exchange);
    if (exchange)
        exchange_end(exchange, true, !reset);
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(connection->fd);
    buffer_release(&connection->pending);
    list_remove(&connection->in_patience);
    list_remove(&connection->in_loop);
    list_push_back(&connection->loop->graveyard, &connection->in_loop);
    connection->loop->connections--;
    connection->loop->server->connections--;
}

void connection_free(struct connection *connection) {
    assert(connection->phase == CONNECTION_CLOSED);
    free(connection);
}

/* Reads once; the count, 0 at the end of input or an error, -1 when nothing is there now. */
static ssize_t read_some(struct connection *connection, char *bytes, size_t size) {
    for (;;) {
        ssize_t got = recv(connection->fd, bytes, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN) {
            connection->ready &= ~(unsigned)READY_IN;
            return -1;
        }
        /* Less than was asked for: nothing is left, and what comes next is a new event (an end that
           has come already is one that has been told). */
        if (got > 0 && (size_t)got < size && !(connection->ready & READY_HUP))
            connection->ready &= ~(unsigned)READY_IN;
        return got > 0 ? got : 0;
    }
}

/* Keeps what the shared input block holds beyond what was used, and nothing when all was. */
static bool keep_rest(struct connection *connection, const char *bytes, size_t length,
                      size_t used) {
    bool from_pending = bytes == connection->pending.bytes;
    if (from_pending) {
        buffer_consume(&connection->pending, used);
        if (connection->pending.length == 0)
            buffer_release(&connection->pending);
        return true;
    }
    return used == length || buffer_append(&connection->pending, bytes + used, length - used);
}

static enum turn refuse(struct connection *connection, int status, const char *reason) {
    connection->phase = CONNECTION_ANSWERING;
    connection_wait(connection, PATIENCE_COUNT);
    exchange_refuse(connection->exchange, status, reason);
    return TURN_AGAIN;
}

static enum turn begin_body(struct connection *connection) {
    struct exchange *exchange = connection->exchange;
    connection->phase = CONNECTION_BODY;
    connection->body = NEW(struct body);
    body_init(connection->body, &exchange->request, BODY_BYTES_MAX);
    return TURN_AGAIN;
}

/* Bytes of a head, from the start of the request. They lie in the shared block, or in `pending`
 * when a head comes in parts. */
static enum turn feed_head(struct connection *connection, const char *bytes, size_t length) {
    if (!connection->exchange) {
        connection->exchange = exchange_new(connection);
        connection_wait(connection, PATIENCE_HEAD);
    }
    struct exchange *exchange = connection->exchange;
    struct error err;
    switch (request_feed(&exchange->request, bytes, length, &err)) {
    case REQUEST_MORE:
        keep_rest(connection, bytes, length, 0);
        return TURN_AGAIN;
    case REQUEST_BAD:
        return refuse(connection, exchange->request.refusal, err.what);
    case REQUEST_HEAD:
        break;
    }
    if (exchange->request.has_body) {
        /* The head's fields are read when the body is whole: all stays together in `pending`. */
        keep_rest(connection, bytes, length, 0);
        return begin_body(connection);
    }
    connection->phase = CONNECTION_ANSWERING;
    connection_wait(connection, PATIENCE_COUNT);
    size_t used = exchange->request.head_bytes;
    exchange_dispatch(exchange, bytes, NULL);
    if (!keep_rest(connection, bytes, length, used))
        exchange->keep_alive = false;
    return TURN_AGAIN;
}

static enum turn read_head(struct connection *connection) {
    struct buffer *pending = &connection->pending;
    struct exchange *exchange = connection->exchange;
    bool unread = pending->length > (exchange ? exchange->request.fed : 0);
    if (unread)
        return feed_head(connection, pending->bytes, pending->length);
    if (!(connection->ready & READY_IN))
        return TURN_STOP;
    char *input = connection->loop->input;
    ssize_t got = read_some(connection, input, INPUT_BYTES);
    if (got < 0)
        return TURN_STOP;
    if (got == 0) {
        connection_close(connection, false);
        return TURN_STOP;
    }
    if (pending->length == 0)
        return feed_head(connection, input, (size_t)got);
    if (!buffer_append(pending, input, (size_t)got))
        return refuse(connection, 431, "the head of the request is too large");
    return feed_head(connection, pending->bytes, pending->length);
}

static enum turn read_body(struct connection *connection) {
    struct exchange *exchange = connection->exchange;
    struct buffer *pending = &connection->pending;
    size_t head = exchange->request.head_bytes;
    if (pending->length == head) {
        ssize_t got = read_some(connection, connection->loop->input, INPUT_BYTES);
        if (got < 0)
            return TURN_STOP;
        if (got == 0) {
            connection_close(connection, false);
            return TURN_STOP;
        }
        if (!buffer_append(pending, connection->loop->input, (size_t)got))
            return refuse(connection, 413, "the body of the request is too large");
    }
    size_t used = 0;
    enum body_state state =
        body_feed(connection->body, pending->bytes + head, pending->length - head, &used);
    /* The head stays where it is; the used part of the body goes out from behind it. */
    memmove(pending->bytes + head, pending->bytes + head + used, pending->length - head - used);
    pending->length -= used;
    switch (state) {
    case BODY_MORE:
        return TURN_AGAIN;
    case BODY_TOO_LARGE:
        return refuse(connection, 413, "the body of the request is too large");
    case BODY_BAD:
        return refuse(connection, 400, "the body of the request is broken");
    case BODY_WHOLE:
        break;
    }
    connection->phase = CONNECTION_ANSWERING;
    connection_wait(connection, PATIENCE_COUNT);
    exchange_dispatch(exchange, pending->bytes, &connection->body->bytes);
    buffer_consume(pending, head);
    release_body(connection);
    return TURN_AGAIN;
}

/* The answer is out: the next request, or a close that does not throw the answer away. */
static enum turn answered(struct connection *connection) {
    struct exchange *exchange = TAKE(connection->exchange);
    bool keep = exchange->keep_alive && !connection->loop->server->stop_at_ms;
    bool unread_input = exchange->request.refusal != 0;
    exchange_end(exchange, false, false);
    if (keep) {
        connection->phase = CONNECTION_READING;
        connection_wait(connection, PATIENCE_IDLE);
        return TURN_AGAIN;
    }
    if (!unread_input) {
        connection_close(connection, false);
        return TURN_STOP;
    }
    shutdown(connection->fd, SHUT_WR);
    buffer_release(&connection->pending);
    connection->phase = CONNECTION_LINGERING;
    connection_wait(connection, PATIENCE_LINGER);
    return TURN_AGAIN;
}

static enum turn answer(struct connection *connection) {
    uint64_t sent = connection->exchange->sent;
    enum exchange_step step = exchange_go(connection->exchange);
    bool progress = connection->exchange->sent != sent;
    switch (step) {
    case STEP_WAIT:
        connection_wait(connection, PATIENCE_COUNT);
        if (connection->ready & READY_HUP)
            connection_close(connection, false);
        return TURN_STOP;
    case STEP_BLOCKED:
        connection->ready &= ~(unsigned)READY_OUT;
        /* Its patience runs from the last byte that the client took, however often we look. */
        if (progress || !list_linked(&connection->in_patience))
            connection_wait(connection, PATIENCE_BLOCKED);
        return TURN_STOP;
    case STEP_YIELD:
        return TURN_YIELD;
    case STEP_DONE:
        return answered(connection);
    case STEP_GONE:
        connection_close(connection, false);
        return TURN_STOP;
    case STEP_BROKEN:
        break;
    }
    connection_close(connection, true);
    return TURN_STOP;
}

static enum turn linger(struct connection *connection) {
    ssize_t got = read_some(connection, connection->loop->input, INPUT_BYTES);
    if (got < 0)
        return TURN_STOP;
    connection->lingered_bytes += (uint32_t)got;
    if (got > 0 && connection->lingered_bytes < LINGER_BYTES_MAX)
        return TURN_AGAIN;
    connection_close(connection, false);
    return TURN_STOP;
}

static enum turn step(struct connection *connection) {
    switch (connection->phase) {
    case CONNECTION_READING:
        return read_head(connection);
    case CONNECTION_BODY:
        return read_body(connection);
    case CONNECTION_ANSWERING:
        return answer(connection);
    case CONNECTION_LINGERING:
        return linger(connection);
    case CONNECTION_CLOSED:
        break;
    }
    return TURN_STOP;
}

/* Puts it into the epoll set, or (again) has the loop come back to it after the others. */
static void register_or_rearm(struct connection *connection) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = connection};
    int what = connection->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    connection->registered = true;
    if (epoll_ctl(connection->loop->epoll_fd, what, connection->fd, &event) != 0)
        connection_close(connection, true);
}

void connection_run(struct connection *connection) {
    enum turn turn = TURN_AGAIN;
    for (unsigned i = 0; turn == TURN_AGAIN && i < TURNS_AT_ONCE; i++)
        turn = step(connection);
    if (connection->phase == CONNECTION_CLOSED)
        return;
    /* Registered only now: a connection that asks once and closes never enters the set. */
    if (!connection->registered || turn != TURN_STOP)
        register_or_rearm(connection);
}
