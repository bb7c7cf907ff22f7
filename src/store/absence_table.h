// SPDX-License-Identifier: MIT
//
// The memory of absences: 64 shards, each with its lock and its open-addressed slots. A slot is 24
// bytes; a shard that is three quarters full first lets go of what has expired, then grows by a
// quarter, so an entry costs 32 to 40 bytes and no growth moves more than a 64th of all entries.
// All spellings and sources of one key lie in one run of slots.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ABSENCE_SHARDS = 64 };

/* One absence. */
struct absence_slot {
    uint64_t key;    /* hash of the folded key; 0: the slot is free */
    uint64_t rest;   /* hash of spelling, source and forms */
    uint32_t when_s; /* wall time; 0: forgotten, the slot may be used again */
    uint32_t retry_s;
};

struct absence_shard {
    pthread_mutex_t lock; /* guards all below */
    struct absence_slot *slots;
    size_t capacity;
    size_t used;    /* slots that are not free, forgotten ones too */
    size_t entries; /* of them not forgotten */
};

struct absence_table {
    struct absence_shard shards[ABSENCE_SHARDS];
    size_t entries_max; /* a shard's share */
};

/* How an entry went in. */
enum absence_put {
    ABSENCE_NEW,
    ABSENCE_AGAIN,     /* it was there: its time is newer now */
    ABSENCE_DISPLACED, /* new, and another one had to go */
};

/* An empty table for at most entries_max in all. */
void absence_table_init(struct absence_table *table, uint64_t entries_max);

/* Frees. */
void absence_table_release(struct absence_table *table);

/* Finds the entry's time; false when there is none. */
bool absence_table_find(struct absence_table *table, uint64_t key, uint64_t rest,
                        uint32_t *out_when_s);

/* Puts an entry in, or makes its time newer (never older). */
enum absence_put absence_table_put(struct absence_table *table, const struct absence_slot *entry,
                                   uint32_t now_s);

/* Forgets all entries of a key; how many. */
unsigned absence_table_forget(struct absence_table *table, uint64_t key);

/* Copies a shard's entries to a new block (the caller frees); NULL when there are none. */
struct absence_slot *absence_table_copy(struct absence_table *table, unsigned shard,
                                        size_t *out_count);

/* How many entries there are in all. */
uint64_t absence_table_count(struct absence_table *table);
