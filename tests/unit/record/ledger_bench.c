// SPDX-License-Identifier: MIT
#include "unit/record/ledger_bench.h"

#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

struct ledger_options options_of(const char *path) {
    return (struct ledger_options){
        .enabled = true,
        .path = path,
        .book =
            {
                .names_max = 200000,
                .ids_max = 1000000,
                .bytes_max = 1ULL << 31,
                .requests_max = 200000,
                .failures_max = 50000,
            },
    };
}

char *path_of(void **state) {
    return scratch_path(*state, "statistics.db");
}

struct ledger *open_with(const struct ledger_options *options) {
    struct error err = {0};
    struct ledger *ledger = ledger_new(options, &err);
    if (!ledger)
        fail_msg("%s", err.what);
    return ledger;
}

struct ledger *open_at(const char *path) {
    struct ledger_options options = options_of(path);
    return open_with(&options);
}

/* One request, of ten bytes that took two seconds. */
struct outcome outcome_of(const char *name, const char *id, enum verdict verdict) {
    return (struct outcome){
        .wall_ns = (int64_t)AT_S * 1000000000,
        .waited_us = 1000000,
        .total_us = 2000000,
        .bytes = 10,
        .dialect = "symsrv",
        .method = "GET",
        .verdict = verdict,
        .status = 200,
        .about_symbol = true,
        .text = {"request", "10.0.0.1", "/symbols/x", name, id, "", "", ""},
    };
}

void take(struct ledger *ledger, const char *name, const char *id, enum verdict verdict) {
    struct outcome outcome = outcome_of(name, id, verdict);
    ledger_take(ledger, &outcome, NULL);
}

void take_answer(struct ledger *ledger, const char *name, const char *source,
                 enum attempt_result result) {
    struct attempt_note note = {.result = result, .head_ms = 3, .total_ms = 4, .bytes = 5};
    text_copy(note.source, sizeof note.source, source);
    text_copy(note.what, sizeof note.what, "it burns");
    struct symbol_key key = {0};
    text_copy(key.name, sizeof key.name, name);
    text_copy(key.id, sizeof key.id, "1");
    struct spelling spelling = {0};
    text_copy(spelling.name, sizeof spelling.name, name);
    text_copy(spelling.id, sizeof spelling.id, "1");
    ledger_take_answer(ledger, &(struct reply){.key = &key,
                                               .spelling = &spelling,
                                               .place = PLACE,
                                               .mark = PLACE,
                                               .certain = true,
                                               .note = &note});
}

struct reading *read_it(struct ledger *ledger) {
    struct error err = {0};
    assert_true(ledger_settle(ledger, WAIT_MS));
    struct reading *reading = reading_open(ledger_path(ledger), NULL, &err);
    if (!reading)
        fail_msg("%s", err.what);
    return reading;
}

bool show_sum(const struct sum_row *row, void *context) {
    struct rows *rows = context;
    if (rows->count++ > 0)
        return true;
    text_copy(rows->first, sizeof rows->first, row->id[0] ? row->id : row->name);
    rows->requests = row->requests;
    rows->success = row->success;
    rows->hits = row->hits;
    rows->exclusions = row->exclusions;
    rows->bytes = row->bytes;
    rows->time_us = row->time_us;
    rows->ids = row->ids;
    text_copy(rows->verdict, sizeof rows->verdict, row->verdict);
    return true;
}

struct rows names_of(struct ledger *ledger, const struct names_query *query) {
    struct rows rows = {0};
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    assert_true(reading_names(reading, query, show_sum, &rows, &err));
    reading_close(reading);
    return rows;
}

struct rows all_names(struct ledger *ledger) {
    const struct names_query query = {.search = "", .limit = 100000};
    return names_of(ledger, &query);
}

struct rows name_of(struct ledger *ledger, const char *name) {
    struct rows rows = {0};
    struct error err = {0};
    bool found = false;
    struct reading *reading = read_it(ledger);
    assert_true(reading_name(reading, name, show_sum, &rows, &found, &err));
    assert_int_equal(found, rows.count);
    reading_close(reading);
    return rows;
}

static bool show_request(const struct archive_row *row, void *context) {
    struct shown *shown = context;
    if (shown->count++ > 0)
        return true;
    text_copy(shown->first, sizeof shown->first, row->key);
    text_copy(shown->reason, sizeof shown->reason, row->outcome.text.reason);
    text_copy(shown->attempts, sizeof shown->attempts, row->attempts);
    shown->verdict = row->outcome.verdict;
    return true;
}

struct shown requests_of(struct ledger *ledger, struct archive_query query) {
    struct shown shown = {0};
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    query.limit = query.limit ? query.limit : 1000000;
    assert_true(archive_each(reading, &query, show_request, &shown, &err));
    reading_close(reading);
    return shown;
}

bool show_pair(const struct pair_row *row, void *context) {
    struct pairs *pairs = context;
    assert_string_equal(row->source, "mss");
    pairs->count++;
    pairs->found = row->found;
    pairs->absent = row->absent;
    pairs->failed = row->failed;
    return true;
}
