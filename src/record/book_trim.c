// SPDX-License-Identifier: MIT
//
// What keeps the book within its bounds: history and names that are too old go, the least used
// names and ids go into "other", the oldest requests make room. Steps are so large that they are
// rare, and so small that one of them takes a second at most.
#include "base/text.h"
#include "record/book_inside.h"

enum {
    TRIM_EVERY_S = 60,
    MINUTES_KEPT_S = 2 * 86400,
    HOURS_KEPT_S = 90 * 86400,
    STEP_SHARE = 20,   /* one in so many goes at a time */
    FULL_PERCENT = 90, /* of the file's limit: from here on details go */
};

/* The least used: fewest requests, and of those the ones not asked for the longest time. */
static const char *const choose_names =
    "CREATE TEMP TABLE going AS SELECT name FROM main.names WHERE name <> ''"
    " ORDER BY requests, last_s LIMIT ?1";
static const char *const choose_old_names =
    "CREATE TEMP TABLE going AS SELECT name FROM main.names WHERE name <> '' AND last_s < ?1"
    " LIMIT 20000";

static const char *const fold_names =
    "INSERT INTO names SELECT '', sum(requests), sum(exclusions), sum(success), sum(hits),"
    " sum(bytes), sum(time_us), max(last_s) FROM names WHERE name IN (SELECT name FROM going)"
    " HAVING count(*) > 0 ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
    " exclusions = exclusions + excluded.exclusions, success = success + excluded.success,"
    " hits = hits + excluded.hits, bytes = bytes + excluded.bytes,"
    " time_us = time_us + excluded.time_us, last_s = max(last_s, excluded.last_s);"
    "INSERT INTO pairs SELECT '', source, sum(found), sum(absent), sum(failed), sum(time_us),"
    " sum(bytes) FROM pairs WHERE name IN (SELECT name FROM going) GROUP BY source"
    " ON CONFLICT DO UPDATE SET found = found + excluded.found,"
    " absent = absent + excluded.absent, failed = failed + excluded.failed,"
    " time_us = time_us + excluded.time_us, bytes = bytes + excluded.bytes;"
    "DELETE FROM pairs WHERE name IN (SELECT name FROM going);"
    /* What a server had speaks against advice for good; what it denied is no loss. */
    "DELETE FROM evidence WHERE found = 0 AND kept = 0 AND name IN (SELECT name FROM going);";

static const char *const choose_ids =
    "CREATE TEMP TABLE going AS SELECT name, id FROM main.ids WHERE id <> ''"
    " ORDER BY requests, last_s LIMIT ?1";

static const char *const fold_ids =
    "CREATE UNIQUE INDEX temp.going_by ON going(name, id);"
    "INSERT INTO ids SELECT i.name, '', sum(requests), sum(exclusions), sum(success), sum(hits),"
    " sum(bytes), sum(time_us), max(last_s), '' FROM going g JOIN ids i"
    " ON i.name = g.name AND i.id = g.id GROUP BY i.name ON CONFLICT DO UPDATE SET"
    " requests = requests + excluded.requests, exclusions = exclusions + excluded.exclusions,"
    " success = success + excluded.success, hits = hits + excluded.hits,"
    " bytes = bytes + excluded.bytes, time_us = time_us + excluded.time_us,"
    " last_s = max(last_s, excluded.last_s);";

/* So many at once, at least what is over and one. */
static int64_t step_of(uint64_t there, uint64_t max) {
    uint64_t over = there > max ? there - max : 0;
    return (int64_t)(over + max / STEP_SHARE + 1);
}

static bool put_folded(struct book *book, struct error *err) {
    char sql[300];
    text_format(sql, sizeof sql,
                "INSERT INTO numbers VALUES('folded_names', %llu), ('folded_ids', %llu)"
                " ON CONFLICT DO UPDATE SET value = excluded.value",
                (unsigned long long)book->folded_names, (unsigned long long)book->folded_ids);
    return book_run(book, sql, err);
}

static bool delete (struct book *book, const char *sql, uint64_t *out_gone, struct error *err) {
    if (!book_run(book, sql, err))
        return false;
    *out_gone = (uint64_t)sqlite3_changes64(book->db);
    return true;
}

/* Takes names into "other" in one transaction. `choose` and its number say which. */
static bool fold_chosen_names(struct book *book, const char *choose, int64_t number,
                              struct error *err) {
    uint64_t ids = 0, names = 0;
    uint64_t folded_names = book->folded_names, folded_ids = book->folded_ids;
    bool good =
        book_run(book, "BEGIN IMMEDIATE", err) &&
        book_run(book, "DROP TABLE IF EXISTS temp.going", err) &&
        book_run_with(book, choose, number, err) && book_run(book, fold_names, err) &&
        delete (book, "DELETE FROM ids WHERE name IN (SELECT name FROM going) AND id <> ''", &ids,
                err) &&
        book_run(book, "DELETE FROM ids WHERE name IN (SELECT name FROM going)", err) &&
        delete (book, "DELETE FROM names WHERE name IN (SELECT name FROM going)", &names, err);
    if (!good)
        return false;
    book->folded_names += names;
    book->folded_ids += ids;
    if (!put_folded(book, err) || !book_run(book, "DROP TABLE temp.going; COMMIT", err)) {
        book->folded_names = folded_names;
        book->folded_ids = folded_ids;
        return false;
    }
    book->name_count -= names;
    book->id_count -= ids;
    return true;
}

static bool fold_least_ids(struct book *book, int64_t number, struct error *err) {
    uint64_t ids = 0, before = book->folded_ids;
    bool good = book_run(book, "BEGIN IMMEDIATE", err) &&
                book_run(book, "DROP TABLE IF EXISTS temp.going", err) &&
                book_run_with(book, choose_ids, number, err) && book_run(book, fold_ids, err) &&
                delete (book, "DELETE FROM ids WHERE (name, id) IN (SELECT name, id FROM going)",
                        &ids, err);
    if (!good)
        return false;
    book->folded_ids += ids;
    if (!put_folded(book, err) || !book_run(book, "DROP TABLE temp.going; COMMIT", err)) {
        book->folded_ids = before;
        return false;
    }
    book->id_count -= ids;
    return true;
}

/* --- requests --- */

/* What lies before the oldest that is kept of either kind tells but a part. */
static bool cut_requests(struct book *book, uint64_t kept, struct error *err) {
    int64_t oldest = book->next_request - (int64_t)kept;
    book->cut_at = book->next_request;
    return book_run_with(book, "DELETE FROM requests WHERE n < ?1", oldest, err) &&
           (sqlite3_changes64(book->db) == 0 || book_cut_trace(book, oldest, err));
}

static bool cut_failures(struct book *book, uint64_t kept, struct error *err) {
    char sql[100];
    text_format(sql, sizeof sql, "SELECT n FROM failures ORDER BY n DESC LIMIT 1 OFFSET %llu",
                (unsigned long long)kept);
    int64_t newest = book_ask(book, sql);
    return newest == 0 || (book_run_with(book, "DELETE FROM failures WHERE n <= ?1", newest, err) &&
                           book_cut_trace(book, newest + 1, err));
}

/* --- retention --- */

static bool forget_old(struct book *book, int64_t now_s, struct error *err) {
    int64_t days_s = now_s - book->options.days_max * 86400;
    bool good = book_run_with(book, "DELETE FROM history WHERE step_s = 60 AND at_s < ?1",
                              now_s - MINUTES_KEPT_S, err) &&
                book_run_with(book, "DELETE FROM history WHERE step_s = 3600 AND at_s < ?1",
                              now_s - HOURS_KEPT_S, err);
    if (!good || book->options.days_max <= 0)
        return good;
    return book_run_with(book, "DELETE FROM history WHERE at_s < ?1", days_s, err) &&
           book_run_with(book, "DELETE FROM requests WHERE at_ms < ?1 * 1000", days_s, err) &&
           book_run_with(book, "DELETE FROM failures WHERE at_ms < ?1 * 1000", days_s, err) &&
           fold_chosen_names(book, choose_old_names, days_s, err);
}

/* The file is nearly as large as it may be: the least useful twentieth of everything goes. */
static bool make_room(struct book *book, struct error *err) {
    uint64_t kept = (uint64_t)book_ask(book, "SELECT count(*) FROM requests");
    uint64_t failures = (uint64_t)book_ask(book, "SELECT count(*) FROM failures");
    return cut_requests(book, kept - kept / STEP_SHARE, err) &&
           cut_failures(book, failures - failures / STEP_SHARE, err) &&
           fold_least_ids(book, step_of(0, book->id_count), err) &&
           fold_chosen_names(book, choose_names, step_of(0, book->name_count), err);
}

static bool trim_rarely(struct book *book, int64_t now_s, struct error *err) {
    if (now_s < book->trimmed_s + TRIM_EVERY_S && now_s >= book->trimmed_s)
        return true;
    if (!cut_requests(book, book->options.requests_max, err) ||
        !cut_failures(book, book->options.failures_max, err) || !forget_old(book, now_s, err) ||
        !book_bound_evidence(book, now_s, err))
        return false;
    book->trimmed_s = now_s;
    return true;
}

static bool trim(struct book *book, int64_t now_s, struct error *err) {
    const struct book_options *options = &book->options;
    if (!trim_rarely(book, now_s, err))
        return false;
    uint64_t slack = options->requests_max / STEP_SHARE + 1;
    if ((uint64_t)(book->next_request - book->cut_at) > slack &&
        !cut_requests(book, options->requests_max, err))
        return false;
    if (book->name_count > options->names_max &&
        !fold_chosen_names(book, choose_names, step_of(book->name_count, options->names_max), err))
        return false;
    if (book->id_count > options->ids_max &&
        !fold_least_ids(book, step_of(book->id_count, options->ids_max), err))
        return false;
    return book_bytes(book) < options->bytes_max / 100 * FULL_PERCENT || make_room(book, err);
}

enum book_written book_trim(struct book *book, int64_t now_s, struct error *err) {
    return trim(book, now_s, err) ? BOOK_WRITTEN : book_give_up(book);
}
