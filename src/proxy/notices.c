// SPDX-License-Identifier: MIT
#include "proxy/notices.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/lock.h"
#include "base/memory.h"

enum { PLACES = 1024 }; /* a newer one takes the place of an older with the same low bits */

struct notice {
    _Atomic uint64_t key_hash; /* 0: none */
    struct error said;         /* guarded by the lock */
};

struct notices {
    pthread_mutex_t lock;
    struct notice places[PLACES];
};

struct notices *notices_new(void) {
    struct notices *notices = NEW(struct notices);
    pthread_mutex_init(&notices->lock, NULL);
    return notices;
}

void notices_free(struct notices *notices) {
    if (!notices)
        return;
    pthread_mutex_destroy(&notices->lock);
    free(notices);
}

static bool is_of(struct notice *notice, uint64_t key_hash) {
    return atomic_load_explicit(&notice->key_hash, memory_order_relaxed) == key_hash;
}

void notices_note(struct notices *notices, uint64_t key_hash, const struct error *said) {
    struct notice *notice = &notices->places[key_hash % PLACES];
    bool is_one = said->kind == ERROR_WITHDRAWN;
    if (!is_one && !is_of(notice, key_hash))
        return;
    SCOPED_LOCK(&notices->lock);
    if (is_one)
        notice->said = *said;
    atomic_store_explicit(&notice->key_hash, is_one ? key_hash : 0, memory_order_relaxed);
}

void notices_find(struct notices *notices, uint64_t key_hash, struct error *out_said) {
    struct notice *notice = &notices->places[key_hash % PLACES];
    if (!is_of(notice, key_hash))
        return;
    SCOPED_LOCK(&notices->lock);
    if (is_of(notice, key_hash))
        *out_said = notice->said;
}
