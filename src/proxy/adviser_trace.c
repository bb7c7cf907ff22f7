// SPDX-License-Identifier: MIT
//
// The trace: what each server answered when.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "proxy/adviser_inside.h"
#include "record/archive.h"
#include "record/attempts_text.h"

enum { ROWS_MAX = 250000 };

/* --- gathering --- */

static void add_event(struct trace *trace, const struct archive_row *row, unsigned source,
                      uint64_t key, const struct attempt_note *note) {
    int64_t time_ms = note->place_ms + note->total_ms;
    trace->events[trace->event_count++] = (struct event){
        .key = key,
        .at_ms = row->outcome.wall_ns / 1000000 + note->started_ms,
        .time_ms = (uint32_t)(time_ms > 0 ? time_ms : 0),
        .source = (uint8_t)source,
        .found = note->result == ATTEMPT_FOUND,
    };
}

/* A lookup in which these events were a no, one after the other, before this one had the file. */
static void add_swaps(struct trace *trace, unsigned first, unsigned finder) {
    for (unsigned i = first; i < trace->event_count; i++) {
        const struct event *event = &trace->events[i];
        if (event->found)
            continue;
        struct swap *swap = &trace->swaps[event->source][finder];
        swap->spared++;
        swap->spared_ms += event->time_ms;
    }
}

static bool has_room(const struct trace *trace) {
    return trace->event_count + OUTCOME_NOTES_MAX <= ADVICE_TRACE_MAX;
}

static bool is_answer(enum attempt_result result) {
    return result == ATTEMPT_FOUND || result == ATTEMPT_ABSENT;
}

/* Was the source, as it is asked now, asked in this lookup? */
static bool is_heard(const struct trace *trace, int source, const struct attempt_note *note,
                     int64_t at_ms) {
    return source >= 0 && trace->said[source].since_ms > 0 &&
           at_ms + note->started_ms >= trace->said[source].since_ms;
}

static bool gather(const struct archive_row *row, void *context) {
    struct trace *trace = context;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    int64_t at_ms = row->outcome.wall_ns / 1000000;
    trace->oldest_ms = at_ms < trace->oldest_ms ? at_ms : trace->oldest_ms;
    if (row->outcome.joined || !row->key[0])
        return true;
    unsigned count = attempts_read(row->attempts, notes, OUTCOME_NOTES_MAX);
    unsigned first = trace->event_count;
    uint64_t key = hash_bytes(hash_process_key(), row->key, strlen(row->key));
    int finder = -1;
    for (unsigned i = 0; i < count; i++) {
        int source = roster_find(trace->roster, notes[i].source);
        if (!is_answer(notes[i].result) || !notes[i].url[0] ||
            !is_heard(trace, source, &notes[i], at_ms))
            continue;
        add_event(trace, row, (unsigned)source, key, &notes[i]);
        if (notes[i].result == ATTEMPT_FOUND)
            finder = source;
    }
    if (finder >= 0)
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
    return left->found - right->found; /* within one moment: the no came first */
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
    if (!archive_each(reading, &query, gather, trace, err)) {
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
