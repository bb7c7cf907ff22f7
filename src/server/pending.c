// SPDX-License-Identifier: MIT
#include "server/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PENDING_MAX = 10000 };

struct pending_name {
    char *name;
    uint64_t requests;
};

struct pending {
    unsigned count;
    struct pending_name names[PENDING_MAX]; /* sorted; a name may stand there several times */
};

static bool is_under_way(const struct cache_listing *listing) {
    return listing->state.phase == COPY_SEARCHING || listing->state.phase == COPY_ARRIVING;
}

static void add(const struct cache_listing *listing, void *context) {
    struct pending *pending = context;
    if (!is_under_way(listing) || pending->count == PENDING_MAX)
        return;
    struct pending_name *name = &pending->names[pending->count++];
    name->name = memory_text(listing->key.name);
    name->requests = listing->readers;
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct pending_name *)a)->name, ((const struct pending_name *)b)->name);
}

struct pending *pending_new(struct cache *cache) {
    struct pending *pending = NEW(struct pending);
    cache_list(cache, PENDING_MAX, add, pending);
    qsort(pending->names, pending->count, sizeof *pending->names, compare);
    return pending;
}

void pending_free_at(struct pending **pending) {
    if (!*pending)
        return;
    for (unsigned i = 0; i < (*pending)->count; i++)
        free((*pending)->names[i].name);
    free(*pending);
}

uint64_t pending_of(const struct pending *pending, const char *name) {
    struct pending_name wanted = {.name = (char *)(uintptr_t)name};
    const struct pending_name *end = pending->names + pending->count;
    const struct pending_name *found =
        bsearch(&wanted, pending->names, pending->count, sizeof wanted, compare);
    uint64_t requests = 0;
    if (!found)
        return 0;
    while (found > pending->names && compare(found - 1, &wanted) == 0)
        found--;
    for (; found < end && compare(found, &wanted) == 0; found++)
        requests += found->requests;
    return requests;
}

void pending_each(const struct pending *pending, bool (*show)(const char *name, void *context),
                  void *context) {
    for (unsigned i = 0; i < pending->count; i++) {
        bool again = i > 0 && compare(&pending->names[i - 1], &pending->names[i]) == 0;
        if (!again && !show(pending->names[i].name, context))
            return;
    }
}

static void add_up(const struct cache_listing *listing, void *context) {
    if (is_under_way(listing))
        *(uint64_t *)context += listing->readers;
}

uint64_t pending_in_all(struct cache *cache) {
    uint64_t requests = 0;
    cache_list(cache, PENDING_MAX, add_up, &requests);
    return requests;
}
