// SPDX-License-Identifier: MIT
#include "source/source_queue.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "source/queue_line.h"
#include "source/source.h"

enum { IDLE_MS = 10 * 1000 };

/* Which place a worker's running job has. */
enum place { PLACE_NONE, PLACE_HELD, PLACE_LENT };

/* A thread. Lies on its own stack. */
struct queue_worker {
    struct list idle;    /* in the queue's list while it waits to be summoned */
    pthread_cond_t wake; /* summoned, or the queue ends */
    enum place place;
};

struct source_queue {
    pthread_mutex_t lock; /* guards all below but the rests and the counters */
    const struct source_ops *ops;
    unsigned places_max;
    unsigned waiting_max;
    unsigned references;
    bool closed;
    struct queue_line line;
    struct list idle;  /* workers without a job, the last used first: its connections are warmest */
    unsigned summoned; /* workers made or woken that have not looked for a job yet */
    unsigned staying;  /* workers that will look for a job again */
    struct queue_worker *pausing; /* the one that waits for the end of a rest, or NULL */
    struct rest rest;
    struct host_rests host_rests;
    struct queue_counters counters;
    struct source_counters source_counters;
};

static void *work(void *context);

struct source_queue *queue_new(const struct source_ops *ops, unsigned places_max,
                               unsigned waiting_max) {
    struct source_queue *queue = NEW(struct source_queue);
    pthread_mutex_init(&queue->lock, NULL);
    queue->ops = ops;
    queue->places_max = places_max;
    queue->waiting_max = waiting_max;
    queue->references = 1;
    queue_line_init(&queue->line, &queue->counters.waiting);
    list_init(&queue->idle);
    rest_init(&queue->rest);
    host_rests_init(&queue->host_rests);
    return queue;
}

static void destroy(struct source_queue *queue) {
    queue_line_release(&queue->line);
    rest_release(&queue->rest);
    host_rests_release(&queue->host_rests);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

struct source_queue *queue_ref(struct source_queue *queue) {
    SCOPED_LOCK(&queue->lock);
    queue->references++;
    return queue;
}

/* Each has a connection, also those that wait for the disk with their place given back. */
static unsigned workers_max(const struct source_queue *queue) {
    return queue->places_max + (queue->places_max + 1) / 2;
}

/* Sees to it that a worker looks for a job, where there is one that may run. Each one that finds a
 * job calls again. */
static void summon(struct source_queue *queue) {
    uint64_t places_used = counted(&queue->counters.running) + queue->summoned;
    if (queue->pausing || counted(&queue->counters.waiting) <= queue->summoned ||
        places_used >= queue->places_max)
        return;
    struct list *node = list_pop_front(&queue->idle);
    if (node) {
        queue->summoned++;
        pthread_cond_signal(&LIST_ENTRY(node, struct queue_worker, idle)->wake);
        return;
    }
    if (queue->staying >= workers_max(queue))
        return; /* the next one that ends its job looks */
    /* Counted before it runs: it needs the lock that is held here. */
    count(&queue->counters.workers);
    queue->staying++;
    queue->summoned++;
    if (thread_start_detached("source", work, queue, NULL))
        return;
    queue->summoned--;
    queue->staying--;
    count_down(&queue->counters.workers);
}

static void release_place(struct source_queue *queue, struct queue_worker *worker) {
    if (worker->place == PLACE_HELD)
        count_down(&queue->counters.running);
    if (worker->place == PLACE_LENT)
        count_down(&queue->counters.lent);
    worker->place = PLACE_NONE;
}

/* Hands a waiting job back; the lock is given away meanwhile, so everything may be different
 * afterwards. */
static void hand_back(struct source_queue *queue, struct queue_job *job, enum error_kind why) {
    queue_line_remove(&queue->line, job);
    lock_give(&queue->lock);
    job->handed_back(job, why);
    lock_take(&queue->lock);
}

enum next { NEXT_RUN, NEXT_IDLE, NEXT_PAUSE };

/* What a worker does next; lock held, given back for jobs that are handed back. */
static enum next look(struct source_queue *queue, struct queue_job **out_job,
                      int64_t *out_until_ms) {
    for (;;) {
        struct queue_job *job = queue_line_next(&queue->line);
        if (!job || counted(&queue->counters.running) >= queue->places_max)
            return NEXT_IDLE;
        switch (rest_ask(&queue->rest, out_until_ms)) {
        case REST_WAIT:
            return queue->pausing ? NEXT_IDLE : NEXT_PAUSE;
        case REST_REFUSED:
            hand_back(queue, job, ERROR_RESTING);
            continue;
        case REST_PROBE:
            job->probe = true;
            *out_job = job;
            return NEXT_RUN;
        case REST_FREE:
            job->probe = false;
            *out_job = job;
            return NEXT_RUN;
        }
    }
}

static void run(struct source_queue *queue, struct queue_worker *worker, struct queue_job *job,
                void *kept) {
    queue_line_take(&queue->line, job);
    bool probe = job->probe;
    job->worker = worker;
    job->lent = false;
    worker->place = PLACE_HELD;
    count(&queue->counters.running);
    if (queue->pausing)
        pthread_cond_signal(&queue->pausing->wake); /* the rest is over sooner than it thinks */
    summon(queue);
    lock_give(&queue->lock);
    job->run(job, kept);
    /* The job may be gone by now. A probe that reported nothing must not keep the next one out. */
    if (probe)
        rest_probe_over(&queue->rest);
    lock_take(&queue->lock);
    release_place(queue, worker);
}

/* Waits to be summoned; false when nobody did for a while or the queue was closed. */
static bool wait_idle(struct source_queue *queue, struct queue_worker *worker) {
    list_push_front(&queue->idle, &worker->idle);
    int64_t idle_ms = queue->ops->idle_ms ? queue->ops->idle_ms : IDLE_MS;
    int64_t deadline_ms = clock_ms() + idle_ms;
    while (list_linked(&worker->idle) && !queue->closed)
        if (!condition_wait(&worker->wake, &queue->lock, deadline_ms))
            break;
    bool summoned = !list_linked(&worker->idle);
    list_remove(&worker->idle);
    return summoned;
}

/* Waits out a rest for all. It is no idle worker: what is submitted meanwhile needs none. */
static void wait_paused(struct source_queue *queue, struct queue_worker *worker, int64_t until_ms) {
    queue->pausing = worker;
    if (!queue->closed)
        (void)condition_wait(&worker->wake, &queue->lock, until_ms);
    queue->pausing = NULL;
}

static void work_on(struct source_queue *queue, struct queue_worker *worker, void *kept) {
    queue->summoned--;
    for (;;) {
        struct queue_job *job = NULL;
        int64_t until_ms = 0;
        switch (look(queue, &job, &until_ms)) {
        case NEXT_RUN:
            run(queue, worker, job, kept);
            continue;
        case NEXT_PAUSE:
            wait_paused(queue, worker, until_ms);
            continue;
        case NEXT_IDLE:
            if (!wait_idle(queue, worker))
                return;
            queue->summoned--;
            continue;
        }
    }
}

static void *work(void *context) {
    struct source_queue *queue = context;
    const struct source_ops *ops = queue->ops;
    struct queue_worker worker = {.place = PLACE_NONE};
    condition_init(&worker.wake);
    void *kept = ops->worker_new ? ops->worker_new() : NULL;
    lock_take(&queue->lock);
    work_on(queue, &worker, kept);
    queue->staying--;
    lock_give(&queue->lock);
    if (kept)
        ops->worker_free(kept);
    pthread_cond_destroy(&worker.wake);
    lock_take(&queue->lock);
    count_down(&queue->counters.workers);
    bool unused = queue->references == 0 && counted(&queue->counters.workers) == 0;
    lock_give(&queue->lock);
    if (unused)
        destroy(queue);
    return NULL;
}

static void close_locked(struct source_queue *queue) {
    queue->closed = true;
    for (struct queue_job *job; (job = queue_line_next(&queue->line));)
        hand_back(queue, job, ERROR_CANCELLED);
    LIST_EACH (node, &queue->idle) {
        pthread_cond_signal(&LIST_ENTRY(node, struct queue_worker, idle)->wake);
    }
    if (queue->pausing)
        pthread_cond_signal(&queue->pausing->wake);
}

void queue_close(struct source_queue *queue) {
    SCOPED_LOCK(&queue->lock);
    close_locked(queue);
}

void queue_unref(struct source_queue *queue) {
    if (!queue)
        return;
    lock_take(&queue->lock);
    /* The last reference is kept until all has been handed back: for that the lock is given away.
     */
    if (queue->references == 1)
        close_locked(queue);
    bool unused = --queue->references == 0 && counted(&queue->counters.workers) == 0;
    lock_give(&queue->lock);
    if (unused)
        destroy(queue);
}

void queue_set_places(struct source_queue *queue, unsigned places_max) {
    SCOPED_LOCK(&queue->lock);
    queue->places_max = places_max;
    summon(queue);
}

/* Is there room for the job, if need be in the place of *out_victim (taken out)? Those that a
   worker is on its way to do not count as waiting. */
static bool make_room(struct source_queue *queue, const struct queue_job *job,
                      struct queue_job **out_victim) {
    *out_victim = NULL;
    uint64_t waiting = counted(&queue->counters.waiting);
    if (waiting < queue->waiting_max + (uint64_t)queue->summoned)
        return true;
    if (!job->optional)
        count(&queue->counters.busy);
    *out_victim = queue_line_victim(&queue->line, job);
    if (!*out_victim)
        return false;
    queue_line_remove(&queue->line, *out_victim);
    return true;
}

/* queue_submit under the lock; ERROR_NONE: it is in the queue. */
static enum error_kind submit_locked(struct source_queue *queue, struct queue_job *job,
                                     struct queue_job **out_victim) {
    *out_victim = NULL;
    if (queue->closed)
        return ERROR_CANCELLED;
    if (rest_refuses(&queue->rest))
        return ERROR_RESTING;
    if (!make_room(queue, job, out_victim))
        return ERROR_BUSY;
    queue_line_add(&queue->line, job);
    summon(queue);
    if (queue->staying > 0)
        return ERROR_NONE;
    /* No thread to be had, and none that would come by. */
    queue_line_remove(&queue->line, job);
    count(&queue->counters.busy);
    return ERROR_BUSY;
}

bool queue_submit(struct source_queue *queue, struct queue_job *job, enum error_kind *out_why) {
    job->waiting = (struct list){0};
    job->client_queue = NULL;
    job->worker = NULL;
    job->lent = false;
    job->probe = false;
    job->submitted_ms = clock_ms();
    lock_take(&queue->lock);
    struct queue_job *victim;
    enum error_kind why = submit_locked(queue, job, &victim);
    lock_give(&queue->lock);
    if (victim)
        victim->handed_back(victim, ERROR_BUSY);
    if (why == ERROR_NONE)
        return true;
    *out_why = why;
    return false;
}

bool queue_withdraw(struct source_queue *queue, struct queue_job *job) {
    SCOPED_LOCK(&queue->lock);
    if (!list_linked(&job->waiting))
        return false;
    queue_line_remove(&queue->line, job);
    return true;
}

void queue_want(struct source_queue *queue, struct queue_job *job, bool wanted) {
    SCOPED_LOCK(&queue->lock);
    queue_line_want(job, wanted);
}

bool queue_lend(struct source_queue *queue, struct queue_job *job) {
    SCOPED_LOCK(&queue->lock);
    struct queue_worker *worker = job->worker;
    if (worker->place != PLACE_HELD || counted(&queue->counters.lent) >= queue->places_max / 2)
        return false;
    release_place(queue, worker);
    worker->place = PLACE_LENT;
    job->lent = true;
    count(&queue->counters.lent);
    summon(queue);
    return true;
}

void queue_give(struct source_queue *queue, struct queue_job *job) {
    SCOPED_LOCK(&queue->lock);
    release_place(queue, job->worker);
    job->lent = false;
    summon(queue);
}

bool queue_free_place(struct source_queue *queue) {
    SCOPED_LOCK(&queue->lock);
    return counted(&queue->counters.waiting) == 0 &&
           counted(&queue->counters.running) < queue->places_max;
}

bool queue_borrow(struct source_queue *queue) {
    SCOPED_LOCK(&queue->lock);
    if (counted(&queue->counters.waiting) > 0 ||
        counted(&queue->counters.running) + queue->summoned >= queue->places_max)
        return false;
    count(&queue->counters.running);
    return true;
}

void queue_return(struct source_queue *queue, unsigned places) {
    SCOPED_LOCK(&queue->lock);
    for (unsigned i = 0; i < places; i++)
        count_down(&queue->counters.running);
    summon(queue);
}

bool queue_full(const struct source_queue *queue) {
    return counted(&queue->counters.waiting) >= queue->waiting_max;
}

bool queue_waited(const struct source_queue *queue) {
    return counted(&queue->counters.waiting) > 0;
}

struct rest *queue_rest(struct source_queue *queue) {
    return &queue->rest;
}

struct host_rests *queue_host_rests(struct source_queue *queue) {
    return &queue->host_rests;
}

void queue_set_breaker(struct source_queue *queue, const struct breaker *breaker) {
    rest_set_breaker(&queue->rest, breaker);
    host_rests_set_breaker(&queue->host_rests, breaker);
}

const struct queue_counters *queue_counters(const struct source_queue *queue) {
    return &queue->counters;
}

struct source_counters *queue_source_counters(struct source_queue *queue) {
    return &queue->source_counters;
}
