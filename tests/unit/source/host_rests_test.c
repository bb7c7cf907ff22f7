// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "source/host_rests.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"

static struct host_rests rests;
static struct error err;

static int setup(void **state) {
    (void)state;
    clock_fake_set(CLOCK_FAKE_START_MS);
    host_rests_init(&rests);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    host_rests_release(&rests);
    return 0;
}

/* One question that comes to this; true when it was let through. */
static bool visit(const char *host, enum error_kind kind, int status, int64_t retry_after_s) {
    struct host_visit one;
    error_clear(&err);
    if (!host_visit(&rests, "one", host, &one, &err))
        return false;
    host_visit_end(&one, kind, status, 1, retry_after_s);
    return true;
}

static bool answers(const char *host) {
    return visit(host, ERROR_NONE, 200, -1);
}

static void make_dead(const char *host) {
    for (unsigned i = 0; i < 3; i++)
        assert_true(visit(host, ERROR_CONNECT, 0, -1));
}

static void one_dead_host_rests_alone(void **state) {
    (void)state;
    make_dead("dead:443");
    assert_false(answers("dead:443"));
    assert_int_equal(err.kind, ERROR_RESTING);
    assert_non_null(strstr(err.what, "\"one\" redirects to \"dead:443\", which rests"));
    assert_non_null(strstr(err.what, "another 5 s"));
    assert_true(answers("alive:443"));
    assert_true(answers("dead:80"));
    assert_false(answers("DEAD:443"));
    assert_int_equal(host_rests_resting(&rests), 1);
    assert_int_equal(counted(&rests.refused), 2);
    assert_int_equal(counted(&rests.begun), 1);
}

static void one_probe_at_a_time(void **state) {
    (void)state;
    make_dead("dead:443");
    clock_fake_advance(5000);
    struct host_visit probe;
    assert_true(host_visit(&rests, "one", "dead:443", &probe, &err));
    assert_true(probe.probe);
    assert_false(answers("dead:443"));
    host_visit_end(&probe, ERROR_CANCELLED, 0, 1, -1);
    host_visit_end(&probe, ERROR_CONNECT, 0, 1, -1); /* it is over: nothing */
    assert_true(answers("dead:443"));
    assert_true(answers("dead:443"));
    assert_int_equal(rests.count, 0);
}

static void a_failing_probe_prolongs(void **state) {
    (void)state;
    make_dead("dead:443");
    clock_fake_advance(5000);
    assert_true(visit("dead:443", ERROR_TIMEOUT, 0, -1));
    clock_fake_advance(9999);
    assert_false(answers("dead:443"));
    clock_fake_advance(1);
    assert_true(answers("dead:443"));
}

static void hosts_that_answer_take_no_room(void **state) {
    (void)state;
    for (unsigned i = 0; i < 3 * HOST_RESTS_MAX; i++) {
        char host[HOST_BYTES];
        snprintf(host, sizeof host, "blob%u:443", i);
        assert_true(answers(host));
        assert_true(visit(host, ERROR_NONE, 404, -1));
        assert_true(visit(host, ERROR_STATUS, 403, -1));
        assert_true(visit(host, ERROR_CANCELLED, 0, -1));
    }
    assert_int_equal(rests.count, 0);
    assert_true(visit("once:443", ERROR_CONNECT, 0, -1));
    assert_int_equal(rests.count, 1);
    assert_true(answers("once:443"));
    assert_int_equal(rests.count, 0);
}

static void a_full_table_forgets_who_rests_shortest(void **state) {
    (void)state;
    for (unsigned i = 0; i < HOST_RESTS_MAX; i++) {
        char host[HOST_BYTES];
        snprintf(host, sizeof host, "blob%u:443", i);
        assert_true(visit(host, ERROR_THROTTLED, 429, i == 7 ? 50 : 100 + i));
    }
    assert_int_equal(host_rests_resting(&rests), HOST_RESTS_MAX);
    assert_true(visit("one-more:443", ERROR_THROTTLED, 429, 500));
    assert_int_equal(rests.count, HOST_RESTS_MAX);
    assert_int_equal(counted(&rests.pushed), 1);
    assert_true(answers("blob7:443"));
    assert_false(answers("blob0:443"));
    assert_false(answers("one-more:443"));
}

static void a_pause_that_a_host_asks_for_is_its_own(void **state) {
    (void)state;
    assert_true(visit("busy:443", ERROR_THROTTLED, 503, 20));
    assert_false(answers("busy:443"));
    host_rests_end(&rests);
    assert_false(answers("busy:443"));
    clock_fake_advance(20000);
    assert_true(answers("busy:443"));
}

static void the_administrator_ends_them(void **state) {
    (void)state;
    make_dead("dead:443");
    host_rests_end(&rests);
    assert_true(answers("dead:443"));
}

static void they_rest_as_the_source_was_configured(void **state) {
    (void)state;
    const struct breaker breaker = {true, 1, 1000, 70000};
    host_rests_set_breaker(&rests, &breaker);
    assert_true(visit("dead:443", ERROR_STATUS, 500, -1));
    clock_fake_advance(69999);
    assert_false(answers("dead:443"));
    const struct breaker never = {.configured = true};
    host_rests_set_breaker(&rests, &never);
    assert_true(answers("dead:443"));
}

static void a_name_too_long_is_not_counted(void **state) {
    (void)state;
    char host[2 * HOST_BYTES];
    memset(host, 'a', sizeof host);
    host[sizeof host - 1] = '\0';
    for (unsigned i = 0; i < 9; i++)
        assert_true(visit(host, ERROR_CONNECT, 0, -1));
    assert_int_equal(rests.count, 0);
}

static void count_shown(const char *host, const struct rest_view *view, void *context) {
    assert_string_equal(host, "dead:443");
    assert_int_equal(view->cause, REST_UNREACHABLE);
    assert_int_equal(view->failures, 3);
    ++*(unsigned *)context;
}

static void only_those_that_rest_are_shown(void **state) {
    (void)state;
    unsigned shown = 0;
    make_dead("dead:443");
    assert_true(visit("once:443", ERROR_CONNECT, 0, -1));
    host_rests_list(&rests, count_shown, &shown);
    assert_int_equal(shown, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_dead_host_rests_alone),
        TEST(one_probe_at_a_time),
        TEST(a_failing_probe_prolongs),
        TEST(hosts_that_answer_take_no_room),
        TEST(a_full_table_forgets_who_rests_shortest),
        TEST(a_pause_that_a_host_asks_for_is_its_own),
        TEST(the_administrator_ends_them),
        TEST(they_rest_as_the_source_was_configured),
        TEST(a_name_too_long_is_not_counted),
        TEST(only_those_that_rest_are_shown),
    };
    return RUN_TESTS(tests);
}
