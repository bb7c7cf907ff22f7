// SPDX-License-Identifier: MIT
//
// One rule: what it may be, and how it is written.
#include <string.h>

#include "base/json.h"
#include "base/numbers.h"
#include "base/text.h"
#include "proxy/rules.h"
#include "source/source.h"
#include "symbol/pattern.h"

enum { PRIORITY_MOST = 1000000 };

static const char *const list_names[RULE_LISTS] = {
    [RULE_EVERYWHERE] = "general.blacklist",
    [RULE_BLACKLIST] = "blacklist",
    [RULE_WHITELIST] = "whitelist",
    [RULE_RETRY] = "retryTimeout",
    [RULE_PRIORITY] = "priority",
    [RULE_ENABLED] = "enabled",
    [RULE_ORDER] = "order",
};

static const char *const origin_names[RULE_ORIGINS] = {
    [RULE_PAGE] = "page",
    [RULE_ADVISER] = "adviser",
    [RULE_COMMAND_LINE] = "command line",
};

static bool find_name(const char *name, const char *const *names, unsigned count,
                      unsigned *out_index) {
    for (unsigned i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0) {
            *out_index = i;
            return true;
        }
    return false;
}

const char *rule_list_name(enum rule_list list) {
    return list_names[list];
}

bool rule_list_parse(const char *name, enum rule_list *out_list) {
    unsigned index;
    bool found = find_name(name, list_names, RULE_LISTS, &index);
    if (found)
        *out_list = (enum rule_list)index;
    return found;
}

const char *rule_origin_name(enum rule_origin origin) {
    return origin_names[origin];
}

bool rule_origin_parse(const char *name, enum rule_origin *out_origin) {
    unsigned index;
    bool found = find_name(name, origin_names, RULE_ORIGINS, &index);
    if (found)
        *out_origin = (enum rule_origin)index;
    return found;
}

bool rule_has_server(enum rule_list list) {
    return list != RULE_EVERYWHERE && list != RULE_ORDER;
}

/* --- what may be one --- */

static bool check_pattern(const char *text, struct error *err) {
    size_t offset = 0;
    struct error why = {0};
    struct pattern *pattern = pattern_new(text, &offset, &why);
    pattern_free(pattern);
    if (pattern)
        return true;
    error_set(err, ERROR_INVALID, "bad pattern at character %zu: %s", offset + 1, why.what);
    return error_hint(err, "%s", why.hint);
}

static bool check_priority(const char *text, struct error *err) {
    uint64_t priority = 0;
    return (number_parse(text, &priority) && priority >= 1 && priority <= PRIORITY_MOST) ||
           error_set(err, ERROR_INVALID, "a priority is a number from 1 to %d", PRIORITY_MOST);
}

static bool check_time(const char *text, struct error *err) {
    int64_t ms;
    return number_parse_time(text, &ms) ||
           error_set(err, ERROR_INVALID,
                     "\"%.40s\" is no time; write seconds, or as in \"10m\" or \"1d\"", text);
}

static bool stands_before(const json_t *list, size_t before, const char *identifier) {
    for (size_t i = 0; i < before; i++)
        if (strcmp(json_string_value(json_array_get(list, i)), identifier) == 0)
            return true;
    return false;
}

static bool check_order(const char *text, struct error *err) {
    CLEANUP(json_unref) json_t *list = json_loads(text, 0, NULL);
    size_t count = json_is_array(list) ? json_array_size(list) : 0, index;
    json_t *element;
    bool good = count >= 1 && count <= SOURCES_MAX;
    json_array_foreach(list, index, element) {
        good = good && json_string_length(element) > 0;
        if (good && stands_before(list, index, json_string_value(element)))
            return error_set(err, ERROR_INVALID, "\"%.64s\" stands in the order twice",
                             json_string_value(element));
    }
    return good || error_set(err, ERROR_INVALID,
                             "an order is a JSON list of servers' identifiers: [\"a\", \"b\"]");
}

static bool check_value(const struct rule *rule, struct error *err) {
    switch (rule->list) {
    case RULE_EVERYWHERE:
    case RULE_BLACKLIST:
    case RULE_WHITELIST:
        return check_pattern(rule->value, err);
    case RULE_RETRY:
        return check_time(rule->value, err);
    case RULE_PRIORITY:
        return check_priority(rule->value, err);
    case RULE_ENABLED:
        return strcmp(rule->value, "true") == 0 || strcmp(rule->value, "false") == 0 ||
               error_set(err, ERROR_INVALID, "enabled is true or false");
    case RULE_ORDER:
        return check_order(rule->value, err);
    case RULE_LISTS:
        break;
    }
    return error_set(err, ERROR_INVALID, "there is no such list");
}

bool rule_check(const struct rule *rule, struct error *err) {
    if (rule_has_server(rule->list) && !rule->server[0])
        return error_set(err, ERROR_INVALID, "\"%s\" is a server's: say which",
                         list_names[rule->list]);
    if (!rule_has_server(rule->list) && rule->server[0])
        return error_set(err, ERROR_INVALID, "\"%s\" is no server's", list_names[rule->list]);
    return check_value(rule, err);
}

/* --- how it is written --- */

static void append_text(struct buffer *out, const char *name, const char *value) {
    buffer_format(out, ", \"%s\": \"", name);
    buffer_append_json(out, value);
    buffer_append_text(out, "\"");
}

void rule_append(struct buffer *out, const struct rule *rule) {
    buffer_format(out, "{\"id\": %llu", (unsigned long long)rule->id);
    append_text(out, "list", list_names[rule->list]);
    append_text(out, "server", rule->server);
    append_text(out, "value", rule->value);
    append_text(out, "origin", origin_names[rule->origin]);
    buffer_format(out, ", \"at_ms\": %lld", (long long)rule->at_ms);
    append_text(out, "comment", rule->comment);
    buffer_append_text(out, "}");
}

void rule_append_priority(struct buffer *out, const char *server, unsigned priority) {
    buffer_format(out, "\"priority\": %u // in the server \"", priority);
    buffer_append_json(out, server);
    buffer_append_text(out, "\"");
}

static void append_order(struct buffer *out, const char *value) {
    CLEANUP(json_unref) json_t *list = json_loads(value, 0, NULL);
    size_t index;
    json_t *element;
    json_array_foreach(list, index, element) {
        buffer_append_text(out, index ? "\n" : "");
        rule_append_priority(out, json_string_value(element), (unsigned)index + 1);
    }
}

void rule_append_line(struct buffer *out, const struct rule *rule) {
    switch (rule->list) {
    case RULE_EVERYWHERE:
    case RULE_BLACKLIST:
    case RULE_WHITELIST:
        buffer_format(out, "\"%s\": [\"", rule->list == RULE_WHITELIST ? "whitelist" : "blacklist");
        buffer_append_json(out, rule->value);
        buffer_append_text(out, "\"]");
        return;
    case RULE_RETRY:
        buffer_format(out, "\"retryTimeout\": \"%s\"", rule->value);
        return;
    case RULE_PRIORITY:
    case RULE_ENABLED:
        buffer_format(out, "\"%s\": %s", list_names[rule->list], rule->value);
        return;
    case RULE_ORDER:
        append_order(out, rule->value);
        return;
    case RULE_LISTS:
        break;
    }
}
