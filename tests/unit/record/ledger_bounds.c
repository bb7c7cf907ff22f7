// SPDX-License-Identifier: MIT
//
// What keeps the ledger within its bounds, and what it does when its file cannot be used.
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"
#include "unit/record/ledger_bench.h"

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

static void other_is_no_name(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    take(ledger, "(other)", "1", VERDICT_HIT);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_true(ledger_settle(ledger, WAIT_MS));
    assert_int_equal(ledger_names_seen(ledger), 1);
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
    options.book.bytes_max = 8 << 20;
    struct ledger *ledger = open_with(&options);
    unsigned taken = 0;
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 500; i++, taken++) {
            char id[32];
            snprintf(id, sizeof id, "%u", taken);
            take(ledger, "a.pdb", id, VERDICT_HIT);
        }
        ledger_settle(ledger, WAIT_MS);
    }
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_true(file.st_size <= 8 << 20);
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
    assert_true(ledger_settle(ledger, 20000));
    assert_int_equal(ledger_names_seen(ledger), 1);
    assert_int_equal(name_of(ledger, "a.pdb").requests, 3);
    assert_int_equal(requests_of(ledger, (struct archive_query){0}).count, 3);
    ledger_free(ledger);
}

static void idleness_ends_nothing(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    for (unsigned i = 1; i < 4; i++) {
        assert_true(ledger_settle(ledger, WAIT_MS));
        assert_true(ledger_settle(ledger, WAIT_MS));
        take(ledger, "a.pdb", "1", VERDICT_HIT);
        assert_int_equal(name_of(ledger, "a.pdb").requests, i);
    }
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

/* Everything behind the first pages, which are enough to open it, is noise. */
static void spoil(const char *path) {
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long end = ftell(file);
    assert_true(end > 100000);
    assert_int_equal(fseek(file, 8192, SEEK_SET), 0);
    for (long at = 8192; at < end; at++)
        fputc(0xa5, file);
    assert_int_equal(fclose(file), 0);
}

static void a_file_that_is_damaged_within_is_set_aside(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct ledger *ledger = open_at(path);
    for (unsigned i = 0; i < 3000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.pdb", i);
        take(ledger, name, "1", VERDICT_HIT);
    }
    ledger_free(ledger);
    spoil(path);
    ledger = open_at(path);
    take(ledger, "a.pdb", "1", VERDICT_HIT);
    for (unsigned i = 0; i < 5 && !ledger_settle(ledger, WAIT_MS); i++)
        ;
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
        WITH_FOLDER(the_least_used_names_go_into_other),
        WITH_FOLDER(other_is_no_name),
        WITH_FOLDER(the_least_used_ids_go_into_other),
        WITH_FOLDER(a_file_near_its_limit_lets_details_go),
        WITH_FOLDER(everything_is_there_again_after_a_restart),
        WITH_FOLDER(idleness_ends_nothing),
        WITH_FOLDER(a_file_of_a_later_version_is_refused),
        WITH_FOLDER(a_damaged_file_is_set_aside),
        WITH_FOLDER(a_file_that_is_damaged_within_is_set_aside),
        WITH_FOLDER(totals_outlive_a_deleted_file),
        WITH_FOLDER(a_locked_file_is_tried_again),
        WITH_FOLDER(what_finds_no_room_is_lost_and_counted),
        WITH_FOLDER(switched_off_it_leaves_no_trace),
        WITH_FOLDER(hits_save_what_a_fetch_would_have_taken),
    };
    return RUN_TESTS(tests);
}
