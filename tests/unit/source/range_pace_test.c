// SPDX-License-Identifier: MIT
//
// The adaptive rule, with a time of its own: a made-up server says how fast so many connections
// are.
#include "source/range_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { STEP_MS = 50, RATE = 8000000 };

struct run {
    struct range_pace pace;
    int64_t now_ms;
    uint64_t bytes;
    unsigned level;
    unsigned highest;
};

static uint64_t by_connection(unsigned level) {
    return (uint64_t)RATE * level;
}

static uint64_t shared(unsigned level) {
    (void)level;
    return RATE;
}

static uint64_t up_to_two(unsigned level) {
    return (uint64_t)RATE * (level > 2 ? 2 : level);
}

static uint64_t slower(unsigned level) {
    return RATE / level;
}

static void begin(struct run *run, unsigned most, unsigned known) {
    *run = (struct run){.now_ms = 1000, .level = 1, .highest = 1};
    range_pace_init(&run->pace, most, known, run->now_ms);
}

/* Lets so much time pass; `granted_max`: how many connections there may be. */
static void pass(struct run *run, int64_t time_ms, uint64_t (*rate)(unsigned level),
                 unsigned granted_max) {
    for (int64_t end_ms = run->now_ms + time_ms; run->now_ms < end_ms; run->now_ms += STEP_MS) {
        unsigned granted = run->level < granted_max ? run->level : granted_max;
        run->bytes += rate(granted) * STEP_MS / 1000;
        run->level = range_pace_look(&run->pace, granted, run->bytes, run->now_ms + STEP_MS);
        if (run->level > run->highest)
            run->highest = run->level;
    }
}

static void nothing_before_the_first_second(void **state) {
    (void)state;
    struct run run;
    begin(&run, 4, 0);
    pass(&run, 1000, by_connection, 6);
    assert_int_equal(run.highest, 1);
    pass(&run, 500, by_connection, 6);
    assert_int_equal(run.level, 2);
    assert_int_equal(range_pace_learned(&run.pace), 0);
}

static void rises_while_it_gains(void **state) {
    (void)state;
    struct run run;
    begin(&run, 6, 0);
    pass(&run, 8000, by_connection, 6);
    assert_int_equal(run.level, 6);
    assert_int_equal(range_pace_learned(&run.pace), 6);
}

static void goes_back_to_one(void **state) {
    (void)state;
    uint64_t (*const rates[])(unsigned level) = {shared, slower};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct run run;
        begin(&run, 4, 0);
        pass(&run, 8000, rates[i], 6);
        assert_int_equal(run.highest, 2);
        assert_int_equal(run.level, 1);
        assert_int_equal(range_pace_learned(&run.pace), 1);
    }
}

static void goes_back_one_level(void **state) {
    (void)state;
    struct run run;
    begin(&run, 4, 0);
    pass(&run, 8000, up_to_two, 6);
    assert_int_equal(run.highest, 4);
    assert_int_equal(run.level, 2);
    assert_int_equal(range_pace_learned(&run.pace), 2);
}

static void begins_with_what_is_known(void **state) {
    (void)state;
    struct run run;
    begin(&run, 4, 4);
    pass(&run, 1500, by_connection, 6);
    assert_int_equal(run.level, 4);
}

static void a_server_that_slows_later(void **state) {
    (void)state;
    struct run run;
    begin(&run, 4, 0);
    pass(&run, 8000, by_connection, 6);
    assert_int_equal(run.level, 4);
    pass(&run, 3000, slower, 6);
    assert_int_equal(run.level, 1);
}

static void missing_places_are_no_verdict(void **state) {
    (void)state;
    struct run run;
    begin(&run, 4, 0);
    pass(&run, 20000, by_connection, 1);
    assert_int_equal(range_pace_learned(&run.pace), 0);
    pass(&run, 8000, by_connection, 6);
    assert_int_equal(run.level, 4);
}

static void off_and_given_up(void **state) {
    (void)state;
    struct run run;
    begin(&run, 1, 0);
    pass(&run, 8000, by_connection, 6);
    assert_int_equal(run.highest, 1);
    begin(&run, 4, 0);
    pass(&run, 8000, by_connection, 6);
    range_pace_give_up(&run.pace);
    pass(&run, 8000, by_connection, 6);
    assert_int_equal(run.level, 1);
}

static void memory_ends(void **state) {
    (void)state;
    struct range_memory memory = {0};
    assert_int_equal(range_memory_get(&memory, 5000), 0);
    range_memory_set(&memory, 3, 5000);
    assert_int_equal(range_memory_get(&memory, 5000 + RANGE_MEMORY_MS - 1), 3);
    assert_int_equal(range_memory_get(&memory, 5000 + RANGE_MEMORY_MS), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_before_the_first_second),
        cmocka_unit_test(rises_while_it_gains),
        cmocka_unit_test(goes_back_to_one),
        cmocka_unit_test(goes_back_one_level),
        cmocka_unit_test(begins_with_what_is_known),
        cmocka_unit_test(a_server_that_slows_later),
        cmocka_unit_test(missing_places_are_no_verdict),
        cmocka_unit_test(off_and_given_up),
        cmocka_unit_test(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
