// SPDX-License-Identifier: MIT
//
// What the modules of this floor share: the server's own struct, and the routes.
#pragma once

#include "server/exchange.h"

struct events;

/* The last list of advice, as it was answered. */
struct kept_advice {
    pthread_mutex_t lock; /* guards all below */
    struct buffer list;
    uint64_t roster; /* its serial; 0: there is no list */
    int64_t until_ms;
    bool being_made; /* a new one is */
};

struct server {
    struct server_options options; /* pointers only; strings are not used after the start */
    struct settings *settings;     /* guarded by settings_lock: what server_use handed out last */
    pthread_mutex_t settings_lock;
    struct loop **loops;
    unsigned loop_count;
    char (*urls)[96];
    unsigned url_count;
    struct pool *pool; /* API work that may block */
    struct events *events;
    struct kept_advice advice;
    _Atomic unsigned tables;    /* of symbols, that lie in files until they are sent */
    _Atomic int64_t stop_at_ms; /* 0: running; else bodies may go on until then */
    _Atomic unsigned connections;
    counter refused_connections; /* closed to stay below connections_max */
    int64_t started_ms;
};

/* An empty one, and its end (serve_advice.c). */
void advice_init(struct kept_advice *advice);
void advice_release(struct kept_advice *advice);

/* Finds what a path is and answers or begins to (router.c). `path` is the raw target up to the
 * query, `query` after "?" or "". */
void router_serve(struct exchange *exchange, const char *path, size_t length, const char *query,
                  const char *bytes);

/* The symbol path (serve_symbol.c): `path` is what follows "/symbols/". */
void serve_symbol(struct exchange *exchange, const char *path, size_t length);

/* Looks at its copy again: begins the answer, waits on, or ends (serve_symbol.c). */
void serve_symbol_again(struct exchange *exchange);

/* The deadline has come, or the server stops: what waits for a search is answered "later"
   (serve_symbol.c). The caller runs the connection. */
void serve_symbol_later(struct exchange *exchange);

/* The page at "/" (serve_page.c); `bytes` are the request's head. */
void serve_page(struct exchange *exchange, const char *bytes);

/* The files of the page: `path` is what follows "/web/" (serve_web.c). */
void serve_web(struct exchange *exchange, const char *path, size_t length);

/* Prometheus text at "/metrics" (serve_metrics.c). */
void serve_metrics(struct exchange *exchange);

/* Everything below "/api/v1/" (serve_api.c); `path` follows that. */
void serve_api(struct exchange *exchange, const char *path, size_t length, const char *query,
               const char *bytes);

/* May this request change something, or see logs and configuration (trust.c)? If not, it has been
 * answered. */
bool trust_allows_change(struct exchange *exchange, const char *bytes);

/* Is the Host one of ours (an address, localhost, the configured or the machine's name)? If not, it
 * has been answered. */
bool trust_host(struct exchange *exchange, const char *bytes);

/* The same without an answer. */
bool trust_knows_host(const struct exchange *exchange, const char *bytes);

/* Without an answer too: may it see what only those see who may change things? */
bool trust_may_see(const struct exchange *exchange, const char *bytes);

/* Sends from the copy what may be sent now (send.c). */
enum exchange_step send_body(struct exchange *exchange);

/* What goes to all who watch (serve_events.c). free: false when a pool thread hangs in it, to which
   all that it uses must be left. */
struct events *events_new(struct server *server);
bool events_free(struct events *events);

/* Has the next events made, if a stream of this loop is due some. */
void events_tick(struct loop *loop);

/* Puts into the exchange's text what is new for its client; false: nothing. */
bool events_next(struct exchange *exchange);

/* Ends all streams of a loop. */
void events_close(struct loop *loop);

/* Sends from call->spool what can be sent now (send_spool.c). */
enum exchange_step send_spool(struct exchange *exchange);

/* What the errno of a send that has failed means. */
enum exchange_step send_failed(void);

/* Sends head and marks that are still out; false: not all (*out_step says why). */
bool send_head(struct exchange *exchange, bool more_follows, enum exchange_step *out_step);
