// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/cache_inside.h"
#include "store/copy_inside.h"
#include "store/shelf_inside.h"

struct copy *copy_new(struct cache *cache, const struct symbol_key *key) {
    struct copy *copy = NEW(struct copy);
    copy->references = 1;
    copy->cache = cache_ref(cache);
    copy->key = *key;
    copy->started_ms = clock_ms();
    copy->size = SIZE_UNKNOWN;
    copy->fd = -1;
    pthread_mutex_init(&copy->lock, NULL);
    list_init(&copy->watches);
    count(&cache->counters.searching);
    return copy;
}

/* --- phases --------------------------------------------------------------------------------- */

static bool may_raise(enum copy_phase from, enum copy_phase to) {
    switch (from) {
    case COPY_SEARCHING:
        return to == COPY_ARRIVING || to == COPY_COMPLETE || to == COPY_ABSENT || to == COPY_FAILED;
    case COPY_ARRIVING:
        return to == COPY_WHOLE || to == COPY_FAILED;
    case COPY_WHOLE:
        return to == COPY_COMPLETE || to == COPY_FAILED;
    case COPY_COMPLETE:
    case COPY_ABSENT:
    case COPY_FAILED:
        return false;
    }
    return false;
}

static bool under_way(enum copy_phase phase) {
    return phase == COPY_SEARCHING || phase == COPY_ARRIVING;
}

enum copy_phase copy_phase_now(const struct copy *copy) {
    return (enum copy_phase)atomic_load_explicit(&copy->phase, memory_order_acquire);
}

void copy_wake(struct copy *copy) {
    LIST_EACH (node, &copy->watches) {
        struct watch *watch = LIST_ENTRY(node, struct watch, in_copy);
        inbox_put(watch->inbox, watch);
    }
}

void copy_raise(struct copy *copy, enum copy_phase phase) {
    enum copy_phase before = copy_phase_now(copy);
    assert(may_raise(before, phase));
    if (under_way(before) && !under_way(phase))
        count_down(&copy->cache->counters.searching);
    atomic_store_explicit(&copy->phase, (int)phase, memory_order_release);
    copy_wake(copy);
}

/* --- references ----------------------------------------------------------------------------- */

struct copy *copy_ref(struct copy *copy) {
    atomic_fetch_add_explicit(&copy->references, 1, memory_order_relaxed);
    return copy;
}

static void destroy(struct copy *copy) {
    assert(list_empty(&copy->watches) && !copy->listed);
    struct cache *cache = copy->cache;
    if (under_way(copy_phase_now(copy)))
        count_down(&cache->counters.searching);
    if (copy->owner)
        copy->owner->ops->unref(copy->owner);
    copy_unref(copy->successor);
    if (copy->small) {
        atomic_fetch_sub(&cache->counters.small_bytes, copy->size);
        free(copy->small);
    }
    close_fd(&copy->fd);
    staging_free(copy->staging);
    free(copy->shelf_path);
    free(copy->why);
    free(copy->preferred);
    free(copy->notes);
    pthread_mutex_destroy(&copy->lock);
    free(copy);
    cache_unref(cache);
}

static void destroy_job(struct pool_job *job) {
    destroy(LIST_ENTRY(job, struct copy, ending));
}

/* Throwing a large file away takes the disk a while, and the last reader may be a loop. */
static bool destroy_elsewhere(struct copy *copy) {
    if (!copy->staging || copy_phase_now(copy) == COPY_COMPLETE)
        return false;
    struct shelf *shelf = staging_shelf(copy->staging);
    copy->ending.run = destroy_job;
    return shelf && pool_post(shelf_pool(shelf), &copy->ending);
}

void copy_unref(struct copy *copy) {
    if (!copy || atomic_fetch_sub_explicit(&copy->references, 1, memory_order_acq_rel) != 1)
        return;
    if (!destroy_elsewhere(copy))
        destroy(copy);
}

void copy_unref_at(struct copy **copy) {
    copy_unref(*copy);
}

const struct symbol_key *copy_key(const struct copy *copy) {
    return &copy->key;
}

/* --- readers -------------------------------------------------------------------------------- */

static void take_state(struct copy *copy, struct copy_state *out_state) {
    enum copy_phase phase = copy_phase_now(copy);
    uint64_t size = copy->size;
    *out_state = (struct copy_state){
        .phase = phase,
        .size = size,
        .written = size,
        .certain = phase >= COPY_WHOLE || copy->certain,
        .modified_ns = phase == COPY_SEARCHING ? 0 : copy->modified_ns,
        .in_place = copy->in_place,
        .hurried_ms = copy->hurried_ms,
    };
    if (phase != COPY_COMPLETE)
        out_state->written =
            phase != COPY_SEARCHING && copy->staging ? staging_length(copy->staging) : 0;
}

void copy_look(struct copy *copy, struct copy_state *out_state) {
    if (copy_phase_now(copy) == COPY_COMPLETE) {
        take_state(copy, out_state);
        return;
    }
    SCOPED_LOCK(&copy->lock);
    take_state(copy, out_state);
}

void copy_watch(struct copy *copy, struct watch *watch, struct copy_state *out_state) {
    SCOPED_LOCK(&copy->lock);
    if (!list_linked(&watch->in_copy))
        list_push_back(&copy->watches, &watch->in_copy);
    take_state(copy, out_state);
}

void copy_unwatch(struct copy *copy, struct watch *watch) {
    {
        SCOPED_LOCK(&copy->lock);
        list_remove(&watch->in_copy);
    }
    inbox_remove(watch->inbox, watch);
}

void copy_file(struct copy *copy, uint64_t offset, int *out_fd, uint64_t *out_at,
               uint64_t *out_bytes) {
    if (copy->staging) {
        staging_at(copy->staging, offset, out_fd, out_at, out_bytes);
        return;
    }
    *out_fd = copy->fd;
    *out_at = offset;
    *out_bytes = copy->size - offset;
}

/* Reads a small file, but only what is in memory already; on a file system that cannot say, only
 * where no disk is. */
static bool read_at_once(struct copy *copy, char *to, size_t length) {
    int fd;
    uint64_t at;
    uint64_t there;
    copy_file(copy, 0, &fd, &at, &there);
    struct iovec part = {to, length};
    ssize_t got = preadv2(fd, &part, 1, 0, RWF_NOWAIT);
    if (got < 0 && errno == EOPNOTSUPP) {
        if (copy->shelf && shelf_quick(copy->shelf))
            got = pread(fd, to, length, 0);
        else
            copy->small_tried = true;
    }
    return got == (ssize_t)length;
}

const char *copy_small(struct copy *copy) {
    char *small = atomic_load_explicit(&copy->small, memory_order_acquire);
    if (small)
        return small;
    struct cache *cache = copy->cache;
    uint64_t size = copy->size;
    if (size > COPY_SMALL_BYTES || copy_phase_now(copy) != COPY_COMPLETE || copy->in_place ||
        atomic_load_explicit(&copy->small_tried, memory_order_relaxed))
        return NULL;
    if (atomic_fetch_add(&cache->counters.small_bytes, size) + size <= cache->small_bytes_max) {
        CLEANUP(free_block) char *body = NEW_ARRAY(char, size);
        char *none = NULL;
        if (read_at_once(copy, body, size) &&
            atomic_compare_exchange_strong(&copy->small, &none, body))
            return TAKE(body);
    }
    atomic_fetch_sub(&cache->counters.small_bytes, size);
    return atomic_load(&copy->small);
}

bool copy_intact(struct copy *copy) {
    int64_t written_ns = copy->in_place ? copy->modified_ns : copy->file_ns;
    struct shelf_found now;
    int fd;
    uint64_t at, bytes;
    copy_file(copy, 0, &fd, &at, &bytes);
    return shelf_describe(fd, &now) && now.size == copy->size && now.modified_ns == written_ns;
}

struct pool *copy_pool(struct copy *copy) {
    return copy_phase_now(copy) == COPY_COMPLETE ? copy->pool : NULL;
}

/* --- interest ------------------------------------------------------------------------------- */

static struct copy_owner *ref_owner(const struct copy *copy) {
    if (copy->owner)
        copy->owner->ops->ref(copy->owner);
    return copy->owner;
}

void copy_tell_owner(struct copy_owner *owner) {
    if (!owner)
        return;
    owner->ops->interest(owner);
    owner->ops->unref(owner);
}

struct copy_owner *copy_add_interest(struct copy *copy) {
    return copy->interest++ == 0 ? ref_owner(copy) : NULL;
}

void copy_join(struct copy *copy) {
    struct copy_owner *owner = NULL;
    if (copy_phase_now(copy) != COPY_COMPLETE) {
        SCOPED_LOCK(&copy->lock);
        owner = copy_add_interest(copy);
    }
    copy_tell_owner(owner);
}

void copy_leave(struct copy *copy, enum copy_left how) {
    /* Askers of a complete copy are not counted: nobody needs to know, and a hit stays cheap. */
    if (copy_phase_now(copy) == COPY_COMPLETE)
        return;
    struct copy_owner *owner = NULL;
    {
        SCOPED_LOCK(&copy->lock);
        if (how == COPY_LEFT_LATER)
            copy->promised = true;
        if (copy->interest > 0 && --copy->interest == 0)
            owner = ref_owner(copy);
    }
    copy_tell_owner(owner);
}

bool copy_wanted(struct copy *copy) {
    SCOPED_LOCK(&copy->lock);
    return copy->interest > 0 || copy->promised;
}

bool copy_waited_for(struct copy *copy) {
    SCOPED_LOCK(&copy->lock);
    return copy->interest > 0;
}

/* --- renewal -------------------------------------------------------------------------------- */

int64_t copy_renewal(struct copy *copy) {
    if (copy_phase_now(copy) != COPY_COMPLETE || copy->in_place)
        return INT64_MAX;
    return atomic_load_explicit(&copy->renewal_ms, memory_order_relaxed);
}

bool copy_renewal_move(struct copy *copy, int64_t seen_ms, int64_t next_ms) {
    return atomic_compare_exchange_strong(&copy->renewal_ms, &seen_ms, next_ms);
}

void copy_renewal_set(struct copy *copy, int64_t next_ms) {
    atomic_store_explicit(&copy->renewal_ms, next_ms, memory_order_relaxed);
}

int64_t copy_compared(struct copy *copy) {
    return atomic_load_explicit(&copy->compared_ms, memory_order_relaxed);
}

void copy_note_compared(struct copy *copy, int64_t now_ms) {
    atomic_store_explicit(&copy->compared_ms, now_ms, memory_order_relaxed);
}

int64_t copy_warm(const struct copy *copy) {
    return atomic_load_explicit(&copy->warm_ms, memory_order_relaxed);
}

void copy_note_warm(struct copy *copy, int64_t now_ms) {
    atomic_store_explicit(&copy->warm_ms, now_ms, memory_order_relaxed);
}

void copy_preferred(struct copy *copy, char *out, size_t size) {
    SCOPED_LOCK(&copy->lock);
    text_copy(out, size, copy->preferred ? copy->preferred : "");
}

void copy_prefer(struct copy *copy, const char *sentence) {
    SCOPED_LOCK(&copy->lock);
    free(copy->preferred);
    copy->preferred = memory_text(sentence);
}
