// SPDX-License-Identifier: MIT
//
// The API below /api/v1/.
//
//   GET  copies                      what is under way: a JSON list
//   GET  provenance?name=…&id=…      where kept files of a symbol came from: a JSON list
//   POST forget?name=…&id=…          forgets absences and files of a symbol: {"absences": n,
//   "files": n}
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proxy/provenance.h"
#include "server/exchange.h"
#include "server/internal.h"

enum { COPIES_SHOWN_MAX = 10000 };

static const char json[] = "application/json";

static void refuse(struct exchange *exchange, int status, const char *reason) {
    text_copy(exchange->reason, sizeof exchange->reason, reason);
    answer_text(exchange, status, "text/plain; charset=utf-8", reason);
}

static const char *phase_name(enum copy_phase phase) {
    switch (phase) {
    case COPY_SEARCHING:
        return "searching";
    case COPY_ARRIVING:
        return "arriving";
    case COPY_WHOLE:
        return "whole";
    case COPY_COMPLETE:
        return "complete";
    case COPY_ABSENT:
        return "absent";
    case COPY_FAILED:
        break;
    }
    return "failed";
}

static void append_text(struct buffer *out, const char *name, const char *value) {
    buffer_format(out, "\"%s\": \"", name);
    buffer_append_json(out, value);
    buffer_append_text(out, "\"");
}

static void show_copy(const struct cache_listing *listing, void *context) {
    struct buffer *out = context;
    char key[NAME_BYTES_MAX + ID_BYTES_MAX + 4];
    text_format(key, sizeof key, "%s/%s", listing->key.name, listing->key.id);
    buffer_append_text(out, out->length > 1 ? ",\n {" : "\n {");
    append_text(out, "key", key);
    buffer_append_text(out, ", ");
    append_text(out, "phase", phase_name(listing->state.phase));
    buffer_append_text(out, ", ");
    append_text(out, "source", listing->source);
    buffer_format(out, ", \"age_ms\": %lld, \"readers\": %u, \"written\": %llu, \"size\": ",
                  (long long)listing->age_ms, listing->readers,
                  (unsigned long long)listing->state.written);
    if (listing->state.size == SIZE_UNKNOWN)
        buffer_append_text(out, "null}");
    else
        buffer_format(out, "%llu}", (unsigned long long)listing->state.size);
}

static void serve_copies(struct exchange *exchange) {
    buffer_append_text(&exchange->text, "[");
    cache_list(exchange->connection->loop->server->options.cache, COPIES_SHOWN_MAX, show_copy,
               &exchange->text);
    buffer_append_text(&exchange->text, "\n]\n");
    if (exchange->text.failed)
        refuse(exchange, 500, "the list is too long to be shown");
    else
        answer_buffer(exchange, 200, json);
}

/* The value of a query parameter, decoded; false when it is not there or too long. */
static bool query_value(const char *query, const char *name, char *out, size_t size) {
    size_t name_length = strlen(name);
    for (const char *at = query; *at;) {
        size_t length = strcspn(at, "&");
        if (length > name_length && strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
            bool decoded = true;
            if (!text_copy_n(out, size, at + name_length + 1, length - name_length - 1))
                return false;
            out[text_decode_percent(out, out, strlen(out), &decoded)] = '\0';
            return decoded;
        }
        at += length + (at[length] == '&');
    }
    return false;
}

/* On a pool thread: removing files may block. */
static void forget(struct exchange *exchange) {
    unsigned absences = 0, files = 0;
    symbols_forget(exchange->job_symbols, &exchange->question.key, &absences, &files);
    buffer_format(&exchange->text, "{\"absences\": %u, \"files\": %u}\n", absences, files);
}

/* On a pool thread: files are read. */
static void find_provenance(struct exchange *exchange) {
    provenance_find(symbols_provenance(exchange->job_symbols), &exchange->question.key,
                    &exchange->text);
}

static void job_done(struct exchange *exchange) {
    if (exchange->text.failed)
        refuse(exchange, 500, "there is too much to be shown");
    else
        answer_buffer(exchange, 200, json);
}

/* Does on a pool thread what the API is asked about one symbol. */
static void serve_job(struct exchange *exchange, const char *query,
                      void (*job)(struct exchange *exchange)) {
    struct question *question = &exchange->question;
    struct error err = {0};
    bool given =
        query_value(query, "name", question->spelling.name, sizeof question->spelling.name) &&
        query_value(query, "id", question->spelling.id, sizeof question->spelling.id);
    if (!given) {
        refuse(exchange, 400, "say which: ?name=NAME&id=ID");
        return;
    }
    if (!symbol_key_make(&question->spelling, &question->key, &err)) {
        refuse(exchange, 400, err.what);
        return;
    }
    struct server *server = exchange->connection->loop->server;
    exchange->job_symbols = server->options.symbols;
    exchange->state = EXCHANGE_WORKING;
    if (!exchange_work(exchange, server->pool, job, job_done))
        refuse(exchange, 503, "too much to do at the moment, ask again");
}

static bool is(const char *path, size_t length, const char *name) {
    return length == strlen(name) && memcmp(path, name, length) == 0;
}

void serve_api(struct exchange *exchange, const char *path, size_t length, const char *query,
               const char *bytes, const struct buffer *body) {
    (void)body;
    bool post = exchange->request.method == METHOD_POST;
    if (is(path, length, "copies")) {
        if (post)
            refuse(exchange, 405, "only GET is answered here");
        else if (trust_host(exchange, bytes))
            serve_copies(exchange);
    } else if (is(path, length, "forget")) {
        if (!post)
            refuse(exchange, 405, "only POST is answered here");
        else if (trust_allows_change(exchange, bytes))
            serve_job(exchange, query, forget);
    } else if (is(path, length, "provenance")) {
        if (post)
            refuse(exchange, 405, "only GET is answered here");
        else if (trust_host(exchange, bytes))
            serve_job(exchange, query, find_provenance);
    } else {
        refuse(exchange, 404, "there is no such thing in the API");
    }
}
