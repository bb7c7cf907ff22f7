// SPDX-License-Identifier: MIT
#include "record/archive.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "record/reading_inside.h"

enum { SEARCH_BYTES = 512 };

#define COLUMNS                                                                                    \
    "SELECT id, at_ms, client, dialect, method, path, key, verdict, source, reason, rule, status," \
    " bytes, waited_us, total_us, broken, attempts, n FROM"
#define CONDITIONS                                                                                 \
    " WHERE (?1 = '' OR id = ?1) AND (?2 = '' OR key = ?2) AND (?3 = '' OR verdict = ?3"           \
    " OR (?3 = '" ARCHIVE_FAILURE "' AND verdict IN ('failed', 'busy', 'later')))"                 \
    " AND (?4 = '' OR source = ?4 OR instr(attempts, ?4)) AND (?5 = '' OR client = ?5)"            \
    " AND (?6 = '' OR instr(lower(path), ?6) OR instr(key, ?6) OR instr(lower(reason), ?6))"       \
    " AND (?10 = '' OR instr(attempts, '\"' || ?10 || '\"'))"                                      \
    " AND (?11 = 0 OR (broken & 8 <> 0) = (?11 = 2))"                                              \
    " AND (?12 = 0 OR n = ?12)"                                                                    \
    " AND (?7 = 0 OR at_ms < ?7 OR (at_ms = ?7 AND n < ?9))"                                       \
    " ORDER BY at_ms DESC, n DESC LIMIT ?8"

/* Two tables with rising numbers, read as one. Each condition falls away where nothing is asked. */
static const char *const each =
    COLUMNS " (SELECT * FROM requests UNION ALL SELECT * FROM failures)" CONDITIONS;

/* What failed lies in one of them alone. */
static const char *const each_failure = COLUMNS " failures" CONDITIONS;

/* The same for an id alone, by its index; of those that bear it one may be meant. */
static const char *const by_id =
    COLUMNS " (SELECT * FROM requests WHERE id = ?1 UNION ALL SELECT * FROM failures WHERE id = ?1)"
            " WHERE ?12 = 0 OR n = ?12 ORDER BY at_ms DESC, n DESC LIMIT ?8";

static bool given(const char *text) {
    return text && text[0];
}

static bool asks_for_id_alone(const struct archive_query *query) {
    return given(query->id) && !given(query->key) && !given(query->verdict) &&
           !given(query->source) && !given(query->client) && !given(query->search) &&
           !given(query->result) && query->forms == ARCHIVE_ALL && query->before_ms == 0;
}

static enum verdict verdict_of(const char *name) {
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        if (strcmp(name, verdict_name((enum verdict)i)) == 0)
            return (enum verdict)i;
    return VERDICT_INVALID;
}

static bool asks_for_failures(const struct archive_query *query) {
    return given(query->verdict) && (strcmp(query->verdict, ARCHIVE_FAILURE) == 0 ||
                                     verdict_open(verdict_of(query->verdict)));
}

static const char *choose(const struct archive_query *query) {
    if (asks_for_id_alone(query))
        return by_id;
    return asks_for_failures(query) ? each_failure : each;
}

static void read_row(sqlite3_stmt *statement, struct archive_row *row) {
    struct outcome *outcome = &row->outcome;
    int marks = sqlite3_column_int(statement, 15);
    *outcome = (struct outcome){
        .wall_ns = sqlite3_column_int64(statement, 1) * 1000000,
        .dialect = reading_text(statement, 3),
        .method = reading_text(statement, 4),
        .about_symbol = true,
        .verdict = verdict_of(reading_text(statement, 7)),
        .status = sqlite3_column_int(statement, 11),
        .bytes = (uint64_t)sqlite3_column_int64(statement, 12),
        .waited_us = sqlite3_column_int64(statement, 13),
        .total_us = sqlite3_column_int64(statement, 14),
        .broken = marks & MARK_BROKEN,
        .hung_up = marks & MARK_HUNG_UP,
        .not_kept = marks & MARK_NOT_KEPT,
        .follow_up = marks & MARK_FOLLOW_UP,
        .joined = marks & MARK_JOINED,
        .text =
            {
                .id = reading_text(statement, 0),
                .client = reading_text(statement, 2),
                .path = reading_text(statement, 5),
                .name = "",
                .key_id = "",
                .rule = reading_text(statement, 10),
                .source = reading_text(statement, 8),
                .reason = reading_text(statement, 9),
            },
    };
    row->key = reading_text(statement, 6);
    row->n = sqlite3_column_int64(statement, 17);
    row->attempts =
        sqlite3_column_type(statement, 16) == SQLITE_NULL ? "[]" : reading_text(statement, 16);
}

static_assert(MARK_FOLLOW_UP == 8 && ARCHIVE_FOLLOW_UPS == 2, "as the conditions have it");

bool archive_each(struct reading *reading, const struct archive_query *query,
                  bool (*show)(const struct archive_row *row, void *context), void *context,
                  struct error *err) {
    char search[SEARCH_BYTES];
    sqlite3_stmt *statement = reading_prepare(reading, choose(query), err);
    if (!statement)
        return false;
    const char *const texts[] = {query->id, query->key, query->verdict, query->source,
                                 query->client};
    for (int i = 0; i < 5; i++)
        reading_bind(statement, i + 1, texts[i] ? texts[i] : "");
    text_copy(search, sizeof search, query->search ? query->search : "");
    text_fold(search);
    reading_bind(statement, 6, search);
    sqlite3_bind_int64(statement, 7, query->before_ms);
    sqlite3_bind_int64(statement, 8, (sqlite3_int64)query->limit);
    sqlite3_bind_int64(statement, 9, query->before_n);
    reading_bind(statement, 10, query->result ? query->result : "");
    sqlite3_bind_int(statement, 11, (int)query->forms);
    sqlite3_bind_int64(statement, 12, query->n);
    bool good = true;
    struct archive_row row;
    while (reading_next(reading, statement, &good, err)) {
        read_row(statement, &row);
        if (!show(&row, context))
            break;
    }
    sqlite3_finalize(statement);
    return good;
}
