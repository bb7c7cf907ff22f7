// SPDX-License-Identifier: MIT
//
// How a running attempt is told that nobody needs it any more: a flag, and a way to wake whatever
// it blocks in.
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct cancel {
    _Atomic bool raised;
    pthread_mutex_t lock;       /* guards wake and target */
    void (*wake)(void *target); /* must not block */
    void *target;
};

/* Not raised, nothing to wake. */
void cancel_init(struct cancel *cancel);

/* Frees nothing but the lock; nobody may raise it any more. */
void cancel_release(struct cancel *cancel);

/* Raises the flag and wakes what is attached. Any thread; again is harmless. */
void cancel_raise(struct cancel *cancel);

/* Was it raised? */
bool cancel_raised(const struct cancel *cancel);

/* While attached, raising calls wake(target). The worker attaches before it blocks and detaches
   after; detach waits for a wake that is under way. */
void cancel_attach(struct cancel *cancel, void (*wake)(void *target), void *target);

/* Undoes cancel_attach. */
void cancel_detach(struct cancel *cancel);
