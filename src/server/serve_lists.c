// SPDX-License-Identifier: MIT
//
// Lists from the statistics: history, names, one name's ids, names that were never found.
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "record/archive.h"
#include "server/api.h"
#include "server/pending.h"

/* --- history --- */

enum { POINTS_MAX = 168, REQUESTS_MOST = 10000000 };

/* What a range shows: points of step_s, from rows of kept_s. */
static const struct {
    const char *name;
    unsigned points;
    int64_t step_s;
    int64_t kept_s;
} ranges[] = {
    {"hour", 60, 60, 60},
    {"day", 96, 900, 60},
    {"week", 168, 3600, 3600},
    {"month", 120, 21600, 3600},
};

struct history {
    int64_t from_s;
    int64_t step_s;
    unsigned count;
    struct history_row points[POINTS_MAX];
};

static bool add_row(const struct history_row *row, void *context) {
    struct history *history = context;
    int64_t index = (row->at_s - history->from_s) / history->step_s;
    if (row->at_s < history->from_s || index >= history->count)
        return true;
    struct history_row *point = &history->points[index];
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        point->verdicts[i] += row->verdicts[i];
    point->bytes += row->bytes;
    histogram_add(&point->waits, &row->waits);
    return true;
}

/* One name's history is that of its lookups among the requests that are kept. */
struct history_of_name {
    struct history *history;
    const char *name; /* canonical */
};

static bool add_request(const struct archive_row *row, void *context) {
    const struct history_of_name *wanted = context;
    const struct outcome *outcome = &row->outcome;
    size_t length = strlen(wanted->name);
    struct history_row one = {.at_s = outcome->wall_ns / 1000000000, .bytes = outcome->bytes};
    bool named = strncmp(row->key, wanted->name, length) == 0 && row->key[length] == '/';
    if (named && !outcome->follow_up) {
        one.verdicts[outcome->verdict] = 1;
        one.waits.counts[histogram_step(SCALE_TIME, (uint64_t)outcome->waited_us)] = 1;
        add_row(&one, wanted->history);
    }
    return one.at_s >= wanted->history->from_s;
}

static bool read_history(struct reading *reading, struct history *history, int64_t kept_s,
                         const char *name, struct error *err) {
    struct archive_query query = {.search = name, .limit = REQUESTS_MOST};
    struct history_of_name wanted = {history, name};
    if (name[0])
        return archive_each(reading, &query, add_request, &wanted, err);
    return reading_history(reading, kept_s, history->from_s, add_row, history, err);
}

static void append_point(struct buffer *out, const struct history_row *point, int64_t at_s) {
    buffer_format(out, "{\"at_ms\": %lld, \"verdicts\": {", (long long)at_s * 1000);
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        buffer_format(out, "%s\"%s\": %llu", i ? ", " : "", verdict_name((enum verdict)i),
                      (unsigned long long)point->verdicts[i]);
    buffer_format(out, "}, \"bytes\": %llu, \"p50_ms\": %.3f, \"p95_ms\": %.3f}",
                  (unsigned long long)point->bytes,
                  (double)histogram_quantile(&point->waits, SCALE_TIME, 0.5) / 1000,
                  (double)histogram_quantile(&point->waits, SCALE_TIME, 0.95) / 1000);
}

static void history(struct exchange *exchange) {
    static const char *const names[] = {"hour", "day", "week", "month", NULL};
    struct error err = {0};
    struct history history = {0};
    unsigned range;
    char name[NAME_BYTES_MAX + 1];
    const char *asked = exchange->call->query;
    if (!query_choice(asked, "range", names, 0, &range, &err) ||
        !query_text(asked, "name", name, sizeof name, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    text_fold(name);
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    history.step_s = ranges[range].step_s;
    history.count = ranges[range].points;
    int64_t now_s = clock_wall_s();
    history.from_s = now_s - now_s % history.step_s - (history.count - 1) * history.step_s;
    if (reading && !read_history(reading, &history, ranges[range].kept_s, name, &err)) {
        api_fail(exchange, 503, err.what);
        return;
    }
    struct buffer *out = &exchange->text;
    buffer_format(out, "{\"step_s\": %lld, \"points\": [", (long long)history.step_s);
    for (unsigned i = 0; i < history.count; i++) {
        buffer_append_text(out, i ? ",\n" : "\n");
        append_point(out, &history.points[i], history.from_s + i * history.step_s);
    }
    buffer_append_text(out, "\n]}\n");
}

void serve_history(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, history);
}

/* --- names --- */

static const char *const order_words[ORDER_COUNT + 1] = {
    [ORDER_NAME] = "file",
    [ORDER_REQUESTS] = "numRequests",
    [ORDER_EXCLUSIONS] = "numExcluded",
    [ORDER_SUCCESS] = "numSuccess",
    [ORDER_FAIL] = "numFail",
    [ORDER_HITS] = "numCacheHit",
    [ORDER_MISSES] = "numCacheMiss",
    [ORDER_BYTES] = "bytes",
    [ORDER_TIME] = "totalTimeServicing",
    [ORDER_LAST] = "lastAccessTime",
};

struct rows {
    struct buffer *out;
    struct reading *reading;
    struct pending *pending;
    unsigned count;
    struct error err;
    bool good;
};

static void begin_row(struct rows *list) {
    buffer_append_text(list->out, list->count++ ? ",\n{" : "\n{");
}

static bool show_symbol(const struct sum_row *row, void *context) {
    struct rows *list = context;
    begin_row(list);
    list->good = symbol_sums_append(list->out, list->reading, row,
                                    pending_of(list->pending, row->name), &list->err);
    buffer_append_text(list->out, "}");
    return list->good;
}

static bool read_page(const char *query, uint64_t *out_offset, uint64_t *out_limit,
                      struct error *err) {
    return query_number(query, "offset", 0, INT64_MAX, out_offset, err) &&
           query_number(query, "limit", ROWS_STANDARD, ROWS_MOST, out_limit, err);
}

static bool read_names_query(const char *asked, char search[NAME_BYTES_MAX + 1],
                             struct names_query *out, struct error *err) {
    static const char *const ways[] = {"asc", "desc", NULL};
    unsigned order, way;
    if (!query_text(asked, "search", search, NAME_BYTES_MAX + 1, err) ||
        !query_choice(asked, "sort", order_words, ORDER_REQUESTS, &order, err) ||
        !query_choice(asked, "order", ways, 1, &way, err) ||
        !read_page(asked, &out->offset, &out->limit, err))
        return false;
    out->search = search;
    out->order = (enum sum_order)order;
    out->descending = way == 1;
    return true;
}

static bool list_names(struct rows *list, const struct names_query *query, struct error *err) {
    uint64_t total = 0;
    if (!reading_count_names(list->reading, query, &total, err))
        return false;
    buffer_format(list->out, "{\"total\": %llu, \"rows\": [", (unsigned long long)total);
    list->good = true;
    if (!reading_names(list->reading, query, show_symbol, list, err))
        return false;
    buffer_append_text(list->out, "\n]}\n");
    *err = list->err;
    return list->good;
}

static void symbols(struct exchange *exchange) {
    struct error err = {0};
    struct names_query query = {0};
    char search[NAME_BYTES_MAX + 1];
    if (!read_names_query(exchange->call->query, search, &query, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    if (!reading) {
        buffer_append_text(&exchange->text, "{\"total\": 0, \"rows\": []}\n");
        return;
    }
    CLEANUP(pending_free_at)
    struct pending *pending = pending_new(exchange->call->server->options.cache);
    struct rows list = {.out = &exchange->text, .reading = reading, .pending = pending};
    if (!list_names(&list, &query, &err))
        api_fail(exchange, 503, err.what);
}

void serve_symbols(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, symbols);
}

/* --- one name --- */

static bool show_name(const struct sum_row *row, void *context) {
    struct rows *list = context;
    buffer_append_text(list->out, "{");
    list->good = symbol_sums_append(list->out, list->reading, row,
                                    pending_of(list->pending, row->name), &list->err);
    return list->good;
}

static bool show_id(const struct sum_row *row, void *context) {
    struct rows *list = context;
    begin_row(list);
    api_text(list->out, "id", row->id[0] ? row->id : "(other)");
    buffer_format(list->out,
                  ", \"numRequests\": %llu, \"numSuccess\": %llu, \"numFail\": %llu, "
                  "\"numExcluded\": %llu, \"numCacheHit\": %llu, \"bytes\": %llu, "
                  "\"totalTimeServicing\": %.6f, \"lastAccessTime\": %lld, ",
                  (unsigned long long)row->requests, (unsigned long long)row->success,
                  (unsigned long long)(row->requests - row->exclusions - row->success),
                  (unsigned long long)row->exclusions, (unsigned long long)row->hits,
                  (unsigned long long)row->bytes, (double)row->time_us / 1e6,
                  (long long)row->last_s);
    api_text(list->out, "verdict", row->verdict);
    if (!row->id[0])
        buffer_append_text(list->out, ", \"folded\": true");
    buffer_append_text(list->out, "}");
    return true;
}

/* "ids" is the number of them in a list of names, and the list of them here. */
static bool list_ids(struct rows *list, const char *name, uint64_t offset, uint64_t limit,
                     bool *out_found, struct error *err) {
    list->good = true;
    if (!reading_name(list->reading, name, show_name, list, out_found, err))
        return false;
    if (!*out_found && pending_of(list->pending, name) > 0) {
        /* Its first request is still under way. */
        const struct sum_row nothing = {
            .name = name, .id = "", .verdict = "", .last_s = clock_wall_s()};
        *out_found = show_name(&nothing, list);
    }
    if (!list->good) {
        *err = list->err;
        return false;
    }
    buffer_append_text(list->out, ", \"rows\": [");
    if (!reading_ids(list->reading, name, offset, limit, show_id, list, err))
        return false;
    buffer_append_text(list->out, "\n]}\n");
    return true;
}

static void symbol_sums(struct exchange *exchange) {
    struct error err = {0};
    char name[NAME_BYTES_MAX + 1];
    uint64_t offset, limit;
    const char *asked = exchange->call->query;
    if (!query_text(asked, "name", name, sizeof name, &err) ||
        !read_page(asked, &offset, &limit, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    if (!query_has(asked, "name")) {
        api_fail(exchange, 400, "say which: ?name=NAME");
        return;
    }
    text_fold(name);
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    CLEANUP(pending_free_at)
    struct pending *pending = pending_new(exchange->call->server->options.cache);
    struct rows list = {.out = &exchange->text, .reading = reading, .pending = pending};
    bool found = false;
    if (reading &&
        !list_ids(&list, strcmp(name, "(other)") == 0 ? "" : name, offset, limit, &found, &err))
        api_fail(exchange, 503, err.what);
    else if (!found)
        api_fail(exchange, 404,
                 reading ? "nobody has asked for a file of this name"
                         : "statistics are switched off: nothing is known of any name");
}

void serve_symbol_sums(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, symbol_sums);
}

/* --- never found --- */

static bool show_missing(const struct sum_row *row, void *context) {
    struct rows *list = context;
    begin_row(list);
    api_text(list->out, "file", row->name);
    buffer_format(list->out, ", \"numRequests\": %llu, \"lastAccessTime\": %lld}",
                  (unsigned long long)row->requests, (long long)row->last_s);
    return true;
}

static void missing(struct exchange *exchange) {
    struct error err = {0};
    struct names_query query = {.order = ORDER_REQUESTS, .descending = true, .never_found = true};
    if (!read_page(exchange->call->query, &query.offset, &query.limit, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    struct rows list = {.out = &exchange->text};
    buffer_append_text(list.out, "{\"rows\": [");
    if (reading && !reading_names(reading, &query, show_missing, &list, &err))
        api_fail(exchange, 503, err.what);
    else
        buffer_append_text(list.out, "\n]}\n");
}

void serve_missing(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, missing);
}
