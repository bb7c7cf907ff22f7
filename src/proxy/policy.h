// SPDX-License-Identifier: MIT
//
// Who may be asked for a name: the global blacklist first, then for each source its kinds, its
// whitelist (absent: everything, empty: nothing) and its blacklist. Patterns have the meaning of
// Python's re.match and see the name as the client spelled it. A pattern that gives up at its match
// limit counts as excluding (counted, logged by the caller). Read-only after it was made.
#pragma once

#include "base/counter.h"
#include "symbol/pattern.h"
#include "symbol/question.h"

struct policy;

/* The rules of one source, in configured order. */
struct policy_source {
    const char *identifier;
    uint64_t follows; /* allowed where any of these is, whatever the rest says; 0: by itself */
    bool enabled;
    unsigned kinds; /* bits 1 << enum symbol_kind */
    bool has_whitelist;
    struct pattern *const *whitelist; /* taken over */
    unsigned whitelist_count;
    struct pattern *const *blacklist; /* taken over */
    unsigned blacklist_count;
};

/* Takes over all patterns; the arrays are copied. At most SOURCES_MAX sources. */
struct policy *policy_new(struct pattern *const *blacklist, unsigned blacklist_count,
                          const struct policy_source *sources, unsigned source_count);
void policy_free(struct policy *policy);

/* Has a source a whitelist at all (an empty one counts)? */
bool policy_has_whitelist(const struct policy *policy, unsigned source);

/* The text of the index-th pattern of the global blacklist; NULL after the last one. */
const char *policy_global_rule(const struct policy *policy, unsigned index);

/* The text of a source's index-th pattern, of its white- or blacklist; NULL after the last one. */
const char *policy_rule(const struct policy *policy, unsigned source, bool white, unsigned index);

/* Do the filters let a source be asked for this name, whatever kind of file it is? */
bool policy_lets(const struct policy *policy, unsigned source, const char *name);

/* What a filter says of one source and one question. */
enum policy_word {
    POLICY_ADMITTED,
    POLICY_GLOBAL,    /* the global blacklist */
    POLICY_DISABLED,  /* it is switched off */
    POLICY_KIND,      /* it is not asked for files of this kind */
    POLICY_WHITELIST, /* no pattern of its whitelist fits */
    POLICY_BLACKLIST,
    POLICY_GIVEN_UP, /* a pattern gave up at its match limit, which excludes */
    POLICY_FOLLOWS,  /* none of the sources that it follows may be asked */
    POLICY_WORDS
};

/* Tells why, for one source; *out_rule: the pattern that decided, or that admitted it, or NULL. As
   policy_judge judges; for explanations. */
enum policy_word policy_explain(const struct policy *policy, unsigned source,
                                const struct question *question, const char **out_rule);

struct policy_verdict {
    uint64_t allowed;    /* bit n: source n may be asked */
    bool globally;       /* the global blacklist said no */
    const char *gave_up; /* a pattern that gave up at its limit, or NULL; lives as long as the
                            policy, as the next */
    const char *rule;    /* the pattern that decided last, when nothing is allowed; else NULL */
};

/* Judges a question. Allocates nothing, takes no lock. */
void policy_judge(const struct policy *policy, const struct question *question,
                  struct policy_verdict *out_verdict);
