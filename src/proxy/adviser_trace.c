// SPDX-License-Identifier: MIT
//
// Advice from what each server answered when: the last requests, played once more under other retry
// times and another order.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "proxy/adviser_inside.h"
#include "record/archive.h"
#include "record/attempts_text.h"

enum {
    ROWS_MOST = 250000,
    MINUTE_MS = 60 * 1000,
    RETRY_LEAST_MS = 10 * 1000,
    TIME_BYTES = 32,
    SHARE_WANTED = 20, /* of a server's questions, in hundredths, that must be spared */
};

/* What one server answered to one question. */
struct event {
    uint64_t key; /* a hash of the symbol's */
    int64_t at_ms;
    uint32_t time_ms;
    uint8_t source; /* its index */
    bool found;
};

/* How often, and for how long, one server had to say no before another one had the file; and how
   often that one would have been asked in vain if it came first. */
struct swap {
    uint64_t gained, gained_ms, paid;
};

struct trace {
    const struct roster *roster;
    struct event *events;
    unsigned count;
    struct swap (*swaps)[SOURCES_MAX]; /* [asked][had it] */
    uint64_t no[SOURCES_MAX], no_ms[SOURCES_MAX];
};

/* --- gathering --- */

static void add_event(struct trace *trace, const struct archive_row *row, unsigned source,
                      const struct attempt_note *note) {
    int64_t time_ms = note->place_ms + note->total_ms;
    if (note->result == ATTEMPT_ABSENT) {
        trace->no[source]++;
        trace->no_ms[source] += (uint64_t)(time_ms > 0 ? time_ms : 0);
    }
    trace->events[trace->count++] = (struct event){
        .key = hash_bytes(hash_process_key(), row->key, strlen(row->key)),
        .at_ms = row->outcome.wall_ns / 1000000 + note->started_ms,
        .time_ms = (uint32_t)(time_ms > 0 ? time_ms : 0),
        .source = (uint8_t)source,
        .found = note->result == ATTEMPT_FOUND,
    };
}

/* A lookup in which these events were a no, one after the other, before this one had the file. */
static void add_swaps(struct trace *trace, unsigned first, unsigned finder) {
    for (unsigned i = first; i < trace->count; i++) {
        const struct event *event = &trace->events[i];
        if (event->found)
            continue;
        struct swap *swap = &trace->swaps[event->source][finder];
        swap->gained++;
        swap->gained_ms += event->time_ms;
    }
    /* Whoever would be asked before the finder would have been asked in vain. */
    for (unsigned other = 0; other < trace->roster->count; other++)
        if (other != finder)
            trace->swaps[finder][other].paid++;
}

static bool gather(const struct archive_row *row, void *context) {
    struct trace *trace = context;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    if (row->outcome.joined || strcmp(row->attempts, "[]") == 0 || !row->key[0])
        return true;
    unsigned count = attempts_read(row->attempts, notes, OUTCOME_NOTES_MAX);
    unsigned first = trace->count;
    int finder = -1;
    for (unsigned i = 0; i < count; i++) {
        int source = roster_find(trace->roster, notes[i].source);
        bool answer = notes[i].result == ATTEMPT_FOUND || notes[i].result == ATTEMPT_ABSENT;
        if (source < 0 || !answer || !notes[i].url[0])
            continue;
        add_event(trace, row, (unsigned)source, &notes[i]);
        if (notes[i].result == ATTEMPT_FOUND)
            finder = source;
    }
    if (finder >= 0)
        add_swaps(trace, first, (unsigned)finder);
    return trace->count + OUTCOME_NOTES_MAX <= ADVICE_TRACE_MAX;
}

static int by_key_and_time(const void *a, const void *b) {
    const struct event *left = a, *right = b;
    if (left->source != right->source)
        return left->source < right->source ? -1 : 1;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    return left->found - right->found; /* within one moment: the no came first */
}

/* --- retry times --- */

/* What another retry time would have done. */
struct replay {
    uint64_t spared, spared_ms; /* questions after a no that would still have counted */
    uint64_t lost;              /* files that would have been withheld */
    uint64_t turned;            /* a no that became a file, whatever the retry time */
};

static struct replay play(const struct event *events, unsigned count, int64_t retry_ms) {
    struct replay replay = {0};
    int64_t said_ms = 0;
    bool said = false;
    for (unsigned i = 0; i < count; i++) {
        const struct event *event = &events[i];
        if (i == 0 || events[i - 1].key != event->key)
            said = false;
        bool counts = said && event->at_ms - said_ms < retry_ms;
        if (event->found) {
            replay.turned += said;
            replay.lost += counts;
            said = false;
        } else if (counts) {
            replay.spared++;
            replay.spared_ms += event->time_ms;
        } else {
            said = true;
            said_ms = event->at_ms;
        }
    }
    return replay;
}

/* An advice to have this server's no count for `retry_ms`; `now`: for how long it does. */
static void begin_retry(struct advice *advice, enum advice_kind kind, const struct source *source,
                        int64_t retry_ms, char now[TIME_BYTES]) {
    char value[TIME_BYTES];
    number_format_time(value, sizeof value, retry_ms);
    number_format_time(now, TIME_BYTES, source->options.retry_ms);
    advice_begin(advice, kind, RULE_RETRY, source->options.identifier, value);
}

static void advise_longer(struct asking *asking, const struct source *source,
                          const struct event *events, unsigned count) {
    static const int64_t choices_ms[] = {10 * MINUTE_MS, 60 * MINUTE_MS, 6 * 60 * MINUTE_MS,
                                         24 * 60 * MINUTE_MS, 7 * 24 * 60 * MINUTE_MS};
    struct replay best = {0};
    int64_t best_ms = 0;
    for (size_t i = 0; i < sizeof choices_ms / sizeof *choices_ms; i++) {
        struct replay replay = play(events, count, choices_ms[i]);
        /* A longer time has to spare a tenth more to be worth it. */
        if (choices_ms[i] <= source->options.retry_ms || replay.lost > 0 ||
            replay.spared * 10 < best.spared * 11 || replay.spared == 0)
            continue;
        best = replay;
        best_ms = choices_ms[i];
    }
    if (best.spared < ADVICE_SAYS_MIN || best.spared * 100 < (uint64_t)count * SHARE_WANTED)
        return;
    struct advice advice;
    char now[TIME_BYTES];
    begin_retry(&advice, ADVICE_RETRY, source, best_ms, now);
    advice.questions = best.spared;
    advice.time_us = best.spared_ms * 1000;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "its no counts for %s; %" PRIu64 " of its %u answers were the same no within %s",
                now, best.spared, count, advice.rule.value);
    advice_show(asking, &advice);
}

static void advise_shorter(struct asking *asking, const struct source *source,
                           const struct event *events, unsigned count) {
    struct replay replay = play(events, count, 0);
    int64_t shorter_ms = source->options.retry_ms / 4;
    if (replay.turned < ADVICE_TURNED_MIN || shorter_ms < RETRY_LEAST_MS)
        return;
    struct advice advice;
    char now[TIME_BYTES];
    begin_retry(&advice, ADVICE_EARLIER, source, shorter_ms, now);
    advice.names = replay.turned;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "%" PRIu64 " files came after it had said no, and each no counts for %s",
                replay.turned, now);
    advice_show(asking, &advice);
}

static void advise_retries(struct asking *asking, const struct trace *trace) {
    for (unsigned from = 0, to; from < trace->count && !asking->enough; from = to) {
        const struct event *events = &trace->events[from];
        const struct source *source = asking->roster->sources[events->source];
        for (to = from; to < trace->count && trace->events[to].source == events->source;)
            to++;
        advise_longer(asking, source, events, to - from);
        if (!asking->enough)
            advise_shorter(asking, source, events, to - from);
    }
}

/* --- order --- */

/* All identifiers, with `moved` right before `before`. */
static void write_order(const struct roster *roster, unsigned moved, unsigned before,
                        char out[RULE_VALUE_BYTES]) {
    CLEANUP(buffer_release) struct buffer list;
    buffer_init(&list, RULE_VALUE_BYTES - 1);
    buffer_append_text(&list, "[");
    for (unsigned i = 0; i < roster->count; i++) {
        const unsigned both[] = {moved, i};
        for (unsigned n = i == before ? 0 : 1; n < 2; n++) {
            if (n == 1 && i == moved)
                continue;
            buffer_append_text(&list, list.length > 1 ? ", \"" : "\"");
            buffer_append_json(&list, roster->sources[both[n]]->options.identifier);
            buffer_append_text(&list, "\"");
        }
    }
    buffer_append_text(&list, "]");
    text_copy(out, RULE_VALUE_BYTES, list.failed ? "" : list.bytes);
}

static void advise_swap(struct asking *asking, const struct trace *trace, unsigned asked,
                        unsigned had) {
    const struct swap *swap = &trace->swaps[asked][had];
    uint64_t paid_ms =
        trace->no[had] ? swap->paid * trace->no_ms[had] / trace->no[had] : swap->paid;
    if (swap->gained < ADVICE_SAYS_MIN || swap->gained_ms <= paid_ms || swap->gained <= swap->paid)
        return;
    const struct source *first = asking->roster->sources[asked];
    const struct source *second = asking->roster->sources[had];
    struct advice advice;
    char value[RULE_VALUE_BYTES];
    write_order(asking->roster, had, asked, value);
    if (!value[0])
        return;
    advice_begin(&advice, ADVICE_ORDER, RULE_ORDER, NULL, value);
    advice.questions = swap->gained - swap->paid;
    advice.time_us = (swap->gained_ms - paid_ms) * 1000;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "%" PRIu64 " files came from \"%.40s\" after \"%.40s\" had said no, %" PRIu64
                " from that one",
                swap->gained, second->options.identifier, first->options.identifier, swap->paid);
    advice_show(asking, &advice);
}

/* Is nobody asked between the two? Whom a server is moved past besides would count too. */
static bool are_neighbours(const struct roster *roster, unsigned first, unsigned second) {
    int from = roster->sources[first]->options.priority;
    int to = roster->sources[second]->options.priority;
    for (unsigned i = 0; i < roster->count; i++) {
        int priority = roster->sources[i]->options.priority;
        if (i != first && i != second && priority >= from && priority <= to)
            return false;
    }
    return from < to;
}

static void advise_order(struct asking *asking, const struct trace *trace) {
    const struct roster *roster = asking->roster;
    /* An order has each server stand alone: it would part those that are asked together. */
    for (unsigned i = 0; i < roster->count; i++)
        if (advice_races(roster, i))
            return;
    for (unsigned asked = 0; asked < roster->count; asked++)
        for (unsigned had = 0; had < roster->count && !asking->enough; had++) {
            if (are_neighbours(roster, asked, had) && !roster->sources[had]->options.is_cache)
                advise_swap(asking, trace, asked, had);
        }
}

bool advise_trace(struct asking *asking) {
    const struct archive_query query = {.limit = ROWS_MOST};
    struct trace trace = {.roster = asking->roster};
    trace.events = NEW_ARRAY(struct event, ADVICE_TRACE_MAX);
    trace.swaps = memory_array(SOURCES_MAX, sizeof *trace.swaps);
    bool good = archive_each(asking->reading, &query, gather, &trace, asking->err);
    if (good) {
        qsort(trace.events, trace.count, sizeof *trace.events, by_key_and_time);
        advise_retries(asking, &trace);
        advise_order(asking, &trace);
    }
    free(trace.events);
    free(trace.swaps);
    return good;
}
