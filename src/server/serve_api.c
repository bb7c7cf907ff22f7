// SPDX-License-Identifier: MIT
//
// The API below /api/v1/: its routes, and those that are answered without statistics. What each
// takes and gives is described in docs/openapi.json.
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "base/text.h"
#include "proxy/provenance.h"
#include "proxy/quarantine.h"
#include "server/api.h"
#include "server/exchange.h"

enum { COPIES_SHOWN_MAX = 10000, REFUSED_SHOWN = 100 };

static const char json[] = "application/json";

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

void listing_append(struct buffer *out, const struct cache_listing *listing) {
    char key[NAME_BYTES_MAX + ID_BYTES_MAX + 4];
    text_format(key, sizeof key, "%s/%s", listing->key.name, listing->key.id);
    buffer_append_text(out, "{");
    api_text(out, "key", key);
    buffer_append_text(out, ", ");
    api_text(out, "phase", phase_name(listing->state.phase));
    buffer_append_text(out, ", ");
    api_text(out, "source", listing->source);
    buffer_format(out, ", \"age_ms\": %lld, \"readers\": %u, \"written\": %llu, \"size\": ",
                  (long long)listing->age_ms, listing->readers,
                  (unsigned long long)listing->state.written);
    if (listing->state.size == SIZE_UNKNOWN)
        buffer_append_text(out, "null}");
    else
        buffer_format(out, "%llu}", (unsigned long long)listing->state.size);
}

static void show_copy(const struct cache_listing *listing, void *context) {
    struct buffer *out = context;
    buffer_append_text(out, out->length > 1 ? ",\n " : "\n ");
    listing_append(out, listing);
}

void copies_append(struct buffer *out, struct cache *cache) {
    buffer_append_text(out, "[");
    cache_list(cache, COPIES_SHOWN_MAX, show_copy, out);
    buffer_append_text(out, "\n]\n");
}

static void serve_copies(struct exchange *exchange, const char *query, const char *bytes) {
    (void)query, (void)bytes;
    copies_append(&exchange->text, exchange->connection->loop->server->options.cache);
    if (exchange->text.failed)
        api_refuse(exchange, 500, "the list is too long to be shown");
    else
        answer_buffer(exchange, 200, json);
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
        api_refuse(exchange, 500, "there is too much to be shown");
    else
        answer_buffer(exchange, 200, json);
}

/* The symbol that is asked about, into the exchange's question; if not, it has been answered. */
static bool take_symbol(struct exchange *exchange, const char *query) {
    struct question *question = &exchange->question;
    struct error err = {0};
    if (!query_has(query, "name") || !query_has(query, "id"))
        error_set(&err, ERROR_INVALID, "say which: ?name=NAME&id=ID");
    else if (query_spelling(query, &question->spelling, &err) &&
             symbol_key_make(&question->spelling, &question->key, &err))
        return true;
    api_refuse(exchange, 400, err.what);
    return false;
}

/* Does on a pool thread what the API is asked about one symbol. */
static void serve_job(struct exchange *exchange, const char *query,
                      void (*job)(struct exchange *exchange)) {
    if (!take_symbol(exchange, query))
        return;
    struct server *server = exchange->connection->loop->server;
    exchange->job_symbols = server->options.symbols;
    exchange->state = EXCHANGE_WORKING;
    if (!exchange_work(exchange, server->pool, job, job_done))
        api_refuse(exchange, 503, "too much to do at the moment, ask again");
}

/* --- what was refused ---------------------------------------------------------------------- */

struct refused_list {
    struct buffer *out;
    bool with_first;
};

static void show_refused(const struct quarantined *record, void *context) {
    const struct refused_list *list = context;
    buffer_append_text(list->out, list->out->length > 1 ? ",\n " : "\n ");
    quarantine_append(list->out, record, list->with_first);
}

static bool read_limit(const char *query, unsigned *out_limit) {
    char text[16];
    uint64_t limit = 0;
    if (!query_has(query, "limit"))
        return true;
    if (!query_value(query, "limit", text, sizeof text) || !number_parse(text, &limit))
        return false;
    *out_limit = limit < QUARANTINE_RECORDS_MAX ? (unsigned)limit : QUARANTINE_RECORDS_MAX;
    return true;
}

/* The canonical form is what records have; without an id, any case of the name will do. */
static bool read_wanted(const char *query, struct spelling *wanted, struct error *err) {
    bool named = query_has(query, "name"), with_id = query_has(query, "id");
    struct symbol_key key;
    if (!query_spelling(query, wanted, err))
        return false;
    if (!named || !with_id)
        return true;
    if (!symbol_key_make(wanted, &key, err))
        return false;
    text_copy(wanted->name, sizeof wanted->name, key.name);
    text_copy(wanted->id, sizeof wanted->id, key.id);
    return true;
}

static void serve_quarantine(struct exchange *exchange, const char *query, const char *bytes) {
    struct refused_list list = {&exchange->text, trust_may_see(exchange, bytes)};
    struct spelling wanted = {0};
    struct error err = {0};
    unsigned limit = REFUSED_SHOWN;
    if (!read_limit(query, &limit)) {
        api_refuse(exchange, 400, "the limit is no number");
        return;
    }
    if (!read_wanted(query, &wanted, &err)) {
        api_refuse(exchange, 400, err.what);
        return;
    }
    buffer_append_text(list.out, "[");
    quarantine_list(symbols_quarantine(exchange->connection->loop->server->options.symbols),
                    wanted.name[0] ? wanted.name : NULL, wanted.id[0] ? wanted.id : NULL, limit,
                    show_refused, &list);
    buffer_append_text(list.out, "\n]\n");
    job_done(exchange);
}

/* --- the routes ------------------------------------------------------------------------------ */

static void serve_forget(struct exchange *exchange, const char *query, const char *bytes) {
    (void)bytes;
    serve_job(exchange, query, forget);
}

/* As if a client had asked and was told to come again: the search goes on by itself. */
static void serve_fetch(struct exchange *exchange, const char *query, const char *bytes) {
    struct symbols *symbols = exchange->connection->loop->server->options.symbols;
    struct answer answer;
    struct copy_state state = {.phase = COPY_COMPLETE};
    (void)bytes;
    if (!take_symbol(exchange, query))
        return;
    exchange->question.client = exchange->connection->client;
    symbols_ask(symbols, exchange->settings->roster, &exchange->question, &answer);
    if (answer.copy) {
        copy_look(answer.copy, &state);
        copy_leave(answer.copy, COPY_LEFT_LATER);
        copy_unref(answer.copy);
    }
    bool under_way = state.phase < COPY_WHOLE;
    const char *why = answer.why.kind != ERROR_NONE ? answer.why.what
                      : answer.known                ? answer.known
                                                    : verdict_sentence(answer.verdict);
    buffer_append_text(&exchange->text, "{");
    api_text(&exchange->text, "verdict", under_way ? "later" : verdict_name(answer.verdict));
    buffer_append_text(&exchange->text, ", ");
    api_text(&exchange->text, "sentence", under_way ? "the search is under way" : why);
    buffer_append_text(&exchange->text, "}\n");
    answer_buffer(exchange, under_way ? 202 : 200, json);
}

static void serve_provenance(struct exchange *exchange, const char *query, const char *bytes) {
    (void)bytes;
    serve_job(exchange, query, find_provenance);
}

/* Who may, and how. */
enum access {
    SHOWN,   /* GET, whoever can see the page */
    ADMIN,   /* GET, with rights */
    CHANGES, /* POST, with rights */
};

/* clang-format off */
static const struct {
    const char *name;
    enum access access;
    api_serve *serve;
} routes[] = {
    {"advice", SHOWN, serve_advice},
    {"advice/apply", CHANGES, serve_advice_apply},
    {"check", CHANGES, serve_check},
    {"configuration", ADMIN, serve_configuration},
    {"copies", SHOWN, serve_copies},
    {"events", SHOWN, serve_events},
    {"explain", SHOWN, serve_explain},
    {"fetch", CHANGES, serve_fetch},
    {"forget", CHANGES, serve_forget},
    {"history", SHOWN, serve_history},
    {"logs", ADMIN, serve_logs},
    {"missing", SHOWN, serve_missing},
    {"overview", SHOWN, serve_overview},
    {"provenance", SHOWN, serve_provenance},
    {"quarantine", SHOWN, serve_quarantine},
    {"requests", SHOWN, serve_requests},
    {"rights", SHOWN, serve_rights},
    {"rules", ADMIN, serve_rules},
    {"rules", CHANGES, serve_rule_add},
    {"rules/export", ADMIN, serve_rules_export},
    {"rules/preview", ADMIN, serve_rule_preview},
    {"rules/undo", CHANGES, serve_rule_undo},
    {"servers", SHOWN, serve_servers},
    {"symbol", SHOWN, serve_symbol_sums},
    {"symbols", SHOWN, serve_symbols},
    {"test", CHANGES, serve_test},
};
/* clang-format on */

static bool is(const char *path, size_t length, const char *name) {
    return length == strlen(name) && memcmp(path, name, length) == 0;
}

static bool may(struct exchange *exchange, enum access access, const char *bytes) {
    return access == SHOWN ? trust_host(exchange, bytes) : trust_allows_change(exchange, bytes);
}

void serve_api(struct exchange *exchange, const char *path, size_t length, const char *query,
               const char *bytes) {
    bool post = exchange->request.method == METHOD_POST, known = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is(path, length, routes[i].name))
            continue;
        known = true;
        if (post != (routes[i].access == CHANGES))
            continue;
        if (may(exchange, routes[i].access, bytes))
            routes[i].serve(exchange, query, bytes);
        return;
    }
    if (known)
        api_refuse(exchange, 405,
                   post ? "only GET is answered here" : "only POST is answered here");
    else
        api_refuse(exchange, 404, "there is no such thing in the API");
}
