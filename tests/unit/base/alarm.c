// SPDX-License-Identifier: MIT
#include "base/alarm.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/base/gate.h"

enum { MANY = 500 };

/* What has rung, in order: filled by the alarm thread, read once the gate has counted it. */
static struct {
    struct gate rang;
    int64_t at_ms[MANY];
} heard;

static void hear(struct alarm *alarm) {
    heard.at_ms[gate_count(&heard.rang)] = alarm->at_ms;
    gate_raise(&heard.rang);
}

static int start(void **state) {
    struct gate closed = GATE_CLOSED;
    heard.rang = closed;
    clock_fake_set(CLOCK_FAKE_START_MS);
    struct error err = {0};
    *state = alarm_clock_new(&err);
    return *state ? 0 : -1;
}

static int stop(void **state) {
    alarm_clock_free(*state);
    return 0;
}

static void pass_time(struct alarm_clock *clock, int64_t ms) {
    clock_fake_advance(ms);
    alarm_clock_look(clock);
}

static void rings_when_its_time_has_come(void **state) {
    struct alarm early = {.ring = hear};
    struct alarm late = {.ring = hear};
    int64_t now_ms = clock_ms();
    assert_false(alarm_set(*state, &late, now_ms + 200000));
    assert_false(alarm_set(*state, &early, now_ms + 100000));
    pass_time(*state, 100000);
    gate_wait(&heard.rang, 1);
    assert_true(heard.at_ms[0] == now_ms + 100000);
    assert_true(alarm_cancel(*state, &late));
    assert_int_equal(gate_count(&heard.rang), 1);
}

static void a_time_that_has_passed_rings_at_once(void **state) {
    struct alarm alarm = {.ring = hear};
    assert_false(alarm_set(*state, &alarm, clock_ms() - 5));
    gate_wait(&heard.rang, 1);
    assert_false(alarm_cancel(*state, &alarm));
}

/* The marker rings behind everything that could have rung before it. */
static void ring_all_until(struct alarm_clock *clock, int64_t ms, unsigned count) {
    struct alarm marker = {.ring = hear};
    assert_false(alarm_set(clock, &marker, clock_ms() + ms));
    pass_time(clock, ms);
    gate_wait(&heard.rang, count + 1);
    assert_int_equal(gate_count(&heard.rang), count + 1);
    assert_true(heard.at_ms[count] == marker.at_ms);
}

static void what_was_cancelled_never_rings(void **state) {
    struct alarm alarm = {.ring = hear};
    assert_false(alarm_cancel(*state, &alarm));
    assert_false(alarm_set(*state, &alarm, clock_ms() + 100000));
    assert_true(alarm_cancel(*state, &alarm));
    assert_false(alarm_cancel(*state, &alarm));
    ring_all_until(*state, 200000, 0);
}

static void an_alarm_can_be_moved(void **state) {
    struct alarm one = {.ring = hear};
    struct alarm two = {.ring = hear};
    int64_t now_ms = clock_ms();
    assert_false(alarm_set(*state, &one, now_ms + 100000));
    assert_false(alarm_set(*state, &two, now_ms + 200000));
    assert_true(alarm_set(*state, &one, now_ms + 300000));
    assert_true(alarm_set(*state, &two, now_ms + 150000));
    ring_all_until(*state, 400000, 2);
    assert_true(heard.at_ms[0] == now_ms + 150000);
    assert_true(heard.at_ms[1] == now_ms + 300000);
}

static void rings_in_order_whatever_was_moved_and_cancelled(void **state) {
    struct alarm alarms[MANY - 1];
    memset(alarms, 0, sizeof alarms);
    uint32_t random = 12345;
    unsigned left = 0;
    for (size_t i = 0; i < LENGTH_OF(alarms) * 4; i++) {
        random = random * 1664525U + 1013904223U;
        struct alarm *alarm = &alarms[(random >> 8) % LENGTH_OF(alarms)];
        bool is_set = alarm->heap_index != 0;
        alarm->ring = hear;
        if (random >> 30 == 0) {
            assert_int_equal(alarm_cancel(*state, alarm), is_set);
            left -= is_set ? 1 : 0;
            continue;
        }
        assert_int_equal(alarm_set(*state, alarm, clock_ms() + 100000 + (random >> 12) % 9999),
                         is_set);
        left += is_set ? 0 : 1;
    }
    assert_true(left > 100);
    ring_all_until(*state, 200000, left);
    for (unsigned i = 1; i < left; i++)
        assert_true(heard.at_ms[i - 1] <= heard.at_ms[i]);
}

static struct {
    struct alarm_clock *clock;
    struct gate begun;
    struct gate may_end;
    unsigned rounds;
} again;

static void ring_again(struct alarm *alarm) {
    again.rounds++;
    if (again.rounds < 3)
        assert_false(alarm_set(again.clock, alarm, clock_ms()));
    gate_raise(&heard.rang);
}

static void ring_may_set_the_same_alarm(void **state) {
    again.clock = *state;
    again.rounds = 0;
    struct alarm alarm = {.ring = ring_again};
    assert_false(alarm_set(*state, &alarm, clock_ms()));
    gate_wait(&heard.rang, 3);
    assert_false(alarm_cancel(*state, &alarm));
}

static void ring_long(struct alarm *alarm) {
    (void)alarm;
    gate_raise(&again.begun);
    gate_wait(&again.may_end, 1);
}

static void cancelling_while_it_rings_says_so(void **state) {
    struct gate closed = GATE_CLOSED;
    again.begun = closed;
    again.may_end = closed;
    struct alarm alarm = {.ring = ring_long};
    struct alarm other = {.ring = hear};
    assert_false(alarm_set(*state, &alarm, clock_ms()));
    gate_wait(&again.begun, 1);
    assert_false(alarm_cancel(*state, &alarm));
    /* No lock is held meanwhile: others can be set and taken back. */
    assert_false(alarm_set(*state, &other, clock_ms()));
    assert_true(alarm_cancel(*state, &other));
    gate_raise(&again.may_end);
}

static void what_is_set_at_the_end_never_rings(void **state) {
    struct alarm alarm = {.ring = hear};
    assert_false(alarm_set(*state, &alarm, clock_ms() + 100000));
    alarm_clock_free(*state);
    *state = NULL;
    clock_fake_advance(200000);
    assert_int_equal(gate_count(&heard.rang), 0);
}

#define WITH_CLOCK(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void) {
    static const struct CMUnitTest tests[] = {
        WITH_CLOCK(rings_when_its_time_has_come),
        WITH_CLOCK(a_time_that_has_passed_rings_at_once),
        WITH_CLOCK(what_was_cancelled_never_rings),
        WITH_CLOCK(an_alarm_can_be_moved),
        WITH_CLOCK(rings_in_order_whatever_was_moved_and_cancelled),
        WITH_CLOCK(ring_may_set_the_same_alarm),
        WITH_CLOCK(cancelling_while_it_rings_says_so),
        WITH_CLOCK(what_is_set_at_the_end_never_rings),
    };
    return RUN_TESTS(tests);
}
