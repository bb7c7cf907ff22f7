// SPDX-License-Identifier: MIT
#include "store/watch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/lock.h"

void inbox_init(struct inbox *inbox) {
    pthread_mutex_init(&inbox->lock, NULL);
    list_init(&inbox->watches);
    inbox->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->event_fd < 0) {
        perror("symgate: eventfd");
        abort();
    }
}

void inbox_release(struct inbox *inbox) {
    close(inbox->event_fd);
    inbox->event_fd = -1;
    pthread_mutex_destroy(&inbox->lock);
}

void inbox_put(struct inbox *inbox, struct watch *watch) {
    SCOPED_LOCK(&inbox->lock);
    if (list_linked(&watch->in_inbox))
        return;
    bool first = list_empty(&inbox->watches);
    list_push_back(&inbox->watches, &watch->in_inbox);
    if (!first)
        return;
    uint64_t one = 1;
    ssize_t wrote = write(inbox->event_fd, &one, sizeof one);
    (void)wrote; /* fails only when the loop has been told a great many times already */
}

void inbox_take(struct inbox *inbox, struct list *out_watches) {
    uint64_t told;
    SCOPED_LOCK(&inbox->lock);
    ssize_t got = read(inbox->event_fd, &told, sizeof told);
    (void)got; /* nothing to read: nothing was put in */
    list_take_all(&inbox->watches, out_watches);
}

void inbox_remove(struct inbox *inbox, struct watch *watch) {
    SCOPED_LOCK(&inbox->lock);
    list_remove(&watch->in_inbox);
}
