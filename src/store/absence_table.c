// SPDX-License-Identifier: MIT
#include "store/absence_table.h"

#include <stdlib.h>

#include "base/lock.h"
#include "base/memory.h"

enum { SLOTS_AT_FIRST = 170 /* a page */, SAMPLE = 64 };

static struct absence_slot *new_slots(size_t capacity) {
    return memory_pages(capacity * sizeof(struct absence_slot));
}

static void free_slots(struct absence_slot *slots, size_t capacity) {
    memory_pages_free(slots, capacity * sizeof *slots);
}

void absence_table_init(struct absence_table *table, uint64_t entries_max) {
    *table = (struct absence_table){0};
    table->entries_max = (size_t)(entries_max / ABSENCE_SHARDS) + 1;
    for (unsigned i = 0; i < ABSENCE_SHARDS; i++)
        pthread_mutex_init(&table->shards[i].lock, NULL);
}

void absence_table_release(struct absence_table *table) {
    for (unsigned i = 0; i < ABSENCE_SHARDS; i++) {
        free_slots(table->shards[i].slots, table->shards[i].capacity);
        pthread_mutex_destroy(&table->shards[i].lock);
    }
}

/* The low bits choose the shard, the whole hash the place: capacities are no powers of two. */
static struct absence_shard *shard_of(struct absence_table *table, uint64_t key) {
    return &table->shards[key % ABSENCE_SHARDS];
}

static size_t home_of(const struct absence_shard *shard, uint64_t key) {
    return (size_t)(((unsigned __int128)key * shard->capacity) >> 64);
}

static size_t after(const struct absence_shard *shard, size_t at) {
    return at + 1 == shard->capacity ? 0 : at + 1;
}

static struct absence_slot *find(const struct absence_shard *shard, uint64_t key, uint64_t rest) {
    if (shard->capacity == 0)
        return NULL;
    for (size_t at = home_of(shard, key); shard->slots[at].key; at = after(shard, at)) {
        struct absence_slot *slot = &shard->slots[at];
        if (slot->key == key && slot->rest == rest && slot->when_s)
            return slot;
    }
    return NULL;
}

/* Puts an entry that is not in yet where there is room for it. */
static void place(struct absence_shard *shard, const struct absence_slot *entry) {
    size_t at = home_of(shard, entry->key);
    while (shard->slots[at].key && shard->slots[at].when_s)
        at = after(shard, at);
    shard->used += shard->slots[at].key == 0;
    shard->entries++;
    shard->slots[at] = *entry;
}

static uint64_t expiry(const struct absence_slot *slot) {
    return (uint64_t)slot->when_s + slot->retry_s;
}

static bool expired(const struct absence_slot *slot, uint32_t now_s) {
    return expiry(slot) < now_s;
}

/* Moves what counts still to a block of the given capacity. */
static void move(struct absence_shard *shard, size_t capacity, uint32_t now_s) {
    struct absence_shard old = *shard;
    shard->slots = new_slots(capacity);
    shard->capacity = capacity;
    shard->used = 0;
    shard->entries = 0;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].key && old.slots[i].when_s && !expired(&old.slots[i], now_s))
            place(shard, &old.slots[i]);
    free_slots(old.slots, old.capacity);
}

/* Room for one more: clears out first, and grows only if that has not brought enough. */
static void make_room(struct absence_shard *shard, uint32_t now_s) {
    if (shard->capacity == 0) {
        move(shard, SLOTS_AT_FIRST, now_s);
        return;
    }
    if ((shard->used + 1) * 4 <= shard->capacity * 3)
        return;
    move(shard, shard->capacity, now_s);
    if (shard->entries * 8 > shard->capacity * 5)
        move(shard, shard->capacity + shard->capacity / 4, now_s);
}

/* At the ceiling the entry goes that would expire first, among some that lie together anywhere. */
static void displace(struct absence_shard *shard, uint64_t somewhere) {
    struct absence_slot *first = NULL;
    size_t at = home_of(shard, somewhere * 0x9e3779b97f4a7c15U);
    for (size_t seen = 0, looked = 0; seen < SAMPLE && looked < shard->capacity; looked++) {
        struct absence_slot *slot = &shard->slots[at];
        at = after(shard, at);
        if (!slot->key || !slot->when_s)
            continue;
        seen++;
        if (!first || expiry(slot) < expiry(first))
            first = slot;
    }
    if (!first)
        return;
    first->when_s = 0;
    shard->entries--;
}

bool absence_table_find(struct absence_table *table, uint64_t key, uint64_t rest,
                        uint32_t *out_when_s) {
    struct absence_shard *shard = shard_of(table, key);
    SCOPED_LOCK(&shard->lock);
    const struct absence_slot *slot = find(shard, key, rest);
    if (slot)
        *out_when_s = slot->when_s;
    return slot != NULL;
}

enum absence_put absence_table_put(struct absence_table *table, const struct absence_slot *entry,
                                   uint32_t now_s) {
    struct absence_shard *shard = shard_of(table, entry->key);
    SCOPED_LOCK(&shard->lock);
    struct absence_slot *slot = find(shard, entry->key, entry->rest);
    if (slot) {
        if (entry->when_s >= slot->when_s)
            *slot = *entry;
        return ABSENCE_AGAIN;
    }
    bool full = shard->entries >= table->entries_max;
    if (full)
        displace(shard, entry->rest);
    make_room(shard, now_s);
    place(shard, entry);
    return full ? ABSENCE_DISPLACED : ABSENCE_NEW;
}

unsigned absence_table_forget(struct absence_table *table, uint64_t key) {
    struct absence_shard *shard = shard_of(table, key);
    SCOPED_LOCK(&shard->lock);
    unsigned forgotten = 0;
    if (shard->capacity == 0)
        return 0;
    for (size_t at = home_of(shard, key); shard->slots[at].key; at = after(shard, at)) {
        struct absence_slot *slot = &shard->slots[at];
        if (slot->key != key || !slot->when_s)
            continue;
        slot->when_s = 0;
        forgotten++;
    }
    shard->entries -= forgotten;
    return forgotten;
}

struct absence_slot *absence_table_copy(struct absence_table *table, unsigned index,
                                        size_t *out_count) {
    struct absence_shard *shard = &table->shards[index];
    SCOPED_LOCK(&shard->lock);
    *out_count = 0;
    if (shard->entries == 0)
        return NULL;
    struct absence_slot *copy = NEW_ARRAY(struct absence_slot, shard->entries);
    for (size_t i = 0; i < shard->capacity; i++)
        if (shard->slots[i].key && shard->slots[i].when_s)
            copy[(*out_count)++] = shard->slots[i];
    return copy;
}

uint64_t absence_table_count(struct absence_table *table) {
    uint64_t entries = 0;
    for (unsigned i = 0; i < ABSENCE_SHARDS; i++) {
        SCOPED_LOCK(&table->shards[i].lock);
        entries += table->shards[i].entries;
    }
    return entries;
}
