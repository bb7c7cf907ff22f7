// SPDX-License-Identifier: MIT
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"

void lock_take(pthread_mutex_t *lock) {
    int rc = pthread_mutex_lock(lock);
    assert(rc == 0);
    (void)rc;
}

void lock_give(pthread_mutex_t *lock) {
    int rc = pthread_mutex_unlock(lock);
    assert(rc == 0);
    (void)rc;
}

void condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(condition, &attributes);
    assert(rc == 0);
    (void)rc;
    pthread_condattr_destroy(&attributes);
}

bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms) {
    /* The kernel waits by its own clock: a clock that a test moves must not make waits endless. */
    int64_t left_ms = deadline_ms - clock_ms();
    if (left_ms < 0)
        left_ms = 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += left_ms / 1000;
    until.tv_nsec += (left_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec += 1;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}
