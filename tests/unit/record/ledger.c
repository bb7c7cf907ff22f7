// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"
#include "unit/record/ledger_bench.h"

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
        take(ledger, "failed.pdb", "1",
             i % 3   ? VERDICT_FAILED
             : i % 2 ? VERDICT_LATER
                     : VERDICT_BUSY);
    for (unsigned i = 0; i < 1000; i++)
        take(ledger, "a.pdb", "1", VERDICT_HIT);
    assert_int_equal(requests_of(ledger, (struct archive_query){.verdict = "hit"}).count, 100);
    assert_int_equal(requests_of(ledger, (struct archive_query){.verdict = "failed"}).count, 3);
    assert_int_equal(requests_of(ledger, (struct archive_query){.verdict = "failure"}).count, 5);
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
    };
    return RUN_TESTS(tests);
}
