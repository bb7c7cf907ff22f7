// SPDX-License-Identifier: MIT
#include "source/cancel.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/lock.h"

void cancel_init(struct cancel *cancel) {
    *cancel = (struct cancel){0};
    pthread_mutex_init(&cancel->lock, NULL);
}

void cancel_release(struct cancel *cancel) {
    pthread_mutex_destroy(&cancel->lock);
}

void cancel_raise(struct cancel *cancel) {
    SCOPED_LOCK(&cancel->lock);
    atomic_store(&cancel->raised, true);
    if (cancel->wake)
        cancel->wake(cancel->target);
}

bool cancel_raised(const struct cancel *cancel) {
    return atomic_load(&cancel->raised);
}

void cancel_attach(struct cancel *cancel, void (*wake)(void *target), void *target) {
    SCOPED_LOCK(&cancel->lock);
    cancel->wake = wake;
    cancel->target = target;
    /* Raised before anybody listened: the wake-up would be lost. */
    if (atomic_load(&cancel->raised))
        wake(target);
}

void cancel_detach(struct cancel *cancel) {
    SCOPED_LOCK(&cancel->lock);
    cancel->wake = NULL;
    cancel->target = NULL;
}
