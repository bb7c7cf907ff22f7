// SPDX-License-Identifier: MIT
//
// What the book holds about a server as it is asked now.
#include "record/reading_inside.h"

static void bind_server(sqlite3_stmt *statement, const struct evidence_server *server) {
    reading_bind(statement, 1, server->identifier);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)server->mark);
    reading_bind(statement, 3, server->servers);
    sqlite3_bind_int(statement, 4, server->own_shelf);
}

/* Who has the place that server ?1 has now. Then: files that were here and bear no name, or one of
   which nobody knows where it was; or that of a server which was moved since, of whose new place
   they are known to be only where they were found there; or that had another name at this place. */
#define UNKNOWN                                                                                    \
    " here AS (SELECT source FROM marks WHERE source <> ?1"                                        \
    " AND place = (SELECT place FROM marks WHERE source = ?1)),"                                   \
    " unknown AS (SELECT name, found + kept AS had FROM evidence WHERE found + kept > 0"           \
    " AND ((kept > 0 AND source NOT IN (SELECT value FROM json_each(?3))"                          \
    " AND source NOT IN (SELECT source FROM marks))"                                               \
    " OR (found = 0 AND source IN (SELECT source FROM marks WHERE moved))"                         \
    " OR source IN here))"

bool reading_evidence(struct reading *reading, const struct evidence_server *server,
                      struct evidence_total *out_total, struct error *err) {
    sqlite3_stmt *statement = reading_prepare(
        reading,
        "WITH" UNKNOWN
        " SELECT since_ms, sum(found), sum(absent), sum(failed), sum(time_us), sum(kept),"
        " (SELECT count(*) FROM questions WHERE source IN (?1, '')),"
        " (SELECT count(*) FROM unknown)"
        " FROM marks LEFT JOIN evidence ON evidence.source = marks.source"
        " WHERE marks.source = ?1 AND (?2 IN (mark, 0) OR mark = 0)",
        err);
    if (!statement)
        return false;
    bool good = true;
    *out_total = (struct evidence_total){0};
    bind_server(statement, server);
    if (reading_next(reading, statement, &good, err) && sqlite3_column_int64(statement, 0) != 0)
        *out_total = (struct evidence_total){
            .since_ms = sqlite3_column_int64(statement, 0),
            .found = reading_number(statement, 1),
            .absent = reading_number(statement, 2),
            .failed = reading_number(statement, 3),
            .time_us = reading_number(statement, 4),
            .kept = reading_number(statement, 5),
            .open = reading_number(statement, 6),
            .unknown = reading_number(statement, 7),
        };
    sqlite3_finalize(statement);
    return good;
}

bool reading_trace_from(struct reading *reading, int64_t *out_n, struct error *err) {
    sqlite3_stmt *statement =
        reading_prepare(reading, "SELECT value FROM numbers WHERE name = 'trace_from'", err);
    bool good = true;
    *out_n = 0;
    if (!statement)
        return false;
    if (reading_next(reading, statement, &good, err))
        *out_n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return good;
}

/* What was said; files that are here, of which it may have been the source; hits of a time that
   there is no evidence of; and open questions. */
static const char names_said[] =
    "WITH" UNKNOWN
    " SELECT name, sum(found), sum(absent), sum(failed), sum(time_us), sum(may_have) FROM ("
    "SELECT name, found, absent, failed, time_us, found + kept AS may_have FROM evidence"
    " WHERE source = ?1"
    " UNION ALL SELECT name, 0, 0, 0, 0, had FROM unknown"
    " UNION ALL SELECT name, 0, 0, 0, 0, hits FROM names"
    " WHERE hits > 0 AND name <> '' AND (?4 OR NOT EXISTS"
    " (SELECT 1 FROM evidence WHERE evidence.name = names.name AND found + kept > 0))"
    " UNION ALL SELECT lower(substr(question, 1, instr(question, '/') - 1)), 0, 0, 0, 0, 1"
    " FROM questions WHERE source IN (?1, ''))"
    " WHERE EXISTS (SELECT 1 FROM marks WHERE source = ?1 AND (?2 IN (mark, 0) OR mark = 0))"
    " GROUP BY name ORDER BY name";

bool reading_evidence_names(struct reading *reading, const struct evidence_server *server,
                            bool (*show)(const struct evidence_row *row, void *context),
                            void *context, struct error *err) {
    sqlite3_stmt *statement = reading_prepare(reading, names_said, err);
    if (!statement)
        return false;
    bool good = true;
    bind_server(statement, server);
    while (reading_next(reading, statement, &good, err)) {
        const struct evidence_row row = {
            .name = reading_text(statement, 0),
            .found = reading_number(statement, 1),
            .absent = reading_number(statement, 2),
            .failed = reading_number(statement, 3),
            .time_us = reading_number(statement, 4),
            .may_have = reading_number(statement, 5),
        };
        if (!show(&row, context))
            break;
    }
    sqlite3_finalize(statement);
    return good;
}
