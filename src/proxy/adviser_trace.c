// SPDX-License-Identifier: MIT
//
// The trace: what each server answered when, and what it was not heard to answer. A server that
// failed has not said that it does not have the file, and of two that are asked side by side the
// slower one is not heard at all; only its answer to the same question at another time tells.
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
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

static void add_doubt(struct trace *trace, const struct archive_row *row, unsigned source,
                      uint64_t key, const struct attempt_note *note) {
    char name[NAME_BYTES_MAX + 1];
    text_copy_n(name, sizeof name, row->key, strcspn(row->key, "/"));
    trace->doubts[trace->doubt_count++] = (struct doubt){
        .key = key,
        .at_ms = row->outcome.wall_ns / 1000000 + note->started_ms,
        .source = (uint8_t)source,
        .result = note->result,
        .name = memory_text(name),
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
    return trace->event_count + OUTCOME_NOTES_MAX <= ADVICE_TRACE_MAX &&
           trace->doubt_count + OUTCOME_NOTES_MAX <= ADVICE_DOUBTS_MAX;
}

static bool is_answer(enum attempt_result result) {
    return result == ATTEMPT_FOUND || result == ATTEMPT_ABSENT;
}

/* Who rested, or had no place, was not asked: it may have the file. */
static bool leaves_doubt(const struct attempt_note *note) {
    return note->result == ATTEMPT_FAILED || note->result == ATTEMPT_UNASKED ||
           note->result == ATTEMPT_WAITING || (note->result == ATTEMPT_LOST && note->url[0]);
}

/* Without an attempt in the record: nobody could be asked, and which of them may have it is not
   noted. */
static bool ended_open(const struct outcome *outcome) {
    return !outcome->follow_up &&
           (outcome->verdict == VERDICT_FAILED || outcome->verdict == VERDICT_BUSY ||
            outcome->verdict == VERDICT_LATER);
}

static bool gather(const struct archive_row *row, void *context) {
    struct trace *trace = context;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    bool noted = strcmp(row->attempts, "[]") != 0;
    if (row->outcome.joined || !row->key[0] || (!noted && !ended_open(&row->outcome)))
        return true;
    unsigned count = attempts_read(row->attempts, notes, OUTCOME_NOTES_MAX);
    unsigned first = trace->event_count;
    uint64_t key = hash_bytes(hash_process_key(), row->key, strlen(row->key));
    for (unsigned i = 0; !noted && i < trace->roster->count; i++)
        add_doubt(trace, row, i, key, &(struct attempt_note){.result = ATTEMPT_UNASKED});
    int finder = -1;
    for (unsigned i = 0; i < count; i++) {
        enum attempt_result result = notes[i].result;
        int source = roster_find(trace->roster, notes[i].source);
        if (source < 0)
            continue;
        if (is_answer(result) && notes[i].url[0])
            add_event(trace, row, (unsigned)source, key, &notes[i]);
        else if (leaves_doubt(&notes[i]))
            add_doubt(trace, row, (unsigned)source, key, &notes[i]);
        if (result == ATTEMPT_FOUND)
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

static int by_source_and_name(const void *a, const void *b) {
    const struct doubt *left = a, *right = b;
    if (left->source != right->source)
        return left->source < right->source ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Has the source answered this question after it? What it said before tells nothing: builds are
   published late. */
static bool is_answered_later(const struct trace *trace, const struct doubt *doubt) {
    const struct event wanted = {.key = doubt->key, .source = doubt->source};
    const struct event *end = trace->events + trace->event_count;
    const struct event *last =
        bsearch(&wanted, trace->events, trace->event_count, sizeof wanted, by_source_and_key);
    while (last && last + 1 < end && by_source_and_key(last + 1, &wanted) == 0)
        last++;
    return last && last->at_ms >= doubt->at_ms;
}

static void dispel(struct trace *trace) {
    for (unsigned i = 0; i < trace->doubt_count; i++)
        trace->doubts[i].dispelled = is_answered_later(trace, &trace->doubts[i]);
}

struct trace *trace_read(struct reading *reading, const struct roster *roster, struct error *err) {
    const struct archive_query query = {.limit = ROWS_MAX};
    struct trace *trace = NEW(struct trace);
    trace->roster = roster;
    trace->events = NEW_ARRAY(struct event, ADVICE_TRACE_MAX);
    trace->doubts = NEW_ARRAY(struct doubt, ADVICE_DOUBTS_MAX);
    trace->swaps = memory_array(SOURCES_MAX, sizeof *trace->swaps);
    if (!archive_each(reading, &query, gather, trace, err)) {
        trace_free(trace);
        return NULL;
    }
    qsort(trace->events, trace->event_count, sizeof *trace->events, by_time);
    qsort(trace->doubts, trace->doubt_count, sizeof *trace->doubts, by_source_and_name);
    dispel(trace);
    return trace;
}

void trace_free(struct trace *trace) {
    if (!trace)
        return;
    for (unsigned i = 0; i < trace->doubt_count; i++)
        free(trace->doubts[i].name);
    free(trace->events);
    free(trace->doubts);
    free(trace->swaps);
    free(trace);
}

/* --- doubts --- */

static const struct doubt *first_doubt(const struct trace *trace, unsigned source,
                                       const char *name) {
    const struct doubt wanted = {.source = (uint8_t)source, .name = (char *)(uintptr_t)name};
    unsigned low = 0, high = trace->doubt_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (by_source_and_name(&trace->doubts[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return trace->doubts + low;
}

static bool is_about(const struct trace *trace, const struct doubt *doubt, unsigned source,
                     const char *name) {
    return doubt < trace->doubts + trace->doubt_count && doubt->source == source &&
           (!name[0] || strcmp(doubt->name, name) == 0);
}

struct doubts trace_doubts(const struct trace *trace, unsigned source, const char *name) {
    struct doubts all = {.first = first_doubt(trace, source, name)};
    for (const struct doubt *it = all.first; is_about(trace, it, source, name); it++) {
        all.count++;
        bool failed = it->result == ATTEMPT_FAILED, lost = it->result == ATTEMPT_LOST;
        all.cleared += failed && it->dispelled;
        all.lost += lost && !it->dispelled;
        all.unasked += !failed && !lost && !it->dispelled;
    }
    return all;
}
