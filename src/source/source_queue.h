// SPDX-License-Identifier: MIT
//
// A source's queue: who waits for one of its places, and the workers that hold them. Waiting costs
// no thread.
//
//   places   at most places_max jobs run at once; each runs on a worker thread, made when needed
//            and ended when idle for 10 s (source_ops.idle_ms). A job that has been reading a
//            body for long may lend its place back (queue_lend): at most places_max / 2 at a time
//            do so. One whose body has come gives it back before it syncs (queue_give). There are
//            never more than 1.5 * places_max workers (two for one place), and so of connections:
//            a disk that is slow to sync slows the asking down and gathers no threads.
//            A job that reads over several connections borrows a free place for each but one, and
//            gives it back when anybody waits (queue_borrow).
//   order    jobs that take up a broken body first; then round robin over client addresses;
//            within an address, jobs that somebody waits for before abandoned ones, then first
//            come. Background jobs after all others.
//   ceiling  waiting_max jobs (1,000). In a full queue the newest waiting job of the address with
//            most is handed back as busy (abandoned ones first; the newcomer itself, if it is of
//            that address). An optional job (a hedge) is refused instead of putting another out.
//   rests    while the source rests for at most 30 s because it asked for it, the queue waits it
//            out; other rests hand waiting jobs back as ERROR_RESTING.
//
// A job lies inside its owner (an attempt), who keeps it alive from queue_submit until exactly one
// of these: `run` has returned, `handed_back` has returned, queue_withdraw has returned true, or
// queue_submit has returned false. run and handed_back are called with no lock held. The queue is
// shared by the snapshots of a source over reloads (references). Locks: the queue's own.
#pragma once

#include <stdint.h>

#include "base/counter.h"
#include "base/error.h"
#include "base/list.h"
#include "source/host_rests.h"
#include "symbol/question.h"

struct source_queue;
struct queue_client;
struct queue_worker;
struct source_ops;
struct source_counters;

struct queue_job {
    struct list waiting; /* guarded by the queue's lock, as is all below up to the callbacks */
    struct queue_client *client_queue;
    struct queue_worker *worker; /* that runs it */
    bool wanted;                 /* somebody waits for it */
    bool at_head;                /* takes up a broken body: goes before all */
    bool optional;               /* a hedge: never puts another out */
    bool background;             /* runs when nobody else waits; optional too */
    bool lent;                   /* runs without a place */
    bool probe;                  /* runs as the probe that may end a rest */
    struct address client;
    int64_t submitted_ms;
    uint64_t ticket; /* counts submissions: who came first */
    /* Runs the job; `worker` is what the source's worker_new made. */
    void (*run)(struct queue_job *job, void *worker);
    /* The job will not run: ERROR_BUSY (put out), ERROR_RESTING, or ERROR_CANCELLED (the source is
     * gone). */
    void (*handed_back)(struct queue_job *job, enum error_kind why);
};

struct queue_counters {
    counter waiting; /* jobs that wait */
    counter running; /* jobs that hold a place */
    counter lent;    /* jobs that run without */
    counter workers; /* threads */
    counter busy;    /* jobs handed back or refused because the queue was full */
};

/* A queue with no worker yet. ops gives worker_new and worker_free. */
struct source_queue *queue_new(const struct source_ops *ops, unsigned places_max,
                               unsigned waiting_max);

/* One reference more; returns the queue. */
struct source_queue *queue_ref(struct source_queue *queue);

/* One less; the last one closes the queue, and the last worker frees it. NULL is allowed. */
void queue_unref(struct source_queue *queue);

/* The source has been removed: waiting jobs are handed back (ERROR_CANCELLED), running ones end by
   themselves, nothing is queued any more, and the workers end once they are idle. */
void queue_close(struct source_queue *queue);

/* Changes the number of places (reload). */
void queue_set_places(struct source_queue *queue, unsigned places_max);

/* Queues a job. False: refused as busy (or the source rests: *out_why says which); neither callback
   will come. May hand another job back before it returns. */
bool queue_submit(struct source_queue *queue, struct queue_job *job,
                  enum error_kind *out_why) MUST_CHECK;

/* Takes a waiting job out. True: it will never run. False: it runs, ran, or is being handed back.
 */
bool queue_withdraw(struct source_queue *queue, struct queue_job *job);

/* Somebody waits for the job's search, or nobody does any more. */
void queue_want(struct source_queue *queue, struct queue_job *job, bool wanted);

/* A running job gives its place back and goes on without one; false when too many have. Job's
   thread only. */
bool queue_lend(struct source_queue *queue, struct queue_job *job);

/* A running job's place goes back at once, the thread stays (it is about to end), and the next job
   starts as far as there may be workers. Job's thread only. */
void queue_give(struct source_queue *queue, struct queue_job *job);

/* Is a place free and nobody waiting? */
bool queue_free_place(struct source_queue *queue);

/* A place for one connection more of a job that runs: true where one is free and nobody waits. It
   counts as running until queue_return. */
bool queue_borrow(struct source_queue *queue) MUST_CHECK;

/* Gives so many borrowed places back. */
void queue_return(struct source_queue *queue, unsigned places);

/* Does anybody wait? Borrowed places are to be given back then. No lock. */
bool queue_waited(const struct source_queue *queue);

/* Do so many wait that one more would put another out, or be refused? No lock: about now. */
bool queue_full(const struct source_queue *queue);

/* The rest that goes with this queue. */
struct rest *queue_rest(struct source_queue *queue);

/* And those of the hosts that its source redirects to. */
struct host_rests *queue_host_rests(struct source_queue *queue);

/* What makes any of them rest. */
void queue_set_breaker(struct source_queue *queue, const struct breaker *breaker);

/* What is under way in it. */
const struct queue_counters *queue_counters(const struct source_queue *queue);

/* The source's counters, which live as long as the queue so that a reload keeps them. */
struct source_counters *queue_source_counters(struct source_queue *queue);
