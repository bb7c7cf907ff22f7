// SPDX-License-Identifier: MIT
//
// Advice about whole servers and about modules that are watched; and what a rule would have done.
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
    DAY_ROWS_MAX = 250000,
};

/* --- useless, down --- */

static void judge_sums(struct asking *asking, const struct source *source,
                       const struct source_row *row) {
    struct advice advice;
    uint64_t asked = row->absent + row->failed;
    bool down = row->found + row->absent == 0 && row->failed >= ADVICE_SAYS_MIN;
    if (row->found > 0 || (!down && asked < ADVICE_USELESS_MIN))
        return;
    advice_begin(&advice, down ? ADVICE_DOWN : ADVICE_USELESS, RULE_ENABLED,
                 source->options.identifier, "false");
    advice.questions = asked;
    advice.time_us = row->time_us;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                down ? "asked %" PRIu64 " times, and it has never answered"
                     : "asked %" PRIu64 " times, and it has never had a file",
                asked);
    advice_show(asking, &advice);
}

/* --- replays --- */

struct replay {
    struct pattern *pattern; /* owned */
    bool keeps;              /* a whitelist: what fits goes on, the rest is met */
    struct advice_preview *out;
    int64_t since_ms;
};

static bool replay_begin(struct replay *replay, const struct rule *rule,
                         struct advice_preview *out_preview, struct error *err) {
    size_t offset;
    *out_preview = (struct advice_preview){0};
    *replay = (struct replay){.pattern = pattern_new(rule->value, &offset, err),
                              .keeps = rule->list == RULE_WHITELIST,
                              .out = out_preview,
                              .since_ms = ((int64_t)clock_wall_s() - DAY_S) * 1000};
    return replay->pattern != NULL;
}

static bool meets(const struct replay *replay, const char *name) {
    return (pattern_try(replay->pattern, name) == PATTERN_YES) != replay->keeps;
}

static bool replay_name(const char *name, const struct pair_row *row, void *context) {
    struct replay *replay = context;
    if (!meets(replay, name))
        return true;
    replay->out->names++;
    replay->out->questions += row->found + row->absent + row->failed;
    replay->out->time_us += row->time_us;
    replay->out->lost += row->found;
    return true;
}

static bool replay_request(const struct archive_row *row, void *context) {
    struct replay *replay = context;
    char name[NAME_BYTES_MAX + 1];
    if (row->outcome.wall_ns / 1000000 < replay->since_ms)
        return false;
    text_copy_n(name, sizeof name, row->key, strcspn(row->key, "/"));
    if (!name[0] || !meets(replay, name))
        return true;
    replay->out->day_requests++;
    replay->out->day_files += row->outcome.verdict <= VERDICT_LOCAL;
    return true;
}

/* Plays what the servers that a rule is about have said. */
static bool replay_servers(struct replay *replay, struct reading *reading,
                           const struct roster *roster, const struct rule *rule,
                           struct error *err) {
    int only = roster_find(roster, rule->server);
    /* A pattern beside others in a whitelist lets more through: nothing is spared. */
    if (only >= 0 && replay->keeps && policy_has_whitelist(roster->policy, (unsigned)only))
        return true;
    for (unsigned i = 0; i < roster->count; i++) {
        bool meant = rule->list == RULE_EVERYWHERE || only == (int)i;
        const char *identifier = roster->sources[i]->options.identifier;
        if (meant && !reading_source_names(reading, identifier, replay_name, replay, err))
            return false;
    }
    return true;
}

bool adviser_preview(struct reading *reading, const struct roster *roster, const struct rule *rule,
                     struct advice_preview *out_preview, struct error *err) {
    const struct archive_query last_day = {.limit = DAY_ROWS_MAX};
    struct replay replay;
    if (rule->list != RULE_EVERYWHERE && rule->list != RULE_BLACKLIST &&
        rule->list != RULE_WHITELIST)
        return error_set(err, ERROR_INVALID, "only filters can be tried on what was recorded");
    if (!replay_begin(&replay, rule, out_preview, err))
        return false;
    bool good = replay_servers(&replay, reading, roster, rule, err) &&
                archive_each(reading, &last_day, replay_request, &replay, err);
    pattern_free(replay.pattern);
    return good;
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

static bool gather_beginning(const char *name, const struct pair_row *row, void *context) {
    struct beginnings *all = context;
    all->found += row->found;
    all->no += row->absent;
    if (row->found > 0) {
        add_beginning(all, name);
        all->names++;
    }
    return !all->too_many && all->names <= FOUND_NAMES_MAX;
}

static void write_whitelist(const struct beginnings *all, char out[RULE_VALUE_BYTES]) {
    size_t at = 0;
    for (unsigned i = 0; i < all->count; i++) {
        at += (size_t)snprintf(out + at, RULE_VALUE_BYTES - at, i ? "|" : "(?i)(?:");
        at = advice_escape(out, at, all->prefixes[i], strlen(all->prefixes[i]));
    }
    snprintf(out + at, RULE_VALUE_BYTES - at, ")");
}

/* What a rule would have done, by the names alone. */
static bool preview_names(struct asking *asking, const struct rule *rule,
                          struct advice_preview *out_preview) {
    struct replay replay;
    if (!replay_begin(&replay, rule, out_preview, asking->err))
        return false;
    bool good = replay_servers(&replay, asking->reading, asking->roster, rule, asking->err);
    pattern_free(replay.pattern);
    return good;
}

static bool judge_names(struct asking *asking, unsigned index) {
    const struct source *source = asking->roster->sources[index];
    struct beginnings all = {0};
    struct advice advice;
    struct advice_preview preview;
    char value[RULE_VALUE_BYTES];
    if (policy_has_whitelist(asking->roster->policy, index))
        return true;
    if (!reading_source_names(asking->reading, source->options.identifier, gather_beginning, &all,
                              asking->err))
        return false;
    if (all.too_many || all.found < ADVICE_TURNED_MIN || all.no < ADVICE_USELESS_MIN ||
        all.no < 4 * all.found)
        return true;
    write_whitelist(&all, value);
    advice_begin(&advice, ADVICE_WHITELIST, RULE_WHITELIST, source->options.identifier, value);
    if (!preview_names(asking, &advice.rule, &preview))
        return false;
    if (preview.lost > 0 || preview.questions < ADVICE_SAYS_MIN)
        return true;
    advice.names = preview.names;
    advice.questions = preview.questions;
    advice.time_us = preview.time_us;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "all it has ever had begins alike, and %" PRIu64
                " questions were about other names",
                preview.questions);
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
        judge_sums(asking, source, &row);
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
                "\"%.100s\" is watched, was asked for %" PRIu64 " times, and nobody has it",
                row->name, row->requests);
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
