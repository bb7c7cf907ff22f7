// SPDX-License-Identifier: MIT
#include "record/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "record/reading_inside.h"

enum { SQL_BYTES = 1024, CACHE_KIB = 8 * 1024, BUSY_MS = 1000 };

/* --- statements --- */

/* A table that is missing is such a failure too: the file was emptied. */
static bool fail(struct reading *reading, const char *doing, struct error *err) {
    int code = sqlite3_errcode(reading->db) & 0xFF;
    bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_IOERR ||
                   code == SQLITE_ERROR;
    if (damaged && reading->doubted)
        atomic_store(reading->doubted, true);
    return error_set(err, ERROR_DISK, "could not %s \"%s\": %s", doing, reading->path,
                     sqlite3_errmsg(reading->db));
}

sqlite3_stmt *reading_prepare(struct reading *reading, const char *sql, struct error *err) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(reading->db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail(reading, "read statistics in", err);
    return statement;
}

bool reading_next(struct reading *reading, sqlite3_stmt *statement, bool *good, struct error *err) {
    int code = sqlite3_step(statement);
    *good = code == SQLITE_DONE || code == SQLITE_ROW;
    if (!*good)
        fail(reading, "read statistics in", err);
    return code == SQLITE_ROW;
}

const char *reading_text(sqlite3_stmt *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

void reading_bind(sqlite3_stmt *statement, int at, const char *text) {
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

uint64_t reading_number(sqlite3_stmt *statement, int column) {
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static void counts_at(sqlite3_stmt *statement, int column, uint64_t *counts, size_t count) {
    const char *blob = sqlite3_column_blob(statement, column);
    size_t there = (size_t)sqlite3_column_bytes(statement, column) / sizeof *counts;
    memset(counts, 0, count * sizeof *counts);
    if (blob)
        memcpy(counts, blob, (there < count ? there : count) * sizeof *counts);
}

/* --- life --- */

struct reading *reading_open(const char *path, atomic_bool *doubted, struct error *err) {
    struct reading *reading = NEW(struct reading);
    char sql[128];
    reading->path = path;
    reading->doubted = doubted;
    text_format(sql, sizeof sql, "PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY; BEGIN",
                CACHE_KIB);
    bool good = sqlite3_open_v2(path, &reading->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                                NULL) == SQLITE_OK;
    if (good) {
        sqlite3_busy_timeout(reading->db, BUSY_MS);
        good = sqlite3_exec(reading->db, sql, NULL, NULL, NULL) == SQLITE_OK;
    }
    if (good)
        return reading;
    fail(reading, "open statistics", err);
    reading_close(reading);
    return NULL;
}

void reading_close(struct reading *reading) {
    if (!reading)
        return;
    sqlite3_finalize(reading->pairs);
    sqlite3_finalize(reading->ids);
    sqlite3_close(reading->db);
    free(reading);
}

void reading_close_at(struct reading **reading) {
    reading_close(*reading);
}

/* --- history --- */

bool reading_history(struct reading *reading, int64_t step_s, int64_t from_s,
                     bool (*show)(const struct history_row *row, void *context), void *context,
                     struct error *err) {
    sqlite3_stmt *statement = reading_prepare(reading,
                                              "SELECT at_s, verdicts, bytes, waits FROM history"
                                              " WHERE step_s = ?1 AND at_s >= ?2 ORDER BY at_s",
                                              err);
    if (!statement)
        return false;
    bool good = true;
    sqlite3_bind_int64(statement, 1, step_s);
    sqlite3_bind_int64(statement, 2, from_s);
    while (reading_next(reading, statement, &good, err)) {
        struct history_row row = {.at_s = sqlite3_column_int64(statement, 0),
                                  .bytes = reading_number(statement, 2)};
        counts_at(statement, 1, row.verdicts, VERDICT_COUNT);
        counts_at(statement, 3, row.waits.counts, HISTOGRAM_STEPS);
        if (!show(&row, context))
            break;
    }
    sqlite3_finalize(statement);
    return good;
}

/* --- names and ids --- */

static const char *const orders[ORDER_COUNT] = {
    [ORDER_NAME] = "name",
    [ORDER_REQUESTS] = "requests",
    [ORDER_EXCLUSIONS] = "exclusions",
    [ORDER_SUCCESS] = "success",
    [ORDER_FAIL] = "requests - exclusions - success",
    [ORDER_HITS] = "hits",
    [ORDER_MISSES] = "requests - exclusions - hits",
    [ORDER_BYTES] = "bytes",
    [ORDER_TIME] = "time_us",
    [ORDER_LAST] = "last_s",
};

static const char *const chosen =
    " FROM names WHERE (?1 = '' OR instr(name, ?1)) AND last_s >= ?2"
    " AND (NOT ?3 OR (success = 0 AND requests > exclusions AND name <> ''))";

static const char *const name_columns =
    "SELECT name, requests, exclusions, success, hits, bytes, time_us, last_s";

static void bind_query(sqlite3_stmt *statement, const struct names_query *query,
                       char search[NAME_BYTES_MAX + 1]) {
    text_copy(search, NAME_BYTES_MAX + 1, query->search ? query->search : "");
    text_fold(search);
    reading_bind(statement, 1, search);
    sqlite3_bind_int64(statement, 2, query->since_s);
    sqlite3_bind_int(statement, 3, query->never_found);
}

bool reading_count_names(struct reading *reading, const struct names_query *query,
                         uint64_t *out_count, struct error *err) {
    char sql[SQL_BYTES], search[NAME_BYTES_MAX + 1];
    text_format(sql, sizeof sql, "SELECT count(*)%s", chosen);
    sqlite3_stmt *statement = reading_prepare(reading, sql, err);
    if (!statement)
        return false;
    bool good = true;
    bind_query(statement, query, search);
    if (reading_next(reading, statement, &good, err))
        *out_count = reading_number(statement, 0);
    sqlite3_finalize(statement);
    return good;
}

/* Only for rows that are shown: a list that is sorted would else count for all. */
static uint64_t count_ids(struct reading *reading, const char *name) {
    uint64_t count = 0;
    struct error err;
    if (!reading->ids)
        reading->ids =
            reading_prepare(reading, "SELECT count(*) FROM ids WHERE name = ?1 AND id <> ''", &err);
    if (!reading->ids)
        return 0;
    reading_bind(reading->ids, 1, name);
    if (sqlite3_step(reading->ids) == SQLITE_ROW)
        count = reading_number(reading->ids, 0);
    sqlite3_reset(reading->ids);
    return count;
}

static void read_name(sqlite3_stmt *statement, struct sum_row *row) {
    *row = (struct sum_row){
        .name = reading_text(statement, 0),
        .id = "",
        .requests = reading_number(statement, 1),
        .exclusions = reading_number(statement, 2),
        .success = reading_number(statement, 3),
        .hits = reading_number(statement, 4),
        .bytes = reading_number(statement, 5),
        .time_us = reading_number(statement, 6),
        .last_s = sqlite3_column_int64(statement, 7),
        .verdict = "",
    };
}

bool reading_names(struct reading *reading, const struct names_query *query,
                   bool (*show)(const struct sum_row *row, void *context), void *context,
                   struct error *err) {
    char sql[SQL_BYTES], search[NAME_BYTES_MAX + 1];
    text_format(sql, sizeof sql, "%s%s ORDER BY %s %s, name LIMIT ?4 OFFSET ?5", name_columns,
                chosen, orders[query->order], query->descending ? "DESC" : "ASC");
    sqlite3_stmt *statement = reading_prepare(reading, sql, err);
    if (!statement)
        return false;
    bool good = true;
    struct sum_row row;
    bind_query(statement, query, search);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)query->limit);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)query->offset);
    while (reading_next(reading, statement, &good, err)) {
        read_name(statement, &row);
        row.ids = count_ids(reading, row.name);
        if (!show(&row, context))
            break;
    }
    sqlite3_finalize(statement);
    return good;
}

bool reading_name(struct reading *reading, const char *name,
                  bool (*show)(const struct sum_row *row, void *context), void *context,
                  bool *out_found, struct error *err) {
    char sql[SQL_BYTES];
    text_format(sql, sizeof sql, "%s FROM names WHERE name = ?1", name_columns);
    sqlite3_stmt *statement = reading_prepare(reading, sql, err);
    if (!statement)
        return false;
    bool good = true;
    struct sum_row row;
    reading_bind(statement, 1, name);
    *out_found = reading_next(reading, statement, &good, err);
    if (*out_found) {
        read_name(statement, &row);
        row.ids = count_ids(reading, row.name);
        show(&row, context);
    }
    sqlite3_finalize(statement);
    return good;
}

bool reading_ids(struct reading *reading, const char *name, uint64_t offset, uint64_t limit,
                 bool (*show)(const struct sum_row *row, void *context), void *context,
                 struct error *err) {
    sqlite3_stmt *statement = reading_prepare(
        reading,
        "SELECT id, requests, exclusions, success, hits, bytes, time_us, last_s, verdict"
        " FROM ids WHERE name = ?1 ORDER BY last_s DESC, id LIMIT ?2 OFFSET ?3",
        err);
    if (!statement)
        return false;
    bool good = true;
    struct sum_row row;
    reading_bind(statement, 1, name);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)limit);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)offset);
    while (reading_next(reading, statement, &good, err)) {
        read_name(statement, &row);
        row.id = row.name;
        row.name = name;
        row.verdict = reading_text(statement, 8);
        if (!show(&row, context))
            break;
    }
    sqlite3_finalize(statement);
    return good;
}

/* --- servers --- */

bool reading_pairs(struct reading *reading, const char *name,
                   bool (*show)(const struct pair_row *row, void *context), void *context,
                   struct error *err) {
    if (!reading->pairs)
        reading->pairs =
            reading_prepare(reading,
                            "SELECT source, found, absent, failed, time_us, bytes FROM pairs"
                            " WHERE name = ?1",
                            err);
    sqlite3_stmt *statement = reading->pairs;
    if (!statement)
        return false;
    bool good = true;
    reading_bind(statement, 1, name);
    while (reading_next(reading, statement, &good, err)) {
        struct pair_row row = {reading_text(statement, 0),   reading_number(statement, 1),
                               reading_number(statement, 2), reading_number(statement, 3),
                               reading_number(statement, 4), reading_number(statement, 5)};
        if (!show(&row, context))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool reading_source(struct reading *reading, const char *source, struct source_row *out_row,
                    struct error *err) {
    sqlite3_stmt *statement =
        reading_prepare(reading,
                        "SELECT found, absent, failed, time_us, bytes, times, failed_ms, failure"
                        " FROM sources WHERE source = ?1",
                        err);
    if (!statement)
        return false;
    bool good = true;
    struct source_row row = {0};
    reading_bind(statement, 1, source);
    if (reading_next(reading, statement, &good, err)) {
        row.found = reading_number(statement, 0);
        row.absent = reading_number(statement, 1);
        row.failed = reading_number(statement, 2);
        row.time_us = reading_number(statement, 3);
        row.bytes = reading_number(statement, 4);
        counts_at(statement, 5, row.times.counts, HISTOGRAM_STEPS);
        row.failed_ms = sqlite3_column_int64(statement, 6);
        text_copy(row.failure, sizeof row.failure, reading_text(statement, 7));
    }
    sqlite3_finalize(statement);
    if (good)
        *out_row = row;
    return good;
}
