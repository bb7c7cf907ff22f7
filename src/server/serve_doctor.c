// SPDX-License-Identifier: MIT
//
// Is it in order? One server, asked now; or a configuration that has been edited.
#include "proxy/checkup.h"
#include "server/api.h"

enum { TEST_MS = 10 * 1000 };

static void append_told(struct buffer *out, const struct checkup *checkup,
                        const struct checkup_told *told) {
    buffer_format(out, "{\"ok\": %s, \"ms\": %lld, ",
                  told->weight == CHECKUP_PROBLEM ? "false" : "true", (long long)checkup->took_ms);
    api_text(out, "name", told->name);
    buffer_append_text(out, ", ");
    api_text(out, "what", told->sentence);
    buffer_append_text(out, ", ");
    api_text(out, "cure", told->cure);
    buffer_append_text(out, "}\n");
}

static void test(struct exchange *exchange) {
    struct error err = {0};
    char identifier[128];
    if (!query_text(exchange->call->query, "server", identifier, sizeof identifier, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    struct roster *roster = exchange->settings->roster;
    int index = roster_find(roster, identifier);
    if (index < 0) {
        api_fail(exchange, 404, "there is no such server: ?server=IDENTIFIER");
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    struct question known;
    const struct source *source = roster->sources[index];
    bool has_known = checkup_find_known(reading, source, &known) &&
                     checkup_may_ask(roster, (unsigned)index, &known);
    struct checkup checkup;
    struct checkup_told told;
    checkup_within(roster, (unsigned)index, has_known ? &known : NULL, TEST_MS, &checkup);
    checkup_tell(source, &checkup, &told);
    append_told(&exchange->text, &checkup, &told);
}

void serve_test(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, test);
}

static void check(struct exchange *exchange) {
    const struct api_call *call = exchange->call;
    const struct server_options *options = &call->server->options;
    if (!options->judge)
        api_fail(exchange, 503, "configurations cannot be checked here");
    else if (call->body.length == 0)
        api_fail(exchange, 400, "send the configuration as the body of the request");
    else
        options->judge(options->gateway, call->body.bytes, call->body.length, &exchange->text);
}

void serve_check(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, check);
}
