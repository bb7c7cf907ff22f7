// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "source/rest.h"
#include "unit/base/clock_fake.h"

static int setup(void **state) {
    static struct rest rest;
    rest_init(&rest);
    *state = &rest;
    return 0;
}

static int teardown(void **state) {
    rest_release(*state);
    return 0;
}

static enum rest_says ask(struct rest *rest) {
    int64_t until_ms;
    return rest_ask(rest, &until_ms);
}

static void unreachable(struct rest *rest, unsigned times) {
    for (unsigned i = 0; i < times; i++)
        rest_note(rest, ERROR_CONNECT, 0, i, -1);
}

static void errors(struct rest *rest, unsigned times, unsigned keys) {
    for (unsigned i = 0; i < times; i++)
        rest_note(rest, ERROR_STATUS, 500, 1 + i % keys, -1);
}

static void throttle(struct rest *rest, int64_t retry_after_s) {
    rest_note(rest, ERROR_THROTTLED, 429, 1, retry_after_s);
}

static void good(struct rest *rest) {
    rest_note(rest, ERROR_NONE, 200, 1, -1);
}

/* The rest lasts exactly so long, and then a probe is let through. */
static void assert_rests_for(struct rest *rest, int64_t ms) {
    clock_fake_advance(ms - 1);
    assert_int_not_equal(ask(rest), REST_FREE);
    assert_int_not_equal(ask(rest), REST_PROBE);
    clock_fake_advance(1);
    assert_false(rest_refuses(rest));
    assert_int_equal(ask(rest), REST_PROBE);
}

static void three_connect_failures_in_a_row_rest(void **state) {
    unreachable(*state, 2);
    assert_int_equal(ask(*state), REST_FREE);
    rest_note(*state, ERROR_TIMEOUT, 0, 1, -1);
    assert_true(rest_refuses(*state));
    assert_int_equal(ask(*state), REST_REFUSED);
    assert_rests_for(*state, 5000);
}

static void an_answer_between_breaks_the_row(void **state) {
    unreachable(*state, 2);
    rest_note(*state, ERROR_NONE, 404, 1, -1);
    unreachable(*state, 2);
    rest_note(*state, ERROR_STATUS, 500, 1, -1);
    unreachable(*state, 2);
    rest_note(*state, ERROR_HTML, 200, 1, -1);
    unreachable(*state, 2);
    assert_int_equal(ask(*state), REST_FREE);
}

static void what_tells_nothing_changes_nothing(void **state) {
    unreachable(*state, 2);
    rest_note(*state, ERROR_CANCELLED, 0, 1, -1);
    rest_note(*state, ERROR_STALLED, 200, 1, -1);
    rest_note(*state, ERROR_UNMOUNTED, 0, 1, -1);
    assert_int_equal(ask(*state), REST_FREE);
    unreachable(*state, 1);
    assert_int_equal(ask(*state), REST_REFUSED);
}

static void unreachable_doubles_to_a_minute(void **state) {
    static const int64_t pauses_ms[] = {5000, 10000, 20000, 40000, 60000, 60000};
    unreachable(*state, 3);
    for (unsigned i = 0; i < sizeof pauses_ms / sizeof *pauses_ms; i++) {
        assert_rests_for(*state, pauses_ms[i]);
        unreachable(*state, 1);
    }
    clock_fake_advance(60000);
    assert_int_equal(ask(*state), REST_PROBE);
    good(*state);
    assert_int_equal(ask(*state), REST_FREE);
    unreachable(*state, 3);
    assert_rests_for(*state, 5000);
}

static void failures_of_before_the_rest_do_not_prolong_it(void **state) {
    unreachable(*state, 3);
    unreachable(*state, 7);
    assert_rests_for(*state, 5000);
}

static void one_probe_at_a_time(void **state) {
    unreachable(*state, 3);
    clock_fake_advance(5000);
    assert_int_equal(ask(*state), REST_PROBE);
    assert_int_equal(ask(*state), REST_REFUSED);
    assert_true(rest_refuses(*state));
    rest_probe_over(*state);
    assert_false(rest_refuses(*state));
    assert_int_equal(ask(*state), REST_PROBE);
    rest_note(*state, ERROR_NONE, 404, 1, -1);
    assert_int_equal(ask(*state), REST_FREE);
    assert_int_equal(ask(*state), REST_FREE);
}

static void ten_errors_over_three_keys_rest(void **state) {
    errors(*state, 9, 3);
    assert_int_equal(ask(*state), REST_FREE);
    rest_note(*state, ERROR_RESET, 0, 1, -1);
    assert_int_equal(ask(*state), REST_REFUSED);
    assert_rests_for(*state, 15000);
}

static void errors_over_two_keys_do_not(void **state) {
    errors(*state, 50, 2);
    assert_int_equal(ask(*state), REST_FREE);
    rest_note(*state, ERROR_STATUS, 503, 99, -1);
    assert_int_equal(ask(*state), REST_REFUSED);
}

static void errors_double_to_a_quarter_of_an_hour(void **state) {
    static const int64_t pauses_s[] = {15, 30, 60, 120, 240, 480, 900, 900};
    errors(*state, 10, 3);
    for (unsigned i = 0; i < sizeof pauses_s / sizeof *pauses_s; i++) {
        assert_rests_for(*state, pauses_s[i] * 1000);
        errors(*state, 1, 1);
    }
}

static void refused_bodies_and_absences_never_count(void **state) {
    for (unsigned i = 0; i < 100; i++) {
        rest_note(*state, ERROR_NONE, 404, i, -1);
        rest_note(*state, ERROR_HTML, 200, i, -1);
        rest_note(*state, ERROR_EMPTY, 200, i, -1);
        rest_note(*state, ERROR_IDENTITY, 200, i, -1);
        rest_note(*state, ERROR_STATUS, 403, i, -1);
    }
    assert_int_equal(ask(*state), REST_FREE);
}

static void an_error_answers_a_source_that_was_out_of_reach(void **state) {
    unreachable(*state, 3);
    clock_fake_advance(5000);
    assert_int_equal(ask(*state), REST_PROBE);
    errors(*state, 1, 1);
    assert_int_equal(ask(*state), REST_FREE);
}

static void retry_after_is_waited_out_up_to_half_a_minute(void **state) {
    int64_t until_ms = 0;
    throttle(*state, 30);
    assert_false(rest_refuses(*state));
    assert_int_equal(rest_ask(*state, &until_ms), REST_WAIT);
    assert_int_equal(until_ms, CLOCK_FAKE_START_MS + 30000);
    throttle(*state, 31);
    assert_true(rest_refuses(*state));
    assert_int_equal(ask(*state), REST_REFUSED);
    clock_fake_advance(1000);
    assert_int_equal(ask(*state), REST_WAIT);
}

static void retry_after_counts_with_any_status(void **state) {
    rest_note(*state, ERROR_STATUS, 503, 1, 120);
    assert_int_equal(ask(*state), REST_REFUSED);
    assert_rests_for(*state, 120000);
}

static void a_longer_pause_is_not_shortened(void **state) {
    throttle(*state, 300);
    throttle(*state, 2);
    throttle(*state, -1);
    good(*state);
    unreachable(*state, 5);
    rest_end(*state);
    assert_rests_for(*state, 300000);
    good(*state);
    assert_int_equal(ask(*state), REST_FREE);
}

static void a_pause_lasts_a_day_at_most(void **state) {
    throttle(*state, INT64_MAX);
    assert_rests_for(*state, 86400000);
}

static void throttling_without_a_time_doubles_to_ten_minutes(void **state) {
    static const int64_t pauses_s[] = {30, 60, 120, 240, 480, 600, 600};
    for (unsigned i = 0; i < sizeof pauses_s / sizeof *pauses_s; i++) {
        throttle(*state, -1);
        throttle(*state, -1); /* of the same burst */
        assert_rests_for(*state, pauses_s[i] * 1000);
    }
    good(*state);
    throttle(*state, -1);
    assert_rests_for(*state, 30000);
}

static void those_a_pause_gathered_wait_for_its_probe(void **state) {
    throttle(*state, 5);
    clock_fake_advance(5000);
    assert_int_equal(ask(*state), REST_PROBE);
    assert_int_equal(ask(*state), REST_WAIT);
    assert_false(rest_refuses(*state));
    good(*state);
    assert_int_equal(ask(*state), REST_FREE);
}

static void the_administrator_ends_a_rest(void **state) {
    errors(*state, 10, 3);
    assert_int_equal(ask(*state), REST_REFUSED);
    rest_end(*state);
    assert_int_equal(ask(*state), REST_PROBE);
    good(*state);
    assert_int_equal(ask(*state), REST_FREE);
}

static void what_was_counted_outlives_the_administrators_end(void **state) {
    errors(*state, 10, 3);
    rest_end(*state);
    assert_int_equal(ask(*state), REST_PROBE);
    errors(*state, 1, 1);
    assert_rests_for(*state, 30000);
}

/* --- a configured breaker --- */

enum { TRIGGER_MS = 60 * 1000, BLACKOUT_MS = 600 * 1000 };

static void configure(struct rest *rest, unsigned failures) {
    const struct breaker breaker = {true, failures, TRIGGER_MS, BLACKOUT_MS};
    rest_set_breaker(rest, &breaker);
}

static void so_many_failures_of_either_sort_rest(void **state) {
    configure(*state, 4);
    unreachable(*state, 2);
    errors(*state, 1, 1);
    assert_int_equal(ask(*state), REST_FREE);
    assert_int_equal(rest_view(*state).failures, 3);
    errors(*state, 1, 1);
    assert_int_equal(rest_view(*state).cause, REST_FAILURES);
    assert_true(rest_refuses(*state));
    assert_rests_for(*state, BLACKOUT_MS);
}

static void failures_count_through_good_answers(void **state) {
    configure(*state, 3);
    for (unsigned i = 0; i < 2; i++) {
        unreachable(*state, 1);
        good(*state);
    }
    assert_int_equal(ask(*state), REST_FREE);
    unreachable(*state, 1);
    assert_int_equal(ask(*state), REST_REFUSED);
}

static void failures_count_within_the_trigger_only(void **state) {
    configure(*state, 3);
    for (unsigned i = 0; i < 7; i++) {
        unreachable(*state, 1);
        assert_int_equal(ask(*state), REST_FREE);
        clock_fake_advance(TRIGGER_MS / 2 + 1);
    }
    assert_int_equal(rest_view(*state).failures, 1);
    unreachable(*state, 2);
    assert_int_equal(ask(*state), REST_REFUSED);
}

static void refused_bodies_and_absences_never_count_there_either(void **state) {
    configure(*state, 1);
    for (unsigned i = 0; i < 9; i++) {
        rest_note(*state, ERROR_NONE, 403, i, -1);
        rest_note(*state, ERROR_IDENTITY, 200, i, -1);
    }
    assert_int_equal(ask(*state), REST_FREE);
}

static void a_failing_probe_means_another_blackout(void **state) {
    configure(*state, 2);
    unreachable(*state, 2);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(rest_view(*state).rests, i);
        assert_rests_for(*state, BLACKOUT_MS);
        unreachable(*state, 1);
    }
    assert_rests_for(*state, BLACKOUT_MS);
    good(*state);
    assert_int_equal(ask(*state), REST_FREE);
    unreachable(*state, 1);
    assert_int_equal(ask(*state), REST_FREE);
}

static void a_breaker_of_0_never_breaks(void **state) {
    configure(*state, 0);
    unreachable(*state, 50);
    errors(*state, 50, 9);
    assert_int_equal(ask(*state), REST_FREE);
    throttle(*state, 100);
    assert_rests_for(*state, 100000);
}

static void a_new_breaker_keeps_the_rest_that_has_begun(void **state) {
    unreachable(*state, 3);
    configure(*state, 2);
    assert_rests_for(*state, 5000);
    unreachable(*state, 1);
    assert_rests_for(*state, BLACKOUT_MS);
    configure(*state, 0);
    assert_int_equal(ask(*state), REST_FREE);
}

static void a_view_tells_cause_time_and_counts(void **state) {
    struct rest *rest = *state;
    assert_int_equal(rest_view(rest).cause, REST_NONE);
    errors(rest, 10, 3);
    struct rest_view view = rest_view(rest);
    assert_int_equal(view.cause, REST_ERRORS);
    assert_int_equal(view.left_ms, 15000);
    assert_int_equal(view.failures, 10);
    assert_int_equal(view.rests, 1);
    clock_fake_advance(20000);
    assert_int_equal(rest_view(rest).left_ms, 0);
    assert_int_equal(counted(&rest->begun), 1);
}

static void three_silences_make_slow_until_one_answer(void **state) {
    rest_note_silence(*state, true);
    rest_note_silence(*state, true);
    assert_false(rest_slow(*state));
    rest_note_silence(*state, true);
    assert_true(rest_slow(*state));
    rest_note_silence(*state, false);
    assert_false(rest_slow(*state));
}

static void three_late_clients_make_late_until_one_in_time(void **state) {
    rest_note_late(*state, true);
    rest_note_late(*state, true);
    rest_note_late(*state, false);
    rest_note_late(*state, true);
    rest_note_late(*state, true);
    assert_false(rest_late(*state));
    rest_note_late(*state, true);
    assert_true(rest_late(*state));
    rest_note_late(*state, false);
    assert_false(rest_late(*state));
}

static void the_last_rests_are_kept(void **state) {
    struct rest_past past[REST_PAST_MAX];
    assert_int_equal(rest_history(*state, past), 0);
    unreachable(*state, 3);
    assert_int_equal(rest_history(*state, past), 1);
    assert_int_equal(past[0].cause, REST_UNREACHABLE);
    assert_int_equal(past[0].for_ms, -1);
    assert_rests_for(*state, 5000);
    good(*state);
    clock_fake_advance(70000);
    throttle(*state, 20);
    assert_int_equal(rest_history(*state, past), 2);
    assert_int_equal(past[0].cause, REST_ASKED_FOR);
    assert_int_equal(past[0].for_ms, -1);
    assert_int_equal(past[1].cause, REST_UNREACHABLE);
    assert_int_equal(past[1].for_ms, 5000);
    for (unsigned i = 0; i < 2 * REST_PAST_MAX; i++) {
        clock_fake_advance(30000);
        throttle(*state, 20);
    }
    assert_int_equal(rest_history(*state, past), REST_PAST_MAX);
    assert_int_equal(past[REST_PAST_MAX - 1].for_ms, 30000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_clock, teardown)

static int setup_clock(void **state) {
    clock_fake_set(CLOCK_FAKE_START_MS);
    return setup(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_last_rests_are_kept),
        TEST(three_connect_failures_in_a_row_rest),
        TEST(an_answer_between_breaks_the_row),
        TEST(what_tells_nothing_changes_nothing),
        TEST(unreachable_doubles_to_a_minute),
        TEST(failures_of_before_the_rest_do_not_prolong_it),
        TEST(one_probe_at_a_time),
        TEST(ten_errors_over_three_keys_rest),
        TEST(errors_over_two_keys_do_not),
        TEST(errors_double_to_a_quarter_of_an_hour),
        TEST(refused_bodies_and_absences_never_count),
        TEST(an_error_answers_a_source_that_was_out_of_reach),
        TEST(retry_after_is_waited_out_up_to_half_a_minute),
        TEST(retry_after_counts_with_any_status),
        TEST(a_longer_pause_is_not_shortened),
        TEST(a_pause_lasts_a_day_at_most),
        TEST(throttling_without_a_time_doubles_to_ten_minutes),
        TEST(those_a_pause_gathered_wait_for_its_probe),
        TEST(the_administrator_ends_a_rest),
        TEST(what_was_counted_outlives_the_administrators_end),
        TEST(so_many_failures_of_either_sort_rest),
        TEST(failures_count_through_good_answers),
        TEST(failures_count_within_the_trigger_only),
        TEST(refused_bodies_and_absences_never_count_there_either),
        TEST(a_failing_probe_means_another_blackout),
        TEST(a_breaker_of_0_never_breaks),
        TEST(a_new_breaker_keeps_the_rest_that_has_begun),
        TEST(a_view_tells_cause_time_and_counts),
        TEST(three_silences_make_slow_until_one_answer),
        TEST(three_late_clients_make_late_until_one_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
