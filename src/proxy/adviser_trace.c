// SPDX-License-Identifier: MIT
//
// The trace: what each server answered when.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "proxy/adviser_inside.h"
#include "record/archive.h"
#include "record/attempts_text.h"

enum { ROWS_MAX = 250000 };

/* --- gathering --- */

static void add_event(struct trace *trace, const struct archive_row *row, unsigned source,
                      uint64_t key, const struct attempt_note *note, enum event_kind kind) {
    int64_t time_ms = note->total_ms;
    trace->events[trace->event_count++] = (struct event){
        .key = key,
        .at_ms = row->outcome.wall_ns / 1000000 + note->started_ms,
        .time_ms = (uint32_t)(time_ms > 0 ? time_ms : 0),
        .source = (uint8_t)source,
        .kind = kind,
    };
}

/* A lookup in which these events were a no, one after the other, before this one had the file. */
static void add_swaps(struct trace *trace, unsigned first, unsigned finder) {
    for (unsigned i = first; i < trace->event_count; i++) {
        const struct event *event = &trace->events[i];
        if (event->kind != EVENT_NO || event->kept_away)
            continue;
        struct swap *swap = &trace->swaps[event->source][finder];
        swap->spared++;
        swap->spared_ms += event->time_ms;
    }
}

static bool has_room(const struct trace *trace) {
    return trace->event_count + OUTCOME_NOTES_MAX <= ADVICE_TRACE_MAX;
}

/* Who was asked, or should have been; a no that cost no question is left out. */
static bool tells(const struct attempt_note *note) {
    switch (note->result) {
    case ATTEMPT_FOUND:
    case ATTEMPT_ABSENT:
        return note->url[0];
    case ATTEMPT_FAILED:
    case ATTEMPT_LOST:
    case ATTEMPT_UNASKED:
    case ATTEMPT_WAITING:
        return true;
    case ATTEMPT_REMEMBERED:
    case ATTEMPT_FILTERED:
        break;
    }
    return false;
}

/* A no is none where the same source failed in the same lookup: what it has may be false, or have
   broken off. */
static enum event_kind kind_of(const struct attempt_note *notes, unsigned count, unsigned which) {
    if (notes[which].result == ATTEMPT_FOUND)
        return EVENT_FOUND;
    for (unsigned i = 0; i < count; i++)
        if (notes[i].result == ATTEMPT_FAILED && strcmp(notes[i].source, notes[which].source) == 0)
            return EVENT_OPEN;
    return notes[which].result == ATTEMPT_ABSENT ? EVENT_NO : EVENT_OPEN;
}

/* Was the source, as it is asked now, asked in this lookup? */
static bool is_heard(const struct trace *trace, int source, const struct attempt_note *note,
                     int64_t at_ms) {
    return source >= 0 && trace->said[source].since_ms > 0 &&
           at_ms + note->started_ms >= trace->said[source].since_ms;
}

/* Nobody could be asked, and of whom that is so is not noted. */
static void add_open_for_all(struct trace *trace, const struct archive_row *row, uint64_t key) {
    const struct attempt_note note = {.result = ATTEMPT_UNASKED};
    if (!verdict_open(row->outcome.verdict))
        return;
    for (unsigned i = 0; i < trace->roster->count; i++)
        if (is_heard(trace, (int)i, &note, row->outcome.wall_ns / 1000000))
            add_event(trace, row, i, key, &note, EVENT_OPEN);
}

/* Who joined tells the same as who was first, who may have left before the file came. */
static bool gather(const struct archive_row *row, void *context) {
    struct trace *trace = context;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    int64_t at_ms = row->outcome.wall_ns / 1000000;
    if (row->n < trace->from)
        return true;
    trace->oldest_ms = at_ms < trace->oldest_ms ? at_ms : trace->oldest_ms;
    if (!row->key[0] || row->outcome.follow_up)
        return true;
    unsigned count = attempts_read(row->attempts, notes, OUTCOME_NOTES_MAX);
    unsigned first = trace->event_count;
    char name[NAME_BYTES_MAX + 1];
    text_copy_n(name, sizeof name, row->key, strcspn(row->key, "/"));
    uint64_t key = hash_bytes(hash_process_key(), row->key, strlen(row->key));
    int finder = -1;
    if (count == 0)
        add_open_for_all(trace, row, key);
    for (unsigned i = 0; i < count; i++) {
        int source = roster_find(trace->roster, notes[i].source);
        bool found = notes[i].result == ATTEMPT_FOUND;
        if (!tells(&notes[i]) || !is_heard(trace, source, &notes[i], at_ms) ||
            (row->outcome.joined && !found))
            continue;
        add_event(trace, row, (unsigned)source, key, &notes[i], kind_of(notes, count, i));
        trace->events[trace->event_count - 1].kept_away =
            !policy_lets(trace->roster->policy, (unsigned)source, name);
        if (found)
            finder = source;
    }
    if (finder >= 0 && !row->outcome.joined)
        add_swaps(trace, first, (unsigned)finder);
    return has_room(trace);
}

/* --- order --- */

static int by_source_and_key(const void *a, const void *b) {
    const struct event *left = a, *right = b;
    if (left->source != right->source)
        return left->source < right->source ? -1 : 1;
    return (left->key > right->key) - (left->key < right->key);
}

static int by_time(const void *a, const void *b) {
    const struct event *left = a, *right = b;
    int order = by_source_and_key(a, b);
    if (order != 0)
        return order;
    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    return (int)left->kind - (int)right->kind; /* within one moment: the no came first */
}

struct trace *trace_read(struct reading *reading, const struct roster *roster,
                         const struct evidence_total *said, struct error *err) {
    const struct archive_query query = {.limit = ROWS_MAX};
    struct trace *trace = NEW(struct trace);
    trace->roster = roster;
    trace->said = said;
    trace->oldest_ms = clock_wall_ns() / 1000000;
    trace->events = NEW_ARRAY(struct event, ADVICE_TRACE_MAX);
    trace->swaps = memory_array(SOURCES_MAX, sizeof *trace->swaps);
    if (!reading_trace_from(reading, &trace->from, err) ||
        !archive_each(reading, &query, gather, trace, err)) {
        trace_free(trace);
        return NULL;
    }
    qsort(trace->events, trace->event_count, sizeof *trace->events, by_time);
    return trace;
}

void trace_free(struct trace *trace) {
    if (!trace)
        return;
    free(trace->events);
    free(trace->swaps);
    free(trace);
}
