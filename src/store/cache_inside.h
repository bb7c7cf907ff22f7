// SPDX-License-Identifier: MIT
//
// What the parts of the cache share: cache.c (finding, claiming, making room), cache_end.c (what
// completes or ends an entry), cache_cold.c (looking on the shelves' threads).
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/alarm.h"
#include "base/list.h"
#include "base/table.h"
#include "store/cache.h"

enum { CACHE_SHARDS = 64 };

struct shard {
    pthread_mutex_t lock; /* guards all below */
    struct table table;   /* key → copy */
    struct list complete; /* the complete copies in it, longest there first */
} __attribute__((aligned(64)));

struct cache {
    atomic_uint references; /* the owner's, one a copy, one a cold look */
    atomic_bool closing;
    struct shelf *shelves[CACHE_SHELVES_MAX];
    unsigned shelf_count;
    struct spill *spill;
    struct alarm_clock *alarms;
    pthread_mutex_t looks_lock;
    pthread_cond_t looks_ended; /* looks has come down to nothing */
    unsigned looks;             /* cold looks under way; guarded by looks_lock */
    atomic_uint hand;           /* at which shard making room begins next */
    unsigned open_files_max;
    uint64_t small_bytes_max;
    unsigned searches_max;
    struct cache_counters counters;
    struct shard shards[CACHE_SHARDS];
};

/* References; the last one frees. */
struct cache *cache_ref(struct cache *cache);
void cache_unref(struct cache *cache);

/* The shard in which a key's entry lies. */
struct shard *cache_shard(struct cache *cache, const struct symbol_key *key);

/* The entry of a key, or NULL. Under the shard's lock. */
struct copy *shard_find(struct shard *shard, const struct symbol_key *key);

/* Puts a copy in; the table takes a reference. Under the shard's lock. */
void shard_insert(struct shard *shard, struct copy *copy);

/* Takes a copy out if it is in: true means that the table's reference is now the caller's. Under
 * the shard's lock. */
bool shard_take_out(struct cache *cache, struct shard *shard, struct copy *copy) MUST_CHECK;

/* Notes that a listed copy is complete: it may be evicted from now on. Under the shard's lock;
 * cache_make_room after it. */
void shard_add_complete(struct cache *cache, struct shard *shard, struct copy *copy);

/* Evicts until no more than the allowed number are held. No lock held. */
void cache_make_room(struct cache *cache, struct shard *near);

/* Makes a SEARCHING copy COMPLETE from a file found on a shelf, whose descriptor it takes. False
   when it has begun or ended otherwise. */
bool cache_settle(struct cache *cache, struct copy *copy, struct shelf *shelf,
                  const struct shelf_found *found) MUST_CHECK;

/* As cache_look_cold for the file of a form, for a copy that is in no table and nobody leads: it
   becomes COMPLETE or ABSENT. */
void cache_look_cold_form(struct cache *cache, struct copy *copy, const struct symbol_path *path,
                          uint64_t shelves);

/* Are so few cold looks under way that one more may begin? */
bool cache_may_look(struct cache *cache);

/* Waits, at the end, until no cold look is under way; false when one does not end. */
bool cache_wait_for_looks(struct cache *cache);

/* Fills a copy from a file found on a shelf (its time for clients excepted), before COMPLETE is
 * raised. */
void copy_fill(struct copy *copy, struct shelf *shelf, const struct shelf_found *found);
