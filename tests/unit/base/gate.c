// SPDX-License-Identifier: MIT
#include "unit/base/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_S = 20 };

void gate_raise(struct gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->count++;
    pthread_cond_broadcast(&gate->raised);
    pthread_mutex_unlock(&gate->lock);
}

void gate_wait(struct gate *gate, unsigned count) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&gate->lock);
    while (gate->count < count)
        if (pthread_cond_timedwait(&gate->raised, &gate->lock, &until) != 0) {
            fprintf(stderr, "gate: raised %u times in %d s, not %u\n", gate->count, WAIT_S, count);
            abort();
        }
    pthread_mutex_unlock(&gate->lock);
}

unsigned gate_count(struct gate *gate) {
    pthread_mutex_lock(&gate->lock);
    unsigned count = gate->count;
    pthread_mutex_unlock(&gate->lock);
    return count;
}
