// SPDX-License-Identifier: MIT
//
// Threads with names (seen in debuggers and in /proc), all signals blocked: signals belong to the
// main thread.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

/* Starts run(context) on a joinable thread with this name (15 characters count). */
bool thread_start(pthread_t *out_thread, const char *name, void *(*run)(void *context),
                  void *context, struct error *err) MUST_CHECK;

/* The same, detached: for workers that are counted by their owner. */
bool thread_start_detached(const char *name, void *(*run)(void *context), void *context,
                           struct error *err) MUST_CHECK;

/* Waits until no detached thread runs any more, at most to the deadline; false when it came. Before
   the process ends: libraries take themselves down then, also under a thread that still closes its
   connections. */
bool thread_wait_detached(int64_t deadline_ms);

/* Asks the scheduler to give the calling thread short slices, so that it is woken early beside busy
   workers; silently does nothing where the kernel has no such thing. */
void thread_prefer_latency(void);

/* Has the calling thread stand back when others want the processor: for work that nobody waits for.
 */
void thread_stand_back(void);

/* How many processors this process may run on; at least 1. */
unsigned thread_processors(void);
