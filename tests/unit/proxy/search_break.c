// SPDX-License-Identifier: MIT
//
// Bodies that break, differ or prove false. Time is the test's.
#include <string.h>

#include "unit/base/check.h"
#include "unit/proxy/scene.h"

/* --- breaks --- */

static struct scene broken(size_t at, bool ranges) {
    struct scene scene = whole();
    scene.breaks_at = at;
    scene.ranges = ranges;
    scene.etag = "\"one\"";
    return scene;
}

static void test_break_is_taken_up_at_its_byte(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_play(pair.first, broken(100000, true));
    double_play(pair.first, broken(0, true));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_written(answer.copy, 100000);
    stage_wait_failed(pair.first, 1);
    stage_pass(stage, 100);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(double_call(pair.first, 1).offset, 100000);
    assert_int_equal(double_asked(pair.second), 0);
    stage_wait_counter(&counters(stage)->take_ups, 1);
    leave(stage, &answer);
}

static void test_break_without_ranges_is_read_again_and_compared(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_play(source, broken(100000, false));
    double_play(source, broken(0, false));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_failed(source, 1);
    stage_pass(stage, 100);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(double_asked(source), 2);
    leave(stage, &answer);
}

static void test_break_goes_on_at_the_next_source(void **state) {
    struct stage *stage = *state;
    struct pair pair = open_pair(stage, 2, NULL);
    double_play(pair.first, broken(100000, true));
    double_play(pair.first, fails(ERROR_CONNECT, 0));
    double_play(pair.second, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    static const int64_t pauses_ms[] = {100, 500};
    for (unsigned i = 0; i < 2; i++) {
        stage_wait_failed(pair.first, i + 1);
        stage_pass(stage, pauses_ms[i]);
    }
    stage_assert_body(answer.copy, body, BODY_BYTES);
    assert_int_equal(double_asked(pair.first), 3);
    /* What the first knew of the file means nothing to the second. */
    assert_int_equal(double_call(pair.second, 0).offset, 0);
    leave(stage, &answer);
}

static void test_break_before_the_copy_began_is_taken_up_too(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_play(source, broken(1000, true));
    double_play(source, whole());
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_failed(source, 1);
    stage_pass(stage, 100);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
}

static void test_five_takes_are_the_most(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_play(source, broken(100000, false));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    static const int64_t pauses_ms[] = {100, 500, 2000, 5000};
    for (unsigned i = 0; i < 4; i++) {
        stage_wait_failed(source, i + 1);
        stage_pass(stage, pauses_ms[i]);
    }
    stage_wait_phase(answer.copy, COPY_FAILED);
    assert_int_equal(double_asked(source), 5);
    struct answer judged = judge(stage, answer.copy, "app.dat", JUDGED);
    assert_int_equal(judged.verdict, VERDICT_FAILED);
    assert_int_equal(judged.why.kind, ERROR_RESET);
    leave(stage, &answer);
}

static void test_pause_gives_the_place_back(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_narrow(source, 1, 10);
    double_play(source, broken(100000, true));
    double_play(source, whole()); /* for another symbol, in the pause */
    double_play(source, broken(0, true));
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_failed(source, 1);
    struct answer other = stage_ask(stage, "other.dat", 1);
    stage_assert_body(other.copy, body, BODY_BYTES);
    stage_pass(stage, 100);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &other);
    leave(stage, &answer);
}

static void test_other_bytes_replace_the_copy(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, NULL);
    double_play(source, broken(200000, false));
    struct scene other = whole();
    other.body = (const char *)other_body;
    double_play(source, other);
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_failed(source, 1);
    stage_pass(stage, 100);
    stage_wait_phase(answer.copy, COPY_FAILED);
    struct answer moved = judge(stage, answer.copy, "app.dat", JUDGED_MOVED);
    struct question question = stage_question("app.dat", 1);
    struct answer cut;
    assert_int_equal(symbols_judge(stage->symbols, answer.copy, &question, true, false, &cut),
                     JUDGED);
    assert_int_equal(cut.why.kind, ERROR_DIFFERENT);
    stage_wait_failed(source, 2);
    stage_pass(stage, 500);
    stage_assert_body(moved.copy, other_body, BODY_BYTES);
    assert_int_equal(counted(&counters(stage)->replaced), 1);
    leave(stage, &answer);
    leave(stage, &moved);
}

static void test_old_body_lends_its_place(void **state) {
    struct stage *stage = *state;
    struct double_source *source = open_single(stage, never_hedge);
    double_narrow(source, 2, 10);
    struct scene scene = whole();
    scene.holds_body_at = 100000;
    scene.holds_again_at = 200000;
    double_play(source, scene);
    double_play(source, held(whole()));
    struct answer old = stage_ask(stage, "old.dat", 1);
    stage_wait_written(old.copy, 100000);
    double_wait_holding(source, 1);
    stage_pass(stage, 10 * 1000);
    double_open(source, 1);
    const struct queue_counters *queue = queue_counters(source->source.queue);
    stage_wait_counter(&queue->lent, 1);
    /* Three run, though there are two places. */
    struct answer a = stage_ask(stage, "a.dat", 1);
    struct answer b = stage_ask(stage, "b.dat", 1);
    double_wait_holding(source, 3);
    double_open(source, 3);
    stage_assert_body(old.copy, body, BODY_BYTES);
    stage_assert_body(a.copy, body, BODY_BYTES);
    stage_assert_body(b.copy, body, BODY_BYTES);
    stage_wait_counter(&queue->lent, 0);
    leave(stage, &old);
    leave(stage, &a);
    leave(stage, &b);
}

/* --- false bodies --- */

static void make_false(unsigned char *bytes) {
    memcpy(bytes, body, BODY_BYTES);
    memcpy(bytes,
           "Microsoft C/C++ MSF 7.00\r\n\x1a"
           "DS\0\0\0",
           32);
    memcpy(bytes + 32, "\0\4\0\0\0\0\0\0\0\0\1\0", 12); /* 65,536 blocks of 1,024 bytes */
}

static void test_false_body_ends_its_copy_not_the_search(void **state) {
    struct stage *stage = *state;
    static unsigned char false_body[BODY_BYTES];
    make_false(false_body);
    struct pair pair = open_pair(stage, 1, NULL); /* asked together */
    struct scene lying = whole();
    lying.body = (const char *)false_body;
    lying.holds_body_at = 150000;
    double_play(pair.first, held(lying));
    double_play(pair.second, held(whole()));
    double_play(pair.second, whole()); /* asked again after it lost */
    struct answer answer = stage_ask(stage, "app.dat", 1);
    double_wait_holding(pair.first, 1);
    double_wait_holding(pair.second, 1);
    double_open(pair.first, 1);
    stage_wait_written(answer.copy, 150000);
    double_wait_cancelled(pair.second, 1);
    double_open(pair.first, 1);
    stage_wait_phase(answer.copy, COPY_FAILED);
    struct answer moved = judge(stage, answer.copy, "app.dat", JUDGED_MOVED);
    stage_assert_body(moved.copy, body, BODY_BYTES);
    assert_int_equal(double_asked(pair.first), 1);
    assert_int_equal(double_asked(pair.second), 2);
    assert_int_equal(stage_note(moved.copy, "first").cause, ERROR_LENGTH);
    leave(stage, &answer);
    leave(stage, &moved);
}

static void test_false_body_of_the_last_source_fails(void **state) {
    struct stage *stage = *state;
    static unsigned char false_body[BODY_BYTES];
    make_false(false_body);
    struct pair pair = open_pair(stage, 2, NULL);
    struct scene lying = whole();
    lying.body = (const char *)false_body;
    double_play(pair.first, absent);
    double_play(pair.second, lying);
    struct answer answer = stage_ask(stage, "app.dat", 1);
    stage_wait_phase(answer.copy, COPY_FAILED);
    struct answer judged = judge(stage, answer.copy, "app.dat", JUDGED);
    assert_int_equal(judged.verdict, VERDICT_FAILED);
    assert_int_equal(judged.why.kind, ERROR_LENGTH);
    leave(stage, &answer);
    double_play(pair.second, whole());
    answer = stage_ask(stage, "app.dat", 1);
    stage_assert_body(answer.copy, body, BODY_BYTES);
    leave(stage, &answer);
}

int main(void) {
    scene_make_bodies();
    const struct CMUnitTest tests[] = {
        STAGED(test_break_is_taken_up_at_its_byte),
        STAGED(test_break_without_ranges_is_read_again_and_compared),
        STAGED(test_break_goes_on_at_the_next_source),
        STAGED(test_break_before_the_copy_began_is_taken_up_too),
        STAGED(test_five_takes_are_the_most),
        STAGED(test_pause_gives_the_place_back),
        STAGED(test_old_body_lends_its_place),
        STAGED(test_other_bytes_replace_the_copy),
        STAGED(test_false_body_ends_its_copy_not_the_search),
        STAGED(test_false_body_of_the_last_source_fails),
    };
    return RUN_TESTS(tests);
}
