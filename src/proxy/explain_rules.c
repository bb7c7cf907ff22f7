// SPDX-License-Identifier: MIT
#include "proxy/explain_rules.h"

#include <string.h>

#include "base/text.h"

enum { CURE_BYTES = 400 };

struct wanted {
    enum told told;
    const char *pattern; /* that decided, or NULL */
    const char *server;  /* "": all */
    struct rule *out;
    unsigned count;
};

static bool decides(const struct rule *rule, const struct wanted *wanted) {
    bool here = strcmp(rule->server, wanted->server) == 0;
    bool same = wanted->pattern && strcmp(rule->value, wanted->pattern) == 0;
    switch (rule->list) {
    case RULE_EVERYWHERE:
        return same && (wanted->told == TOLD_GLOBAL || wanted->told == TOLD_GIVEN_UP);
    case RULE_BLACKLIST:
        return here && same && (wanted->told == TOLD_BLACKLIST || wanted->told == TOLD_GIVEN_UP);
    case RULE_WHITELIST:
        return here && (wanted->told == TOLD_WHITELIST || (same && wanted->told == TOLD_GIVEN_UP));
    case RULE_ENABLED:
        return here && wanted->told == TOLD_DISABLED && strcmp(rule->value, "false") == 0;
    case RULE_RETRY:
    case RULE_PRIORITY:
    case RULE_ORDER:
    case RULE_LISTS:
        break;
    }
    return false;
}

/* The last one: it counts where earlier ones say something else. */
static bool look(const struct rule *rule, void *context) {
    struct wanted *wanted = context;
    if (decides(rule, wanted)) {
        *wanted->out = *rule;
        wanted->count++;
    }
    return true;
}

static unsigned find(struct rules *rules, const struct explanation *now,
                     const struct explained_server *server, struct rule *out_rule) {
    struct wanted wanted = {.told = now->told, .pattern = now->rule, .server = "", .out = out_rule};
    if (server) {
        wanted.told = server->told;
        wanted.pattern = server->rule;
        wanted.server = server->source->options.identifier;
    }
    if (rules && (server || now->globally))
        rules_each(rules, look, &wanted);
    return wanted.count;
}

bool explain_rule(struct rules *rules, const struct explanation *now,
                  const struct explained_server *server, struct rule *out_rule) {
    return find(rules, now, server, out_rule) > 0;
}

/* --- cures --- */

static const char *rule_at(const struct policy *policy, const struct rule *rule, unsigned source,
                           unsigned index) {
    return rule->list == RULE_EVERYWHERE
               ? policy_global_rule(policy, index)
               : policy_rule(policy, source, rule->list == RULE_WHITELIST, index);
}

/* Does its pattern stand in the list more often than rules have put it there? */
static bool stands_besides(const struct policy *policy, const struct rule *rule, unsigned source,
                           unsigned by_rules) {
    unsigned count = 0;
    const char *pattern;
    for (unsigned i = 0; (pattern = rule_at(policy, rule, source, i)); i++)
        count += strcmp(pattern, rule->value) == 0;
    return count > by_rules;
}

static void cure_pattern(const struct policy *policy, const struct rule *rule, unsigned source,
                         unsigned by_rules, char out[CURE_BYTES]) {
    unsigned long long id = rule->id;
    text_format(out, CURE_BYTES,
                "It is rule %llu, made while symgate runs. If this name is wanted: symgate rules "
                "undo %llu%s",
                id, id,
                stands_besides(policy, rule, source, by_rules)
                    ? " (and take the same pattern out of the configuration)"
                    : "");
}

static void cure_list(const struct rule *rule, char out[CURE_BYTES]) {
    unsigned long long id = rule->id;
    char server[3 * RULE_SERVER_BYTES];
    if (!text_quote_shell(server, sizeof server, rule->server))
        text_copy(server, sizeof server, "SERVER");
    if (rule->list == RULE_ENABLED)
        text_format(out, CURE_BYTES,
                    "That is rule %llu, made while symgate runs. If it is to be asked: symgate "
                    "rules undo %llu (where the configuration says so, too: symgate rules add "
                    "enabled true --server %s)",
                    id, id, server);
    else
        text_format(out, CURE_BYTES,
                    "Rule %llu, made while symgate runs, is a part of that whitelist. If this name "
                    "is wanted: symgate rules add whitelist PATTERN --server %s",
                    id, server);
}

static void cure(struct rules *rules, const struct policy *policy, const struct explanation *now,
                 const struct explained_server *server, unsigned index,
                 struct telling *out_telling) {
    struct rule rule;
    char text[CURE_BYTES];
    unsigned count = find(rules, now, server, &rule);
    enum told told = server ? server->told : now->told;
    if (count == 0)
        return;
    if (told == TOLD_DISABLED || told == TOLD_WHITELIST)
        cure_list(&rule, text);
    else
        cure_pattern(policy, &rule, index, count, text);
    text_copy(out_telling->cure, sizeof out_telling->cure, text);
}

void explain_rule_cures(struct rules *rules, const struct policy *policy, struct explanation *now) {
    if (now->globally)
        cure(rules, policy, now, NULL, 0, &now->telling);
    for (unsigned i = 0; i < now->server_count; i++)
        cure(rules, policy, now, &now->servers[i], i, &now->servers[i].telling);
}
