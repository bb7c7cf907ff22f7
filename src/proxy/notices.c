// SPDX-License-Identifier: MIT
#include "proxy/notices.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/lock.h"
#include "base/memory.h"

enum { PLACES = 512 }; /* a newer one takes the place of an older with the same low bits */

struct notices {
    _Atomic uint64_t key_hashes[PLACES]; /* 0: none */
    pthread_mutex_t lock;
    struct error *said; /* guarded by the lock; PLACES of them, made with the first */
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
    free(notices->said);
    free(notices);
}

static bool is_of(const struct notices *notices, size_t place, uint64_t key_hash) {
    return atomic_load_explicit(&notices->key_hashes[place], memory_order_relaxed) == key_hash;
}

void notices_note(struct notices *notices, uint64_t key_hash, const struct error *said) {
    size_t place = key_hash % PLACES;
    bool is_one = said->kind == ERROR_WITHDRAWN;
    if (!is_one && !is_of(notices, place, key_hash))
        return;
    SCOPED_LOCK(&notices->lock);
    if (!notices->said)
        notices->said = NEW_ARRAY(struct error, PLACES);
    notices->said[place] = *said;
    atomic_store_explicit(&notices->key_hashes[place], is_one ? key_hash : 0, memory_order_relaxed);
}

void notices_find(struct notices *notices, uint64_t key_hash, struct error *out_said) {
    size_t place = key_hash % PLACES;
    if (!is_of(notices, place, key_hash))
        return;
    SCOPED_LOCK(&notices->lock);
    if (is_of(notices, place, key_hash))
        *out_said = notices->said[place];
}
