// SPDX-License-Identifier: MIT
//
// A counter that threads of a test raise and wait for, in place of sleeping. Waiting ends the test
// after 20 s of real time.
#pragma once

#include <pthread.h>

struct gate {
    pthread_mutex_t lock; /* guards count */
    pthread_cond_t raised;
    unsigned count;
};

#define GATE_CLOSED                                                                                \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 }

/* Raises the count by one and wakes who waits. */
void gate_raise(struct gate *gate);

/* Waits until the count has been raised at least so often; fails the program when that does not
 * happen. */
void gate_wait(struct gate *gate, unsigned count);

/* The count. */
unsigned gate_count(struct gate *gate);
