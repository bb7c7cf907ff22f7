// SPDX-License-Identifier: MIT
#include "proxy/adviser.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "symbol/pattern.h"

enum { NAMES_MAX = 200000, BYTES_MAX = 64 * 1024 * 1024, PATTERN_BYTES = 2 * NAME_BYTES_MAX + 16 };

/* What a server has said about one name. */
struct said {
    const char *name;
    uint64_t found, no, time_us; /* no: absences and failures */
};

/* What one server has said, by name in the order of their bytes, and what is suggested for it. */
struct evidence {
    const struct roster *roster;
    unsigned source;
    unsigned count;
    struct said *list;
    struct buffer names; /* their texts, one behind the other */
    unsigned advice_count;
    struct advice advice[ADVICE_SOURCE_MAX];
};

/* --- gathering --- */

/* What the rules in force keep away already needs no advice. */
static bool gather(const char *name, const struct pair_row *row, void *context) {
    struct evidence *evidence = context;
    if (!policy_lets(evidence->roster->policy, evidence->source, name))
        return true;
    if (evidence->count == NAMES_MAX || !buffer_append(&evidence->names, name, strlen(name) + 1))
        return false;
    evidence->list[evidence->count++] = (struct said){
        .found = row->found, .no = row->absent + row->failed, .time_us = row->time_us};
    return true;
}

/* The texts stand still only now. */
static void place_names(struct evidence *evidence) {
    const char *at = evidence->names.bytes;
    for (unsigned i = 0; i < evidence->count; i++, at += strlen(at) + 1)
        evidence->list[i].name = at;
}

/* --- patterns --- */

/* A prefix as a pattern. Names are kept in lower case, so case does not count. */
static void write_pattern(char out[PATTERN_BYTES], const char *prefix, size_t length, bool whole) {
    size_t at = (size_t)snprintf(out, PATTERN_BYTES, "(?i)");
    for (size_t i = 0; i < length; i++) {
        if (strchr(".^$*+?{}[]\\|()", prefix[i]))
            out[at++] = '\\';
        out[at++] = prefix[i];
    }
    snprintf(out + at, PATTERN_BYTES - at, "%s", whole ? "$" : ".*");
}

/* Tries the rule on every name. */
static bool replay(const struct evidence *evidence, struct advice *advice) {
    size_t offset;
    struct error err;
    struct pattern *pattern = pattern_new(advice->rule.value, &offset, &err);
    if (!pattern)
        return false;
    for (unsigned i = 0; i < evidence->count; i++) {
        const struct said *said = &evidence->list[i];
        if (pattern_try(pattern, said->name) != PATTERN_YES)
            continue;
        advice->names++;
        advice->questions += said->no + said->found;
        advice->time_us += said->time_us;
        advice->lost += said->found;
    }
    pattern_free(pattern);
    return true;
}

/* FNV-1a, the same on every machine and in every run. */
static void name_advice(struct advice *advice) {
    uint64_t hash = UINT64_C(14695981039346656037);
    const char *const parts[] = {rule_list_name(advice->rule.list), advice->rule.server,
                                 advice->rule.value};
    for (unsigned i = 0; i < 3; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
            if (!*at)
                break;
        }
    text_format(advice->id, sizeof advice->id, "%016" PRIx64, hash);
}

/* The place for one more: a free one, or that of the least sparing, if it spares less. */
static struct advice *place_for(struct evidence *evidence, uint64_t questions) {
    if (evidence->advice_count < ADVICE_SOURCE_MAX)
        return &evidence->advice[evidence->advice_count++];
    struct advice *least = &evidence->advice[0];
    for (unsigned i = 1; i < ADVICE_SOURCE_MAX; i++)
        if (evidence->advice[i].questions < least->questions)
            least = &evidence->advice[i];
    return least->questions < questions ? least : NULL;
}

static void suggest(struct evidence *evidence, const char *prefix, size_t length, bool whole) {
    const struct source *source = evidence->roster->sources[evidence->source];
    struct advice advice = {.rule = {.list = RULE_BLACKLIST, .origin = RULE_ADVISER}};
    char pattern[PATTERN_BYTES];
    write_pattern(pattern, prefix, length, whole);
    text_copy(advice.rule.server, sizeof advice.rule.server, source->options.identifier);
    text_copy(advice.rule.value, sizeof advice.rule.value, pattern);
    if (!replay(evidence, &advice) || advice.lost > 0)
        return;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                "%" PRIu64 " questions about %" PRIu64 " names, and never a file", advice.questions,
                advice.names);
    name_advice(&advice);
    struct advice *place = place_for(evidence, advice.questions);
    if (place)
        *place = advice;
}

/* --- prefixes --- */

static size_t common_prefix(const char *a, const char *b) {
    size_t length = 0;
    while (a[length] && a[length] == b[length])
        length++;
    return length;
}

/* The names from `first` up to `end` share `depth` bytes. Where none of them was ever found they
   are one suggestion, else they are split by their next byte. */
static void descend(struct evidence *evidence, unsigned first, unsigned end, size_t depth) {
    const struct said *list = evidence->list;
    uint64_t found = 0, no = 0;
    for (unsigned i = first; i < end; i++) {
        found += list[i].found;
        no += list[i].no;
    }
    if (no < ADVICE_SAYS_MIN)
        return;
    size_t shared = common_prefix(list[first].name, list[end - 1].name);
    if (found == 0 && shared >= ADVICE_PREFIX_MIN) {
        while (end - first > 1 && shared > 0 && (list[first].name[shared] & 0xC0) == 0x80)
            shared--; /* not within a character */
        suggest(evidence, list[first].name, shared, end - first == 1);
        return;
    }
    if (end - first == 1)
        return;
    depth = shared > depth ? shared : depth;
    for (unsigned from = first, to; from < end; from = to) {
        to = from + 1;
        while (to < end && list[to].name[depth] == list[from].name[depth])
            to++;
        descend(evidence, from, to, depth + 1);
    }
}

/* --- all servers --- */

static int by_questions(const void *a, const void *b) {
    uint64_t left = ((const struct advice *)a)->questions;
    uint64_t right = ((const struct advice *)b)->questions;
    return (left < right) - (left > right);
}

bool adviser_ask(struct reading *reading, const struct roster *roster,
                 bool (*show)(const struct advice *advice, void *context), void *context,
                 struct error *err) {
    CLEANUP(free_block) struct evidence *evidence = NEW(struct evidence);
    CLEANUP(free_block) struct said *list = NEW_ARRAY(struct said, NAMES_MAX);
    for (unsigned i = 0; i < roster->count; i++) {
        *evidence = (struct evidence){.roster = roster, .source = i, .list = list};
        buffer_init(&evidence->names, BYTES_MAX);
        bool good = reading_source_names(reading, roster->sources[i]->options.identifier, gather,
                                         evidence, err);
        place_names(evidence);
        if (good && evidence->count > 0)
            descend(evidence, 0, evidence->count, 0);
        buffer_release(&evidence->names);
        if (!good)
            return false;
        qsort(evidence->advice, evidence->advice_count, sizeof *evidence->advice, by_questions);
        for (unsigned n = 0; n < evidence->advice_count; n++)
            if (!show(&evidence->advice[n], context))
                return true;
    }
    return true;
}
