// SPDX-License-Identifier: MIT
//
// What pySymProxy answers under the same names, and more: /statistics.json and /symbols.json. What
// each field means stands in docs/statistics.md.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "server/api.h"
#include "server/pending.h"
#include "store/usage.h"

enum {
    TABLE_ROWS_MOST = 100000, /* sorted in memory */
    TABLES_MAX = 16,          /* on the disk at once */
};

static const char other[] = "(other)";

/* --- totals --- */

void totals_append(struct buffer *out, const struct server *server) {
    const struct ledger *ledger = server->options.ledger;
    bool enabled = ledger_enabled(ledger);
    struct usage_view usage = {0};
    if (enabled && server->options.usage)
        usage_glance(server->options.usage, &usage);
    uint64_t requests = ledger_total(ledger, TOTAL_REQUESTS);
    uint64_t excluded = ledger_total(ledger, TOTAL_EXCLUDED);
    uint64_t success = ledger_total(ledger, TOTAL_SUCCESS);
    const struct {
        const char *name;
        uint64_t value;
    } totals[] = {
        {"numRequests", requests},
        {"numInvalidRequests", ledger_total(ledger, TOTAL_INVALID)},
        {"numSuccess", success},
        {"numFail", requests - excluded - success},
        {"numSymbols", ledger_names_seen(ledger)},
        {"numCacheHit", ledger_total(ledger, TOTAL_HITS)},
        {"numPending", enabled ? pending_in_all(server->options.cache) : 0},
        {"numExcluded", excluded},
        {"diskUsage", usage.bytes},
        {"numAcceptedRequests", requests - excluded},
        {"bytes", ledger_total(ledger, TOTAL_BYTES)},
        {"lostDetails", ledger_total(ledger, TOTAL_LOST)},
    };
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        buffer_format(out, "%s\"%s\": %llu", i ? ", " : "", totals[i].name,
                      (unsigned long long)totals[i].value);
}

static void statistics(struct exchange *exchange) {
    struct server *server = exchange->call->server;
    const struct ledger *ledger = server->options.ledger;
    struct usage_view usage = {0};
    api_settle(exchange);
    if (server->options.usage)
        usage_glance(server->options.usage, &usage);
    bool enabled = ledger_enabled(ledger);
    buffer_append_text(&exchange->text, "{");
    totals_append(&exchange->text, server);
    buffer_format(&exchange->text,
                  ", \"diskUsageCounting\": %s, \"enabled\": %s, \"since_ms\": %llu, "
                  "\"details_since_ms\": %llu}\n",
                  enabled && usage.counting ? "true" : "false", enabled ? "true" : "false",
                  (unsigned long long)ledger_total(ledger, TOTAL_SINCE_MS),
                  (unsigned long long)ledger_details_since_ms(ledger));
}

void serve_statistics(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, statistics);
}

/* --- symbols --- */

struct pairs {
    struct buffer *out;
    bool hits; /* found, else absent */
    unsigned count;
};

static bool show_pair(const struct pair_row *row, void *context) {
    struct pairs *pairs = context;
    buffer_format(pairs->out, "%s\"", pairs->count++ ? ", " : "");
    buffer_append_json(pairs->out, row->source);
    buffer_format(pairs->out, "\": %llu",
                  (unsigned long long)(pairs->hits ? row->found : row->absent));
    return true;
}

static bool append_pairs(struct buffer *out, struct reading *reading, const char *name, bool hits,
                         struct error *err) {
    struct pairs pairs = {out, hits, 0};
    buffer_format(out, ", \"%s\": {", hits ? "serverHits" : "serverMisses");
    bool good = reading_pairs(reading, name, show_pair, &pairs, err);
    buffer_append_text(out, "}");
    return good;
}

const char *shown_name(const struct sum_row *row) {
    return row->name[0] ? row->name : other;
}

bool symbol_sums_append(struct buffer *out, struct reading *reading, const struct sum_row *row,
                        uint64_t pending, struct error *err) {
    uint64_t accepted = row->requests - row->exclusions;
    api_text(out, "file", shown_name(row));
    buffer_format(out,
                  ", \"totalTimeServicing\": %.6f, \"numRequests\": %llu, \"numExcluded\": %llu, "
                  "\"numSuccess\": %llu, \"numFail\": %llu, \"numCacheHit\": %llu, "
                  "\"numCacheMiss\": %llu, \"numPending\": %llu, \"lastAccessTime\": %lld, "
                  "\"bytes\": %llu, \"ids\": %llu",
                  (double)row->time_us / 1e6, (unsigned long long)row->requests,
                  (unsigned long long)row->exclusions, (unsigned long long)row->success,
                  (unsigned long long)(accepted - row->success), (unsigned long long)row->hits,
                  (unsigned long long)(accepted - row->hits), (unsigned long long)pending,
                  (long long)row->last_s, (unsigned long long)row->bytes,
                  (unsigned long long)row->ids);
    if (!row->name[0])
        buffer_append_text(out, ", \"folded\": true");
    return append_pairs(out, reading, row->name, false, err) &&
           append_pairs(out, reading, row->name, true, err);
}

struct writing {
    struct spool *spool;
    struct reading *reading;
    struct pending *pending;
    struct error err;
    bool good;
    bool any;
};

static bool show_symbol(const struct sum_row *row, void *context) {
    struct writing *table = context;
    struct buffer *out = spool_block(table->spool);
    buffer_append_text(out, table->any ? ",\n\"" : "\n\"");
    buffer_append_json(out, shown_name(row));
    buffer_append_text(out, "\": {");
    table->any = true;
    table->good = symbol_sums_append(out, table->reading, row,
                                     pending_of(table->pending, row->name), &table->err);
    buffer_append_text(out, "}");
    if (!spool_flow(table->spool))
        table->good = error_set(&table->err, ERROR_DISK, "could not gather the table on the disk");
    return table->good;
}

static bool show_nothing(const struct sum_row *row, void *context) {
    (void)row, (void)context;
    return true;
}

/* What is asked for the first time has no sums before its answer ends. */
static bool show_new(const char *name, void *context) {
    struct writing *table = context;
    const struct sum_row row = {.name = name, .id = "", .verdict = "", .last_s = clock_wall_s()};
    bool known = false;
    table->good = reading_name(table->reading, name, show_nothing, NULL, &known, &table->err);
    return table->good && (known || show_symbol(&row, table));
}

static bool write_table(struct exchange *exchange, struct reading *reading,
                        const struct names_query *query, struct error *err) {
    struct server *server = exchange->call->server;
    struct spool *spool = &exchange->call->spool;
    if (!spool_open(spool, server->options.data_path, err))
        return false;
    CLEANUP(pending_free_at) struct pending *pending = pending_new(server->options.cache);
    struct writing table = {.spool = spool, .reading = reading, .pending = pending, .good = true};
    buffer_append_text(spool_block(spool), "{");
    if (!reading_names(reading, query, show_symbol, &table, err))
        return false;
    if (table.good && query->limit == INT64_MAX)
        pending_each(pending, show_new, &table);
    buffer_append_text(spool_block(spool), "\n}\n");
    if (!table.good)
        *err = table.err;
    else if (!spool_end(spool))
        return error_set(err, ERROR_DISK, "could not gather the table on the disk");
    return table.good;
}

/* Slow readers keep theirs for long. */
static bool take_place(struct api_call *call) {
    if (++call->server->tables > TABLES_MAX) {
        --call->server->tables;
        return false;
    }
    call->held = &call->server->tables;
    return true;
}

static void symbol_table(struct exchange *exchange) {
    struct error err = {0};
    struct names_query query = {.search = ""};
    uint64_t since_s;
    const char *asked = exchange->call->query;
    if (!query_number(asked, "limit", TABLE_ROWS_MOST, TABLE_ROWS_MOST, &query.limit, &err) ||
        !query_number(asked, "since", 0, INT64_MAX, &since_s, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    query.since_s = (int64_t)since_s;
    if (query_has(asked, "limit")) {
        query.order = ORDER_REQUESTS;
        query.descending = true;
    } else {
        query.limit = INT64_MAX; /* in the order in which they lie there: nothing is sorted */
    }
    if (!take_place(exchange->call)) {
        api_fail(exchange, 503, "too many tables are being sent at the moment, ask again");
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (!reading && exchange->call->status == 0) {
        buffer_append_text(&exchange->text, "{\"enabled\": false}\n");
        return;
    }
    if (reading && !write_table(exchange, reading, &query, &err))
        api_fail(exchange, 503, err.what);
}

void serve_symbol_table(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, symbol_table);
}
