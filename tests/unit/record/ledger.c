// SPDX-License-Identifier: MIT
#include "record/ledger.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "record/archive.h"
#include "record/reading.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { WAIT_MS = 20000, AT_S = 1800000000 };

static struct ledger_options options_of(const char *path) {
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

static char *path_of(void **state) {
    return scratch_path(*state, "statistics.db");
}

static struct ledger *open_with(const struct ledger_options *options) {
    struct error err = {0};
    struct ledger *ledger = ledger_new(options, &err);
    if (!ledger)
        fail_msg("%s", err.what);
    return ledger;
}

static struct ledger *open_at(const char *path) {
    struct ledger_options options = options_of(path);
    return open_with(&options);
}

/* One request, of ten bytes that took two seconds. */
static struct outcome outcome_of(const char *name, const char *id, enum verdict verdict) {
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

static void take(struct ledger *ledger, const char *name, const char *id, enum verdict verdict) {
    struct outcome outcome = outcome_of(name, id, verdict);
    ledger_take(ledger, &outcome, NULL);
}

static void take_answer(struct ledger *ledger, const char *name, const char *source,
                        enum attempt_result result) {
    struct attempt_note note = {.result = result, .head_ms = 3, .total_ms = 4, .bytes = 5};
    text_copy(note.source, sizeof note.source, source);
    text_copy(note.what, sizeof note.what, "it burns");
    ledger_take_answer(ledger, name, &note);
}

static struct reading *read_it(struct ledger *ledger) {
    struct error err = {0};
    assert_true(ledger_settle(ledger, WAIT_MS));
    struct reading *reading = reading_open(ledger_path(ledger), &err);
    if (!reading)
        fail_msg("%s", err.what);
    return reading;
}

struct rows {
    unsigned count;
    char first[64]; /* of the first row shown, as each of these */
    uint64_t requests, success, hits, exclusions, bytes, time_us, ids;
    char verdict[16];
};

static bool show_sum(const struct sum_row *row, void *context) {
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

static struct rows names_of(struct ledger *ledger, const struct names_query *query) {
    struct rows rows = {0};
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    assert_true(reading_names(reading, query, show_sum, &rows, &err));
    reading_close(reading);
    return rows;
}

static struct rows all_names(struct ledger *ledger) {
    const struct names_query query = {.search = "", .limit = 100000};
    return names_of(ledger, &query);
}

static struct rows name_of(struct ledger *ledger, const char *name) {
    struct rows rows = {0};
    struct error err = {0};
    bool found = false;
    struct reading *reading = read_it(ledger);
    assert_true(reading_name(reading, name, show_sum, &rows, &found, &err));
    assert_int_equal(found, rows.count);
    reading_close(reading);
    return rows;
}

/* --- sums --- */

static void verdicts_count_as_the_table_says(void **state) {
    static const enum verdict all[] = {
        VERDICT_HIT,    VERDICT_HIT,    VERDICT_JOINED,   VERDICT_LOCAL, VERDICT_FETCHED,
        VERDICT_ABSENT, VERDICT_FAILED, VERDICT_EXCLUDED, VERDICT_LATER, VERDICT_BUSY};
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    for (size_t i = 0; i < LENGTH_OF(all); i++)
        take(ledger, "a.pdb", "1", all[i]);
    struct rows rows = name_of(ledger, "a.pdb");
    assert_int_equal(rows.requests, 10);
    assert_int_equal(rows.success, 5);
    assert_int_equal(rows.hits, 2);
    assert_int_equal(rows.exclusions, 1);
    assert_int_equal(rows.bytes, 100);
    assert_int_equal(rows.time_us, 20000000);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 10);
    assert_int_equal(ledger_total(ledger, TOTAL_SUCCESS), 5);
    assert_int_equal(ledger_total(ledger, TOTAL_HITS), 2);
    assert_int_equal(ledger_total(ledger, TOTAL_EXCLUDED), 1);
    assert_int_equal(ledger_total(ledger, TOTAL_INVALID), 0);
    ledger_free(ledger);
}

static void what_is_no_lookup_counts_as_invalid(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    struct outcome follow_up = outcome_of("a.pdb", "1", VERDICT_ABSENT);
    follow_up.follow_up = true;
    ledger_take(ledger, &follow_up, NULL);
    take(ledger, "", "", VERDICT_ABSENT);
    take(ledger, "", "", VERDICT_INVALID);
    struct outcome page = outcome_of("", "", VERDICT_INVALID);
    page.about_symbol = false;
    ledger_take(ledger, &page, NULL);
    assert_int_equal(all_names(ledger).count, 0);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 0);
    assert_int_equal(ledger_total(ledger, TOTAL_INVALID), 3);
    ledger_free(ledger);
}

static void a_name_sums_up_its_ids(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    struct rows ids = {0};
    struct error err = {0};
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    take(ledger, "a.pdb", "2", VERDICT_HIT);
    take(ledger, "b.pdb", "1", VERDICT_HIT);
    struct outcome later = outcome_of("a.pdb", "2", VERDICT_ABSENT);
    later.wall_ns += 1000000000;
    assert_true(ledger_settle(ledger, WAIT_MS)); /* the sum goes on from what is written */
    ledger_take(ledger, &later, NULL);
    struct rows name = name_of(ledger, "a.pdb");
    assert_int_equal(name.requests, 3);
    assert_int_equal(name.ids, 2);
    struct reading *reading = read_it(ledger);
    assert_true(reading_ids(reading, "a.pdb", 0, 10, show_sum, &ids, &err));
    assert_int_equal(ids.count, 2);
    assert_string_equal(ids.first, "2");
    assert_int_equal(ids.requests, 2);
    assert_string_equal(ids.verdict, "absent");
    reading_close(reading);
    assert_int_equal(ledger_names_seen(ledger), 2);
    ledger_free(ledger);
}

static void lists_are_chosen_sorted_and_cut(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    for (unsigned i = 0; i < 3; i++)
        take(ledger, "much.pdb", "1", VERDICT_HIT);
    take(ledger, "Little.pdb", "1", VERDICT_ABSENT);
    take(ledger, "mid.dll", "1", VERDICT_ABSENT);
    take(ledger, "mid.dll", "1", VERDICT_EXCLUDED);
    struct names_query query = {.order = ORDER_REQUESTS, .descending = true, .limit = 10};
    assert_string_equal(names_of(ledger, &query).first, "much.pdb");
    query.offset = 1;
    assert_string_equal(names_of(ledger, &query).first, "mid.dll");
    assert_int_equal(names_of(ledger, &query).count, 2);
    query.limit = 1;
    assert_int_equal(names_of(ledger, &query).count, 1);
    query = (struct names_query){.search = "MID", .limit = 10};
    assert_int_equal(names_of(ledger, &query).count, 1);
    query.search = "%";
    assert_int_equal(names_of(ledger, &query).count, 0);
    query = (struct names_query){.never_found = true, .limit = 10};
    assert_int_equal(names_of(ledger, &query).count, 2);
    query = (struct names_query){.since_s = AT_S + 1, .limit = 10};
    assert_int_equal(names_of(ledger, &query).count, 0);
    ledger_free(ledger);
}

struct pairs {
    unsigned count;
    uint64_t found, absent, failed;
};

static bool show_pair(const struct pair_row *row, void *context) {
    struct pairs *pairs = context;
    assert_string_equal(row->source, "mss");
    pairs->count++;
    pairs->found = row->found;
    pairs->absent = row->absent;
    pairs->failed = row->failed;
    return true;
}

static void servers_answers_are_summed_by_name_and_in_all(void **state) {
    static const enum attempt_result all[] = {ATTEMPT_FOUND,      ATTEMPT_ABSENT,  ATTEMPT_ABSENT,
                                              ATTEMPT_FAILED,     ATTEMPT_LOST,    ATTEMPT_UNASKED,
                                              ATTEMPT_REMEMBERED, ATTEMPT_FILTERED};
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    struct pairs pairs = {0};
    struct source_row source = {0};
    struct error err = {0};
    for (size_t i = 0; i < LENGTH_OF(all); i++)
        take_answer(ledger, "a.pdb", "mss", all[i]);
    take_answer(ledger, "b.pdb", "mss", ATTEMPT_FOUND);
    struct reading *reading = read_it(ledger);
    assert_true(reading_pairs(reading, "a.pdb", show_pair, &pairs, &err));
    assert_int_equal(pairs.count, 1);
    assert_int_equal(pairs.found, 1);
    assert_int_equal(pairs.absent, 2);
    assert_int_equal(pairs.failed, 1);
    assert_true(reading_source(reading, "mss", &source, &err));
    assert_int_equal(source.found, 2);
    assert_int_equal(source.times.counts[histogram_step(SCALE_TIME, 3000)], 4);
    assert_string_equal(source.failure, "it burns");
    assert_true(source.failed_ms > 0);
    assert_true(reading_source(reading, "unknown", &source, &err));
    assert_int_equal(source.found, 0);
    reading_close(reading);
    ledger_free(ledger);
}

/* --- history --- */

struct history {
    unsigned count;
    struct history_row first;
};

static bool show_history(const struct history_row *row, void *context) {
    struct history *history = context;
    if (history->count++ == 0)
        history->first = *row;
    return true;
}

static struct history history_of(struct ledger *ledger, int64_t step_s) {
    struct history history = {0};
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    assert_true(reading_history(reading, step_s, 0, show_history, &history, &err));
    reading_close(reading);
    return history;
}

static void history_is_kept_in_three_steps(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    int64_t now_ns = clock_wall_ns() / 86400000000000 * 86400000000000; /* this day's first */
    for (int64_t minute = 0; minute < 3; minute++) {
        struct outcome outcome = outcome_of("a.pdb", "1", VERDICT_HIT);
        outcome.wall_ns = now_ns + minute * 60000000000;
        ledger_take(ledger, &outcome, NULL);
        assert_true(ledger_settle(ledger, WAIT_MS));
    }
    assert_int_equal(history_of(ledger, 60).count, 3);
    struct history hours = history_of(ledger, 3600);
    assert_int_equal(hours.count, 1);
    assert_int_equal(hours.first.verdicts[VERDICT_HIT], 3);
    assert_int_equal(hours.first.bytes, 30);
    assert_int_equal(hours.first.waits.counts[histogram_step(SCALE_TIME, 1000000)], 3);
    assert_int_equal(history_of(ledger, 86400).count, 1);
    ledger_free(ledger);
}

static void old_history_goes(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger_options options = options_of(path);
    options.book.days_max = 400;
    struct ledger *ledger = open_with(&options);
    static const int days[] = {0, 1, 3, 80, 100, 500};
    for (size_t i = 0; i < LENGTH_OF(days); i++) {
        struct outcome outcome = outcome_of(days[i] == 500 ? "old.pdb" : "a.pdb", "1", VERDICT_HIT);
        outcome.wall_ns = clock_wall_ns() - (int64_t)days[i] * 86400000000000;
        ledger_take(ledger, &outcome, NULL);
    }
    assert_int_equal(history_of(ledger, 60).count, 2);
    assert_int_equal(history_of(ledger, 3600).count, 4);
    assert_int_equal(history_of(ledger, 86400).count, 5);
    assert_int_equal(name_of(ledger, "old.pdb").count, 0);
    assert_int_equal(name_of(ledger, "").requests, 1);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 6);
    ledger_free(ledger);
}

/* --- requests --- */

struct shown {
    unsigned count;
    char first[64], reason[64], attempts[600];
    enum verdict verdict;
};

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

static struct shown requests_of(struct ledger *ledger, struct archive_query query) {
    struct shown shown = {0};
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    query.limit = query.limit ? query.limit : 1000000;
    assert_true(archive_each(reading, &query, show_request, &shown, &err));
    reading_close(reading);
    return shown;
}

static void requests_are_found_by_what_they_were(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    struct attempt_note note = {
        .source = "mss", .result = ATTEMPT_FAILED, .cause = ERROR_TIMEOUT, .what = "\"silent\""};
    struct outcome failed = outcome_of("a.pdb", "1", VERDICT_FAILED);
    failed.note_count = 1;
    failed.text.id = "the-failed";
    failed.text.reason = "No Answer";
    ledger_take(ledger, &failed, &note);
    take(ledger, "b.pdb", "2", VERDICT_HIT);
    assert_int_equal(requests_of(ledger, (struct archive_query){0}).count, 2);
    assert_string_equal(requests_of(ledger, (struct archive_query){0}).first, "b.pdb/2");
    struct shown shown = requests_of(ledger, (struct archive_query){.id = "the-failed"});
    assert_int_equal(shown.count, 1);
    assert_string_equal(shown.first, "a.pdb/1");
    assert_int_equal(shown.verdict, VERDICT_FAILED);
    assert_non_null(strstr(shown.attempts, "\"cause\": \"timeout\", \"what\": \"\\\"silent\\\"\""));
    const struct archive_query one[] = {
        {.key = "b.pdb/2"},      {.verdict = "hit"}, {.source = "mss"},
        {.search = "NO ANSWER"}, {.limit = 1},       {.search = "b.pdb"},
    };
    for (size_t i = 0; i < LENGTH_OF(one); i++)
        assert_int_equal(requests_of(ledger, one[i]).count, 1);
    const struct archive_query none[] = {
        {.key = "b.pdb/3"}, {.client = "10.0.0.2"}, {.before_ms = 1}, {.id = "x"}};
    for (size_t i = 0; i < LENGTH_OF(none); i++)
        assert_int_equal(requests_of(ledger, none[i]).count, 0);
    assert_int_equal(requests_of(ledger, (struct archive_query){.client = "10.0.0.1"}).count, 2);
    ledger_free(ledger);
}

static void failures_outlive_the_other_requests(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger_options options = options_of(path);
    options.book.requests_max = 100;
    options.book.failures_max = 5;
    struct ledger *ledger = open_with(&options);
    for (unsigned i = 0; i < 10; i++)
        take(ledger, "failed.pdb", "1", VERDICT_FAILED);
    for (unsigned i = 0; i < 1000; i++)
        take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_int_equal(requests_of(ledger, (struct archive_query){.verdict = "hit"}).count, 100);
    assert_int_equal(requests_of(ledger, (struct archive_query){.verdict = "failed"}).count, 5);
    ledger_free(ledger);
}

/* --- ceilings --- */

static void the_least_used_names_go_into_other(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger_options options = options_of(path);
    options.book.names_max = 100;
    struct ledger *ledger = open_with(&options);
    for (unsigned i = 0; i < 500; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.pdb", i);
        take(ledger, name, "1", VERDICT_HIT);
        take(ledger, "often.pdb", "1", VERDICT_HIT);
        take_answer(ledger, name, "mss", ATTEMPT_FOUND);
    }
    struct rows all = all_names(ledger);
    assert_in_range(all.count, 90, 101); /* with the one for all others */
    assert_string_equal(all.first, "");
    uint64_t folded = all.requests;
    assert_int_equal(name_of(ledger, "often.pdb").requests, 500);
    assert_int_equal(folded + 500 + (all.count - 2), 1000);
    assert_int_equal(ledger_names_seen(ledger), 501);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 1000);
    struct pairs pairs = {0};
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    assert_true(reading_pairs(reading, "", show_pair, &pairs, &err));
    assert_int_equal(pairs.found, folded);
    reading_close(reading);
    ledger_free(ledger);
}

static void the_least_used_ids_go_into_other(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger_options options = options_of(path);
    options.book.ids_max = 100;
    struct ledger *ledger = open_with(&options);
    for (unsigned i = 0; i < 500; i++) {
        char id[32];
        snprintf(id, sizeof id, "%u", i);
        take(ledger, "a.pdb", id, VERDICT_HIT);
    }
    struct rows name = name_of(ledger, "a.pdb");
    assert_int_equal(name.requests, 500);
    assert_in_range(name.ids, 90, 100);
    struct rows ids = {0};
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    assert_true(reading_ids(reading, "a.pdb", 0, 1000, show_sum, &ids, &err));
    assert_int_equal(ids.count, name.ids + 1);
    reading_close(reading);
    ledger_free(ledger);
}

static void a_file_near_its_limit_lets_details_go(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger_options options = options_of(path);
    options.book.bytes_max = 2 << 20;
    struct ledger *ledger = open_with(&options);
    unsigned taken = 0;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 1000; i++, taken++) {
            char id[32];
            snprintf(id, sizeof id, "%u", taken);
            take(ledger, "a.pdb", id, VERDICT_HIT);
        }
        ledger_settle(ledger, WAIT_MS);
    }
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_true(file.st_size <= 2 << 20);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), taken);
    take(ledger, "last.pdb", "1", VERDICT_HIT);
    assert_int_equal(name_of(ledger, "last.pdb").requests, 1);
    ledger_free(ledger);
}

/* --- restarts and trouble --- */

static void everything_is_there_again_after_a_restart(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    take(ledger, "a.pdb", "1", VERDICT_FETCHED);
    uint64_t since_ms = ledger_total(ledger, TOTAL_SINCE_MS);
    ledger_free(ledger);
    ledger = open_at(path);
    assert_int_equal(ledger_total(ledger, TOTAL_SINCE_MS), since_ms);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 3);
    assert_int_equal(ledger_total(ledger, TOTAL_HITS), 2);
    assert_int_equal(ledger_names_seen(ledger), 1);
    assert_int_equal(name_of(ledger, "a.pdb").requests, 3);
    assert_int_equal(requests_of(ledger, (struct archive_query){0}).count, 3);
    ledger_free(ledger);
}

static void a_file_of_a_later_version_is_refused(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct error err = {0};
    sqlite3 *db;
    ledger_free(open_at(path));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct ledger_options options = options_of(path);
    assert_null(ledger_new(&options, &err));
    assert_non_null(strstr(err.what, "later version"));
    assert_non_null(strstr(err.what, path));
    assert_true(err.hint[0]);
}

static bool lies_aside(const char *folder) {
    char line[4200];
    snprintf(line, sizeof line, "ls %s | grep -q '^statistics.db.broken-'", folder);
    return system(line) == 0;
}

static void a_damaged_file_is_set_aside(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    scratch_write(*state, "statistics.db", "this is no database, and was never one; it is a text");
    struct ledger *ledger = open_at(path);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_int_equal(name_of(ledger, "a.pdb").requests, 1);
    assert_true(lies_aside(*state));
    ledger_free(ledger);
}

static void totals_outlive_a_deleted_file(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_true(ledger_settle(ledger, WAIT_MS));
    assert_int_equal(unlink(path), 0);
    take(ledger, "b.pdb", "1", VERDICT_HIT);
    assert_int_equal(name_of(ledger, "b.pdb").requests, 1);
    assert_int_equal(name_of(ledger, "a.pdb").count, 0);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 2);
    ledger_free(ledger);
    ledger = open_at(path);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 2);
    ledger_free(ledger);
}

static void a_locked_file_is_tried_again(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    struct error why = {0};
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_false(ledger_settle(ledger, WAIT_MS));
    assert_true(ledger_trouble(ledger, &why));
    assert_non_null(strstr(why.what, "locked"));
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(name_of(ledger, "a.pdb").requests, 2);
    assert_false(ledger_trouble(ledger, &why));
    assert_true(counted(&ledger_counters(ledger)->unwritten) > 0);
    ledger_free(ledger);
}

static void what_finds_no_room_is_lost_and_counted(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_false(ledger_settle(ledger, WAIT_MS)); /* that sheet waits, and the next one fills */
    for (unsigned i = 0; i < SHEET_HITS_MAX + 10; i++)
        take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_true(ledger_settle(ledger, WAIT_MS));
    assert_int_equal(name_of(ledger, "a.pdb").requests, SHEET_HITS_MAX + 11);
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), SHEET_HITS_MAX + 11);
    assert_int_equal(ledger_total(ledger, TOTAL_LOST), 10);
    assert_int_equal(requests_of(ledger, (struct archive_query){0}).count, SHEET_HITS_MAX + 1);
    ledger_free(ledger);
}

static void switched_off_it_leaves_no_trace(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger_options options = options_of(path);
    options.enabled = false;
    struct ledger *ledger = open_with(&options);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    take_answer(ledger, "a.pdb", "mss", ATTEMPT_FOUND);
    assert_true(ledger_settle(ledger, WAIT_MS));
    assert_null(ledger_path(ledger));
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), 0);
    assert_int_equal(counted(&ledger_counters(ledger)->wait_us), 1000000);
    assert_int_equal(access(path, F_OK), -1);
    ledger_free(ledger);
}

static void hits_save_what_a_fetch_would_have_taken(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    struct outcome fetched = outcome_of("a.pdb", "1", VERDICT_FETCHED);
    struct outcome hit = outcome_of("a.pdb", "1", VERDICT_HIT);
    hit.waited_us = 100000;
    ledger_take(ledger, &hit, NULL);
    assert_true(ledger_seconds_saved(ledger) == 0); /* nothing to compare with yet */
    ledger_take(ledger, &fetched, NULL);
    ledger_take(ledger, &hit, NULL);
    double saved_s = ledger_seconds_saved(ledger);
    assert_true(saved_s > 1.79 && saved_s < 1.81);
    ledger_free(ledger);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(verdicts_count_as_the_table_says),
        WITH_FOLDER(what_is_no_lookup_counts_as_invalid),
        WITH_FOLDER(a_name_sums_up_its_ids),
        WITH_FOLDER(lists_are_chosen_sorted_and_cut),
        WITH_FOLDER(servers_answers_are_summed_by_name_and_in_all),
        WITH_FOLDER(history_is_kept_in_three_steps),
        WITH_FOLDER(old_history_goes),
        WITH_FOLDER(requests_are_found_by_what_they_were),
        WITH_FOLDER(failures_outlive_the_other_requests),
        WITH_FOLDER(the_least_used_names_go_into_other),
        WITH_FOLDER(the_least_used_ids_go_into_other),
        WITH_FOLDER(a_file_near_its_limit_lets_details_go),
        WITH_FOLDER(everything_is_there_again_after_a_restart),
        WITH_FOLDER(a_file_of_a_later_version_is_refused),
        WITH_FOLDER(a_damaged_file_is_set_aside),
        WITH_FOLDER(totals_outlive_a_deleted_file),
        WITH_FOLDER(a_locked_file_is_tried_again),
        WITH_FOLDER(what_finds_no_room_is_lost_and_counted),
        WITH_FOLDER(switched_off_it_leaves_no_trace),
        WITH_FOLDER(hits_save_what_a_fetch_would_have_taken),
    };
    return RUN_TESTS(tests);
}
