// SPDX-License-Identifier: MIT
//
// A scripted symbol server on a real local socket. Each connection has a thread that reads request
// heads and calls the script, which sends what it likes and may wait at a gate that the test opens.
// Nothing here sleeps: tests wait on counts and gates.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct origin;

struct peer {
    struct origin *origin;
    int fd;
    unsigned connection; /* counted from 0 */
    unsigned request;    /* on this connection, counted from 0 */
    char head[16384];    /* of the request, as it came */
};

/* Answers one request; true keeps the connection for the next. */
typedef bool origin_script(struct peer *peer);

/* Listens on a free port of 127.0.0.1. */
struct origin *origin_new(origin_script *script);

/* Cuts all connections, waits for their threads. */
void origin_free(struct origin *origin);

/* "http://127.0.0.1:<port>" and what follows it, in a block of the origin's. */
const char *origin_url(struct origin *origin, const char *rest);

/* How many came so far. */
unsigned origin_connections(struct origin *origin);
unsigned origin_requests(struct origin *origin);

/* Waits until so many requests have come. */
void origin_wait_requests(struct origin *origin, unsigned count);

/* Lets one peer pass its gate. */
void origin_open_gate(struct origin *origin);

/* Waits at the gate; false when the origin ends. */
bool peer_pass_gate(struct peer *peer);

/* Sends text, bytes, or a head with "HTTP/1.1 " before and the empty line behind it. */
void peer_send(struct peer *peer, const char *text);
void peer_send_bytes(struct peer *peer, const void *bytes, size_t length);
void peer_send_head(struct peer *peer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the connection by a reset in place of an orderly end. */
bool peer_reset(struct peer *peer);

/* The value of a request header, or NULL; in a block of the peer's thread. */
const char *peer_header(const struct peer *peer, const char *name);
