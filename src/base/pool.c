// SPDX-License-Identifier: MIT
#include "base/pool.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"

enum { IDLE_MS = 10000, FREE_WAIT_MS = 1000, THREADS_CEILING = 64 };

struct pool {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;  /* a job waits, or the pool ends */
    pthread_cond_t ended; /* a thread has ended */
    struct list jobs;
    unsigned waiting;
    unsigned threads;
    unsigned idle;
    bool closing;
    bool orphaned;                          /* the owner has gone: the last thread frees */
    int64_t busy_since_ms[THREADS_CEILING]; /* 0: the slot is free or its thread idle */
    unsigned threads_max;
    unsigned queue_max;
    char name[16];
};

struct pool *pool_new(const char *name, unsigned threads_max, unsigned queue_max) {
    struct pool *pool = NEW(struct pool);
    pthread_mutex_init(&pool->lock, NULL);
    condition_init(&pool->work);
    condition_init(&pool->ended);
    list_init(&pool->jobs);
    pool->threads_max = threads_max < THREADS_CEILING ? threads_max : THREADS_CEILING;
    pool->queue_max = queue_max;
    text_copy(pool->name, sizeof pool->name, name);
    return pool;
}

static void destroy(struct pool *pool) {
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->ended);
    free(pool);
}

/* Runs one job with the lock given back, its start noted so that a hang can be seen. */
static void run_first(struct pool *pool) {
    struct pool_job *job = LIST_ENTRY(list_pop_front(&pool->jobs), struct pool_job, in_queue);
    pool->waiting--;
    unsigned slot = 0;
    while (pool->busy_since_ms[slot])
        slot++;
    pool->busy_since_ms[slot] = clock_ms();
    lock_give(&pool->lock);
    job->run(job);
    lock_take(&pool->lock);
    pool->busy_since_ms[slot] = 0;
}

static void *work(void *context) {
    struct pool *pool = context;
    lock_take(&pool->lock);
    for (;;) {
        if (!list_empty(&pool->jobs)) {
            run_first(pool);
            continue;
        }
        if (pool->closing)
            break;
        pool->idle++;
        bool woken = condition_wait(&pool->work, &pool->lock, clock_ms() + IDLE_MS);
        pool->idle--;
        if (!woken && list_empty(&pool->jobs))
            break;
    }
    bool last = --pool->threads == 0 && pool->orphaned;
    pthread_cond_broadcast(&pool->ended);
    lock_give(&pool->lock);
    if (last)
        destroy(pool);
    return NULL;
}

void pool_free(struct pool *pool) {
    if (!pool)
        return;
    lock_take(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    int64_t deadline_ms = clock_ms() + FREE_WAIT_MS;
    while (pool->threads > 0 && condition_wait(&pool->ended, &pool->lock, deadline_ms))
        continue;
    pool->orphaned = pool->threads > 0;
    bool ended = !pool->orphaned;
    /* Behind a thread that hangs: by the time it wakes up, the owners of these jobs are gone too.
     */
    while (list_pop_front(&pool->jobs))
        pool->waiting--;
    lock_give(&pool->lock);
    if (ended)
        destroy(pool);
}

bool pool_post(struct pool *pool, struct pool_job *job) {
    SCOPED_LOCK(&pool->lock);
    if (pool->closing || pool->waiting >= pool->queue_max)
        return false;
    if (pool->waiting >= pool->idle && pool->threads < pool->threads_max) {
        /* Counted before it runs: the new thread needs the lock that is held here. */
        pool->threads++;
        if (!thread_start_detached(pool->name, work, pool, NULL))
            pool->threads--;
    }
    if (pool->threads == 0)
        return false;
    list_push_back(&pool->jobs, &job->in_queue);
    pool->waiting++;
    pthread_cond_signal(&pool->work);
    return true;
}

bool pool_hangs(struct pool *pool, int64_t limit_ms) {
    int64_t before_ms = clock_ms() - limit_ms;
    SCOPED_LOCK(&pool->lock);
    for (unsigned i = 0; i < pool->threads_max; i++)
        if (pool->busy_since_ms[i] && pool->busy_since_ms[i] < before_ms)
            return true;
    return false;
}
