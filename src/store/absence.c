// SPDX-License-Identifier: MIT
#include "store/absence.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "store/absence_log.h"
#include "store/absence_table.h"

enum { LOOK_AFTER_MS = 10000 };

struct absences {
    struct hash_key key;
    struct absence_table table;
    struct absence_log log;
    struct absences_counters counters;
    _Atomic bool ready;
    pthread_mutex_t adding; /* from writing a record to having it in the table: held by who adds */
    pthread_mutex_t pause;  /* between reading a shard and writing it: held by who forgets */
    pthread_mutex_t lock;   /* guards closing; replayed and ending are told through changed */
    pthread_cond_t changed;
    bool closing;
    pthread_t thread;
};

static uint32_t now_s(void) {
    return (uint32_t)clock_wall_s();
}

/* Replays, then looks from time to time whether the file wants to be written anew. */
static void *keep(void *context) {
    struct absences *absences = context;
    absence_log_replay(&absences->log, &absences->table, now_s());
    absences->counters.entries = absence_table_count(&absences->table);
    lock_take(&absences->lock);
    absences->ready = true;
    pthread_cond_broadcast(&absences->changed);
    while (!absences->closing) {
        condition_wait(&absences->changed, &absences->lock, clock_ms() + LOOK_AFTER_MS);
        if (absences->closing)
            break;
        lock_give(&absences->lock);
        struct error err;
        uint64_t entries = absence_table_count(&absences->table);
        absences->counters.entries = entries;
        if (absence_log_bloated(&absences->log, entries) &&
            !absence_log_compact(&absences->log, &absences->table, &absences->adding,
                                 &absences->pause, &err))
            log_failure(LOG_WARNING, "absences are kept in memory only", &err);
        lock_take(&absences->lock);
    }
    lock_give(&absences->lock);
    return NULL;
}

struct absences *absences_open(const struct absences_options *options, struct error *err) {
    struct absences *absences = NEW(struct absences);
    if (!absence_log_open(&absences->log, options->directory, err)) {
        free(absences);
        return NULL;
    }
    absences->key = options->key;
    absence_table_init(&absences->table, options->entries_max);
    pthread_mutex_init(&absences->adding, NULL);
    pthread_mutex_init(&absences->pause, NULL);
    pthread_mutex_init(&absences->lock, NULL);
    condition_init(&absences->changed);
    if (thread_start(&absences->thread, "absences", keep, absences, err))
        return absences;
    absence_table_release(&absences->table);
    absence_log_close(&absences->log);
    free(absences);
    return NULL;
}

void absences_close(struct absences *absences) {
    if (!absences)
        return;
    lock_take(&absences->lock);
    absences->closing = true;
    pthread_cond_broadcast(&absences->changed);
    lock_give(&absences->lock);
    pthread_join(absences->thread, NULL);
    absence_table_release(&absences->table);
    absence_log_close(&absences->log);
    pthread_mutex_destroy(&absences->adding);
    pthread_mutex_destroy(&absences->pause);
    pthread_mutex_destroy(&absences->lock);
    pthread_cond_destroy(&absences->changed);
    free(absences);
}

bool absences_ready(const struct absences *absences) {
    return absences->ready;
}

/* "name\0id" and the part (nothing for the file itself) under the folder's key; never 0, which
   means a free slot. */
static uint64_t hash_of(const struct absences *absences, const char *name, const char *id,
                        enum part part) {
    char text[NAME_BYTES_MAX + ID_BYTES_MAX + 3];
    size_t name_length = strlen(name) + 1;
    size_t id_length = strlen(id);
    memcpy(text, name, name_length);
    memcpy(text + name_length, id, id_length);
    if (part != PART_ITSELF)
        text[name_length + id_length++] = (char)part;
    uint64_t hash = hash_bytes(&absences->key, text, name_length + id_length);
    return hash ? hash : 1;
}

struct absence_mark absence_mark(const struct absences *absences, const struct question *question) {
    return (struct absence_mark){
        .key = hash_of(absences, question->key.name, question->key.id, question->key.part),
        .spelling = hash_of(absences, question->spelling.name, question->spelling.id,
                            question->spelling.part),
    };
}

static uint64_t rest_of(const struct absences *absences, const struct absence_mark *mark,
                        uint64_t fingerprint, unsigned forms) {
    uint64_t words[3] = {mark->spelling, fingerprint, forms};
    return hash_bytes(&absences->key, words, sizeof words);
}

bool absence_find(struct absences *absences, const struct absence_mark *mark, uint64_t fingerprint,
                  unsigned forms, int64_t *out_wall_s) {
    uint32_t when_s = 0;
    uint64_t rest = rest_of(absences, mark, fingerprint, forms);
    if (!absence_table_find(&absences->table, mark->key, rest, &when_s))
        return false;
    count(&absences->counters.found);
    *out_wall_s = when_s;
    return true;
}

void absence_add(struct absences *absences, const struct absence_mark *mark, uint64_t fingerprint,
                 unsigned forms, uint32_t retry_s) {
    struct absence_slot entry = {
        .key = mark->key,
        .rest = rest_of(absences, mark, fingerprint, forms),
        .when_s = now_s(),
        .retry_s = retry_s,
    };
    count(&absences->counters.remembered);
    SCOPED_LOCK(&absences->adding);
    if (!absence_log_add(&absences->log, &entry))
        count(&absences->counters.unlogged);
    switch (absence_table_put(&absences->table, &entry, entry.when_s)) {
    case ABSENCE_NEW:
        count(&absences->counters.entries);
        return;
    case ABSENCE_DISPLACED:
        count(&absences->counters.displaced);
        return;
    case ABSENCE_AGAIN:
        return;
    }
}

/* What is forgotten while the file is replayed would come back: waits for its end. */
static void wait_until_ready(struct absences *absences) {
    lock_take(&absences->lock);
    while (!absences->ready && !absences->closing)
        condition_wait(&absences->changed, &absences->lock, clock_ms() + LOOK_AFTER_MS);
    lock_give(&absences->lock);
}

unsigned absence_forget(struct absences *absences, const struct symbol_key *key) {
    uint64_t hash = hash_of(absences, key->name, key->id, key->part);
    wait_until_ready(absences);
    SCOPED_LOCK(&absences->pause);
    unsigned forgotten = absence_table_forget(&absences->table, hash);
    if (!absence_log_forget(&absences->log, hash))
        count(&absences->counters.unlogged);
    for (unsigned i = 0; i < forgotten; i++)
        count_down(&absences->counters.entries);
    return forgotten;
}

const struct absences_counters *absences_counters(const struct absences *absences) {
    return &absences->counters;
}
