// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "source/cancel.h"

static void count_wake(void *target) {
    ++*(int *)target;
}

static void raising_wakes_who_is_attached(void **state) {
    (void)state;
    struct cancel cancel;
    int wakes = 0;
    cancel_init(&cancel);
    assert_false(cancel_raised(&cancel));
    cancel_attach(&cancel, count_wake, &wakes);
    assert_int_equal(wakes, 0);
    cancel_raise(&cancel);
    assert_int_equal(wakes, 1);
    assert_true(cancel_raised(&cancel));
    cancel_detach(&cancel);
    cancel_raise(&cancel);
    assert_int_equal(wakes, 1);
    cancel_release(&cancel);
}

static void who_attaches_late_is_woken_at_once(void **state) {
    (void)state;
    struct cancel cancel;
    int wakes = 0;
    cancel_init(&cancel);
    cancel_raise(&cancel);
    cancel_attach(&cancel, count_wake, &wakes);
    assert_int_equal(wakes, 1);
    cancel_detach(&cancel);
    cancel_release(&cancel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raising_wakes_who_is_attached),
        cmocka_unit_test(who_attaches_late_is_woken_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
