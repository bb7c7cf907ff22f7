// SPDX-License-Identifier: MIT
#include "server/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { SETTLE_MS = 1500 };

void api_call_free(struct api_call *call) {
    if (!call)
        return;
    spool_release(&call->spool);
    if (call->held)
        --*call->held;
    free(call->query);
    buffer_release(&call->body);
    free(call);
}

void api_refuse(struct exchange *exchange, int status, const char *reason) {
    text_copy(exchange->reason, sizeof exchange->reason, reason);
    answer_text(exchange, status, "text/plain; charset=utf-8", exchange->reason);
}

/* Back on the loop. */
static void worked(struct exchange *exchange) {
    struct api_call *call = exchange->call;
    if (call->status) {
        text_copy(exchange->reason, sizeof exchange->reason,
                  exchange->text.bytes ? exchange->text.bytes : "there is no memory for a reason");
        answer_text(exchange, call->status, "text/plain; charset=utf-8", exchange->reason);
    } else if (call->spool.open) {
        answer_spool(exchange, call->type);
    } else if (exchange->text.failed) {
        api_refuse(exchange, 500, "there is too much to be shown");
    } else {
        answer_buffer(exchange, 200, call->type);
    }
}

static void run(struct exchange *exchange) {
    exchange->call->job(exchange);
}

static struct api_call *new_call(struct exchange *exchange, const char *query, const char *bytes,
                                 void (*job)(struct exchange *exchange)) {
    struct api_call *call = NEW(struct api_call);
    call->server = exchange->connection->loop->server;
    call->query = memory_text(query);
    call->type = "application/json";
    call->job = job;
    const struct buffer *posted = exchange->posted;
    buffer_init(&call->body, posted ? posted->length : 0);
    if (posted && posted->length)
        buffer_append(&call->body, posted->bytes, posted->length);
    request_field(&exchange->request, bytes, FIELD_HOST, call->host, sizeof call->host);
    exchange->call = call;
    return call;
}

void api_work(struct exchange *exchange, const char *query, const char *bytes,
              void (*job)(struct exchange *exchange)) {
    struct api_call *call = new_call(exchange, query, bytes, job);
    exchange->state = EXCHANGE_WORKING;
    if (!exchange_work(exchange, call->server->pool, run, worked))
        api_refuse(exchange, 503, "too much to do at the moment, ask again");
}

void api_fail(struct exchange *exchange, int status, const char *reason) {
    exchange->call->status = status;
    buffer_clear(&exchange->text);
    buffer_append_text(&exchange->text, reason);
}

void api_settle(struct exchange *exchange) {
    const struct server_options *options = &exchange->call->server->options;
    recorder_settle(options->recorder);
    ledger_settle(options->ledger, SETTLE_MS);
}

struct reading *api_reading(struct exchange *exchange) {
    const char *path = ledger_path(exchange->call->server->options.ledger);
    struct error err = {0};
    if (!path)
        return NULL;
    api_settle(exchange);
    struct reading *reading =
        reading_open(path, ledger_doubt(exchange->call->server->options.ledger), &err);
    if (!reading)
        api_fail(exchange, 503, err.what);
    return reading;
}

void api_text(struct buffer *out, const char *name, const char *value) {
    buffer_format(out, "\"%s\": \"", name);
    buffer_append_json(out, value);
    buffer_append_text(out, "\"");
}
