// SPDX-License-Identifier: MIT
//
// A small pool of threads for work that may hang on a disk: at most so many threads, made when
// needed and ended when idle, a bounded queue. A pool belongs to one shelf or one directory, so
// that what hangs there holds up nothing else. The job lies inside its owner, who must keep it
// alive until `run` has returned.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

struct pool;

struct pool_job {
    struct list in_queue; /* guarded by the pool's lock */
    void (*run)(struct pool_job *job);
};

/* A pool of at most threads_max threads and queue_max waiting jobs; no thread yet. */
struct pool *pool_new(const char *name, unsigned threads_max, unsigned queue_max);

/* Runs what is queued, then ends the threads. Waits at most 1 s for a thread that hangs, and then
   leaves its memory to it. */
void pool_free(struct pool *pool);

/* Queues; false when the queue is full, or no thread could be made. */
bool pool_post(struct pool *pool, struct pool_job *job) MUST_CHECK;

/* Has one of the pool's threads been busy with the same job for longer than limit_ms? */
bool pool_hangs(struct pool *pool, int64_t limit_ms);
