// SPDX-License-Identifier: MIT
//
// Mutexes with a scope, and conditions that wait with a deadline on the monotonic clock. The order
// in which locks may be taken is written in docs/ARCHITECTURE.md: search, source queue, cache,
// copy. None is held over I/O or a log line.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Aborts on errors that only a mistake of ours can make. */
void lock_take(pthread_mutex_t *lock);

/* The other half of lock_take. */
void lock_give(pthread_mutex_t *lock);

static inline void lock_give_scoped(pthread_mutex_t **lock) {
    lock_give(*lock);
}

#define LOCK_NAME_(a, b) a##b
#define LOCK_NAME(a, b) LOCK_NAME_(a, b)
#define SCOPED_LOCK(lock)                                                                          \
    CLEANUP(lock_give_scoped)                                                                      \
    __attribute__((unused)) pthread_mutex_t *LOCK_NAME(scoped_lock_, __LINE__) =                   \
        (lock_take(lock), (lock))

/* A condition variable on the monotonic clock. */
void condition_init(pthread_cond_t *condition);

/* Waits until signalled or until clock_ms() reaches deadline_ms; false when the deadline came. */
bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms);
