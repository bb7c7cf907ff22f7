// SPDX-License-Identifier: MIT
//
// What the adviser suggests, and the rule that does it.
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "proxy/adviser.h"
#include "server/api.h"

enum { DAY_MS = 86400000, SPAN_MS_MIN = 3600000 };

struct shown {
    struct buffer *out;
    double days; /* that were recorded */
};

static bool show(const struct advice *advice, void *context) {
    struct shown *shown = context;
    struct buffer *out = shown->out;
    buffer_append_text(out, out->length > 1 ? ",\n{" : "\n{");
    api_text(out, "id", advice->id);
    buffer_append_text(out, ", ");
    api_text(out, "kind", "never has");
    buffer_append_text(out, ", ");
    api_text(out, "sentence", advice->rule.comment);
    buffer_append_text(out, ", \"rule\": {");
    api_text(out, "list", rule_list_name(advice->rule.list));
    buffer_append_text(out, ", ");
    api_text(out, "server", advice->rule.server);
    buffer_append_text(out, ", ");
    api_text(out, "value", advice->rule.value);
    buffer_append_text(out, "}, \"line\": \"");
    CLEANUP(buffer_release) struct buffer line;
    buffer_init(&line, 2 * RULE_VALUE_BYTES);
    rule_append_line(&line, &advice->rule);
    buffer_append_json(out, line.bytes ? line.bytes : "");
    double seconds = (double)advice->time_us / 1e6;
    buffer_format(out,
                  "\", \"names\": %llu, \"questions\": %llu, \"seconds\": %.3f, \"lost\": %llu, "
                  "\"questions_per_day\": %.1f, \"seconds_per_day\": %.3f}",
                  (unsigned long long)advice->names, (unsigned long long)advice->questions, seconds,
                  (unsigned long long)advice->lost, (double)advice->questions / shown->days,
                  seconds / shown->days);
    return !out->failed;
}

/* Less than an hour says nothing about a day. */
static double days_recorded(const struct ledger *ledger) {
    int64_t now_ms = clock_wall_ns() / 1000000;
    int64_t span_ms = now_ms - (int64_t)ledger_total(ledger, TOTAL_SINCE_MS);
    return (double)(span_ms > SPAN_MS_MIN ? span_ms : SPAN_MS_MIN) / DAY_MS;
}

static void list(struct exchange *exchange) {
    struct error err = {0};
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    struct shown shown = {&exchange->text, days_recorded(exchange->call->server->options.ledger)};
    buffer_append_text(shown.out, "[");
    if (reading && !adviser_ask(reading, exchange->settings->roster, show, &shown, &err))
        api_fail(exchange, 503, err.what);
    else
        buffer_append_text(shown.out, "\n]\n");
}

void serve_advice(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, list);
}

struct wanted {
    char id[ADVICE_ID_BYTES];
    struct rule rule;
    bool found;
};

static bool look(const struct advice *advice, void *context) {
    struct wanted *wanted = context;
    wanted->found = strcmp(advice->id, wanted->id) == 0;
    if (wanted->found)
        wanted->rule = advice->rule;
    return !wanted->found;
}

static void apply(struct exchange *exchange) {
    struct error err = {0};
    struct wanted wanted = {0};
    if (!query_value(exchange->call->query, "id", wanted.id, sizeof wanted.id)) {
        api_fail(exchange, 400, "say which advice: ?id=ID");
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    if (reading && !adviser_ask(reading, exchange->settings->roster, look, &wanted, &err))
        api_fail(exchange, 503, err.what);
    else if (wanted.found)
        rule_add(exchange, &wanted.rule);
    else
        api_fail(exchange, 404, "that is not advised, or not any more");
}

void serve_advice_apply(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, apply);
}
