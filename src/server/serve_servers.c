// SPDX-License-Identifier: MIT
//
// The servers in their order: what they are, how they stand, what they have answered.
#include <string.h>

#include "base/text.h"
#include "server/api.h"

static const char *state_of(const struct source *source, const struct rest_view *rest) {
    if (!source->options.enabled)
        return "off";
    if (source->options.unaskable || rest->cause != REST_NONE)
        return "resting";
    return rest_slow(queue_rest(source->queue)) ? "slow" : "good";
}

static void append_rest(struct buffer *out, const struct source *source,
                        const struct rest_view *rest) {
    buffer_append_text(out, ", \"rest\": ");
    if (source->options.unaskable) {
        buffer_append_text(out, "{\"cause\": \"unaskable\", \"left_ms\": null}");
    } else if (rest->cause == REST_NONE) {
        buffer_append_text(out, "null");
    } else {
        buffer_append_text(out, "{");
        api_text(out, "cause", rest_cause_name(rest->cause));
        buffer_format(out, ", \"left_ms\": %lld, \"failures\": %u, \"rests\": %u}",
                      (long long)rest->left_ms, rest->failures, rest->rests);
    }
}

static void append_history(struct buffer *out, const struct source *source) {
    struct rest_past past[REST_PAST_MAX];
    unsigned count = rest_history(queue_rest(source->queue), past);
    buffer_append_text(out, ", \"rests\": [");
    for (unsigned i = 0; i < count; i++) {
        buffer_append_text(out, i ? ", {" : "{");
        api_text(out, "cause", rest_cause_name(past[i].cause));
        buffer_format(out, ", \"at_ms\": %lld, \"for_ms\": ", (long long)past[i].at_s * 1000);
        if (past[i].for_ms < 0)
            buffer_append_text(out, "null}");
        else
            buffer_format(out, "%lld}", (long long)past[i].for_ms);
    }
    buffer_append_text(out, "]");
}

static void append_words(struct buffer *out, const char *name, const char *const *words,
                         const bool *chosen, unsigned count) {
    bool any = false;
    buffer_format(out, ", \"%s\": [", name);
    for (unsigned i = 0; i < count; i++)
        if (chosen[i]) {
            buffer_format(out, "%s\"%s\"", any ? ", " : "", words[i]);
            any = true;
        }
    buffer_append_text(out, "]");
}

static void append_forms(struct buffer *out, const struct source *source) {
    static const char *const words[] = {"plain", "compressed", "pointer"};
    unsigned forms = source_forms(source);
    const bool chosen[] = {forms & FORM_PLAIN, forms & FORM_COMPRESSED, forms & FORM_POINTER};
    append_words(out, "forms", words, chosen, FORMS_MAX);
}

static void append_kinds(struct buffer *out, const struct source *source) {
    const char *words[KIND_COUNT];
    bool chosen[KIND_COUNT];
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        words[i] = symbol_kind_name((enum symbol_kind)i);
        chosen[i] = source->options.kinds & (1U << i);
    }
    append_words(out, "kinds", words, chosen, KIND_COUNT);
}

static void append_rules(struct buffer *out, const struct policy *policy, unsigned index,
                         bool white) {
    buffer_append_text(out, white ? ", \"whitelist\": " : ", \"blacklist\": ");
    if (white && !policy_has_whitelist(policy, index)) {
        buffer_append_text(out, "null");
        return;
    }
    buffer_append_text(out, "[");
    const char *rule;
    for (unsigned i = 0; (rule = policy_rule(policy, index, white, i)); i++) {
        buffer_append_text(out, i ? ", \"" : "\"");
        buffer_append_json(out, rule);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "]");
}

struct made {
    struct buffer *out;
    const char *server;
    unsigned count;
};

static bool show_made(const struct rule *rule, void *context) {
    struct made *made = context;
    if (strcmp(rule->server, made->server) != 0)
        return true;
    buffer_append_text(made->out, made->count++ ? ", " : "");
    rule_append(made->out, rule);
    return true;
}

/* Which of its settings were made while symgate runs, by whom and why. */
static void append_made(struct buffer *out, struct rules *rules, const struct source *source) {
    struct made made = {out, source->options.identifier, 0};
    buffer_append_text(out, ", \"rules\": [");
    if (rules)
        rules_each(rules, show_made, &made);
    buffer_append_text(out, "]");
}

static double quantile_ms(const struct histogram *times, double share) {
    return (double)histogram_quantile(times, SCALE_TIME, share) / 1000;
}

/* What it has answered: over restarts, and without statistics since the start. */
static void append_answers(struct buffer *out, const struct source *source,
                           const struct source_row *row) {
    const struct queue_counters *queue = queue_counters(source->queue);
    buffer_format(out,
                  ", \"asked\": %llu, \"found\": %llu, \"absent\": %llu, \"failed\": %llu, "
                  "\"bytes\": %llu, \"waiting\": %llu, \"running\": %llu, \"p50_ms\": %.3f, "
                  "\"p95_ms\": %.3f, \"p99_ms\": %.3f, \"last_failure\": ",
                  (unsigned long long)(row->found + row->absent + row->failed),
                  (unsigned long long)row->found, (unsigned long long)row->absent,
                  (unsigned long long)row->failed, (unsigned long long)row->bytes,
                  (unsigned long long)counted(&queue->waiting),
                  (unsigned long long)counted(&queue->running), quantile_ms(&row->times, 0.5),
                  quantile_ms(&row->times, 0.95), quantile_ms(&row->times, 0.99));
    if (row->failed_ms == 0) {
        buffer_append_text(out, "null");
        return;
    }
    buffer_format(out, "{\"at_ms\": %lld, ", (long long)row->failed_ms);
    api_text(out, "what", row->failure);
    buffer_append_text(out, "}");
}

static void append_settings(struct buffer *out, const struct roster *roster, unsigned index) {
    const struct source *source = roster->sources[index];
    const struct source_options *options = &source->options;
    buffer_append_text(out, ", ");
    api_text(out, "layout", layout_name(options->layout));
    append_forms(out, source);
    append_kinds(out, source);
    buffer_format(out, ", \"retry_s\": %lld, \"max_requests\": %u, \"priority\": %d, ",
                  (long long)(options->retry_ms / 1000), options->requests_max, options->priority);
    const char *cache = roster->in_place[index] ? "in place" : "global";
    api_text(out, "cache", roster->own_shelves >> index & 1 ? "own" : cache);
    append_rules(out, roster->policy, index, true);
    append_rules(out, roster->policy, index, false);
}

static void append_server(struct buffer *out, const struct roster *roster, unsigned index,
                          const struct source_row *row, struct rules *rules) {
    const struct source *source = roster->sources[index];
    struct rest_view rest = rest_view(queue_rest(source->queue));
    char remote[512];
    text_mask_url(remote, sizeof remote, source->options.remote);
    buffer_append_text(out, index ? ",\n{" : "\n{");
    api_text(out, "identifier", source->options.identifier);
    buffer_append_text(out, ", ");
    api_text(out, "name", source->options.name);
    buffer_append_text(out, ", ");
    api_text(out, "remote", remote);
    buffer_format(out, ", \"position\": %u, \"enabled\": %s, ", index + 1,
                  source->options.enabled ? "true" : "false");
    api_text(out, "state", state_of(source, &rest));
    append_rest(out, source, &rest);
    append_history(out, source);
    append_answers(out, source, row);
    append_settings(out, roster, index);
    append_made(out, rules, source);
    buffer_append_text(out, "}");
}

static void counters_as_row(const struct source_counters *counters, struct source_row *row) {
    row->found = counted(&counters->found);
    row->absent = counted(&counters->absent);
    row->failed = counted(&counters->failed);
    row->bytes = counted(&counters->bytes);
    for (unsigned i = 0; i < HISTOGRAM_STEPS; i++)
        row->times.counts[i] = counted(&counters->times[i]);
}

static void servers(struct exchange *exchange) {
    const struct roster *roster = exchange->settings->roster;
    struct error err = {0};
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    buffer_append_text(&exchange->text, "[");
    for (unsigned i = 0; i < roster->count; i++) {
        struct source_row row = {0};
        const struct source *source = roster->sources[i];
        if (!reading) {
            counters_as_row(source->counters, &row);
        } else if (!reading_source(reading, source->options.identifier, &row, &err)) {
            api_fail(exchange, 503, err.what);
            return;
        }
        append_server(&exchange->text, roster, i, &row, exchange->call->server->options.rules);
    }
    buffer_append_text(&exchange->text, "\n]\n");
}

void serve_servers(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, servers);
}
