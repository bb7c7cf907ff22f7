// SPDX-License-Identifier: MIT
//
// Who waits for a search, and what its end means. Time is the test's.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "proxy/search.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/base/scratch.h"
#include "unit/proxy/scene.h"

/* --- joining, leaving --- */

static void test_all_join_one_fetch_and_nobody_stops_it_by_leaving(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    struct scene scene = whole();
    scene.holds_body_at = 100000;
    double_play(source, scene);
    struct answer first = stage_ask(stage, "app.dat", 1);
    stage_wait_written(first.copy, 100000);
    struct answer second = stage_ask(stage, "APP.DAT", 2);
    assert_int_equal(second.verdict, VERDICT_JOINED);
    assert_ptr_equal(first.copy, second.copy);
    symbols_leave(stage->symbols, first.copy, COPY_LEFT_HUNG_UP);
    double_open(source, 1);
    stage_assert_body(second.copy, body, BODY_BYTES);
    leave(stage, &second);
    assert_int_equal(double_asked(source), 1);
}

static void test_hung_up_before_a_place_is_dropped(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, never_hedge);
    double_narrow(source, 1, 10);
    double_play(source, held(whole()));
    struct answer running = stage_ask(stage, "a.dat", 1);
    double_wait_holding(source, 1);
    struct answer waiting = stage_ask(stage, "b.dat", 1);
    struct answer told_later = stage_ask(stage, "c.dat", 1);
    stage_wait_counter(&queue_counters(source->source.queue)->waiting, 2);
    symbols_leave(stage->symbols, waiting.copy, COPY_LEFT_HUNG_UP);
    assert_int_equal(counted(&counters(stage)->dropped), 1);
    assert_int_equal(counted(&queue_counters(source->source.queue)->waiting), 1);
    /* Told later is not hanging up, and what has begun goes on. */
    symbols_leave(stage->symbols, told_later.copy, COPY_LEFT_LATER);
    symbols_leave(stage->symbols, running.copy, COPY_LEFT_HUNG_UP);
    assert_int_equal(counted(&counters(stage)->dropped), 1);
    double_open(source, 2);
    double_wait_asked(source, 2);
    assert_string_equal(double_call(source, 1).name, "c.dat");
    running = stage_ask(stage, "a.dat", 1);
    stage_assert_body(running.copy, body, BODY_BYTES);
    leave(stage, &running);
}

static void test_waiter_with_another_spelling_asks_once_more(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, never_hedge);
    double_play(source, held(absent));
    double_play(source, whole());
    struct answer leader = stage_ask(stage, "app.dat", 1);
    double_wait_holding(source, 1);
    struct answer waiter = stage_ask(stage, "App.dat", 2);
    assert_ptr_equal(waiter.copy, leader.copy);
    double_open(source, 1);
    stage_wait_phase(waiter.copy, COPY_ABSENT);
    judge(stage, leader.copy, "app.dat", JUDGED);
    judge(stage, waiter.copy, "App.dat", JUDGED_ASK_MORE);
    struct question question = stage_question("App.dat", 2);
    struct answer judged;
    assert_int_equal(symbols_judge(stage->symbols, waiter.copy, &question, false, true, &judged),
                     JUDGED);
    leave(stage, &leader);
    leave(stage, &waiter);
    waiter = stage_ask(stage, "App.dat", 2);
    stage_assert_body(waiter.copy, body, BODY_BYTES);
    assert_string_equal(double_call(source, 1).name, "App.dat");
    leave(stage, &waiter);
}

/* --- not asked --- */

static void test_full_queues_are_busy(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, never_hedge);
    double_narrow(source, 1, 1);
    double_play(source, held(absent));
    struct answer running = stage_ask(stage, "a.dat", 1);
    double_wait_holding(source, 1);
    struct answer waiting = stage_ask(stage, "b.dat", 1);
    stage_wait_counter(&queue_counters(source->source.queue)->waiting, 1);
    struct answer refused = stage_ask(stage, "c.dat", 1);
    stage_wait_phase(refused.copy, COPY_FAILED);
    assert_int_equal(judge(stage, refused.copy, "c.dat", JUDGED).verdict, VERDICT_BUSY);
    leave(stage, &refused);
    double_open(source, 2);
    stage_wait_phase(waiting.copy, COPY_ABSENT);
    leave(stage, &waiting);
    leave(stage, &running);
}

static void test_full_queue_leads_to_the_next_source(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, never_hedge);
    double_narrow(pair.first, 1, 1);
    double_play(pair.first, held(absent));
    double_play(pair.second, whole());
    struct answer running = stage_ask(stage, "a.dat", 1);
    double_wait_holding(pair.first, 1);
    struct answer waiting = stage_ask(stage, "b.dat", 1);
    stage_wait_counter(&queue_counters(pair.first->source.queue)->waiting, 1);
    struct answer answer = stage_ask(stage, "c.dat", 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    struct attempt_note note = stage_note(answer.copy, "first");
    assert_int_equal(note.result, ATTEMPT_UNASKED);
    assert_int_equal(note.cause, ERROR_BUSY);
    double_open(pair.first, 2);
    stage_assert_body(waiting.copy, body, BODY_BYTES);
    leave(stage, &running);
    leave(stage, &waiting);
    leave(stage, &answer);
}

static void test_resting_source_costs_nothing_and_is_a_failure(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    struct scene throttled = fails(ERROR_THROTTLED, 503);
    throttled.retry_after_s = 300;
    double_play(pair.first, throttled);
    struct answer answer = stage_ask(stage, "a.dat", 1);
    stage_wait_phase(answer.copy, COPY_FAILED);
    leave(stage, &answer);
    answer = stage_ask(stage, "b.dat", 1);
    stage_wait_phase(answer.copy, COPY_FAILED);
    assert_int_equal(judge(stage, answer.copy, "b.dat", JUDGED).why.kind, ERROR_RESTING);
    assert_int_equal(stage_note(answer.copy, "first").cause, ERROR_RESTING);
    leave(stage, &answer);
    /* Nobody is left to be asked: told at once. */
    answer = stage_ask(stage, "b.dat", 1);
    assert_null(answer.copy);
    assert_int_equal(answer.verdict, VERDICT_FAILED);
    assert_int_equal(answer.why.kind, ERROR_RESTING);
    assert_int_equal(double_asked(pair.first), 1);
    stage_pass(stage, 300 * 1000);
    answer = stage_ask(stage, "b.dat", 1);
    double_wait_asked(pair.first, 2);
    stage_wait_phase(answer.copy, COPY_FAILED);
    leave(stage, &answer);
}

static void test_who_lost_a_source_asks_once_more(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 1, never_hedge);
    double_narrow(pair.first, 1, 10);
    double_play(pair.first, held(absent));
    struct answer running = stage_ask(stage, "a.dat", 1);
    double_wait_holding(pair.first, 1);
    struct answer answer = stage_ask(stage, "b.dat", 1);
    stage_wait_counter(&pair.second->source.counters->absent, 2);
    queue_close(pair.first->source.queue);
    stage_wait_phase(answer.copy, COPY_FAILED);
    struct error why = {0};
    copy_why(answer.copy, &why);
    assert_int_equal(why.kind, ERROR_REMOVED);
    struct question question = stage_question("b.dat", 1);
    struct answer judged;
    assert_int_equal(symbols_judge(stage->symbols, answer.copy, &question, false, false, &judged),
                     JUDGED_ASK_MORE);
    assert_int_equal(symbols_judge(stage->symbols, answer.copy, &question, false, true, &judged),
                     JUDGED);
    assert_int_equal(judged.verdict, VERDICT_FAILED);
    double_open(pair.first, 1);
    stage_wait_phase(running.copy, COPY_ABSENT);
    leave(stage, &running);
    leave(stage, &answer);
}

static void put_on_shelf(struct stage *stage, const char *name) {
    char path[256];
    text_format(path, sizeof path, "%s/cache/%s", stage->folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    text_format(path, sizeof path, "%s/cache/%s/0123456789ABCDEF0123456789ABCDEF1", stage->folder,
                name);
    assert_int_equal(mkdir(path, 0700), 0);
    text_format(path, sizeof path, "cache/%s/0123456789ABCDEF0123456789ABCDEF1/%s", name, name);
    scratch_write(stage->folder, path, "a file");
}

static void test_excluded(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    struct answer answer = stage_ask(stage, "nobody.dat", 1);
    if (answer.copy) {
        /* The shelf lies on a disk that must be asked first. */
        stage_wait_phase(answer.copy, COPY_FAILED);
        assert_int_equal(judge(stage, answer.copy, "nobody.dat", JUDGED).verdict, VERDICT_EXCLUDED);
        leave(stage, &answer);
    } else {
        assert_int_equal(answer.verdict, VERDICT_EXCLUDED);
        assert_string_equal(answer.rule, "nobody");
    }
    put_on_shelf(stage, "nobody.dat");
    put_on_shelf(stage, "forbidden.dat");
    answer = stage_ask(stage, "nobody.dat", 1);
    if (answer.verdict == VERDICT_FETCHED) {
        stage_wait_phase(answer.copy, COPY_COMPLETE);
        assert_int_equal(symbols_served(answer.copy, answer.verdict), VERDICT_HIT);
    } else {
        assert_int_equal(answer.verdict, VERDICT_HIT);
    }
    leave(stage, &answer);
    answer = stage_ask(stage, "forbidden.dat", 1);
    assert_int_equal(answer.verdict, VERDICT_EXCLUDED);
    assert_string_equal(answer.rule, "forbidden");
    assert_null(answer.copy);
    assert_int_equal(double_asked(source), 0);
}

/* --- the rest --- */

static void test_file_served_in_place(void **state) {
    struct stage *stage = *state;
    struct double_source *source = double_new("only", 1, NULL);
    source->source.pool = pool_new("test", 1, 10);
    struct pool *pool = source->source.pool;
    stage_roster(stage, &source, 1);
    scratch_write(stage->folder, "here.dat", "not copied\1");
    char *path = scratch_path(stage->folder, "here.dat");
    double_play(source, (struct scene){.play = PLAY_LOCAL, .path = path});
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_phase(answer.copy, COPY_COMPLETE);
    assert_int_equal(symbols_served(answer.copy, answer.verdict), VERDICT_LOCAL);
    char *cached =
        scratch_read(stage->folder, "cache/app.dat/0123456789ABCDEF0123456789ABCDEF1/app.dat");
    assert_null(cached);
    leave(stage, &answer);
    free(path);
    pool_free(pool);
}

/* --- a no that counts for all --- */

static void asks_for_pointers(struct source_options *options) {
    options->forms[options->form_count++] = FORM_POINTER;
    options->unindexed_ends = true;
}

static struct scene says(const char *text) {
    return (struct scene){.play = PLAY_BODY, .body = text, .length = strlen(text)};
}

static void assert_unindexed(struct stage *stage, struct answer *answer, const char *reason) {
    stage_wait_phase(answer->copy, COPY_ABSENT);
    struct answer judged = judge(stage, answer->copy, "a.dat", JUDGED);
    assert_int_equal(judged.verdict, VERDICT_ABSENT);
    assert_string_equal(judged.why.what, reason);
    leave(stage, answer);
}

static void test_no_longer_indexed_ends_the_search(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, asks_for_pointers);
    double_play(pair.first, says("MSG: NoLongerIndexed\r\n"));
    double_play(pair.second, whole());
    struct answer answer = stage_ask(stage, "a.dat", 1);
    assert_unindexed(stage, &answer, "the store says: NoLongerIndexed");
    /* As long as it is remembered it ends the search as well. */
    answer = stage_ask(stage, "a.dat", 1);
    assert_null(answer.copy);
    assert_int_equal(answer.verdict, VERDICT_ABSENT);
    assert_string_equal(answer.why.what, "the store said: NoLongerIndexed");
    assert_int_equal(double_asked(pair.first), 1);
    assert_int_equal(double_asked(pair.second), 0);
    /* It is no absence of the other's: who has forgotten the first one's asks both. */
    clock_fake_advance(60 * 1000);
    double_play(pair.first, absent);
    answer = stage_ask(stage, "a.dat", 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
}

static void test_no_longer_indexed_calls_back_who_is_asked(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 1, asks_for_pointers);
    double_play(pair.first, held(says("MSG: NoLongerIndexed")));
    double_play(pair.second, held(whole()));
    struct answer answer = stage_ask(stage, "a.dat", 1);
    double_wait_holding(pair.first, 1);
    double_wait_holding(pair.second, 1);
    double_open(pair.first, 1);
    assert_unindexed(stage, &answer, "the store says: NoLongerIndexed");
    double_wait_cancelled(pair.second, 1);
}

static void test_no_longer_indexed_counts_over_failures(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[] = {double_new("first", 1, NULL),
                                       double_new("second", 2, asks_for_pointers)};
    stage_roster(stage, sources, 2);
    double_play(sources[0], fails(ERROR_STATUS, 500));
    double_play(sources[1], says("MSG: NoLongerIndexed"));
    struct answer answer = stage_ask(stage, "a.dat", 1);
    assert_unindexed(stage, &answer, "the store says: NoLongerIndexed");
    /* What is remembered of the second counts over a failure of the first, too. */
    answer = stage_ask(stage, "a.dat", 1);
    assert_unindexed(stage, &answer, "the store said: NoLongerIndexed");
    assert_int_equal(double_asked(sources[0]), 2);
    assert_int_equal(double_asked(sources[1]), 1);
}

static void test_no_longer_indexed_does_not_end_what_has_begun(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[] = {double_new("first", 1, NULL),
                                       double_new("second", 2, asks_for_pointers)};
    stage_roster(stage, sources, 2);
    struct scene breaks = whole();
    breaks.breaks_at = 100000;
    for (unsigned i = 0; i < TAKES_IN_A_ROW; i++)
        double_play(sources[0], breaks);
    double_play(sources[0], whole());
    double_play(sources[1], says("MSG: NoLongerIndexed"));
    struct answer answer = stage_ask(stage, "a.dat", 1);
    static const int64_t pauses_ms[TAKES_IN_A_ROW] = {100, 500, 2000};
    for (unsigned i = 0; i < TAKES_IN_A_ROW; i++) {
        stage_wait_failed(sources[0], i + 1);
        if (i + 1 == TAKES_IN_A_ROW)
            stage_wait_no(sources[1], 1);
        stage_pass_until_asked(stage, sources[0], i + 2, pauses_ms[i]);
    }
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(double_asked(sources[0]), TAKES_IN_A_ROW + 1);
    assert_int_equal(double_asked(sources[1]), 1);
    leave(stage, &answer);
}

static void test_ending_cancels_what_runs(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    struct scene scene = whole();
    scene.holds_body_at = 100000;
    double_play(source, held(whole()));
    double_play(source, scene);
    struct answer silent = stage_ask(stage, "a.dat", 1);
    double_wait_holding(source, 1);
    struct answer arriving = stage_ask(stage, "b.dat", 1);
    stage_wait_written(arriving.copy, 100000);
    double_wait_holding(source, 2);
    symbols_free(TAKE(stage->symbols));
    stage_wait_phase(silent.copy, COPY_FAILED);
    stage_wait_phase(arriving.copy, COPY_FAILED);
    copy_leave(silent.copy, COPY_LEFT_SERVED);
    copy_unref(silent.copy);
    copy_leave(arriving.copy, COPY_LEFT_SERVED);
    copy_unref(arriving.copy);
}

int main(void) {
    scene_make_bodies();
    const struct CMUnitTest tests[] = {
        STAGED(test_all_join_one_fetch_and_nobody_stops_it_by_leaving),
        STAGED(test_hung_up_before_a_place_is_dropped),
        STAGED(test_waiter_with_another_spelling_asks_once_more),
        STAGED(test_full_queues_are_busy),
        STAGED(test_full_queue_leads_to_the_next_source),
        STAGED(test_resting_source_costs_nothing_and_is_a_failure),
        STAGED(test_who_lost_a_source_asks_once_more),
        STAGED(test_excluded),
        STAGED(test_file_served_in_place),
        STAGED(test_no_longer_indexed_ends_the_search),
        STAGED(test_no_longer_indexed_calls_back_who_is_asked),
        STAGED(test_no_longer_indexed_counts_over_failures),
        STAGED(test_no_longer_indexed_does_not_end_what_has_begun),
        STAGED(test_ending_cancels_what_runs),
    };
    return RUN_TESTS(tests);
}
