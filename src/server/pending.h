// SPDX-License-Identifier: MIT
//
// How many requests are under way, by name: those that want a copy which is searched for or
// arriving. Looked up in the cache at one moment.
#pragma once

#include "store/cache.h"

struct pending;

/* Looks, and remembers up to some thousands of names. */
struct pending *pending_new(struct cache *cache);

/* `CLEANUP(pending_free_at)`. NULL is allowed. */
void pending_free_at(struct pending **pending);

/* Requests for a name, in canonical form. */
uint64_t pending_of(const struct pending *pending, const char *name);

/* Each name once, in the order of their bytes, until show returns false. */
void pending_each(const struct pending *pending, bool (*show)(const char *name, void *context),
                  void *context);

/* Requests for all names. */
uint64_t pending_in_all(struct cache *cache);
