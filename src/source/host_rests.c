// SPDX-License-Identifier: MIT
#include "source/host_rests.h"

#include <stdlib.h>

#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"

void host_rests_init(struct host_rests *rests) {
    *rests = (struct host_rests){0};
    pthread_mutex_init(&rests->lock, NULL);
}

static void entry_free(struct host_rest *entry) {
    rest_release(&entry->rest);
    free(entry);
}

void host_rests_release(struct host_rests *rests) {
    while (rests->count > 0)
        entry_free(rests->entries[--rests->count]);
    pthread_mutex_destroy(&rests->lock);
}

void host_rests_set_breaker(struct host_rests *rests, const struct breaker *breaker) {
    SCOPED_LOCK(&rests->lock);
    rests->breaker = *breaker;
    for (unsigned i = 0; i < rests->count; i++)
        rest_set_breaker(&rests->entries[i]->rest, breaker);
}

/* The entry of a host, or NULL. Lock held. */
static struct host_rest *find(struct host_rests *rests, const char *host) {
    for (unsigned i = 0; i < rests->count; i++)
        if (text_same(rests->entries[i]->host, host))
            return rests->entries[i];
    return NULL;
}

/* Lock held. */
static void leave(struct host_rests *rests, struct host_rest *entry) {
    unsigned at = 0;
    while (rests->entries[at] != entry)
        at++;
    rests->entries[at] = rests->entries[--rests->count];
    entry_free(entry);
}

/* Whoever is missed least makes room: at best one that does not rest. Lock held. */
static void push_out(struct host_rests *rests) {
    struct host_rest *least = NULL;
    int64_t least_ms = INT64_MAX;
    for (unsigned i = 0; i < rests->count; i++) {
        struct rest_view view = rest_view(&rests->entries[i]->rest);
        int64_t left_ms = view.cause == REST_NONE ? -1 : view.left_ms;
        if (left_ms >= least_ms)
            continue;
        least_ms = left_ms;
        least = rests->entries[i];
    }
    leave(rests, least);
    count(&rests->pushed);
}

/* Lock held. */
static struct host_rest *add(struct host_rests *rests, const char *host) {
    if (rests->count == HOST_RESTS_MAX)
        push_out(rests);
    struct host_rest *entry = NEW(struct host_rest);
    rest_init(&entry->rest);
    rest_set_breaker(&entry->rest, &rests->breaker);
    text_copy(entry->host, sizeof entry->host, host);
    rests->entries[rests->count++] = entry;
    return entry;
}

bool host_visit(struct host_rests *rests, const char *source, const char *host,
                struct host_visit *out_visit, struct error *err) {
    struct host_visit visit = {0};
    if (!text_copy(visit.host, sizeof visit.host, host)) {
        *out_visit = (struct host_visit){0};
        return true;
    }
    visit.rests = rests;
    SCOPED_LOCK(&rests->lock);
    struct host_rest *entry = find(rests, host);
    int64_t until_ms;
    switch (entry ? rest_ask(&entry->rest, &until_ms) : REST_FREE) {
    case REST_PROBE:
        visit.probe = true;
        break;
    case REST_FREE:
        break;
    case REST_WAIT: /* others may be asked meanwhile: no place is held for it */
    case REST_REFUSED: {
        count(&rests->refused);
        struct rest_view view = rest_view(&entry->rest);
        return error_set(err, ERROR_RESTING,
                         "source \"%s\" redirects to \"%s\", which rests %s for another %lld s",
                         source, host, rest_cause_told(view.cause),
                         (long long)((view.left_ms + 999) / 1000));
    }
    }
    *out_visit = visit;
    return true;
}

/* Nothing is known of it that a new entry would not say. */
static bool is_blank(struct rest *rest) {
    struct rest_view view = rest_view(rest);
    return view.cause == REST_NONE && view.failures == 0;
}

void host_visit_end(struct host_visit *visit, enum error_kind kind, int status, uint64_t key_hash,
                    int64_t retry_after_s) {
    struct host_rests *rests = visit->rests;
    if (!rests)
        return;
    visit->rests = NULL;
    SCOPED_LOCK(&rests->lock);
    struct host_rest *entry = find(rests, visit->host);
    if (!entry && rest_counts(kind, status, retry_after_s))
        entry = add(rests, visit->host);
    if (!entry)
        return;
    uint64_t begun = counted(&entry->rest.begun);
    rest_note(&entry->rest, kind, status, key_hash, retry_after_s);
    count_many(&rests->begun, counted(&entry->rest.begun) - begun);
    if (visit->probe)
        rest_probe_over(&entry->rest);
    if (is_blank(&entry->rest))
        leave(rests, entry);
}

void host_rests_end(struct host_rests *rests) {
    SCOPED_LOCK(&rests->lock);
    for (unsigned i = 0; i < rests->count; i++)
        rest_end(&rests->entries[i]->rest);
}

unsigned host_rests_resting(struct host_rests *rests) {
    SCOPED_LOCK(&rests->lock);
    unsigned resting = 0;
    for (unsigned i = 0; i < rests->count; i++)
        resting += rest_view(&rests->entries[i]->rest).cause != REST_NONE;
    return resting;
}

void host_rests_list(struct host_rests *rests,
                     void (*show)(const char *host, const struct rest_view *view, void *context),
                     void *context) {
    SCOPED_LOCK(&rests->lock);
    for (unsigned i = 0; i < rests->count; i++) {
        struct rest_view view = rest_view(&rests->entries[i]->rest);
        if (view.cause != REST_NONE)
            show(rests->entries[i]->host, &view, context);
    }
}
