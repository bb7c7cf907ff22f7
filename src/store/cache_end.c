// SPDX-License-Identifier: MIT
//
// What completes or ends an entry: always under the shard's and then the copy's lock, in one step
// with the phase.
#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/cache_inside.h"
#include "store/copy_inside.h"
#include "store/shelf_inside.h"
#include "store/shelf_stage.h"

enum { FORGET_NAPS = 2000 }; /* of 1 ms */

/* Lets go of what a step took out, once no lock is held. */
static void drop(struct copy *copy, bool taken_out) {
    if (taken_out)
        copy_unref(copy);
}

/* --- complete ------------------------------------------------------------------------------- */

static bool put_on_shelf(struct copy *copy, bool keep, struct shelf_found *out_found,
                         struct error *why) {
    if (!staging_keepable(copy->staging, why))
        return false;
    if (!keep)
        return copy_unsettled(why);
    int fd;
    uint64_t at;
    uint64_t bytes;
    struct shelf *shelf = staging_shelf(copy->staging);
    staging_at(copy->staging, 0, &fd, &at, &bytes);
    shelf_sign(fd, copy->source);
    shelf_place(shelf, &copy->key, out_found->path);
    if (!staging_commit(copy->staging, out_found->path, copy->modified_ns, why))
        return false;
    if (!shelf_describe(fd, out_found))
        return error_set(why, ERROR_DISK, "the file on the shelf cannot be looked at");
    shelf_vouch(shelf, &copy->key, out_found);
    return true;
}

/* A detached copy has come to the shelf: the entry is its own now, unless a search has it. What it
   puts out is returned, with the table's reference. Under both locks. */
static struct copy *take_entry(struct cache *cache, struct shard *shard, struct copy *copy) {
    struct copy *old = shard_find(shard, &copy->key);
    if (old && copy_phase_now(old) != COPY_COMPLETE)
        return NULL;
    bool out = old && shard_take_out(cache, shard, old);
    shard_insert(shard, copy);
    return out ? old : NULL;
}

/* Each file's own line in the log says it too. */
static void complain(const struct error *why) {
    static _Atomic int64_t pace;
    if (why->kind == ERROR_DISK && log_due(&pace))
        log_failure(LOG_WARNING, "a symbol was delivered and could not be kept", why);
}

void cache_complete(struct cache *cache, struct copy *copy, bool keep) {
    assert(copy_phase_now(copy) == COPY_WHOLE);
    struct shard *shard = cache_shard(cache, &copy->key);
    struct error why;
    struct shelf_found found;
    bool kept = put_on_shelf(copy, keep, &found, &why);
    bool out = false;
    struct copy *old = NULL;
    {
        SCOPED_LOCK(&shard->lock);
        SCOPED_LOCK(&copy->lock);
        if (kept) {
            copy_fill(copy, staging_shelf(copy->staging), &found);
            copy_raise(copy, COPY_COMPLETE);
            if (copy->detached)
                old = take_entry(cache, shard, copy);
            if (copy->listed)
                shard_add_complete(cache, shard, copy);
        } else {
            copy_keep_why(copy, &why);
            out = shard_take_out(cache, shard, copy);
        }
    }
    count(kept ? &cache->counters.committed : &cache->counters.not_kept);
    if (!kept)
        complain(&why);
    drop(copy, out);
    copy_unref(old);
    cache_make_room(cache, shard);
}

bool cache_settle(struct cache *cache, struct copy *copy, struct shelf *shelf,
                  const struct shelf_found *found) {
    struct shard *shard = cache_shard(cache, &copy->key);
    {
        SCOPED_LOCK(&shard->lock);
        SCOPED_LOCK(&copy->lock);
        if (copy_phase_now(copy) != COPY_SEARCHING)
            return false;
        copy->fd = found->fd;
        copy->modified_ns = found->modified_ns;
        copy_fill(copy, shelf, found);
        copy_raise(copy, COPY_COMPLETE);
        if (copy->listed)
            shard_add_complete(cache, shard, copy);
    }
    cache_make_room(cache, shard);
    return true;
}

bool cache_adopt(struct cache *cache, struct copy *copy, int fd, uint64_t size, int64_t modified_ns,
                 const char *source, struct pool *pool, bool keep) {
    struct shard *shard = cache_shard(cache, &copy->key);
    bool out = false;
    {
        SCOPED_LOCK(&shard->lock);
        SCOPED_LOCK(&copy->lock);
        if (copy_phase_now(copy) != COPY_SEARCHING)
            return false;
        copy->fd = fd;
        copy->size = size;
        copy->modified_ns = modified_ns;
        copy->in_place = true;
        copy->pool = pool;
        copy->checked_ms = clock_ms();
        text_copy(copy->source, sizeof copy->source, source);
        copy_raise(copy, COPY_COMPLETE);
        if (keep && copy->listed)
            shard_add_complete(cache, shard, copy);
        else
            out = shard_take_out(cache, shard, copy);
    }
    drop(copy, out);
    cache_make_room(cache, shard);
    return true;
}

/* --- ends ----------------------------------------------------------------------------------- */

void cache_end(struct cache *cache, struct copy *copy, enum copy_phase phase,
               const struct error *why) {
    assert(phase == COPY_ABSENT || phase == COPY_FAILED);
    struct shard *shard = cache_shard(cache, &copy->key);
    bool out;
    {
        SCOPED_LOCK(&shard->lock);
        SCOPED_LOCK(&copy->lock);
        if (copy_phase_now(copy) == COPY_COMPLETE)
            return;
        copy_keep_why(copy, why);
        out = shard_take_out(cache, shard, copy);
        copy_raise(copy, phase);
    }
    drop(copy, out);
}

/* The new copy goes on with the old one's search: its owner, its promise, its notes. Under the old
   one's lock; nobody else knows the new one yet. */
static void hand_over(struct copy *old, struct copy *next) {
    next->owner = TAKE(old->owner);
    next->promised = old->promised;
    next->started_ms = old->started_ms;
    copy_notes_hand_over(old, next);
}

struct copy *cache_replace(struct cache *cache, struct copy *copy, const struct error *why) {
    struct shard *shard = cache_shard(cache, &copy->key);
    struct copy *next = copy_new(cache, &copy->key);
    bool out;
    {
        SCOPED_LOCK(&shard->lock);
        SCOPED_LOCK(&copy->lock);
        out = shard_take_out(cache, shard, copy);
        /* A copy that was taken out before may have been followed by another search already. */
        next->detached = copy->detached;
        if (!next->detached && !shard_find(shard, &copy->key))
            shard_insert(shard, next);
        hand_over(copy, next);
        copy->successor = copy_ref(next);
        copy_keep_why(copy, why);
        copy_raise(copy, COPY_FAILED);
    }
    drop(copy, out);
    return next;
}

bool cache_drop_unwanted(struct cache *cache, struct copy *copy) {
    struct shard *shard = cache_shard(cache, &copy->key);
    struct error why;
    bool out;
    error_set(&why, ERROR_CANCELLED, "nobody waits for it any more");
    {
        SCOPED_LOCK(&shard->lock);
        SCOPED_LOCK(&copy->lock);
        if (copy->interest > 0 || copy->promised || copy_phase_now(copy) != COPY_SEARCHING)
            return false;
        copy_keep_why(copy, &why);
        out = shard_take_out(cache, shard, copy);
        copy_raise(copy, COPY_FAILED);
    }
    drop(copy, out);
    return true;
}

/* --- forgetting ----------------------------------------------------------------------------- */

static void forget_complete(struct cache *cache, const struct symbol_key *key) {
    struct shard *shard = cache_shard(cache, key);
    struct copy *copy;
    {
        SCOPED_LOCK(&shard->lock);
        copy = shard_find(shard, key);
        if (copy && (copy_phase_now(copy) != COPY_COMPLETE || !shard_take_out(cache, shard, copy)))
            copy = NULL;
    }
    copy_unref(copy);
}

static bool is_being_kept(struct cache *cache, const struct symbol_key *key) {
    struct shard *shard = cache_shard(cache, key);
    SCOPED_LOCK(&shard->lock);
    const struct copy *copy = shard_find(shard, key);
    return copy && copy_phase_now(copy) == COPY_WHOLE;
}

/* A file that is being put on its shelf is waited for: whoever was just served may forget it. */
static void wait_until_kept(struct cache *cache, const struct symbol_key *key) {
    static const struct timespec nap = {.tv_nsec = 1000000};
    for (unsigned naps = 0; naps < FORGET_NAPS && is_being_kept(cache, key); naps++)
        nanosleep(&nap, NULL);
}

unsigned cache_forget(struct cache *cache, const struct symbol_key *key) {
    unsigned removed = 0;
    wait_until_kept(cache, key);
    for (unsigned i = 0; i < cache->shelf_count; i++)
        if (cache->shelves[i] && !shelf_hangs(cache->shelves[i]))
            removed += shelf_remove(cache->shelves[i], key);
    /* After the files: a look in between may have found one. */
    forget_complete(cache, key);
    return removed;
}

void cache_supersede(struct cache *cache, struct copy *old, const struct copy *by) {
    if (!by->in_place && by->shelf == old->shelf)
        return;
    shelf_remove(old->shelf, &old->key);
    forget_complete(cache, &old->key);
}

static struct copy *take_complete(struct cache *cache, struct shard *shard) {
    SCOPED_LOCK(&shard->lock);
    if (list_empty(&shard->complete))
        return NULL;
    struct copy *copy = LIST_ENTRY(shard->complete.next, struct copy, in_complete);
    return shard_take_out(cache, shard, copy) ? copy : NULL;
}

void cache_release_complete(struct cache *cache) {
    for (unsigned i = 0; i < CACHE_SHARDS; i++)
        for (struct copy *copy; (copy = take_complete(cache, &cache->shards[i]));)
            copy_unref(copy);
}

/* --- showing and staging -------------------------------------------------------------------- */

struct gathering {
    struct copy **copies;
    unsigned count;
    unsigned max;
};

static void gather(struct shard *shard, struct gathering *gathering) {
    SCOPED_LOCK(&shard->lock);
    for (size_t i = 0; i < shard->table.bucket_count; i++)
        for (struct table_node *node = shard->table.buckets[i]; node; node = node->next) {
            struct copy *copy = TABLE_ENTRY(node, struct copy, in_table);
            if (copy_phase_now(copy) != COPY_COMPLETE && gathering->count < gathering->max)
                gathering->copies[gathering->count++] = copy_ref(copy);
        }
}

static void describe(struct copy *copy, struct cache_listing *out_listing) {
    out_listing->key = copy->key;
    out_listing->age_ms = clock_ms() - copy->started_ms;
    copy_look(copy, &out_listing->state);
    copy_source(copy, out_listing->source, sizeof out_listing->source);
    SCOPED_LOCK(&copy->lock);
    out_listing->readers = copy->interest;
}

void cache_list(struct cache *cache, unsigned listings_max,
                void (*show)(const struct cache_listing *listing, void *context), void *context) {
    CLEANUP(free_block) struct copy **copies = NEW_ARRAY(struct copy *, listings_max);
    struct gathering gathering = {copies, 0, listings_max};
    for (unsigned i = 0; i < CACHE_SHARDS; i++)
        gather(&cache->shards[i], &gathering);
    for (unsigned i = 0; i < gathering.count; i++) {
        struct cache_listing listing;
        describe(copies[i], &listing);
        copy_unref(copies[i]);
        show(&listing, context);
    }
}

/* With a reference of the caller's; NULL: none that is not complete. */
static struct copy *take_unfinished(struct cache *cache, const struct symbol_key *key) {
    struct shard *shard = cache_shard(cache, key);
    SCOPED_LOCK(&shard->lock);
    struct copy *copy = shard_find(shard, key);
    return copy && copy_phase_now(copy) != COPY_COMPLETE ? copy_ref(copy) : NULL;
}

bool cache_show(struct cache *cache, const struct symbol_key *key,
                struct cache_listing *out_listing) {
    struct copy *copy = take_unfinished(cache, key);
    if (!copy)
        return false;
    describe(copy, out_listing);
    copy_unref(copy);
    return true;
}

bool cache_stage(struct cache *cache, const struct symbol_key *key, unsigned shelf_index,
                 uint64_t size, struct staging **out_staging, struct error *err) {
    struct shelf *shelf = shelf_index < cache->shelf_count ? cache->shelves[shelf_index] : NULL;
    shelf = shelf ? shelf : cache->shelves[0];
    struct error why;
    bool free = !shelf || shelf_hangs(shelf) || shelf_has_place(shelf, key, &why);
    if (!staging_new(free ? shelf : NULL, cache->spill, size, out_staging, err))
        return false;
    if (!free)
        staging_explain(*out_staging, &why);
    return true;
}
