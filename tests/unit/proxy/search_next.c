// SPDX-License-Identifier: MIT
//
// Whom a search asks, and when. Time is the test's.
#include "unit/base/check.h"
#include "unit/proxy/scene.h"

/* --- one after the other --- */

static void test_second_delivers_what_first_has_not(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_play(pair.first, absent);
    double_play(pair.second, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    assert_int_equal(answer.verdict, VERDICT_FETCHED);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(stage_note(answer.copy, "first").result, ATTEMPT_ABSENT);
    struct attempt_note note = stage_note(answer.copy, "second");
    assert_int_equal(note.result, ATTEMPT_FOUND);
    assert_int_equal(note.status, 200);
    assert_int_equal(note.bytes, BODY_BYTES);
    leave(stage, &answer);
    answer = stage_ask(stage, "APP.dat", 2);
    assert_int_equal(answer.verdict, VERDICT_HIT);
    leave(stage, &answer);
    assert_int_equal(double_asked(pair.first), 1);
    assert_int_equal(double_asked(pair.second), 1);
    stage_wait_counter(&pair.second->source.counters->found, 1);
    stage_wait_counter(&pair.first->source.counters->absent, 1);
}

static void test_absent_is_remembered_until_the_retry_time(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_phase(answer.copy, COPY_ABSENT);
    assert_int_equal(judge(stage, answer.copy, "app.dat", JUDGED).verdict, VERDICT_ABSENT);
    leave(stage, &answer);
    answer = stage_ask(stage, "app.dat", 1);
    assert_int_equal(answer.verdict, VERDICT_ABSENT);
    assert_null(answer.copy);
    assert_int_equal(double_asked(pair.first), 1);
    /* Another spelling is another question. */
    answer = stage_ask(stage, "App.dat", 1);
    stage_wait_phase(answer.copy, COPY_ABSENT);
    leave(stage, &answer);
    assert_int_equal(double_asked(pair.second), 2);
    stage_pass(stage, 60 * 1000);
    double_play(pair.second, whole());
    answer = stage_ask(stage, "app.dat", 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
}

static void test_failure_is_no_absence(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_play(pair.first, fails(ERROR_STATUS, 500));
    double_play(pair.first, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_phase(answer.copy, COPY_FAILED);
    struct answer judged = judge(stage, answer.copy, "app.dat", JUDGED);
    assert_int_equal(judged.verdict, VERDICT_FAILED);
    assert_int_equal(judged.why.kind, ERROR_STATUS);
    leave(stage, &answer);
    answer = stage_ask(stage, "app.dat", 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
    /* What the second said is remembered, the search's failure notwithstanding. */
    assert_int_equal(double_asked(pair.second), 1);
}

static void test_refused_bodies_lead_to_the_next(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_play(pair.first, (struct scene){.play = PLAY_BODY,
                                           .body = "<!doctype html><html>log in</html>",
                                           .length = 34,
                                           .announces = true});
    double_play(pair.second, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    struct attempt_note note = stage_note(answer.copy, "first");
    assert_int_equal(note.result, ATTEMPT_FAILED);
    assert_int_equal(note.cause, ERROR_HTML);
    leave(stage, &answer);
}

static void test_empty_body_fails(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_play(source, (struct scene){.play = PLAY_BODY, .body = "", .length = 0});
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_phase(answer.copy, COPY_FAILED);
    assert_int_equal(judge(stage, answer.copy, "app.dat", JUDGED).why.kind, ERROR_EMPTY);
    leave(stage, &answer);
}

static void test_small_body_of_unknown_length(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    struct scene scene = whole();
    scene.length = 100;
    scene.announces = false;
    double_play(source, scene);
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_assert_body(answer.copy, body, 100);
    leave(stage, &answer);
}

/* --- silence --- */

static void test_silent_source_is_hedged_and_first_that_delivers_wins(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_play(pair.first, held(whole()));
    double_play(pair.second, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(pair.first, 1);
    stage_pass(stage, 4999);
    assert_int_equal(double_asked(pair.second), 0);
    stage_pass(stage, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    double_wait_cancelled(pair.first, 1);
    stage_wait_counter(&counters(stage)->hedges, 1);
    assert_int_equal(stage_note(answer.copy, "second").result, ATTEMPT_FOUND);
    assert_int_equal(stage_note(answer.copy, "first").result, ATTEMPT_LOST);
    leave(stage, &answer);
}

static void test_silence_behind_a_head_is_hedged_too(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    struct scene hangs = whole();
    hangs.holds_body_at = 100;
    double_play(pair.first, hangs);
    double_play(pair.second, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(pair.first, 1);
    stage_pass(stage, 4000);
    assert_int_equal(double_asked(pair.second), 0);
    stage_pass(stage, 2000);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
    double_wait_cancelled(pair.first, 1);
    assert_int_equal(double_asked(pair.second), 1);
}

static void test_silent_source_may_still_win(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_play(pair.first, held(whole()));
    double_play(pair.second, held(whole()));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(pair.first, 1);
    stage_pass(stage, 5000);
    double_wait_holding(pair.second, 1);
    double_open(pair.first, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    double_wait_cancelled(pair.second, 1);
    leave(stage, &answer);
}

static void test_never_hedge(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, never_hedge);
    double_play(pair.first, held(whole()));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(pair.first, 1);
    stage_pass(stage, 59 * 1000);
    double_open(pair.first, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(double_asked(pair.second), 0);
    leave(stage, &answer);
}

static void hedge_at_once(struct source_options *options) {
    options->hedge_after_ms = 0;
}

static void test_hedge_at_once_and_equal_priorities_ask_together(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[] = {double_new("first", 1, NULL), double_new("twin", 1, NULL),
                                       double_new("third", 2, NULL)};
    stage_roster(stage, sources, 3);
    for (unsigned i = 0; i < 3; i++)
        double_play(sources[i], held(whole()));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(sources[0], 1);
    double_wait_holding(sources[1], 1);
    assert_int_equal(double_asked(sources[2]), 0);
    assert_int_equal(counted(&counters(stage)->hedges), 0);
    double_open(sources[1], 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    double_wait_cancelled(sources[0], 1);
    leave(stage, &answer);
}

static void test_hedge_after_0_asks_the_next_at_once(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, hedge_at_once);
    double_play(pair.first, held(whole()));
    double_play(pair.second, held(absent));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(pair.first, 1);
    double_wait_holding(pair.second, 1);
    double_open(pair.second, 1);
    double_open(pair.first, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
}

static void test_no_of_a_hedge_leads_on(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[] = {double_new("first", 1, NULL), double_new("second", 2, NULL),
                                       double_new("third", 3, NULL)};
    stage_roster(stage, sources, 3);
    double_play(sources[0], held(whole()));
    double_play(sources[1], absent);
    double_play(sources[2], whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(sources[0], 1);
    stage_pass(stage, 5000);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(stage_note(answer.copy, "third").result, ATTEMPT_FOUND);
    leave(stage, &answer);
}

static void test_full_queue_refuses_a_hedge_without_counting_it(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_narrow(pair.second, 1, 1);
    double_play(pair.first, held(absent));
    double_play(pair.second, held(absent));
    double_play(pair.second, held(absent));
    double_play(pair.second, whole());
    struct double_source *blocked = pair.second;
    /* Two other searches fill the second's place and its queue. */
    double_play(pair.first, absent);
    struct answer place = stage_ask(stage, "a.dat", 1);
    double_wait_holding(pair.first, 1);
    double_open(pair.first, 1);
    double_wait_holding(blocked, 1);
    struct answer line = stage_ask(stage, "b.dat", 2);
    stage_wait_counter(&queue_counters(blocked->source.queue)->waiting, 1);
    double_play(pair.first, held(absent));
    struct answer answer = stage_ask(stage, "c.dat", 3);
    double_wait_holding(pair.first, 1);
    stage_pass(stage, 5000);
    stage_wait_note(answer.copy, "second", ATTEMPT_UNASKED);
    assert_int_equal(counted(&counters(stage)->hedges), 0);
    assert_int_equal(counted(&queue_counters(blocked->source.queue)->waiting), 1);
    double_open(blocked, 2);
    stage_wait_phase(place.copy, COPY_ABSENT);
    stage_wait_phase(line.copy, COPY_ABSENT);
    double_open(pair.first, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &place);
    leave(stage, &line);
    leave(stage, &answer);
}

static void test_silent_for_10_s_is_asked_on_a_new_connection(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_play(source, held(whole()));
    double_play(source, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(source, 1);
    stage_pass(stage, 9999);
    assert_int_equal(double_asked(source), 1);
    stage_pass(stage, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_false(double_call(source, 0).fresh_connection);
    assert_true(double_call(source, 1).fresh_connection);
    double_wait_cancelled(source, 1);
    leave(stage, &answer);
}

static void test_second_connection_needs_a_free_place(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_narrow(source, 1, 10);
    double_play(source, held(whole()));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(source, 1);
    stage_pass(stage, 10 * 1000);
    stage_pass(stage, 10 * 1000);
    double_open(source, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(double_asked(source), 1);
    leave(stage, &answer);
}

static void test_failure_of_one_of_two_connections_waits_for_the_other(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_play(source, held(fails(ERROR_TIMEOUT, 0)));
    double_play(source, held(absent));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(source, 1);
    stage_pass(stage, 10 * 1000);
    double_wait_holding(source, 2);
    double_open(source, 2);
    /* Whichever of both comes last: the source's own no counts. */
    stage_wait_phase(answer.copy, COPY_ABSENT);
    leave(stage, &answer);
}

static void test_slow_source_is_asked_together_with_the_next(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    static const char *const names[] = {"a.dat", "b.dat", "c.dat"};
    for (unsigned i = 0; i < 3; i++) {
        double_play(pair.first, held(absent));
        struct answer answer = stage_ask(stage, names[i], 1);
        double_wait_holding(pair.first, 1);
        stage_pass(stage, 5000);
        double_wait_asked(pair.second, i + 1);
        double_open(pair.first, 1);
        stage_wait_phase(answer.copy, COPY_ABSENT);
        leave(stage, &answer);
    }
    double_play(pair.first, held(absent));
    struct answer answer = stage_ask(stage, "d.dat", 1);
    double_wait_asked(pair.second, 4); /* without a moment passing */
    double_wait_holding(pair.first, 1);
    double_open(pair.first, 1);
    stage_wait_phase(answer.copy, COPY_ABSENT);
    leave(stage, &answer);
    /* It answered soon once: it is asked alone again. */
    double_play(pair.first, held(whole()));
    answer = stage_ask(stage, "e.dat", 1);
    double_wait_holding(pair.first, 1);
    assert_int_equal(double_asked(pair.second), 4);
    double_open(pair.first, 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
}

static void test_late_source_hurries(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, never_hedge);
    double_play(source, held(whole()));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(source, 1);
    for (unsigned i = 0; i < 3; i++) {
        struct answer later = stage_ask(stage, "app.dat", i);
        assert_int_equal(later.verdict, VERDICT_JOINED);
        symbols_leave(stage->symbols, later.copy, COPY_LEFT_LATER);
    }
    struct answer next = stage_ask(stage, "next.dat", 1);
    double_wait_holding(source, 2);
    struct copy_state seen;
    copy_look(next.copy, &seen);
    assert_int_not_equal(seen.hurried_ms, 0);
    double_open(source, 2);
    stage_assert_body(next.copy, body, BODY_BYTES);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_false(rest_late(queue_rest(source->source.queue)));
    leave(stage, &next);
    leave(stage, &answer);
}

int main(void) {
    scene_make_bodies();
    const struct CMUnitTest tests[] = {
        STAGED(test_second_delivers_what_first_has_not),
        STAGED(test_absent_is_remembered_until_the_retry_time),
        STAGED(test_failure_is_no_absence),
        STAGED(test_refused_bodies_lead_to_the_next),
        STAGED(test_empty_body_fails),
        STAGED(test_small_body_of_unknown_length),
        STAGED(test_silent_source_is_hedged_and_first_that_delivers_wins),
        STAGED(test_silence_behind_a_head_is_hedged_too),
        STAGED(test_silent_source_may_still_win),
        STAGED(test_never_hedge),
        STAGED(test_hedge_at_once_and_equal_priorities_ask_together),
        STAGED(test_hedge_after_0_asks_the_next_at_once),
        STAGED(test_no_of_a_hedge_leads_on),
        STAGED(test_full_queue_refuses_a_hedge_without_counting_it),
        STAGED(test_silent_for_10_s_is_asked_on_a_new_connection),
        STAGED(test_second_connection_needs_a_free_place),
        STAGED(test_failure_of_one_of_two_connections_waits_for_the_other),
        STAGED(test_slow_source_is_asked_together_with_the_next),
        STAGED(test_late_source_hurries),
    };
    return RUN_TESTS(tests);
}
