// SPDX-License-Identifier: MIT
//
// The breakers of the hosts that a source redirects to: a vendor's front end stays in order while
// one of the many blob hosts behind it is dead. Each has a rest of its own (source/rest.h), by the
// source's rules; a redirect to a host that rests is not followed. Only hosts that have failed are
// in the table; one that answers leaves it. In a full table the host that rests shortest makes
// room. Its own lock, a leaf but for the rests'; any thread; nothing here blocks.
#pragma once

#include "source/rest.h"

enum {
    HOST_RESTS_MAX = 64,
    HOST_BYTES = 264, /* a DNS name, ":", a port */
};

struct host_rest {
    char host[HOST_BYTES];
    struct rest rest;
};

struct host_rests {
    pthread_mutex_t lock;
    struct breaker breaker;
    struct host_rest *entries[HOST_RESTS_MAX];
    unsigned count;
    counter begun;   /* rests begun, prolonged ones too */
    counter refused; /* redirects that were not followed */
    counter pushed;  /* hosts forgotten to make room */
};

/* A question on its way to a host. Between host_visit and host_visit_end. */
struct host_visit {
    struct host_rests *rests; /* NULL: nobody counts it */
    char host[HOST_BYTES];
    bool probe;
};

/* Empty. */
void host_rests_init(struct host_rests *rests);

/* Gives back what it holds. */
void host_rests_release(struct host_rests *rests);

/* The rules for all of them (rest_set_breaker). */
void host_rests_set_breaker(struct host_rests *rests, const struct breaker *breaker);

/* May this host ("blob7.example:443") be asked now? True: *out_visit is to be ended. False: it
   rests, err (ERROR_RESTING) says how long still. A host with too long a name is not counted. */
bool host_visit(struct host_rests *rests, const char *source, const char *host,
                struct host_visit *out_visit, struct error *err) MUST_CHECK;

/* What came of it, as rest_note; ERROR_CANCELLED where nothing is known. The visit is over; ending
   it again does nothing. */
void host_visit_end(struct host_visit *visit, enum error_kind kind, int status, uint64_t key_hash,
                    int64_t retry_after_s);

/* Their probes are due now, those of pauses that were asked for excepted (SIGHUP). */
void host_rests_end(struct host_rests *rests);

/* How many of them rest. */
unsigned host_rests_resting(struct host_rests *rests);

/* Shows each host that rests; `show` must not come back here. */
void host_rests_list(struct host_rests *rests,
                     void (*show)(const char *host, const struct rest_view *view, void *context),
                     void *context);
