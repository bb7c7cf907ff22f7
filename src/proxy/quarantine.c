// SPDX-License-Identifier: MIT
#include "proxy/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/text.h"
#include "proxy/quarantine_file.h"
#include "symbol/content.h"

enum { WAITING_MAX = 256 };

/* One record in memory. */
struct entry {
    struct list in_order;
    struct quarantined record;
};

struct quarantine {
    int directory_fd;  /* own; set at creation, then read-only, as is the pool */
    struct pool *pool; /* of one thread, which alone changes the list and writes the file */
    struct quarantine_counters counters;
    bool replace;         /* the thread's: the file is not to be appended to */
    bool complained;      /* the thread's */
    pthread_mutex_t lock; /* guards all below */
    struct list order;    /* entries, the newest first */
    unsigned count;
};

struct note {
    struct pool_job job;
    struct quarantine *quarantine;
    struct quarantined record; /* its `times` not counted yet */
};

/* --- the records ---------------------------------------------------------------------------- */

/* Is it the same body, in the same place? */
static bool same(const struct quarantined *a, const struct quarantined *b) {
    return strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0 && a->part == b->part &&
           strcmp(a->server, b->server) == 0 && strcmp(a->cause, b->cause) == 0 &&
           a->first_length == b->first_length && memcmp(a->first, b->first, a->first_length) == 0;
}

static struct entry *find(struct quarantine *quarantine, const struct quarantined *record) {
    LIST_EACH (node, &quarantine->order) {
        struct entry *entry = LIST_ENTRY(node, struct entry, in_order);
        if (same(&entry->record, record))
            return entry;
    }
    return NULL;
}

/* A new entry; beyond the ceiling that of the record seen last. Lock held. */
static struct entry *new_entry(struct quarantine *quarantine) {
    if (quarantine->count == QUARANTINE_RECORDS_MAX) {
        count(&quarantine->counters.displaced);
        return LIST_ENTRY(quarantine->order.previous, struct entry, in_order);
    }
    quarantine->count++;
    count(&quarantine->counters.records);
    return NEW(struct entry);
}

/* Puts a record first, in the place of the one about the same body. Lock held. */
static void put(struct quarantine *quarantine, struct entry *entry,
                const struct quarantined *record) {
    if (!entry)
        entry = new_entry(quarantine);
    entry->record = *record;
    list_remove(&entry->in_order);
    list_push_front(&quarantine->order, &entry->in_order);
}

static void put_read(const struct quarantined *record, void *context) {
    struct quarantine *quarantine = context;
    SCOPED_LOCK(&quarantine->lock);
    put(quarantine, find(quarantine, record), record);
}

/* Counts the record up from the one about the same body. */
static void put_new(struct quarantine *quarantine, struct quarantined *record) {
    SCOPED_LOCK(&quarantine->lock);
    struct entry *entry = find(quarantine, record);
    record->times = entry ? entry->record.times + 1 : 1;
    if (entry)
        record->first_s = entry->record.first_s;
    put(quarantine, entry, record);
}

/* --- the thread ----------------------------------------------------------------------------- */

/* Only this thread changes the list: it may be read without the lock. */
static bool replace_file(const struct quarantine *quarantine, struct error *err) {
    CLEANUP(buffer_release) struct buffer file;
    quarantine_file_begin(&file);
    for (const struct list *node = quarantine->order.previous; node != &quarantine->order;
         node = node->previous)
        quarantine_file_add(&file, &LIST_ENTRY(node, struct entry, in_order)->record);
    return quarantine_file_replace(quarantine->directory_fd, &file, err);
}

static bool write_down(struct quarantine *quarantine, const struct quarantined *record,
                       struct error *err) {
    if (!quarantine->replace)
        return quarantine_file_append(quarantine->directory_fd, record, &quarantine->replace, err);
    if (!replace_file(quarantine, err))
        return false;
    quarantine->replace = false;
    return true;
}

static void lose(struct quarantine *quarantine, const struct error *why) {
    count(&quarantine->counters.lost);
    quarantine->replace = true;
    if (!quarantine->complained)
        log_failure(LOG_WARNING, "it is not written down what was refused", why);
    quarantine->complained = true;
}

static void run(struct pool_job *job) {
    struct note *note = LIST_ENTRY(job, struct note, job);
    struct quarantine *quarantine = note->quarantine;
    struct error why = {0};
    put_new(quarantine, &note->record);
    if (write_down(quarantine, &note->record, &why))
        quarantine->complained = false;
    else
        lose(quarantine, &why);
    free(note);
}

/* --- noting --------------------------------------------------------------------------------- */

/* Masks in place; the new length. */
static size_t mask(unsigned char *bytes, size_t length, bool cut) {
    char text[QUARANTINE_FIRST_BYTES + 1];
    size_t masked = text_mask_secrets(text, sizeof text, (const char *)bytes, length, cut);
    memcpy(bytes, text, masked);
    return masked;
}

/* Is it text of two bytes a character, of which the one at `low` counts? The first may be a BOM. */
static bool is_wide(const unsigned char *bytes, size_t length, size_t low) {
    for (size_t i = 2; i < 8 && i < length; i += 2)
        if (bytes[i + low] == 0 || bytes[i + 1 - low] != 0)
            return false;
    return length >= 8;
}

static void mask_wide(struct quarantined *record, size_t low) {
    unsigned char narrow[QUARANTINE_FIRST_BYTES / 2], before[QUARANTINE_FIRST_BYTES / 2];
    size_t length = record->first_length / 2 - 1;
    unsigned char *wide = record->first + 2;
    for (size_t i = 0; i < length; i++)
        narrow[i] = before[i] = wide[2 * i + low];
    size_t masked = mask(narrow, length, record->first_length == sizeof record->first);
    if (masked > sizeof narrow - 1)
        masked = sizeof narrow - 1;
    if (masked == length && memcmp(narrow, before, length) == 0)
        return;
    memset(wide, 0, sizeof record->first - 2);
    for (size_t i = 0; i < masked; i++)
        wide[2 * i + low] = narrow[i];
    record->first_length = 2 * masked + 2;
}

static void keep_first(struct quarantined *record, const struct refusal *refusal) {
    size_t most = sizeof record->first;
    record->first_length = refusal->first_length < most ? refusal->first_length : most;
    memcpy(record->first, refusal->first, record->first_length);
    switch (content_look(record->first, record->first_length)) {
    case CONTENT_HTML:
    case CONTENT_TEXT:
        record->first_length =
            mask(record->first, record->first_length, record->first_length == sizeof record->first);
        break;
    case CONTENT_BINARY:
        for (size_t low = 0; low < 2; low++)
            if (is_wide(record->first, record->first_length, low))
                mask_wide(record, low);
        break;
    case CONTENT_EMPTY:
        break;
    }
}

static struct quarantined record_of(const struct refusal *refusal) {
    struct quarantined record = {.part = refusal->key->part,
                                 .first_s = clock_wall_s(),
                                 .last_s = clock_wall_s(),
                                 .size = refusal->size};
    text_copy(record.name, sizeof record.name, refusal->key->name);
    text_copy(record.id, sizeof record.id, refusal->key->id);
    text_copy(record.server, sizeof record.server, refusal->server);
    text_copy(record.url, sizeof record.url, refusal->url);
    text_copy(record.cause, sizeof record.cause, error_kind_name(refusal->why->kind));
    text_copy(record.reason, sizeof record.reason, refusal->why->what);
    if (refusal->first_length > 0)
        keep_first(&record, refusal);
    return record;
}

void quarantine_add(struct quarantine *quarantine, const struct refusal *refusal) {
    if (!quarantine)
        return;
    struct note *note = NEW(struct note);
    note->job.run = run;
    note->quarantine = quarantine;
    note->record = record_of(refusal);
    count(&quarantine->counters.refused);
    if (pool_post(quarantine->pool, &note->job))
        return;
    count(&quarantine->counters.lost);
    free(note);
}

/* --- showing -------------------------------------------------------------------------------- */

static bool wanted(const struct quarantined *record, const char *name, const char *id) {
    return (!name || text_same(record->name, name)) && (!id || text_same(record->id, id));
}

void quarantine_list(struct quarantine *quarantine, const char *name, const char *id,
                     unsigned limit, void (*show)(const struct quarantined *record, void *context),
                     void *context) {
    if (!quarantine)
        return;
    SCOPED_LOCK(&quarantine->lock);
    LIST_EACH (node, &quarantine->order) {
        const struct quarantined *record = &LIST_ENTRY(node, struct entry, in_order)->record;
        if (limit == 0)
            return;
        if (!wanted(record, name, id))
            continue;
        show(record, context);
        limit--;
    }
}

const struct quarantine_counters *quarantine_counters(const struct quarantine *quarantine) {
    static const struct quarantine_counters none;
    return quarantine ? &quarantine->counters : &none;
}

/* --- life ----------------------------------------------------------------------------------- */

struct quarantine *quarantine_open(int directory_fd, struct error *err) {
    struct quarantine *quarantine = NEW(struct quarantine);
    pthread_mutex_init(&quarantine->lock, NULL);
    list_init(&quarantine->order);
    quarantine->pool = pool_new("quarantine", 1, WAITING_MAX);
    quarantine->directory_fd = fcntl(directory_fd, F_DUPFD_CLOEXEC, 0);
    bool opened =
        quarantine->directory_fd >= 0
            ? quarantine_file_read(directory_fd, put_read, quarantine, &quarantine->replace, err)
            : error_os(err, ERROR_SYSTEM, errno, "could not open the quarantine");
    if (opened)
        return quarantine;
    quarantine_close(quarantine);
    return NULL;
}

void quarantine_close(struct quarantine *quarantine) {
    if (!quarantine)
        return;
    pool_free(quarantine->pool);
    LIST_EACH (node, &quarantine->order)
        free(LIST_ENTRY(node, struct entry, in_order));
    pthread_mutex_destroy(&quarantine->lock);
    close_fd(&quarantine->directory_fd);
    free(quarantine);
}
