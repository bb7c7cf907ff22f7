// SPDX-License-Identifier: MIT
//
// Looking on shelves with leave to block: a job on each shelf's own threads, one after the other,
// and an alarm that goes on to the next shelf when one does not answer. Whichever of the two comes
// second finds that the look has moved on.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/cache_inside.h"
#include "store/copy_inside.h"

enum { ANSWER_MS = 1000 };

struct cold_look {
    atomic_uint references; /* one a step; one of whoever takes it to the next shelf */
    struct cache *cache;    /* a reference */
    struct copy *copy;      /* a reference */
    struct question question;
    enum form form; /* whose file is looked for */
    uint64_t shelves;
    void (*done)(void *context, bool found,
                 const struct shelved_form *other); /* NULL: the copy is
                                                       told, nobody else */
    void *context;
    struct shelved_form other; /* the first that was seen; moved as `next` is */
    pthread_mutex_t lock;
    struct step *current; /* guarded by lock: the step whose answer counts */
    unsigned next;        /* the shelf after it; only whoever ends the current step moves it */
};

struct step {
    struct pool_job job;
    struct alarm alarm;
    atomic_uint references; /* the job's and the alarm's */
    struct cold_look *look; /* a reference */
    struct shelf *shelf;
    unsigned shelf_index;
};

static void look_unref(struct cold_look *look) {
    if (atomic_fetch_sub(&look->references, 1) != 1)
        return;
    copy_unref(look->copy);
    cache_unref(look->cache);
    pthread_mutex_destroy(&look->lock);
    free(look);
}

static void step_unref(struct step *step) {
    if (atomic_fetch_sub(&step->references, 1) != 1)
        return;
    look_unref(step->look);
    free(step);
}

/* Takes the answer of a step, or its silence, for what counts: true for the first who comes. */
static bool end_step(struct step *step) {
    struct cold_look *look = step->look;
    SCOPED_LOCK(&look->lock);
    if (look->current != step)
        return false;
    look->current = NULL;
    return true;
}

static void tell(struct cold_look *look, bool found) {
    static const struct error nothing;
    if (look->done)
        look->done(look->context, found, look->other.form ? &look->other : NULL);
    else if (!found)
        cache_end(look->cache, look->copy, COPY_ABSENT, &nothing);
}

static void finish(struct cold_look *look, bool found) {
    struct cache *cache = cache_ref(look->cache);
    if (!atomic_load(&cache->closing))
        tell(look, found);
    look_unref(look);
    {
        SCOPED_LOCK(&cache->looks_lock);
        if (--cache->looks == 0)
            pthread_cond_broadcast(&cache->looks_ended);
    }
    cache_unref(cache);
}

bool cache_wait_for_looks(struct cache *cache) {
    int64_t deadline_ms = clock_ms() + 2 * ANSWER_MS;
    SCOPED_LOCK(&cache->looks_lock);
    while (cache->looks > 0)
        if (!condition_wait(&cache->looks_ended, &cache->looks_lock, deadline_ms))
            break;
    return cache->looks == 0;
}

static void run(struct pool_job *job);
static void ring(struct alarm *alarm);

/* Asks one shelf; false when it cannot be asked. Both references of the step are given out before
 * anybody can end it. */
static bool begin_step(struct cold_look *look, struct shelf *shelf, unsigned shelf_index) {
    struct step *step = NEW(struct step);
    step->job.run = run;
    step->alarm.ring = ring;
    step->references = 2;
    step->look = look;
    step->shelf = shelf;
    step->shelf_index = shelf_index;
    atomic_fetch_add(&look->references, 1);
    {
        SCOPED_LOCK(&look->lock);
        look->current = step;
    }
    struct alarm_clock *alarms = look->cache->alarms;
    alarm_set(alarms, &step->alarm, clock_ms() + ANSWER_MS);
    if (pool_post(shelf_pool(shelf), &step->job))
        return true;
    bool ended = end_step(step);
    if (ended && alarm_cancel(alarms, &step->alarm))
        step_unref(step);
    step_unref(step);
    return !ended; /* the alarm was quicker and has gone on already */
}

/* Goes on to the next shelf that can be asked. Takes the caller's reference. */
static void go_on(struct cold_look *look) {
    struct cache *cache = look->cache;
    while (look->next < cache->shelf_count && !atomic_load(&cache->closing)) {
        unsigned n = look->next++;
        struct shelf *shelf = look->shelves >> n & 1 ? cache->shelves[n] : NULL;
        if (shelf && !shelf_hangs(shelf) && begin_step(look, shelf, n))
            return;
    }
    finish(look, false);
}

static void keep_other(struct cold_look *look, unsigned shelf_index,
                       const struct shelf_found *found) {
    if (look->other.form)
        return;
    look->other.shelf = shelf_index;
    look->other.form = found->form;
    text_copy(look->other.path, sizeof look->other.path, found->path);
}

static void run(struct pool_job *job) {
    struct step *step = LIST_ENTRY(job, struct step, job);
    struct cold_look *look = step->look;
    struct shelf_found found;
    enum shelf_look answer = shelf_look_form(step->shelf, &look->question.spelling,
                                             &look->question.key, look->form, false, &found);
    bool there = answer == SHELF_FOUND;
    bool counts = end_step(step);
    if (counts && alarm_cancel(look->cache->alarms, &step->alarm))
        step_unref(step);
    bool settled = counts && there && cache_settle(look->cache, look->copy, step->shelf, &found);
    if (there && !settled)
        close(found.fd);
    if (counts && answer == SHELF_OTHER_FORM)
        keep_other(look, step->shelf_index, &found);
    /* Before it ends: whoever has waited for the looks finds nothing of them left. */
    step_unref(step);
    if (counts && there)
        finish(look, settled);
    else if (counts)
        go_on(look);
}

static void ring(struct alarm *alarm) {
    struct step *step = LIST_ENTRY(alarm, struct step, alarm);
    struct cold_look *look = step->look;
    bool counts = end_step(step);
    step_unref(step);
    if (counts)
        go_on(look);
}

/* Begins one; form, done and context are still to be filled in. */
static struct cold_look *look_new(struct cache *cache, struct copy *copy, uint64_t shelves) {
    struct cold_look *look = NEW(struct cold_look);
    look->references = 1;
    look->cache = cache_ref(cache);
    look->copy = copy_ref(copy);
    look->shelves = shelves;
    look->form = FORM_PLAIN;
    pthread_mutex_init(&look->lock, NULL);
    SCOPED_LOCK(&cache->looks_lock);
    cache->looks++;
    return look;
}

void cache_look_cold(struct cache *cache, struct copy *copy, const struct question *question,
                     uint64_t shelves,
                     void (*done)(void *context, bool found, const struct shelved_form *other),
                     void *context) {
    struct cold_look *look = look_new(cache, copy, shelves);
    look->question = *question;
    look->done = done;
    look->context = context;
    go_on(look);
}

void cache_look_cold_form(struct cache *cache, struct copy *copy, const struct symbol_path *path,
                          uint64_t shelves) {
    struct cold_look *look = look_new(cache, copy, shelves);
    look->question = (struct question){.key = path->key, .spelling = path->spelling};
    look->form = path->form;
    go_on(look);
}

bool cache_may_look(struct cache *cache) {
    SCOPED_LOCK(&cache->looks_lock);
    return cache->looks < cache->searches_max;
}
