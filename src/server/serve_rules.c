// SPDX-License-Identifier: MIT
//
// Rules: shown, added, taken back, and written as lines for the configuration.
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "proxy/rules.h"
#include "server/api.h"

/* --- what a query says --- */

static bool read_list(const char *query, enum rule_list *out_list, struct error *err) {
    char name[32];
    if (!query_text(query, "list", name, sizeof name, err))
        return false;
    return rule_list_parse(name, out_list) ||
           error_set(err, ERROR_INVALID,
                     "say which list: general.blacklist, or a server's blacklist, whitelist, "
                     "retryTimeout, priority or enabled, or order");
}

static bool read_origin(const char *query, enum rule_origin *out_origin, struct error *err) {
    char name[32];
    *out_origin = RULE_PAGE;
    if (!query_has(query, "origin"))
        return true;
    return (query_text(query, "origin", name, sizeof name, err) &&
            rule_origin_parse(name, out_origin)) ||
           error_set(err, ERROR_INVALID, "\"origin\" must be one of page, adviser, command line");
}

/* An empty pattern would fit every name. */
static bool read_value(const char *query, struct rule *out_rule, struct error *err) {
    return query_text(query, "value", out_rule->value, sizeof out_rule->value, err) &&
           (out_rule->value[0] || error_set(err, ERROR_INVALID, "a value is missing: value=VALUE"));
}

bool rule_read(const char *query, struct rule *out_rule, struct error *err) {
    if (!query_has(query, "value") && !query_has(query, "list"))
        return error_set(err, ERROR_INVALID, "say which: ?list=LIST&server=SERVER&value=VALUE");
    return read_list(query, &out_rule->list, err) && read_origin(query, &out_rule->origin, err) &&
           query_text(query, "server", out_rule->server, sizeof out_rule->server, err) &&
           read_value(query, out_rule, err) &&
           query_text(query, "comment", out_rule->comment, sizeof out_rule->comment, err) &&
           rule_check(out_rule, err);
}

static bool is_server(const struct roster *roster, const char *identifier, struct error *err) {
    return roster_find(roster, identifier) >= 0 ||
           error_set(err, ERROR_INVALID, "there is no server \"%.64s\"", identifier);
}

static bool has_its_order(const struct rule *rule, const struct roster *roster, struct error *err) {
    CLEANUP(json_unref) json_t *list = json_loads(rule->value, 0, NULL);
    size_t index;
    json_t *element;
    json_array_foreach(list, index, element) {
        if (!is_server(roster, json_string_value(element), err))
            return false;
    }
    return true;
}

bool rule_has_its_servers(const struct rule *rule, const struct roster *roster, struct error *err) {
    if (rule->list == RULE_ORDER)
        return has_its_order(rule, roster, err);
    return !rule_has_server(rule->list) || is_server(roster, rule->server, err);
}

/* --- changes --- */

static void fail(struct exchange *exchange, int status, const struct error *err) {
    char text[sizeof err->what + sizeof err->hint + 4];
    text_format(text, sizeof text, "%s%s%s", err->what, err->hint[0] ? ". " : "", err->hint);
    api_fail(exchange, status, text);
}

/* What cannot be put in force does not stay. */
static bool put_in_force(const struct server_options *options, const struct rule *rule,
                         struct error *err) {
    struct error ignored;
    bool found;
    if (options->rules_changed(options->gateway, err))
        return true;
    if (!rules_undo(options->rules, rule->id, &found, &ignored))
        error_hint(err, "The rule stays in rules.json.");
    return false;
}

void rule_add(struct exchange *exchange, struct rule *rule) {
    const struct server_options *options = &exchange->call->server->options;
    struct error err = {0};
    if (!options->rules)
        api_fail(exchange, 503, "there are no rules here");
    else if (!rule_has_its_servers(rule, exchange->settings->roster, &err))
        fail(exchange, 400, &err);
    else if (!rules_add(options->rules, rule, &err))
        fail(exchange, err.kind == ERROR_INVALID ? 400 : 503, &err);
    else if (!put_in_force(options, rule, &err))
        fail(exchange, 503, &err);
    else {
        rule_append(&exchange->text, rule);
        buffer_append_text(&exchange->text, "\n");
    }
}

static void add(struct exchange *exchange) {
    struct rule rule = {0};
    struct error err = {0};
    if (rule_read(exchange->call->query, &rule, &err))
        rule_add(exchange, &rule);
    else
        fail(exchange, 400, &err);
}

static void undo(struct exchange *exchange) {
    const struct server_options *options = &exchange->call->server->options;
    struct error err = {0};
    uint64_t id = 0;
    bool found = false;
    if (!query_number(exchange->call->query, "id", 0, INT64_MAX, &id, &err))
        fail(exchange, 400, &err);
    else if (options->rules && !rules_undo(options->rules, id, &found, &err))
        fail(exchange, 503, &err);
    else if (!found)
        api_fail(exchange, 404, "there is no rule with this number: ?id=NUMBER");
    else if (!options->rules_changed(options->gateway, &err))
        fail(exchange, 503, &err);
    else
        buffer_format(&exchange->text, "{\"undone\": %llu}\n", (unsigned long long)id);
}

void serve_rule_add(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, add);
}

void serve_rule_undo(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, undo);
}

/* --- what is shown --- */

static bool show(const struct rule *rule, void *context) {
    struct buffer *out = context;
    buffer_append_text(out, out->length > 1 ? ",\n" : "\n");
    rule_append(out, rule);
    return !out->failed;
}

static void list(struct exchange *exchange) {
    buffer_append_text(&exchange->text, "[");
    if (exchange->call->server->options.rules)
        rules_each(exchange->call->server->options.rules, show, &exchange->text);
    buffer_append_text(&exchange->text, "\n]\n");
}

void serve_rules(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, list);
}

/* Where an order is in force each server has the place that it has by now. */
static void append_places(struct buffer *out, const struct roster *roster) {
    for (unsigned i = 0; i < roster->count; i++) {
        const struct source_options *options = &roster->sources[i]->options;
        buffer_append_text(out, i ? "\n" : "");
        rule_append_priority(out, options->identifier, (unsigned)options->priority);
    }
}

static bool show_line(const struct rule *rule, void *context) {
    struct exchange *exchange = context;
    struct buffer *out = &exchange->text;
    buffer_format(out, "// rule %llu, %s", (unsigned long long)rule->id,
                  rule_origin_name(rule->origin));
    if (rule->comment[0])
        buffer_append_text(out, ": ");
    buffer_append_json(out, rule->comment);
    if (rule_has_server(rule->list)) {
        buffer_append_text(out, "; in the server \"");
        buffer_append_json(out, rule->server);
        buffer_append_text(out, "\"");
    } else {
        buffer_append_text(out, rule->list == RULE_ORDER ? "; in each server, as they stand now"
                                                         : "; in general");
    }
    buffer_append_text(out, "\n");
    if (rule->list == RULE_ORDER)
        append_places(out, exchange->settings->roster);
    else
        rule_append_line(out, rule);
    buffer_append_text(out, "\n");
    return !out->failed;
}

static void export(struct exchange *exchange) {
    exchange->call->type = "text/plain; charset=utf-8";
    if (exchange->call->server->options.rules)
        rules_each(exchange->call->server->options.rules, show_line, exchange);
}

void serve_rules_export(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, export);
}
