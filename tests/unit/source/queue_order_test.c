// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/source/tasks.h"

static void addresses_take_turns(void **state) {
    (void)state;
    static const char *const order[] = {"a1", "a2", "a3", "b1", "c1", "b2"};
    static const char *const expected[] = {"a1", "b1", "c1", "a2", "b2", "a3"};
    struct task blocker;
    struct task tasks[6];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    for (unsigned i = 0; i < 6; i++) {
        task_init(&tasks[i], order[i]);
        task_submit(queue, &tasks[i]);
    }
    tasks_open_gate(1);
    for (unsigned i = 0; i < 6; i++)
        assert_happened(i + 1, expected[i]);
    tasks_end(queue);
}

static void wanted_before_abandoned_and_take_ups_first(void **state) {
    (void)state;
    static const char *const names[] = {"a1", "a2", "a3", "t1", "t2"};
    static const char *const expected[] = {"t1", "t2", "a2", "a3", "a1"};
    struct task blocker;
    struct task tasks[5];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    for (unsigned i = 0; i < 5; i++) {
        task_init(&tasks[i], names[i]);
        tasks[i].job.at_head = names[i][0] == 't';
        task_submit(queue, &tasks[i]);
    }
    queue_want(queue, &tasks[0].job, false);
    queue_want(queue, &tasks[1].job, false);
    queue_want(queue, &tasks[1].job, true);
    tasks_open_gate(1);
    for (unsigned i = 0; i < 5; i++)
        assert_happened(i + 1, expected[i]);
    tasks_end(queue);
}

static void background_jobs_come_last(void **state) {
    (void)state;
    static const char *const names[] = {"x1", "a1", "x2", "b1", "a2"};
    static const char *const expected[] = {"a1", "b1", "a2", "x1"};
    struct task blocker;
    struct task tasks[5];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    for (unsigned i = 0; i < 5; i++) {
        task_init(&tasks[i], names[i]);
        tasks[i].job.background = names[i][0] == 'x';
        tasks[i].job.optional = tasks[i].job.background;
        task_submit(queue, &tasks[i]);
    }
    assert_true(queue_withdraw(queue, &tasks[2].job));
    tasks_open_gate(1);
    for (unsigned i = 0; i < 4; i++)
        assert_happened(i + 1, expected[i]);
    tasks_end(queue);
}

static void a_full_queue_puts_out_the_newest_of_the_address_with_most(void **state) {
    (void)state;
    static const char *const names[] = {"a1", "a2", "b1", "c1", "a3", "d1"};
    struct task blocker;
    struct task tasks[6];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 3);
    for (unsigned i = 0; i < 6; i++)
        task_init(&tasks[i], names[i]);
    for (unsigned i = 0; i < 4; i++)
        task_submit(queue, &tasks[i]); /* c1 puts a2 out */
    assert_happened(1, "busy a2");
    assert_int_equal(task_refused(queue, &tasks[4]), ERROR_BUSY);
    assert_int_equal(task_refused(queue, &tasks[5]), ERROR_BUSY);
    assert_int_equal(counted(&queue_counters(queue)->busy), 3);
    tasks_open_gate(1);
    assert_happened(2, "a1");
    assert_happened(3, "b1");
    assert_happened(4, "c1");
    tasks_end(queue);
}

static void abandoned_jobs_are_put_out_first(void **state) {
    (void)state;
    static const char *const names[] = {"a1", "a2", "a3", "a4", "b1"};
    struct task blocker;
    struct task tasks[5];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 3);
    for (unsigned i = 0; i < 5; i++)
        task_init(&tasks[i], names[i]);
    for (unsigned i = 0; i < 3; i++)
        task_submit(queue, &tasks[i]);
    queue_want(queue, &tasks[0].job, false);
    queue_want(queue, &tasks[1].job, false);
    task_submit(queue, &tasks[4]);
    assert_happened(1, "busy a2");
    task_submit(queue, &tasks[3]); /* of the same address, but somebody waits for it */
    assert_happened(2, "busy a1");
    tasks_open_gate(1);
    assert_happened(3, "a3");
    assert_happened(4, "b1");
    assert_happened(5, "a4");
    tasks_end(queue);
}

static void a_hedge_puts_nobody_out(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[2];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "b1");
    tasks[1].job.optional = true;
    task_submit(queue, &tasks[0]);
    assert_int_equal(task_refused(queue, &tasks[1]), ERROR_BUSY);
    assert_int_equal(counted(&queue_counters(queue)->busy), 0);
    tasks_open_gate(1);
    assert_happened(1, "a1");
    tasks_end(queue);
}

static void a_take_up_gives_way_to_nobody(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[3];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "t1");
    task_init(&tasks[2], "t2");
    tasks[1].job.at_head = true;
    tasks[2].job.at_head = true;
    task_submit(queue, &tasks[0]);
    task_submit(queue, &tasks[1]);
    assert_happened(1, "busy a1");
    assert_int_equal(task_refused(queue, &tasks[2]), ERROR_BUSY);
    tasks_open_gate(1);
    assert_happened(2, "t1");
    tasks_end(queue);
}

static void a_withdrawn_job_never_runs(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[2];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 2);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    task_submit(queue, &tasks[0]);
    assert_false(queue_full(queue));
    task_submit(queue, &tasks[1]);
    assert_true(queue_full(queue));
    assert_true(queue_withdraw(queue, &tasks[0].job));
    assert_false(queue_full(queue));
    assert_false(queue_withdraw(queue, &tasks[0].job));
    assert_false(queue_withdraw(queue, &blocker.job));
    tasks_open_gate(1);
    assert_happened(1, "a2");
    tasks_end(queue);
}

#define TEST(name) cmocka_unit_test_setup(name, tasks_setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(addresses_take_turns),
        TEST(wanted_before_abandoned_and_take_ups_first),
        TEST(background_jobs_come_last),
        TEST(a_full_queue_puts_out_the_newest_of_the_address_with_most),
        TEST(abandoned_jobs_are_put_out_first),
        TEST(a_hedge_puts_nobody_out),
        TEST(a_take_up_gives_way_to_nobody),
        TEST(a_withdrawn_job_never_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
