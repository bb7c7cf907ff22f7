// SPDX-License-Identifier: MIT
#include "proxy/explain_order.h"

#include "unit/base/check.h"

enum { S = 1000, NEVER = -1 };

static void assert_taken(struct ordered_step *steps, unsigned count, const int64_t *taken_ms) {
    explain_order(steps, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(steps[i].taken_ms, taken_ms[i]);
}

static void each_waits_for_the_one_before_it(void **state) {
    (void)state;
    struct ordered_step steps[] = {{1, 5 * S}, {2, 1 * S}, {3, NEVER}, {4, 2 * S}};
    assert_taken(steps, 4, (const int64_t[]){0, 5 * S, 6 * S, INT64_MAX});
}

static void whoever_is_silent_first_lets_one_more_be_asked(void **state) {
    (void)state;
    struct ordered_step steps[] = {{1, 5 * S}, {1, 1 * S}, {2, 10 * S}, {3, 0}};
    assert_taken(steps, 4, (const int64_t[]){0, 0, 1 * S, 5 * S});
    struct ordered_step turned[] = {{1, NEVER}, {1, 1 * S}, {2, NEVER}};
    assert_taken(turned, 3, (const int64_t[]){0, 0, 1 * S});
}

static void each_silent_one_lets_one_more_be_asked(void **state) {
    (void)state;
    struct ordered_step steps[] = {{1, 2 * S}, {1, 2 * S}, {2, 9 * S}, {3, 9 * S}, {4, 9 * S}};
    assert_taken(steps, 5, (const int64_t[]){0, 0, 2 * S, 2 * S, 11 * S});
}

static void nobody_waits_for_the_slow_or_the_impatient(void **state) {
    (void)state;
    struct ordered_step steps[] = {{1, 0}, {2, 5 * S, .slow = true}, {3, 5 * S}, {4, NEVER}};
    assert_taken(steps, 4, (const int64_t[]){0, 0, 0, 5 * S});
}

static void who_never_gives_way_is_waited_for(void **state) {
    (void)state;
    struct ordered_step steps[] = {{1, NEVER}, {1, NEVER}, {2, 1 * S}};
    assert_taken(steps, 3, (const int64_t[]){0, 0, INT64_MAX});
}

static void a_rest_is_waited_out_in_the_queue(void **state) {
    (void)state;
    struct ordered_step steps[] = {
        {1, 5 * S, .rests_ms = 20 * S}, {2, 5 * S, .rests_ms = 8 * S}, {3, 5 * S}};
    explain_order(steps, 3);
    assert_int_equal(steps[0].asked_ms, 20 * S);
    assert_int_equal(steps[1].asked_ms, 8 * S);
    assert_int_equal(steps[2].asked_ms, 10 * S);
    assert_ptr_equal(explain_order_first(steps, 3), &steps[1]);
    assert_ptr_equal(explain_order_first(steps, 1), &steps[0]);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_waits_for_the_one_before_it),
        cmocka_unit_test(whoever_is_silent_first_lets_one_more_be_asked),
        cmocka_unit_test(each_silent_one_lets_one_more_be_asked),
        cmocka_unit_test(nobody_waits_for_the_slow_or_the_impatient),
        cmocka_unit_test(who_never_gives_way_is_waited_for),
        cmocka_unit_test(a_rest_is_waited_out_in_the_queue),
    };
    return RUN_TESTS(tests);
}
