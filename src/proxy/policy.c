// SPDX-License-Identifier: MIT
#include "proxy/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source/source.h"

struct rules {
    struct pattern **patterns;
    unsigned count;
};

struct policy_rules {
    uint64_t follows;
    bool enabled;
    bool has_whitelist;
    unsigned kinds;
    struct rules whitelist;
    struct rules blacklist;
};

struct policy {
    struct rules blacklist;
    unsigned count;
    struct policy_rules sources[];
};

static struct rules rules_take(struct pattern *const *patterns, unsigned count) {
    struct rules rules = {.count = count};
    if (count == 0)
        return rules;
    rules.patterns = NEW_ARRAY(struct pattern *, count);
    memcpy(rules.patterns, patterns, count * sizeof *patterns);
    return rules;
}

static void rules_free(struct rules *rules) {
    for (unsigned i = 0; i < rules->count; i++)
        pattern_free(rules->patterns[i]);
    free(rules->patterns);
}

struct policy *policy_new(struct pattern *const *blacklist, unsigned blacklist_count,
                          const struct policy_source *sources, unsigned source_count) {
    assert(source_count <= SOURCES_MAX);
    struct policy *policy = memory_new(sizeof *policy + source_count * sizeof(struct policy_rules));
    policy->blacklist = rules_take(blacklist, blacklist_count);
    policy->count = source_count;
    for (unsigned i = 0; i < source_count; i++)
        policy->sources[i] = (struct policy_rules){
            .follows = sources[i].follows,
            .enabled = sources[i].enabled,
            .has_whitelist = sources[i].has_whitelist,
            .kinds = sources[i].kinds,
            .whitelist = rules_take(sources[i].whitelist, sources[i].whitelist_count),
            .blacklist = rules_take(sources[i].blacklist, sources[i].blacklist_count),
        };
    return policy;
}

bool policy_has_whitelist(const struct policy *policy, unsigned source) {
    assert(source < policy->count);
    return policy->sources[source].has_whitelist;
}

static const char *text_of(const struct rules *list, unsigned index) {
    return index < list->count ? pattern_text(list->patterns[index]) : NULL;
}

const char *policy_global_rule(const struct policy *policy, unsigned index) {
    return text_of(&policy->blacklist, index);
}

const char *policy_rule(const struct policy *policy, unsigned source, bool white, unsigned index) {
    assert(source < policy->count);
    const struct policy_rules *rules = &policy->sources[source];
    return text_of(white ? &rules->whitelist : &rules->blacklist, index);
}

void policy_free(struct policy *policy) {
    if (!policy)
        return;
    rules_free(&policy->blacklist);
    for (unsigned i = 0; i < policy->count; i++) {
        rules_free(&policy->sources[i].whitelist);
        rules_free(&policy->sources[i].blacklist);
    }
    free(policy);
}

/* The first pattern of the list that has something to say; its word in *out_word. */
static const struct pattern *rules_decide(const struct rules *rules, const char *name,
                                          enum pattern_match *out_word) {
    for (unsigned i = 0; i < rules->count; i++) {
        *out_word = pattern_try(rules->patterns[i], name);
        if (*out_word != PATTERN_NO)
            return rules->patterns[i];
    }
    *out_word = PATTERN_NO;
    return NULL;
}

/* A list that forbids: `forbidden` where it holds the name; a pattern that gave up forbids as well.
 *out_rule is set where it does. */
static enum policy_word black_word(const struct rules *rules, const char *name,
                                   enum policy_word forbidden, const char **out_rule) {
    enum pattern_match word;
    const struct pattern *pattern = rules_decide(rules, name, &word);
    if (!pattern)
        return POLICY_ADMITTED;
    *out_rule = pattern_text(pattern);
    return word == PATTERN_LIMIT ? POLICY_GIVEN_UP : forbidden;
}

static enum policy_word white_word(const struct rules *rules, const char *name,
                                   const char **out_rule) {
    enum pattern_match word;
    const struct pattern *pattern = rules_decide(rules, name, &word);
    if (!pattern)
        return POLICY_WHITELIST;
    *out_rule = pattern_text(pattern);
    return word == PATTERN_LIMIT ? POLICY_GIVEN_UP : POLICY_ADMITTED;
}

/* What one source's two lists say. */
static enum policy_word lists_word(const struct policy_rules *source, const char *name,
                                   const char **out_rule) {
    if (source->has_whitelist) {
        enum policy_word word = white_word(&source->whitelist, name, out_rule);
        if (word != POLICY_ADMITTED)
            return word;
    }
    return black_word(&source->blacklist, name, POLICY_BLACKLIST, out_rule);
}

/* What one source's own rules say. */
static enum policy_word own_word(const struct policy_rules *source, const struct question *question,
                                 const char **out_rule) {
    if (!source->enabled)
        return POLICY_DISABLED;
    if (!(source->kinds & 1U << question->key.kind))
        return POLICY_KIND;
    return lists_word(source, question->spelling.name, out_rule);
}

static enum policy_word global_word(const struct policy *policy, const char *name,
                                    const char **out_rule) {
    return black_word(&policy->blacklist, name, POLICY_GLOBAL, out_rule);
}

bool policy_lets(const struct policy *policy, unsigned source, const char *name) {
    const char *ignored;
    assert(source < policy->count);
    const struct policy_rules *rules = &policy->sources[source];
    return rules->enabled && global_word(policy, name, &ignored) == POLICY_ADMITTED &&
           lists_word(rules, name, &ignored) == POLICY_ADMITTED;
}

enum policy_word policy_explain(const struct policy *policy, unsigned source,
                                const struct question *question, const char **out_rule) {
    assert(source < policy->count);
    *out_rule = NULL;
    enum policy_word word = global_word(policy, question->spelling.name, out_rule);
    if (word != POLICY_ADMITTED)
        return word;
    const struct policy_rules *rules = &policy->sources[source];
    if (!rules->follows)
        return own_word(rules, question, out_rule);
    struct policy_verdict verdict;
    policy_judge(policy, question, &verdict);
    return verdict.allowed >> source & 1 ? POLICY_ADMITTED : POLICY_FOLLOWS;
}

/* Takes a word into the verdict; true: it admits. */
static bool take_word(struct policy_verdict *verdict, enum policy_word word, const char *rule) {
    if (word == POLICY_ADMITTED)
        return true;
    if (rule)
        verdict->rule = rule;
    if (word == POLICY_GIVEN_UP)
        verdict->gave_up = rule;
    return false;
}

/* The sources, as bits, that their own rules admit. */
static uint64_t judge_sources(const struct policy *policy, const struct question *question,
                              struct policy_verdict *verdict) {
    uint64_t admitted = 0;
    for (unsigned i = 0; i < policy->count; i++) {
        const char *rule = NULL;
        if (policy->sources[i].follows)
            continue;
        enum policy_word word = own_word(&policy->sources[i], question, &rule);
        if (take_word(verdict, word, rule))
            admitted |= UINT64_C(1) << i;
    }
    return admitted;
}

void policy_judge(const struct policy *policy, const struct question *question,
                  struct policy_verdict *out_verdict) {
    *out_verdict = (struct policy_verdict){0};
    const char *rule = NULL;
    enum policy_word word = global_word(policy, question->spelling.name, &rule);
    if (!take_word(out_verdict, word, rule)) {
        out_verdict->globally = true;
        return;
    }
    uint64_t own = judge_sources(policy, question, out_verdict);
    if (!own)
        return;
    out_verdict->rule = NULL;
    out_verdict->allowed = own;
    for (unsigned i = 0; i < policy->count; i++)
        if (policy->sources[i].follows & own)
            out_verdict->allowed |= UINT64_C(1) << i;
}
