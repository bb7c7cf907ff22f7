// SPDX-License-Identifier: MIT
//
// The roster: which sources there are, in their order, and who may be asked for what: one immutable
// snapshot of the configuration's servers. Loops and searches hold references; a reload makes a new
// one. Sources with the same fingerprint hand queue, rest and counters on.
#pragma once

#include "proxy/policy.h"
#include "source/source.h"
#include "store/cache.h"

struct roster {
    _Atomic unsigned refs;
    uint64_t serial; /* no other one of this process has it */
    struct policy *policy;
    unsigned count;
    struct source **sources;
    unsigned shelf[SOURCES_MAX]; /* the shelf that each source's files go to: 0 the global one, n +
                                    1 its own */
    bool in_place[SOURCES_MAX];  /* a directory without a cache of its own: served in place */
    uint64_t own_shelves;        /* bit n: source n has a shelf of its own */
    bool compares;               /* some source's kept files are compared again (revalidate) */
    struct source *readers[CACHE_SHELVES_MAX]; /* what reads other forms that lie on a shelf, by its
                                                  index; NULL: nothing does */
};

/* Takes over the policy and the sources; the array of them stays the caller's. A reference. */
struct roster *roster_new(struct policy *policy, struct source **sources, unsigned count,
                          const bool *own_shelf);

/* Has a source, which is taken over, read what lies on a shelf. Before the roster is shown to
   anybody. */
void roster_read_shelf(struct roster *roster, unsigned shelf, struct source *reader);

/* The place of the source with this identifier; -1: there is none. */
int roster_find(const struct roster *roster, const char *identifier);

/* The source whose own shelf alone a file lies on; -1: none, or it lies on others too. */
int roster_owner(const struct roster *roster, uint64_t shelves);

/* A reference more; returns the roster. */
struct roster *roster_ref(struct roster *roster);

/* One less; the last one frees, the sources too. NULL is allowed. */
void roster_unref(struct roster *roster);

/* Hands queue, rest and counters of `older` on to the sources with the same fingerprint. Before the
   new roster is shown to anybody. */
void roster_take_over(struct roster *roster, struct roster *older);

/* Closes the queues that nobody in the new roster has taken over. After it was shown, so that who
   loses a source by it can ask the new ones. */
void roster_close_gone(struct roster *older, const struct roster *roster);

/* The shelves that may be looked at for a verdict: the global one and those of allowed sources (see
 * cache_find). */
uint64_t roster_shelves(const struct roster *roster, uint64_t allowed);
