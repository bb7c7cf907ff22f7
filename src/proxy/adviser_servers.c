// SPDX-License-Identifier: MIT
//
// Advice about whole servers and about modules that are watched.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "proxy/adviser_inside.h"
#include "record/archive.h"
#include "symbol/pattern.h"

enum {
    FOUND_NAMES_MAX = 1000, /* of a server with more no whitelist is suggested */
    PREFIXES_MAX = 3,
    PREFIX_MIN = 3,
    DAY_S = 24 * 60 * 60,
    WATCHED_DAYS = 7,
    WATCHED_NAMES_MAX = 100000,
};

/* --- useless, down --- */

static void judge_sums(struct asking *asking, unsigned index, const struct source_row *row) {
    struct advice advice;
    bool down = row->found + row->absent == 0 && row->failed >= ADVICE_SAYS_MIN;
    bool useless =
        row->found == 0 && row->absent >= ADVICE_USELESS_MIN && advice_heard(asking, index, row);
    if (!down && !useless)
        return;
    advice_begin(&advice, down ? ADVICE_DOWN : ADVICE_USELESS, RULE_ENABLED,
                 asking->roster->sources[index]->options.identifier, "false");
    advice.questions = row->absent + row->failed;
    advice.time_us = row->time_us;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                down ? "asked %" PRIu64 " times, and it has never answered; symgate doctor says why"
                     : "asked %" PRIu64 " times, and it has never had a file",
                advice.questions);
    advice_show(asking, &advice);
}

/* --- whitelists --- */

/* Beginnings of the names that a server has had. */
struct beginnings {
    unsigned count;
    char prefixes[PREFIXES_MAX][NAME_BYTES_MAX + 1];
    unsigned names; /* that were found */
    uint64_t found, no;
    bool too_many;
};

static void add_beginning(struct beginnings *all, const char *name) {
    for (unsigned i = 0; i < all->count; i++) {
        size_t length = advice_common(all->prefixes[i], name);
        if (length >= PREFIX_MIN) {
            all->prefixes[i][length] = '\0';
            return;
        }
    }
    if (all->count == PREFIXES_MAX || strlen(name) < PREFIX_MIN)
        all->too_many = true;
    else
        text_copy(all->prefixes[all->count++], sizeof all->prefixes[0], name);
}

static bool gather_beginning(const struct said *said, void *context) {
    struct beginnings *all = context;
    all->found += said->found;
    all->no += said->absent;
    if (said->may_have > 0) {
        add_beginning(all, said->name);
        all->names++;
    }
    return !all->too_many && all->names <= FOUND_NAMES_MAX;
}

static void write_whitelist(const struct beginnings *all, char out[RULE_VALUE_BYTES]) {
    const char *before = all->count > 1 ? "(?i)(?:" : "(?i)";
    size_t at = 0;
    for (unsigned i = 0; i < all->count; i++) {
        at += (size_t)snprintf(out + at, RULE_VALUE_BYTES - at, "%s", i ? "|" : before);
        at = advice_escape(out, at, all->prefixes[i], strlen(all->prefixes[i]));
    }
    snprintf(out + at, RULE_VALUE_BYTES - at, "%s", all->count > 1 ? ")" : "");
}

/* What a whitelist of one pattern would have spared. */
struct replay {
    const struct pattern *pattern;
    uint64_t names, questions, time_us, lost;
};

static bool replay_name(const struct said *said, void *context) {
    struct replay *replay = context;
    if (pattern_try(replay->pattern, said->name) == PATTERN_YES)
        return true;
    replay->names++;
    replay->questions += said->found + said->absent + said->failed;
    replay->time_us += said->time_us;
    replay->lost += said->may_have;
    return true;
}

static bool replay_whitelist(struct asking *asking, unsigned source, const char *value,
                             struct replay *replay) {
    size_t offset;
    struct pattern *pattern = pattern_new(value, &offset, asking->err);
    if (!pattern)
        return false;
    *replay = (struct replay){.pattern = pattern};
    bool good = advice_each_said(asking, source, replay_name, replay);
    pattern_free(pattern);
    return good;
}

static bool judge_names(struct asking *asking, unsigned index) {
    const struct source *source = asking->roster->sources[index];
    struct beginnings all = {0};
    struct advice advice;
    struct replay replay;
    char value[RULE_VALUE_BYTES];
    if (policy_has_whitelist(asking->roster->policy, index))
        return true;
    if (!advice_each_said(asking, index, gather_beginning, &all))
        return false;
    if (all.too_many || all.found < ADVICE_TURNED_MIN || all.no < ADVICE_USELESS_MIN ||
        all.no < 4 * all.found)
        return true;
    write_whitelist(&all, value);
    if (!replay_whitelist(asking, index, value, &replay))
        return false;
    if (replay.lost > 0 || replay.questions < ADVICE_SAYS_MIN)
        return true;
    advice_begin(&advice, ADVICE_WHITELIST, RULE_WHITELIST, source->options.identifier, value);
    advice.names = replay.names;
    advice.questions = replay.questions;
    advice.time_us = replay.time_us;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "all it has ever had begins alike, and %" PRIu64
                " questions were about other names",
                replay.questions);
    advice_show(asking, &advice);
    return true;
}

bool advise_servers(struct asking *asking) {
    for (unsigned i = 0; i < asking->roster->count && !asking->enough; i++) {
        const struct source *source = asking->roster->sources[i];
        struct source_row row = {0};
        if (!source->options.enabled || advice_races(asking->roster, i))
            continue;
        if (!reading_source(asking->reading, source->options.identifier, &row, asking->err))
            return false;
        if (advice_knows(asking, i))
            judge_sums(asking, i, &row);
        if (row.found > 0 && !asking->enough && !judge_names(asking, i))
            return false;
    }
    return true;
}

/* --- watched modules --- */

static bool judge_watched(const struct sum_row *row, void *context) {
    struct asking *asking = context;
    struct advice advice;
    bool watched = false;
    for (unsigned i = 0; i < asking->watched->count && !watched; i++)
        watched = pattern_try(asking->watched->patterns[i], row->name) == PATTERN_YES;
    if (!watched)
        return true;
    advice_begin(&advice, ADVICE_WATCH, RULE_EVERYWHERE, NULL, "");
    advice.names = 1;
    advice.questions = row->requests;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "\"%.100s\" is watched, was asked for %" PRIu64 " time%s, and nobody has it",
                row->name, row->requests, row->requests == 1 ? "" : "s");
    advice_show(asking, &advice);
    return !asking->enough;
}

bool advise_watch(struct asking *asking) {
    const struct names_query query = {.search = "",
                                      .order = ORDER_REQUESTS,
                                      .descending = true,
                                      .never_found = true,
                                      .since_s = clock_wall_s() - WATCHED_DAYS * DAY_S,
                                      .limit = WATCHED_NAMES_MAX};
    if (!asking->watched || asking->watched->count == 0)
        return true;
    return reading_names(asking->reading, &query, judge_watched, asking, asking->err);
}
