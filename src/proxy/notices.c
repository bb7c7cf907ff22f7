// SPDX-License-Identifier: MIT
#include "proxy/notices.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/lock.h"
#include "base/memory.h"

enum { PLACES = 512 }; /* a newer one takes the place of an older with the same low bits */

struct notices {
    _Atomic uint64_t ids[PLACES]; /* of mark and source; 0: none */
    atomic_bool any;              /* there was one */
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

/* Fingerprints and marks are hashes themselves. */
static uint64_t id_of(const struct absence_mark *mark, uint64_t fingerprint) {
    uint64_t id = mark->spelling ^ fingerprint;
    return id ? id : 1;
}

static bool is_of(const struct notices *notices, uint64_t id) {
    return atomic_load_explicit(&notices->ids[id % PLACES], memory_order_relaxed) == id;
}

bool notices_any(const struct notices *notices) {
    return atomic_load_explicit(&notices->any, memory_order_relaxed);
}

void notices_note(struct notices *notices, const struct absence_mark *mark, uint64_t fingerprint,
                  const struct error *said) {
    uint64_t id = id_of(mark, fingerprint);
    bool is_one = said->kind == ERROR_WITHDRAWN;
    if (!is_one && !is_of(notices, id))
        return;
    SCOPED_LOCK(&notices->lock);
    if (!notices->said)
        notices->said = NEW_ARRAY(struct error, PLACES);
    notices->said[id % PLACES] = *said;
    atomic_store_explicit(&notices->ids[id % PLACES], is_one ? id : 0, memory_order_relaxed);
    atomic_store_explicit(&notices->any, true, memory_order_relaxed);
}

void notices_find(struct notices *notices, const struct roster *roster, uint64_t sources,
                  const struct absence_mark *mark, struct error *out_said) {
    for (; sources && notices_any(notices); sources &= sources - 1) {
        uint64_t id = id_of(mark, roster->sources[__builtin_ctzll(sources)]->fingerprint);
        if (!is_of(notices, id))
            continue;
        SCOPED_LOCK(&notices->lock);
        if (!is_of(notices, id))
            continue;
        *out_said = notices->said[id % PLACES];
        return;
    }
}
