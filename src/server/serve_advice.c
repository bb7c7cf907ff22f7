// SPDX-License-Identifier: MIT
//
// What the adviser suggests, and the rule that does it.
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/text.h"
#include "proxy/adviser.h"
#include "server/api.h"

enum { DAY_MS = 86400000, SPAN_MS_MIN = 3600000, KEPT_TIMES = 20, KEPT_BYTES_MAX = 1 << 20 };

/* What can be applied, and the line of the configuration that does the same; null: nothing. */
static void append_rule(struct buffer *out, const struct rule *rule) {
    if (!rule->value[0]) {
        buffer_append_text(out, ", \"rule\": null, \"line\": null");
        return;
    }
    buffer_append_text(out, ", \"rule\": {");
    api_text(out, "list", rule_list_name(rule->list));
    buffer_append_text(out, ", ");
    api_text(out, "server", rule->server);
    buffer_append_text(out, ", ");
    api_text(out, "value", rule->value);
    buffer_append_text(out, "}, \"line\": \"");
    CLEANUP(buffer_release) struct buffer line;
    buffer_init(&line, 2 * RULE_VALUE_BYTES);
    rule_append_line(&line, rule);
    buffer_append_json(out, line.bytes ? line.bytes : "");
    buffer_append_text(out, "\"");
}

/* Less than an hour says nothing about a day. */
static double days_since(int64_t since_ms) {
    int64_t span_ms = clock_wall_ns() / 1000000 - since_ms;
    return (double)(span_ms > SPAN_MS_MIN ? span_ms : SPAN_MS_MIN) / DAY_MS;
}

/* An alarm spares nothing; and what a server has that is down nobody knows. */
static void append_figures(struct buffer *out, const struct advice *advice) {
    double seconds = (double)advice->time_us / 1e6, days = days_since(advice->since_ms);
    buffer_format(out,
                  ", \"since_ms\": %lld, \"names\": %llu, \"questions\": %llu, "
                  "\"seconds\": %.3f",
                  (long long)advice->since_ms, (unsigned long long)advice->names,
                  (unsigned long long)advice->questions, seconds);
    if (advice->kind == ADVICE_WATCH)
        return;
    buffer_format(out, ", \"questions_per_day\": %.1f, \"seconds_per_day\": %.3f",
                  (double)advice->questions / days, seconds / days);
    if (advice->kind != ADVICE_DOWN)
        buffer_format(out, ", \"lost\": %llu", (unsigned long long)advice->lost);
}

static bool show(const struct advice *advice, void *context) {
    struct buffer *out = context;
    buffer_append_text(out, out->length > 1 ? ",\n{" : "\n{");
    api_text(out, "id", advice->id);
    buffer_append_text(out, ", ");
    api_text(out, "kind", advice_kind_name(advice->kind));
    buffer_append_text(out, ", ");
    api_text(out, "sentence", advice->rule.comment);
    append_rule(out, &advice->rule);
    append_figures(out, advice);
    buffer_append_text(out, "}");
    return !out->failed;
}

void advice_init(struct kept_advice *advice) {
    pthread_mutex_init(&advice->lock, NULL);
    buffer_init(&advice->list, KEPT_BYTES_MAX);
}

void advice_release(struct kept_advice *advice) {
    buffer_release(&advice->list);
    pthread_mutex_destroy(&advice->lock);
}

/* Whoever may see the page may ask, as often as he likes: a list is kept for so many times as long
   as it took that it costs no more than a twentieth of a thread, and one is made at a time:
   meanwhile the older one is told. True: the answer is there. */
static bool take_kept(struct exchange *exchange) {
    struct kept_advice *kept = &exchange->call->server->advice;
    SCOPED_LOCK(&kept->lock);
    bool there = kept->roster == exchange->settings->roster->serial;
    if (there && (kept->being_made || clock_ms() < kept->until_ms))
        return buffer_append(&exchange->text, kept->list.bytes, kept->list.length);
    if (kept->being_made) {
        api_fail(exchange, 503, "advice is being worked out: ask again in a few seconds");
        return true;
    }
    kept->being_made = true;
    return false;
}

/* NULL: it could not be made. */
static void keep(struct exchange *exchange, int64_t began_ms, const struct buffer *list) {
    struct kept_advice *kept = &exchange->call->server->advice;
    int64_t now_ms = clock_ms();
    SCOPED_LOCK(&kept->lock);
    kept->being_made = false;
    if (!list)
        return;
    buffer_clear(&kept->list);
    bool fits = buffer_append(&kept->list, list->bytes, list->length);
    kept->roster = fits ? exchange->settings->roster->serial : 0;
    kept->until_ms = now_ms + KEPT_TIMES * (now_ms - began_ms);
}

/* What was asked lately may speak against what is suggested. */
static bool is_current(struct exchange *exchange) {
    struct error why = {0};
    if (!ledger_trouble(exchange->call->server->options.ledger, &why))
        return true;
    char text[sizeof why.what + 80];
    text_format(text, sizeof text, "statistics cannot be written, so there is no advice: %s",
                why.what);
    api_fail(exchange, 503, text);
    return false;
}

static struct advice_view view_of(const struct exchange *exchange, struct reading *reading) {
    const struct server_options *options = &exchange->call->server->options;
    return (struct advice_view){.reading = reading,
                                .roster = exchange->settings->roster,
                                .cache = options->cache,
                                .rules = options->rules,
                                .watched = &exchange->settings->watched};
}

/* False: the answer is another. */
static bool make_list(struct exchange *exchange) {
    struct error err = {0};
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status || !is_current(exchange))
        return false;
    buffer_append_text(&exchange->text, "[");
    const struct advice_view view = view_of(exchange, reading);
    if (reading && !adviser_ask(&view, show, &exchange->text, &err)) {
        api_fail(exchange, 503, err.what);
        return false;
    }
    return buffer_append_text(&exchange->text, "\n]\n");
}

static void list(struct exchange *exchange) {
    if (take_kept(exchange))
        return;
    int64_t began_ms = clock_ms();
    bool made = make_list(exchange);
    keep(exchange, began_ms, made ? &exchange->text : NULL);
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
    wanted->found = strcmp(advice->id, wanted->id) == 0 && advice->rule.value[0];
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
    if (exchange->call->status || !is_current(exchange))
        return;
    const struct advice_view view = view_of(exchange, reading);
    if (reading && !adviser_ask(&view, look, &wanted, &err))
        api_fail(exchange, 503, err.what);
    else if (wanted.found)
        rule_add(exchange, &wanted.rule);
    else
        api_fail(exchange, 404, "that is not advised, or not any more");
}

void serve_advice_apply(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, apply);
}

/* --- what a rule would have done ---------------------------------------------------------------
 */

static void preview(struct exchange *exchange) {
    struct error err = {0};
    struct rule rule = {0};
    struct advice_preview seen = {0};
    if (!rule_read(exchange->call->query, &rule, &err) ||
        !rule_has_its_servers(&rule, exchange->settings->roster, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    if (!reading) {
        api_fail(exchange, 400, "statistics are switched off: there is nothing to try it on");
        return;
    }
    if (!adviser_preview(reading, exchange->settings->roster, &rule, &seen, &err)) {
        api_fail(exchange, err.kind == ERROR_INVALID ? 400 : 503, err.what);
        return;
    }
    buffer_format(
        &exchange->text,
        "{\"names\": %llu, \"questions\": %llu, \"seconds\": %.3f, \"lost\": %llu, "
        "\"unknown\": %llu, \"days\": %.3f, \"day\": {\"requests\": %llu, \"files\": %llu}}\n",
        (unsigned long long)seen.names, (unsigned long long)seen.questions,
        (double)seen.time_us / 1e6, (unsigned long long)seen.lost, (unsigned long long)seen.unknown,
        (double)seen.span_ms / DAY_MS, (unsigned long long)seen.day_requests,
        (unsigned long long)seen.day_files);
}

void serve_rule_preview(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, preview);
}
