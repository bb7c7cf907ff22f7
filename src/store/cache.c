// SPDX-License-Identifier: MIT
#include "store/cache.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "store/cache_inside.h"
#include "store/copy_inside.h"
#include "store/shelf_inside.h"
#include "store/shelf_stage.h"

enum {
    TRUST_MS = 5000,          /* how long a complete copy's file is taken to be where it was, … */
    INTACT_MS = 100,          /* … and to be what it was */
    TRUST_IN_PLACE_MS = 2000, /* how long another's file is served without asking for it again */
};

/* --- making --------------------------------------------------------------------------------- */

struct cache *cache_new(const struct cache_options *options) {
    assert(options->shelf_count >= 1 && options->shelf_count <= CACHE_SHELVES_MAX);
    struct cache *cache = aligned_alloc(_Alignof(struct cache), sizeof(struct cache));
    struct error err;
    if (!cache) {
        fputs("symgate: out of memory\n", stderr);
        abort();
    }
    memset(cache, 0, sizeof *cache);
    cache->references = 1;
    memcpy(cache->shelves, options->shelves, options->shelf_count * sizeof *cache->shelves);
    cache->shelf_count = options->shelf_count;
    cache->spill = spill_ref(options->spill);
    cache->open_files_max = options->open_files_max;
    cache->small_bytes_max = options->small_bytes_max;
    cache->searches_max = options->searches_max;
    pthread_mutex_init(&cache->looks_lock, NULL);
    condition_init(&cache->looks_ended);
    cache->alarms = alarm_clock_new(&err);
    if (!cache->alarms) {
        fprintf(stderr, "symgate: %s\n", err.what);
        abort();
    }
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        pthread_mutex_init(&cache->shards[i].lock, NULL);
        table_init(&cache->shards[i].table);
        list_init(&cache->shards[i].complete);
    }
    return cache;
}

struct cache *cache_ref(struct cache *cache) {
    atomic_fetch_add_explicit(&cache->references, 1, memory_order_relaxed);
    return cache;
}

void cache_unref(struct cache *cache) {
    if (atomic_fetch_sub_explicit(&cache->references, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        table_release(&cache->shards[i].table);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    pthread_cond_destroy(&cache->looks_ended);
    pthread_mutex_destroy(&cache->looks_lock);
    spill_free(cache->spill);
    free(cache);
}

static struct copy *take_any(struct cache *cache, struct shard *shard) {
    SCOPED_LOCK(&shard->lock);
    for (size_t i = 0; i < shard->table.bucket_count; i++) {
        struct table_node *node = shard->table.buckets[i];
        if (!node)
            continue;
        struct copy *copy = TABLE_ENTRY(node, struct copy, in_table);
        return shard_take_out(cache, shard, copy) ? copy : NULL;
    }
    return NULL;
}

void cache_free(struct cache *cache) {
    if (!cache)
        return;
    atomic_store(&cache->closing, true);
    /* A look whose shelf hangs is ended by its alarm: only then may the alarms go. */
    if (cache_wait_for_looks(cache))
        alarm_clock_free(cache->alarms);
    for (unsigned i = 0; i < CACHE_SHARDS; i++)
        for (struct copy *copy; (copy = take_any(cache, &cache->shards[i]));)
            copy_unref(copy);
    cache_unref(cache);
}

const struct cache_counters *cache_counters(const struct cache *cache) {
    return &cache->counters;
}

/* --- shards --------------------------------------------------------------------------------- */

struct shard *cache_shard(struct cache *cache, const struct symbol_key *key) {
    /* The table inside uses the low bits. */
    return &cache->shards[key->hash >> 58];
}

struct copy *shard_find(struct shard *shard, const struct symbol_key *key) {
    struct table_node *node = table_find(&shard->table, key->hash);
    for (; node; node = table_next(node)) {
        struct copy *copy = TABLE_ENTRY(node, struct copy, in_table);
        if (symbol_key_equal(&copy->key, key))
            return copy;
    }
    return NULL;
}

void shard_insert(struct shard *shard, struct copy *copy) {
    table_insert(&shard->table, &copy->in_table, copy->key.hash);
    copy->listed = true;
    copy_ref(copy);
}

bool shard_take_out(struct cache *cache, struct shard *shard, struct copy *copy) {
    if (!copy->listed)
        return false;
    table_remove(&shard->table, &copy->in_table);
    copy->listed = false;
    if (list_linked(&copy->in_complete)) {
        list_remove(&copy->in_complete);
        count_down(&cache->counters.open_files);
    }
    return true;
}

void shard_add_complete(struct cache *cache, struct shard *shard, struct copy *copy) {
    list_push_back(&shard->complete, &copy->in_complete);
    count(&cache->counters.open_files);
}

/* --- making room ---------------------------------------------------------------------------- */

/* The copy that has been there longest and was not used since the last look at it. */
static struct copy *evict_one(struct cache *cache, struct shard *shard) {
    SCOPED_LOCK(&shard->lock);
    struct copy *copy = NULL;
    /* Everybody gets a second chance once: the second time round all are unused. */
    while (!list_empty(&shard->complete)) {
        copy = LIST_ENTRY(shard->complete.next, struct copy, in_complete);
        if (!atomic_exchange_explicit(&copy->used, false, memory_order_relaxed))
            break;
        list_remove(&copy->in_complete);
        list_push_back(&shard->complete, &copy->in_complete);
    }
    if (!copy || !shard_take_out(cache, shard, copy))
        return NULL;
    count(&cache->counters.evicted);
    return copy;
}

void cache_make_room(struct cache *cache, struct shard *near) {
    unsigned first = atomic_fetch_add_explicit(&cache->hand, 1, memory_order_relaxed);
    for (unsigned i = 0; i <= CACHE_SHARDS; i++) {
        struct shard *shard = &cache->shards[(first + i) % CACHE_SHARDS];
        /* What has just come in is the last to go. */
        if (i == CACHE_SHARDS)
            shard = near;
        else if (shard == near)
            continue;
        while (counted(&cache->counters.open_files) > cache->open_files_max) {
            struct copy *copy = evict_one(cache, shard);
            if (!copy)
                break;
            copy_unref(copy);
        }
    }
}

/* --- finding -------------------------------------------------------------------------------- */

/* Adds an asker, under the shard's lock; a complete copy counts none. */
static struct copy_owner *join(struct copy *copy) {
    copy_ref(copy);
    if (copy_phase_now(copy) == COPY_COMPLETE) {
        if (!atomic_load_explicit(&copy->used, memory_order_relaxed))
            atomic_store_explicit(&copy->used, true, memory_order_relaxed);
        return NULL;
    }
    SCOPED_LOCK(&copy->lock);
    return copy_add_interest(copy);
}

static struct copy *find_listed(struct cache *cache, const struct symbol_key *key) {
    struct shard *shard = cache_shard(cache, key);
    struct copy_owner *owner = NULL;
    struct copy *copy;
    {
        SCOPED_LOCK(&shard->lock);
        copy = shard_find(shard, key);
        if (copy)
            owner = join(copy);
    }
    copy_tell_owner(owner);
    return copy;
}

static void take_out(struct cache *cache, struct copy *copy) {
    struct shard *shard = cache_shard(cache, &copy->key);
    bool out;
    {
        SCOPED_LOCK(&shard->lock);
        out = shard_take_out(cache, shard, copy);
    }
    if (out)
        copy_unref(copy);
}

static bool file_unchanged(struct copy *copy) {
    struct shelf_found known = {.size = copy->size,
                                .modified_ns = copy->file_ns,
                                .inode = copy->inode,
                                .device = copy->device};
    uint64_t at;
    uint64_t bytes;
    copy_file(copy, 0, &known.fd, &at, &bytes);
    snprintf(known.path, sizeof known.path, "%s", copy->shelf_path);
    return shelf_unchanged(copy->shelf, &known);
}

/* Somebody may have written into its file. */
static bool still_intact(struct copy *copy, int64_t now_ms) {
    int64_t seen_ms = atomic_load_explicit(&copy->intact_ms, memory_order_relaxed);
    if (now_ms - seen_ms < INTACT_MS)
        return true;
    atomic_store_explicit(&copy->intact_ms, now_ms, memory_order_relaxed);
    return copy_intact(copy);
}

/* May a copy that was found be served? An administrator may have removed or replaced its file. */
static bool still_good(struct copy *copy) {
    if (copy_phase_now(copy) != COPY_COMPLETE)
        return true;
    int64_t now_ms = clock_ms();
    int64_t age_ms = now_ms - atomic_load_explicit(&copy->checked_ms, memory_order_relaxed);
    if (copy->in_place)
        return age_ms < TRUST_IN_PLACE_MS && copy_intact(copy);
    if (!still_intact(copy, now_ms))
        return false;
    if (age_ms < TRUST_MS)
        return true;
    if (!file_unchanged(copy))
        return false;
    atomic_store_explicit(&copy->checked_ms, now_ms, memory_order_relaxed);
    return true;
}

void copy_fill(struct copy *copy, struct shelf *shelf, const struct shelf_found *found) {
    copy->size = found->size;
    copy->file_ns = found->modified_ns;
    copy->inode = found->inode;
    copy->device = found->device;
    copy->shelf = shelf;
    copy->pool = shelf_pool(shelf);
    copy->shelf_path = memory_text(found->path);
    copy->checked_ms = clock_ms();
    if (!copy->source[0])
        shelf_signature(found->fd, copy->source, sizeof copy->source);
}

/* A new COMPLETE copy of a file on a shelf, in no table. Takes the descriptor. */
static struct copy *new_complete(struct cache *cache, const struct symbol_key *key,
                                 struct shelf *shelf, const struct shelf_found *found) {
    struct copy *copy = copy_new(cache, key);
    SCOPED_LOCK(&copy->lock);
    copy->fd = found->fd;
    copy->modified_ns = found->modified_ns;
    copy_fill(copy, shelf, found);
    copy_raise(copy, COPY_COMPLETE);
    return copy;
}

/* Puts a complete copy in, unless somebody was quicker: then theirs is joined. */
static struct copy *list_or_join(struct cache *cache, struct copy *copy) {
    struct shard *shard = cache_shard(cache, &copy->key);
    struct copy_owner *owner = NULL;
    struct copy *other;
    {
        SCOPED_LOCK(&shard->lock);
        other = shard_find(shard, &copy->key);
        if (other) {
            owner = join(other);
        } else {
            shard_insert(shard, copy);
            shard_add_complete(cache, shard, copy);
        }
    }
    copy_tell_owner(owner);
    if (other) {
        copy_unref(copy);
        return other;
    }
    cache_make_room(cache, shard);
    return copy;
}

static struct shelf *allowed_shelf(const struct cache *cache, unsigned n, uint64_t shelves) {
    return shelves >> n & 1 ? cache->shelves[n] : NULL;
}

static enum cache_found find_on_shelves(struct cache *cache, const struct question *question,
                                        uint64_t shelves, struct copy **out_copy) {
    bool cold = false;
    for (unsigned i = 0; i < cache->shelf_count; i++) {
        struct shelf *shelf = allowed_shelf(cache, i, shelves);
        struct shelf_found found;
        if (!shelf)
            continue;
        switch (shelf_look(shelf, &question->spelling, &question->key, true, &found)) {
        case SHELF_FOUND:
            *out_copy = list_or_join(cache, new_complete(cache, &question->key, shelf, &found));
            return CACHE_FOUND;
        case SHELF_OTHER_FORM: /* the search is told by its cold look */
            cold = true;
            break;
        case SHELF_COLD:
            cold = cold || !shelf_hangs(shelf);
            break;
        case SHELF_NOTHING:
            break;
        }
    }
    return cold ? CACHE_COLD : CACHE_NOTHING;
}

enum cache_found cache_find(struct cache *cache, const struct question *question, uint64_t shelves,
                            struct copy **out_copy) {
    struct copy *copy = find_listed(cache, &question->key);
    if (copy && still_good(copy)) {
        *out_copy = copy;
        return CACHE_FOUND;
    }
    if (copy) {
        take_out(cache, copy);
        copy_unref(copy);
    }
    return find_on_shelves(cache, question, shelves, out_copy);
}

/* Whether the file is there is asked of the disk; no more at once than there are searches. */
static bool look_for_form(struct cache *cache, const struct symbol_path *path, uint64_t shelves,
                          struct copy **out_copy) {
    if (!cache_may_look(cache))
        return false;
    struct copy *copy = cache_detached(cache, &path->key);
    copy->interest = 1;
    *out_copy = copy;
    cache_look_cold_form(cache, copy, path, shelves);
    return true;
}

bool cache_find_form(struct cache *cache, const struct symbol_path *path, uint64_t shelves,
                     struct copy **out_copy) {
    bool cold = false;
    for (unsigned i = 0; i < cache->shelf_count; i++) {
        struct shelf *shelf = allowed_shelf(cache, i, shelves);
        struct shelf_found found;
        if (!shelf)
            continue;
        switch (shelf_look_form(shelf, &path->spelling, &path->key, path->form, true, &found)) {
        case SHELF_FOUND:
            *out_copy = new_complete(cache, &path->key, shelf, &found);
            return true;
        case SHELF_COLD:
            cold = cold || !shelf_hangs(shelf);
            break;
        case SHELF_OTHER_FORM:
        case SHELF_NOTHING:
            break;
        }
    }
    return cold && look_for_form(cache, path, shelves, out_copy);
}

struct copy *cache_claim(struct cache *cache, const struct symbol_key *key, bool *out_leading,
                         struct error *err) {
    struct shard *shard = cache_shard(cache, key);
    struct copy_owner *owner = NULL;
    struct copy *copy;
    {
        SCOPED_LOCK(&shard->lock);
        copy = shard_find(shard, key);
        *out_leading = !copy;
        if (!copy && counted(&cache->counters.searching) >= cache->searches_max) {
            error_set(err, ERROR_BUSY, "%u searches are under way already", cache->searches_max);
            return NULL;
        }
        if (copy) {
            owner = join(copy);
        } else {
            copy = copy_new(cache, key);
            copy->interest = 1;
            shard_insert(shard, copy);
        }
    }
    copy_tell_owner(owner);
    return copy;
}

struct copy *cache_detached(struct cache *cache, const struct symbol_key *key) {
    struct copy *copy = copy_new(cache, key);
    copy->detached = true;
    return copy;
}

uint64_t cache_shelves_of(const struct cache *cache, const struct copy *copy) {
    uint64_t shelves = 0;
    for (unsigned i = 0; copy->shelf && i < cache->shelf_count; i++)
        if (cache->shelves[i] == copy->shelf)
            shelves |= UINT64_C(1) << i;
    return shelves;
}

struct shelf *cache_shelf(const struct cache *cache, unsigned index) {
    return index < cache->shelf_count ? cache->shelves[index] : NULL;
}
