// SPDX-License-Identifier: MIT
//
// One epoll loop: its listeners, its connections, its clock. Everything in a loop is owned by the
// loop's thread and needs no lock; what comes from other threads comes through the inbox (changed
// copies, finished pool jobs) and through two atomics (new settings, stop). A loop never blocks.
//
// Connections are in the epoll set once, edge-triggered, for both directions; what is possible is
// remembered in their `ready` bits. A closed connection is freed only after the batch of events in
// hand, since later events may still name it.
#pragma once

#include <pthread.h>

#include "server/server.h"
#include "store/watch.h"

enum { LISTENERS_MAX = 16, INPUT_BYTES = 64 * 1024 };

enum endpoint { ENDPOINT_LISTENER, ENDPOINT_INBOX, ENDPOINT_CONNECTION };

struct listening {
    enum endpoint kind; /* ENDPOINT_LISTENER */
    int fd;
};

/* Time limits; each connection is in at most one of these queues, the one that has waited longest
 * first. */
enum patience {
    PATIENCE_HEAD,    /* a request has begun and is not complete: 10 s from its first byte */
    PATIENCE_IDLE,    /* nothing under way: 120 s */
    PATIENCE_BLOCKED, /* the client takes nothing: 60 s */
    PATIENCE_LINGER,  /* the last answer is out, what the client still sends is thrown away: 2 s */
    PATIENCE_COUNT
};

struct loop {
    enum endpoint inbox_kind; /* ENDPOINT_INBOX: epoll's data points here */
    int epoll_fd;
    struct inbox inbox;
    struct listening listeners[LISTENERS_MAX];
    unsigned listener_count;
    bool accepting;
    struct server *server;
    struct settings *settings;                /* the snapshot in force for new requests */
    _Atomic(struct settings *) settings_next; /* handed over by server_use */
    struct list patience[PATIENCE_COUNT];
    struct list waiting;          /* exchanges that wait for a copy (exchange.in_loop) */
    struct list growing;          /* exchanges that send from a copy that is arriving */
    struct list streams;          /* exchanges that send events */
    struct list graveyard;        /* closed connections of this batch */
    struct list connections_open; /* all others (connection.in_loop) */
    int64_t now_ms;
    int64_t accept_again_ms; /* after descriptors ran out; 0: not stopped for that */
    struct list spares;      /* ended exchanges, to be used again */
    unsigned spare_count;
    char *input;       /* INPUT_BYTES, shared by all reads */
    struct lane *lane; /* of the recorder, which owns it */
    uint64_t id_seed;  /* request ids */
    unsigned connections;
    unsigned jobs; /* on pool threads, whose end comes through the inbox */
    pthread_t thread;
};

/* Makes the loop with its listeners (taken over); server is its owner. */
struct loop *loop_new(struct server *server, const int *listeners, unsigned count,
                      struct settings *settings, struct error *err) MUST_CHECK;

/* Runs until the server stops and no body is under way, or the drain time is over. A thread's start
 * function. */
void *loop_run(void *loop);

/* Frees; the thread must have ended. */
void loop_free(struct loop *loop);

/* The settings in force, taken over now if server_use has handed over newer ones; the loop's. */
struct settings *loop_settings(struct loop *loop);

/* Wakes the loop from another thread. */
void loop_wake(struct loop *loop);
