// SPDX-License-Identifier: MIT
#include "app/rules_apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/numbers.h"

static struct config_server *find_server(struct config *config, const char *identifier) {
    for (unsigned i = 0; i < config->server_count; i++)
        if (strcmp(config->servers[i].identifier, identifier) == 0)
            return &config->servers[i];
    return NULL;
}

static void add_pattern(struct config_pattern_list *list, const char *text) {
    size_t offset;
    struct error err;
    struct pattern *pattern = pattern_new(text, &offset, &err);
    if (!pattern) { /* was checked when it came */
        log_failure(LOG_ERROR, "a rule does not count", &err);
        return;
    }
    struct pattern **more = NEW_ARRAY(struct pattern *, list->count + 1);
    if (list->count)
        memcpy(more, list->patterns, list->count * sizeof *more);
    more[list->count++] = pattern;
    free(list->patterns);
    list->patterns = more;
    list->given = true;
}

static unsigned place_in(const json_t *order, const char *identifier) {
    size_t index;
    const json_t *element;
    json_array_foreach(order, index, element) {
        if (strcmp(json_string_value(element), identifier) == 0)
            return (unsigned)index;
    }
    return (unsigned)json_array_size(order);
}

/* Those that are listed first, in that order; behind them the others, as they stood to each
   other. */
static void put_in_order(struct config *config, const char *value) {
    CLEANUP(json_unref) json_t *order = json_loads(value, 0, NULL);
    uint64_t listed = json_array_size(order);
    for (unsigned i = 0; order && i < config->server_count; i++) {
        struct config_server *server = &config->servers[i];
        unsigned place = place_in(order, server->identifier);
        server->priority = place < listed ? place + 1 : listed + server->priority;
    }
}

static void apply_to_server(struct config_server *server, const struct rule *rule) {
    uint64_t number = 0;
    switch (rule->list) {
    case RULE_BLACKLIST:
        add_pattern(&server->blacklist, rule->value);
        return;
    case RULE_WHITELIST:
        add_pattern(&server->whitelist, rule->value);
        return;
    case RULE_RETRY:
        if (!number_parse_time(rule->value, &server->retry_ms))
            log_error("rule %llu does not count: no time", (unsigned long long)rule->id);
        return;
    case RULE_PRIORITY:
        if (number_parse(rule->value, &number))
            server->priority = number;
        return;
    case RULE_ENABLED:
        server->enabled = strcmp(rule->value, "true") == 0;
        return;
    case RULE_EVERYWHERE:
    case RULE_ORDER:
    case RULE_LISTS:
        return;
    }
}

static bool apply(const struct rule *rule, void *context) {
    struct config *config = context;
    struct config_server *server = find_server(config, rule->server);
    if (rule->list == RULE_EVERYWHERE)
        add_pattern(&config->general.blacklist, rule->value);
    else if (rule->list == RULE_ORDER)
        put_in_order(config, rule->value);
    else if (server)
        apply_to_server(server, rule);
    else
        log_warning("rule %llu has no effect: there is no server \"%s\"",
                    (unsigned long long)rule->id, rule->server);
    return true;
}

void rules_apply(struct rules *rules, struct config *config) {
    rules_each(rules, apply, config);
}
