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

const char *policy_rule(const struct policy *policy, unsigned source, bool white, unsigned index) {
    assert(source < policy->count);
    const struct policy_rules *rules = &policy->sources[source];
    const struct rules *list = white ? &rules->whitelist : &rules->blacklist;
    return index < list->count ? pattern_text(list->patterns[index]) : NULL;
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

/* Does the list forbid the name? A pattern that gave up forbids it as well. */
static bool rules_forbid(const struct rules *rules, const char *name,
                         struct policy_verdict *verdict) {
    enum pattern_match word;
    const struct pattern *pattern = rules_decide(rules, name, &word);
    if (!pattern)
        return false;
    verdict->rule = pattern_text(pattern);
    verdict->limit |= word == PATTERN_LIMIT;
    return true;
}

static bool rules_admit(const struct rules *rules, const char *name,
                        struct policy_verdict *verdict) {
    enum pattern_match word;
    const struct pattern *pattern = rules_decide(rules, name, &word);
    if (word != PATTERN_LIMIT)
        return pattern != NULL;
    verdict->rule = pattern_text(pattern);
    verdict->limit = true;
    return false;
}

static bool source_allowed(const struct policy_rules *source, const struct question *question,
                           struct policy_verdict *verdict) {
    const char *name = question->spelling.name;
    if (source->follows || !source->enabled || !(source->kinds & 1U << question->key.kind))
        return false;
    if (source->has_whitelist && !rules_admit(&source->whitelist, name, verdict))
        return false;
    return !rules_forbid(&source->blacklist, name, verdict);
}

bool policy_lets(const struct policy *policy, unsigned source, const char *name) {
    struct policy_verdict ignored = {0};
    assert(source < policy->count);
    const struct policy_rules *rules = &policy->sources[source];
    return rules->enabled && !rules_forbid(&policy->blacklist, name, &ignored) &&
           (!rules->has_whitelist || rules_admit(&rules->whitelist, name, &ignored)) &&
           !rules_forbid(&rules->blacklist, name, &ignored);
}

/* What one source's own rules say. */
static enum policy_word own_word(const struct policy_rules *source, const struct question *question,
                                 const char **out_rule) {
    const char *name = question->spelling.name;
    enum pattern_match word;
    if (!source->enabled)
        return POLICY_DISABLED;
    if (!(source->kinds & 1U << question->key.kind))
        return POLICY_KIND;
    if (source->has_whitelist) {
        const struct pattern *white = rules_decide(&source->whitelist, name, &word);
        *out_rule = white ? pattern_text(white) : NULL;
        if (word != PATTERN_YES)
            return word == PATTERN_LIMIT ? POLICY_GIVEN_UP : POLICY_WHITELIST;
    }
    const struct pattern *black = rules_decide(&source->blacklist, name, &word);
    if (!black)
        return POLICY_ADMITTED;
    *out_rule = pattern_text(black);
    return word == PATTERN_LIMIT ? POLICY_GIVEN_UP : POLICY_BLACKLIST;
}

enum policy_word policy_explain(const struct policy *policy, unsigned source,
                                const struct question *question, const char **out_rule) {
    assert(source < policy->count);
    enum pattern_match word;
    const struct pattern *black = rules_decide(&policy->blacklist, question->spelling.name, &word);
    *out_rule = black ? pattern_text(black) : NULL;
    if (black)
        return word == PATTERN_LIMIT ? POLICY_GIVEN_UP : POLICY_GLOBAL;
    const struct policy_rules *rules = &policy->sources[source];
    if (!rules->follows)
        return own_word(rules, question, out_rule);
    struct policy_verdict verdict;
    policy_judge(policy, question, &verdict);
    return verdict.allowed >> source & 1 ? POLICY_ADMITTED : POLICY_FOLLOWS;
}

void policy_judge(const struct policy *policy, const struct question *question,
                  struct policy_verdict *out_verdict) {
    *out_verdict = (struct policy_verdict){0};
    if (rules_forbid(&policy->blacklist, question->spelling.name, out_verdict)) {
        out_verdict->globally = true;
        return;
    }
    for (unsigned i = 0; i < policy->count; i++)
        if (source_allowed(&policy->sources[i], question, out_verdict))
            out_verdict->allowed |= UINT64_C(1) << i;
    if (!out_verdict->allowed)
        return;
    out_verdict->rule = NULL;
    uint64_t own = out_verdict->allowed;
    for (unsigned i = 0; i < policy->count; i++)
        if (policy->sources[i].follows & own)
            out_verdict->allowed |= UINT64_C(1) << i;
}
