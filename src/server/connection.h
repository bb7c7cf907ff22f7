// SPDX-License-Identifier: MIT
//
// A client's connection: reads heads, hands them to exchanges one after the other, closes in the
// way that the client can stand.
//
//   phase      what happens                                       leaves by
//   READING    between requests, or a head has come in part       a complete head
//   BODY       the body of a POST comes                           its end
//   ANSWERING  an exchange waits or sends                         its end: READING (kept),
//   LINGERING or CLOSED LINGERING  an error was answered early; the rest of what the  end of input,
//   2 s or 1 MiB
//              client sends is thrown away, so that the answer is not lost to a reset
//   CLOSED     the descriptor is closed; freed after the batch
//
// Idle connections own nothing but this struct.
#pragma once

#include "base/buffer.h"
#include "http/body.h"
#include "server/loop.h"

struct exchange;

enum connection_phase {
    CONNECTION_READING,
    CONNECTION_BODY,
    CONNECTION_ANSWERING,
    CONNECTION_LINGERING,
    CONNECTION_CLOSED,
};

enum { READY_IN = 1, READY_OUT = 2, READY_HUP = 4 };

struct connection {
    enum endpoint kind; /* ENDPOINT_CONNECTION */
    enum connection_phase phase;
    int fd;
    unsigned ready;  /* bits READY_… since the last "would block" */
    bool registered; /* in the epoll set */
    bool tuned;      /* for large bodies to a peer on this host */
    uint32_t lingered_bytes;
    struct loop *loop;
    struct list in_loop; /* loop.connections_open, then loop.graveyard */
    struct list in_patience;
    int64_t since_ms;          /* when it came into its patience queue */
    struct exchange *exchange; /* NULL while nothing is under way */
    struct buffer pending;     /* bytes read and not used yet */
    struct address client;
    struct body *body; /* CONNECTION_BODY only */
};

/* Takes a fresh descriptor, reads at once, and registers it if it lives on. */
void connection_accept(struct loop *loop, int fd, const struct address *client);

/* Goes on with whatever is possible now. */
void connection_run(struct connection *connection);

/* Closes; with `reset` so that the client sees a broken transfer, never a normal end. */
void connection_close(struct connection *connection, bool reset);

/* Frees a closed one. */
void connection_free(struct connection *connection);

/* Puts it into a patience queue (leaving another), or, with PATIENCE_COUNT, into none. */
void connection_wait(struct connection *connection, enum patience patience);
