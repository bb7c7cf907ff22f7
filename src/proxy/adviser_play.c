// SPDX-License-Identifier: MIT
//
// Advice from what each server answered when: the last requests, played once more under other retry
// times and another order.
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/numbers.h"
#include "base/text.h"
#include "proxy/adviser_inside.h"

enum {
    MINUTE_MS = 60 * 1000,
    RETRY_LEAST_MS = 10 * 1000,
    TIME_BYTES = 32,
    SHARE_WANTED = 20, /* of a server's questions, in hundredths, that must be spared */
};

/* Since when the trace tells of both. */
static int64_t since_both(const struct asking *asking, unsigned one, unsigned other) {
    int64_t since_ms = asking->trace->oldest_ms;
    const unsigned both[] = {one, other};
    for (unsigned i = 0; i < 2; i++)
        if (asking->said[both[i]].since_ms > since_ms)
            since_ms = asking->said[both[i]].since_ms;
    return since_ms;
}

/* --- retry times --- */

/* What another retry time would have done. */
struct replay {
    uint64_t spared, spared_ms; /* questions after a no that would still have counted */
    uint64_t lost;              /* files that would have been withheld, or may have been */
    uint64_t answers;
    uint64_t turned; /* a no that became a file, whatever the retry time */
};

/* The state of one symbol at one server. */
struct standing {
    bool said;
    int64_t said_ms;
    bool doubt; /* since then, and while the no would have counted, its answer was not known */
};

static void play_one(const struct event *event, int64_t retry_ms, struct standing *it,
                     struct replay *replay) {
    bool counts = it->said && event->at_ms - it->said_ms < retry_ms;
    switch (event->kind) {
    case EVENT_OPEN:
        it->doubt |= counts;
        return;
    case EVENT_FOUND:
        replay->turned += it->said;
        replay->lost += counts || it->doubt;
        *it = (struct standing){0};
        return;
    case EVENT_NO:
        it->doubt = false; /* it had none then either */
        if (counts) {
            replay->spared += !event->kept_away;
            replay->spared_ms += event->kept_away ? 0 : event->time_ms;
            return;
        }
        it->said = true;
        it->said_ms = event->at_ms;
    }
}

static struct replay play(const struct event *events, unsigned count, int64_t since_ms,
                          int64_t retry_ms) {
    struct replay replay = {0};
    struct standing it = {0};
    for (unsigned i = 0; i < count; i++) {
        if (i == 0 || events[i - 1].key != events[i].key) {
            replay.lost += it.doubt;
            it = (struct standing){0};
        }
        if (events[i].at_ms < since_ms)
            continue;
        replay.answers += events[i].kind != EVENT_OPEN;
        play_one(&events[i], retry_ms, &it, &replay);
    }
    replay.lost += it.doubt;
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

static void subtract(struct replay *replay, const struct replay *other) {
    replay->spared -= other->spared < replay->spared ? other->spared : replay->spared;
    replay->spared_ms -=
        other->spared_ms < replay->spared_ms ? other->spared_ms : replay->spared_ms;
}

static void advise_longer(struct asking *asking, const struct source *source,
                          const struct event *events, unsigned count, int64_t since_ms) {
    static const int64_t choices_ms[] = {10 * MINUTE_MS, 60 * MINUTE_MS, 6 * 60 * MINUTE_MS,
                                         24 * 60 * MINUTE_MS, 7 * 24 * 60 * MINUTE_MS};
    /* What the time in force spares already is no gain. */
    const struct replay now_spared = play(events, count, since_ms, source->options.retry_ms);
    struct replay best = {0};
    int64_t best_ms = 0;
    for (size_t i = 0; i < sizeof choices_ms / sizeof *choices_ms; i++) {
        struct replay replay = play(events, count, since_ms, choices_ms[i]);
        subtract(&replay, &now_spared);
        /* A longer time has to spare a tenth more to be worth it. */
        if (choices_ms[i] <= source->options.retry_ms || replay.lost > 0 ||
            replay.spared * 10 < best.spared * 11 || replay.spared == 0)
            continue;
        best = replay;
        best_ms = choices_ms[i];
    }
    if (best.spared < ADVICE_SAYS_MIN || best.spared * 100 < best.answers * SHARE_WANTED)
        return;
    struct advice advice;
    char now[TIME_BYTES];
    begin_retry(&advice, ADVICE_RETRY, source, best_ms, now);
    advice.since_ms = since_ms;
    advice.questions = best.spared;
    advice.time_us = best.spared_ms * 1000;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "its no counts for %s; %" PRIu64 " of its %" PRIu64
                " answers were the same no within %s",
                now, best.spared, best.answers, advice.rule.value);
    advice_show(asking, &advice);
}

static void advise_shorter(struct asking *asking, const struct source *source,
                           const struct event *events, unsigned count, int64_t since_ms) {
    struct replay replay = play(events, count, since_ms, 0);
    int64_t shorter_ms = source->options.retry_ms / 4;
    if (replay.turned < ADVICE_TURNED_MIN || shorter_ms < RETRY_LEAST_MS)
        return;
    struct advice advice;
    char now[TIME_BYTES];
    begin_retry(&advice, ADVICE_EARLIER, source, shorter_ms, now);
    advice.since_ms = since_ms;
    advice.names = replay.turned;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "%" PRIu64 " files came after it had said no, and each no counts for %s",
                replay.turned, now);
    advice_show(asking, &advice);
}

/* Whose retry time, and since when it is in force by a rule. */
struct ruled {
    const char *identifier;
    int64_t since_ms;
};

static bool look_at_rule(const struct rule *rule, void *context) {
    struct ruled *ruled = context;
    if (rule->list == RULE_RETRY && strcmp(rule->server, ruled->identifier) == 0)
        ruled->since_ms = rule->at_ms;
    return true;
}

/* What was answered under another time tells nothing of this one. */
static int64_t ruled_since(const struct asking *asking, unsigned source) {
    struct ruled ruled = {asking->roster->sources[source]->options.identifier,
                          since_both(asking, source, source)};
    int64_t known_ms = ruled.since_ms;
    if (asking->rules)
        rules_each(asking->rules, look_at_rule, &ruled);
    return ruled.since_ms > known_ms ? ruled.since_ms : known_ms;
}

bool advise_retries(struct asking *asking) {
    const struct trace *trace = asking->trace;
    for (unsigned from = 0, to; from < trace->event_count && !asking->enough; from = to) {
        const struct event *events = &trace->events[from];
        const struct source *source = asking->roster->sources[events->source];
        int64_t since_ms = ruled_since(asking, events->source);
        for (to = from; to < trace->event_count && trace->events[to].source == events->source;)
            to++;
        /* To ask a local directory costs nothing. */
        if (!asking->roster->in_place[events->source])
            advise_longer(asking, source, events, to - from, since_ms);
        if (!asking->enough)
            advise_shorter(asking, source, events, to - from, since_ms);
    }
    return true;
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

static void advise_swap(struct asking *asking, unsigned asked, unsigned had) {
    const struct swap *swap = &asking->trace->swaps[asked][had];
    const struct source *first = asking->roster->sources[asked];
    const struct source *second = asking->roster->sources[had];
    struct advice advice;
    char value[RULE_VALUE_BYTES];
    write_order(asking->roster, had, asked, value);
    if (!value[0])
        return;
    advice_begin(&advice, ADVICE_ORDER, RULE_ORDER, NULL, value);
    advice.since_ms = since_both(asking, asked, had);
    advice.questions = swap->spared;
    advice.time_us = swap->spared_ms * 1000;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "%" PRIu64 " files came from \"%.40s\" after \"%.40s\" had said no, which has "
                "never had one",
                swap->spared, second->options.identifier, first->options.identifier);
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

static void advise_swaps(struct asking *asking, unsigned asked) {
    const struct roster *roster = asking->roster;
    for (unsigned had = 0; had < roster->count && !asking->enough; had++)
        if (asking->trace->swaps[asked][had].spared >= ADVICE_SAYS_MIN &&
            are_neighbours(roster, asked, had) && !roster->sources[had]->options.is_cache)
            advise_swap(asking, asked, had);
}

bool advise_order(struct asking *asking) {
    const struct roster *roster = asking->roster;
    /* An order has each server stand alone: it would part those that are asked together. */
    for (unsigned i = 0; i < roster->count; i++)
        if (advice_races(roster, i))
            return true;
    /* The order says whose file is wanted where several have one. So only a server that has none
       may be moved back. */
    for (unsigned asked = 0; asked < roster->count && !asking->enough; asked++)
        if (advice_denies_all(asking, asked))
            advise_swaps(asking, asked);
    return true;
}
