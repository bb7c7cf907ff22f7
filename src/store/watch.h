// SPDX-License-Identifier: MIT
//
// How a loop learns that a copy has changed. Each loop owns an inbox (an eventfd and a list); each
// answer that waits for a copy owns a watch. A change puts the watch into its loop's inbox, once
// however often the copy changes before the loop looks; the loop takes the whole list, takes each
// watch off it with inbox_remove and only then looks at its copy's state. Lock order: copy, then
// inbox (a leaf).
#pragma once

#include <pthread.h>

#include "base/list.h"

struct inbox {
    pthread_mutex_t lock;
    struct list watches; /* guarded by lock */
    int event_fd;        /* readable while watches may be waiting; owned by the inbox */
};

struct watch {
    struct list in_copy; /* guarded by the copy's lock */
    struct list
        in_inbox; /* guarded by the inbox's lock, also while it hangs on a list that was taken */
    struct inbox *inbox; /* set at creation, then read-only */
};

/* An empty inbox; aborts when no eventfd can be had (at start only). */
void inbox_init(struct inbox *inbox);

/* Closes; no watch may be left that a copy knows. */
void inbox_release(struct inbox *inbox);

/* Puts a watch in and wakes the loop; does nothing when it is in already. Any thread. */
void inbox_put(struct inbox *inbox, struct watch *watch);

/* Moves all watches to out_watches (linked by in_inbox) and rearms the eventfd. Loop only. The list
   may be walked freely, but its nodes are taken off with inbox_remove, never by list_remove or
   list_pop_front: other threads ask at any time whether a watch is linked. */
void inbox_take(struct inbox *inbox, struct list *out_watches);

/* Takes a watch out wherever it is linked by in_inbox, a list taken by this loop included. Loop
 * only. */
void inbox_remove(struct inbox *inbox, struct watch *watch);
