// SPDX-License-Identifier: MIT
//
// Advice about whole servers.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proxy/adviser_inside.h"
#include "symbol/pattern.h"

enum {
    FOUND_NAMES_MAX = 1000, /* of a server with more no whitelist is suggested */
    PREFIXES_MAX = 3,
    PREFIX_MIN = 3,
};

/* --- useless, down --- */

bool advice_denies_all(const struct asking *asking, unsigned source) {
    const struct evidence_total *said = &asking->said[source];
    return said->found + said->kept + said->open + said->unknown == 0 &&
           !(asking->roster->own_shelves >> source & 1);
}

/* A cache of a symbol path may well be missing: it counts as if it were not there. */
static bool never_answered(const struct asking *asking, unsigned source) {
    const struct evidence_total *said = &asking->said[source];
    return said->found + said->kept + said->absent == 0 && said->failed >= ADVICE_SAYS_MIN &&
           !(asking->roster->own_shelves >> source & 1) &&
           !asking->roster->sources[source]->options.is_cache;
}

static void judge_total(struct asking *asking, unsigned index) {
    const struct evidence_total *said = &asking->said[index];
    struct advice advice;
    bool down = never_answered(asking, index);
    bool useless = said->absent >= ADVICE_USELESS_MIN && advice_denies_all(asking, index);
    if (!down && !useless)
        return;
    advice_begin(&advice, down ? ADVICE_DOWN : ADVICE_USELESS, RULE_ENABLED,
                 asking->roster->sources[index]->options.identifier, "false");
    advice.since_ms = said->since_ms;
    advice.questions = said->absent + said->failed;
    advice.time_us = said->time_us;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                down ? "asked %" PRIu64 " times, and it has never answered; symgate doctor says why"
                     : "asked %" PRIu64 " times, and it has never had a file",
                advice.questions);
    advice_show(asking, &advice);
}

/* --- whitelists --- */

/* Beginnings of the names that a server has had. */
struct beginnings {
    const struct policy *policy; /* what it keeps away already needs no advice */
    unsigned source;
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

static bool gather_beginning(const struct evidence_row *said, void *context) {
    struct beginnings *all = context;
    if (said->may_have == 0 && !policy_lets(all->policy, all->source, said->name))
        return true;
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
    const struct policy *policy;
    unsigned source;
    const struct pattern *pattern;
    uint64_t names, questions, time_us, lost;
};

static bool replay_name(const struct evidence_row *said, void *context) {
    struct replay *replay = context;
    if (pattern_try(replay->pattern, said->name) == PATTERN_YES ||
        (said->may_have == 0 && !policy_lets(replay->policy, replay->source, said->name)))
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
    *replay =
        (struct replay){.policy = asking->roster->policy, .source = source, .pattern = pattern};
    bool good = advice_each_said(asking, source, replay_name, replay);
    pattern_free(pattern);
    return good;
}

static bool judge_names(struct asking *asking, unsigned index) {
    const struct source *source = asking->roster->sources[index];
    struct beginnings all = {.policy = asking->roster->policy, .source = index};
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
    advice.since_ms = asking->said[index].since_ms;
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
        if (!asking->roster->sources[i]->options.enabled || advice_races(asking->roster, i))
            continue;
        judge_total(asking, i);
        if (asking->said[i].found > 0 && !asking->enough && advice_sees(asking, i) &&
            !judge_names(asking, i))
            return false;
    }
    return true;
}
