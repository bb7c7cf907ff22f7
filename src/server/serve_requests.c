// SPDX-License-Identifier: MIT
//
// The last requests, newest first. The next page begins with before= and n= of the last row. A page
// ends before its limit where a further row would not fit into the answer.
#include "base/text.h"
#include "record/archive.h"
#include "server/api.h"

enum { WORD_BYTES = 256, END_BYTES = 32 };

struct asked {
    char verdict[32], source[64], client[64], search[WORD_BYTES], id[80], key[512];
    struct archive_query query;
};

static bool read_verdict(const char *query, char *out, size_t size, struct error *err) {
    const char *words[VERDICT_COUNT + 3] = {""};
    unsigned index;
    words[VERDICT_COUNT + 1] = ARCHIVE_FAILURE;
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        words[i + 1] = verdict_name((enum verdict)i);
    if (!query_choice(query, "verdict", words, 0, &index, err))
        return false;
    text_copy(out, size, words[index]);
    return true;
}

static bool read_asked(const char *query, struct asked *out, struct error *err) {
    uint64_t before_ms, before_n;
    bool good = read_verdict(query, out->verdict, sizeof out->verdict, err) &&
                query_text(query, "source", out->source, sizeof out->source, err) &&
                query_text(query, "client", out->client, sizeof out->client, err) &&
                query_text(query, "search", out->search, sizeof out->search, err) &&
                query_text(query, "id", out->id, sizeof out->id, err) &&
                query_text(query, "key", out->key, sizeof out->key, err) &&
                query_number(query, "before", 0, INT64_MAX, &before_ms, err) &&
                query_number(query, "n", 0, INT64_MAX, &before_n, err) &&
                query_number(query, "limit", ROWS_STANDARD, ROWS_MOST, &out->query.limit, err);
    if (!good)
        return false;
    out->query = (struct archive_query){
        .id = out->id,
        .key = out->key,
        .verdict = out->verdict,
        .source = out->source,
        .client = out->client,
        .search = out->search,
        .before_ms = (int64_t)before_ms,
        .before_n = (int64_t)before_n,
        .limit = out->query.limit,
    };
    return true;
}

void request_append(struct buffer *out, const struct archive_row *row) {
    const struct outcome *outcome = &row->outcome;
    const struct {
        const char *name;
        const char *value;
    } texts[] = {
        {"id", outcome->text.id},
        {"client", outcome->text.client},
        {"dialect", outcome->dialect},
        {"method", outcome->method},
        {"path", outcome->text.path},
        {"key", row->key},
        {"verdict", verdict_name(outcome->verdict)},
        {"source", outcome->text.source},
        {"reason", outcome->text.reason},
        {"rule", outcome->text.rule},
    };
    buffer_append_text(out, "{");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        api_text(out, texts[i].name, texts[i].value);
        buffer_append_text(out, ", ");
    }
    buffer_format(
        out,
        "\"n\": %lld, \"at_ms\": %lld, \"status\": %d, \"bytes\": %llu, \"waited_ms\": %.3f, "
        "\"total_ms\": %.3f, \"broken\": %s, \"attempts\": ",
        (long long)row->n, (long long)(outcome->wall_ns / 1000000), outcome->status,
        (unsigned long long)outcome->bytes, (double)outcome->waited_us / 1000,
        (double)outcome->total_us / 1000, outcome->broken ? "true" : "false");
    buffer_append_text(out, row->attempts);
    buffer_append_text(out, "}");
}

struct rows {
    struct buffer *out;
    uint64_t count;
    bool full; /* one more would not have fitted */
};

/* Has the row made the answer too large to be ended? */
static bool overflows(const struct buffer *out) {
    return out->failed || out->bytes_max - out->length < END_BYTES;
}

static bool show(const struct archive_row *row, void *context) {
    struct rows *list = context;
    size_t before = list->out->length;
    buffer_append_text(list->out, list->count ? ",\n" : "\n");
    request_append(list->out, row);
    if (list->count > 0 && overflows(list->out)) {
        buffer_cut(list->out, before);
        list->full = true;
        return false;
    }
    list->count++;
    return !list->out->failed;
}

static void requests(struct exchange *exchange) {
    struct error err = {0};
    struct asked asked;
    if (!read_asked(exchange->call->query, &asked, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    struct rows list = {.out = &exchange->text};
    buffer_append_text(list.out, "{\"rows\": [");
    if (reading && !archive_each(reading, &asked.query, show, &list, &err)) {
        api_fail(exchange, 503, err.what);
        return;
    }
    bool more = list.full || (list.count > 0 && list.count == asked.query.limit);
    buffer_format(list.out, "\n], \"more\": %s}\n", more ? "true" : "false");
}

void serve_requests(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, requests);
}
