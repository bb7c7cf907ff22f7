// SPDX-License-Identifier: MIT
#include "proxy/roster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct roster *roster_new(struct policy *policy, struct source **sources, unsigned count,
                          const bool *own_shelf) {
    assert(count <= SOURCES_MAX);
    struct roster *roster = NEW(struct roster);
    static atomic_uint_least64_t made;
    atomic_init(&roster->refs, 1);
    roster->serial = atomic_fetch_add(&made, 1) + 1;
    roster->policy = policy;
    roster->count = count;
    roster->sources = NEW_ARRAY(struct source *, count ? count : 1);
    for (unsigned i = 0; i < count; i++) {
        roster->sources[i] = sources[i];
        roster->shelf[i] = own_shelf[i] ? i + 1 : 0;
        roster->in_place[i] = sources[i]->pool && !own_shelf[i];
        roster->compares |= sources[i]->options.revalidate_ms > 0;
        if (own_shelf[i])
            roster->own_shelves |= UINT64_C(1) << i;
    }
    return roster;
}

void roster_read_shelf(struct roster *roster, unsigned shelf, struct source *reader) {
    assert(shelf < CACHE_SHELVES_MAX && !roster->readers[shelf]);
    roster->readers[shelf] = reader;
}

int roster_find(const struct roster *roster, const char *identifier) {
    for (unsigned i = 0; i < roster->count; i++)
        if (strcmp(roster->sources[i]->options.identifier, identifier) == 0)
            return (int)i;
    return -1;
}

int roster_owner(const struct roster *roster, uint64_t shelves) {
    int found = -1;
    for (unsigned i = 0; i < roster->count && !(shelves & 1); i++) {
        if (roster->shelf[i] == 0 || !(shelves >> roster->shelf[i] & 1))
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

struct roster *roster_ref(struct roster *roster) {
    atomic_fetch_add_explicit(&roster->refs, 1, memory_order_relaxed);
    return roster;
}

void roster_unref(struct roster *roster) {
    if (!roster || atomic_fetch_sub_explicit(&roster->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < roster->count; i++)
        source_free(roster->sources[i]);
    for (unsigned i = 0; i < CACHE_SHELVES_MAX; i++)
        source_free(roster->readers[i]);
    policy_free(roster->policy);
    free(roster->sources);
    free(roster);
}

static void take_over_one(struct source *source, const struct roster *older, bool *taken) {
    for (unsigned i = 0; i < older->count; i++) {
        if (taken[i] || older->sources[i]->fingerprint != source->fingerprint)
            continue;
        source_take_over(source, older->sources[i]);
        taken[i] = true;
        return;
    }
}

void roster_take_over(struct roster *roster, struct roster *older) {
    bool taken[SOURCES_MAX] = {false};
    for (unsigned i = 0; i < roster->count; i++)
        take_over_one(roster->sources[i], older, taken);
}

static bool has_queue(const struct roster *roster, const struct source_queue *queue) {
    for (unsigned i = 0; i < roster->count; i++)
        if (roster->sources[i]->queue == queue)
            return true;
    return false;
}

void roster_close_gone(struct roster *older, const struct roster *roster) {
    for (unsigned i = 0; i < older->count; i++)
        if (!has_queue(roster, older->sources[i]->queue))
            queue_close(older->sources[i]->queue);
}

uint64_t roster_shelves(const struct roster *roster, uint64_t allowed) {
    uint64_t shelves = 1;
    for (uint64_t left = allowed & roster->own_shelves; left; left &= left - 1)
        shelves |= UINT64_C(1) << roster->shelf[__builtin_ctzll(left)];
    return shelves;
}
