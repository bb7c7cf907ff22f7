// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/threads.h"
#include "unit/source/tasks.h"

static void no_more_run_at_once_than_there_are_places(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&tasks_ops, 2, 1000);
    struct task tasks[5];
    assert_true(queue_free_place(queue));
    for (unsigned i = 0; i < 5; i++) {
        task_init(&tasks[i], "a");
        tasks[i].holds = true;
        task_submit(queue, &tasks[i]);
    }
    tasks_wait(2);
    assert_int_equal(counted(&queue_counters(queue)->running), 2);
    assert_int_equal(counted(&queue_counters(queue)->waiting), 3);
    assert_false(queue_free_place(queue));
    tasks_open_gate(1);
    tasks_wait(3);
    assert_int_equal(counted(&queue_counters(queue)->running), 2);
    tasks_open_gate(4);
    tasks_wait(5);
    wait_counter(&queue_counters(queue)->running, 0);
    assert_true(counted(&queue_counters(queue)->workers) <= 2);
    tasks_end(queue);
}

static void a_worker_is_used_again(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&tasks_ops, 4, 1000);
    struct task tasks[20];
    for (unsigned i = 0; i < 20; i++) {
        task_init(&tasks[i], "a");
        task_submit(queue, &tasks[i]);
        tasks_wait(i + 1);
        wait_counter(&queue_counters(queue)->running, 0);
    }
    /* Between a job's end and the worker's lying down a second one may be made, not one a job. */
    assert_true(tasks_workers_made() <= 4);
    tasks_end(queue);
}

static void lend(struct task *task) {
    task->lent = queue_lend(task->queue, &task->job);
    task_happen(task->lent ? "lent " : "kept ", task->name);
    task_pass_gate();
}

/* Well before the 10 s that are the rule. */
static void an_idle_worker_ends_when_its_kind_says(void **state) {
    (void)state;
    struct source_ops ops = tasks_ops;
    ops.idle_ms = 1;
    struct source_queue *queue = queue_new(&ops, 1, 1000);
    struct task task;
    task_init(&task, "a1");
    task_submit(queue, &task);
    int64_t deadline_ms = clock_ms() + 5000;
    while (counted(&queue_counters(queue)->workers) > 0 && clock_ms() < deadline_ms)
        usleep(1000);
    assert_int_equal(counted(&queue_counters(queue)->workers), 0);
    tasks_end(queue);
}

static void half_the_places_may_be_lent(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&tasks_ops, 2, 1000);
    struct task tasks[4];
    static const char *const names[] = {"a", "b", "c", "d"};
    for (unsigned i = 0; i < 4; i++) {
        task_init(&tasks[i], names[i]);
        tasks[i].holds = i >= 2;
    }
    tasks[0].then = lend;
    tasks[1].then = lend;
    task_submit(queue, &tasks[0]);
    tasks_wait(2);
    task_submit(queue, &tasks[1]);
    tasks_wait(4);
    assert_happened(1, "lent a");
    assert_happened(3, "kept b");
    task_submit(queue, &tasks[2]); /* in the place that was lent */
    tasks_wait(5);
    task_submit(queue, &tasks[3]);
    assert_int_equal(counted(&queue_counters(queue)->running), 2);
    assert_int_equal(counted(&queue_counters(queue)->lent), 1);
    assert_int_equal(counted(&queue_counters(queue)->waiting), 1);
    tasks_open_gate(4);
    tasks_wait(6);
    wait_counter(&queue_counters(queue)->running, 0);
    wait_counter(&queue_counters(queue)->lent, 0);
    tasks_end(queue);
}

static void give(struct task *task) {
    queue_give(task->queue, &task->job);
    task_pass_gate();
}

static void a_place_given_back_is_used_at_once(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&tasks_ops, 1, 1000);
    struct task tasks[2];
    task_init(&tasks[0], "a");
    task_init(&tasks[1], "b");
    tasks[0].then = give;
    task_submit(queue, &tasks[0]);
    task_submit(queue, &tasks[1]);
    assert_happened(0, "a");
    assert_happened(1, "b"); /* while a has not ended */
    tasks_open_gate(1);
    wait_counter(&queue_counters(queue)->running, 0);
    tasks_end(queue);
}

static void workers_that_gave_their_places_back_are_bounded(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&tasks_ops, 2, 1000);
    struct task tasks[4];
    static const char *const names[] = {"a", "b", "c", "d"};
    for (unsigned i = 0; i < 4; i++) {
        task_init(&tasks[i], names[i]);
        tasks[i].then = give;
        task_submit(queue, &tasks[i]);
    }
    tasks_wait(3);
    wait_counter(&queue_counters(queue)->running, 0);
    assert_int_equal(counted(&queue_counters(queue)->waiting), 1);
    assert_int_equal(counted(&queue_counters(queue)->workers), 3);
    tasks_open_gate(1);
    tasks_wait(4);
    assert_int_equal(counted(&queue_counters(queue)->workers), 3);
    tasks_open_gate(3);
    tasks_end(queue);
}

static void more_places_are_used_at_once(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[2];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    tasks[0].holds = true;
    task_submit(queue, &tasks[0]);
    task_submit(queue, &tasks[1]);
    queue_set_places(queue, 3);
    tasks_wait(3);
    tasks_open_gate(2);
    tasks_end(queue);
}

static void closing_hands_back_what_waits(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[3];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "b1");
    task_init(&tasks[2], "c1");
    task_submit(queue, &tasks[0]);
    task_submit(queue, &tasks[1]);
    queue_close(queue);
    assert_happened(1, "gone a1");
    assert_happened(2, "gone b1");
    assert_int_equal(task_refused(queue, &tasks[2]), ERROR_CANCELLED);
    tasks_open_gate(1);
    tasks_end(queue);
}

static void say_done(struct task *task) {
    task_happen("done ", task->name);
}

static void the_last_reference_may_go_while_a_job_runs(void **state) {
    (void)state;
    struct task blocker;
    struct task task;
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    blocker.then = say_done;
    task_init(&task, "a1");
    task_submit(queue, &task);
    assert_ptr_equal(queue_ref(queue), queue);
    queue_unref(queue);
    queue_unref(queue);
    assert_happened(1, "gone a1");
    tasks_open_gate(1);
    assert_happened(2, "done block");
}

static void note_unreachable(struct task *task) {
    for (unsigned i = 0; i < 3; i++)
        rest_note(queue_rest(task->queue), ERROR_CONNECT, 0, 1, -1);
}

static void a_rest_hands_waiting_jobs_back(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[2];
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    blocker.then = note_unreachable;
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    task_submit(queue, &tasks[0]);
    tasks_open_gate(1);
    assert_happened(1, "rests a1");
    assert_int_equal(task_refused(queue, &tasks[1]), ERROR_RESTING);
    rest_end(queue_rest(queue));
    task_submit(queue, &tasks[1]);
    assert_happened(2, "a2");
    tasks_end(queue);
}

static void note_throttled(struct task *task) {
    rest_note(queue_rest(task->queue), ERROR_THROTTLED, 429, 1, 1);
}

static void note_good(struct task *task) {
    task_happen(task->job.probe ? "probe " : "plain ", task->name);
    task_pass_gate();
    rest_note(queue_rest(task->queue), ERROR_NONE, 200, 1, -1);
}

static void a_short_pause_is_waited_out_and_probed(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[4];
    static const char *const names[] = {"a1", "a2", "a3", "a4"};
    struct source_queue *queue = tasks_blocked_queue(&blocker, 1000);
    blocker.then = note_throttled;
    queue_set_places(queue, 3);
    tasks_open_gate(1);
    wait_counter(&queue_counters(queue)->running, 0);
    for (unsigned i = 0; i < 4; i++) {
        task_init(&tasks[i], names[i]);
        task_submit(queue, &tasks[i]);
    }
    tasks[0].then = note_good;
    assert_true(counted(&queue_counters(queue)->workers) <= 3);
    assert_happened(1, "a1");
    assert_happened(2, "probe a1");
    /* The others wait for what it brings, though places are free. */
    assert_int_equal(counted(&queue_counters(queue)->waiting), 3);
    tasks_open_gate(1);
    tasks_wait(6);
    assert_false(tasks[1].job.probe || tasks[2].job.probe || tasks[3].job.probe);
    tasks_end(queue);
}

static void fall_silent(struct task *task) {
    task_happen(task->job.probe ? "probe " : "plain ", task->name);
}

static void a_probe_that_reports_nothing_frees_the_next(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&tasks_ops, 1, 1000);
    struct task tasks[2];
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    tasks[0].then = fall_silent;
    tasks[1].then = fall_silent;
    rest_note(queue_rest(queue), ERROR_THROTTLED, 429, 1, 1);
    task_submit(queue, &tasks[0]);
    task_submit(queue, &tasks[1]);
    assert_happened(1, "probe a1");
    assert_happened(3, "probe a2");
    tasks_end(queue);
}

enum { CROWD = 4, CROWD_JOBS = 500 };

struct crowd_job {
    struct queue_job job;
    _Atomic int ends;
    _Atomic bool withdrawn;
};

static _Atomic unsigned crowd_ended;

static void crowd_over(struct queue_job *job) {
    atomic_fetch_add(&((struct crowd_job *)job)->ends, 1);
    atomic_fetch_add(&crowd_ended, 1);
}

static void crowd_run(struct queue_job *job, void *worker) {
    (void)worker;
    crowd_over(job);
}

static void crowd_handed_back(struct queue_job *job, enum error_kind why) {
    (void)why;
    crowd_over(job);
}

struct crowd {
    pthread_t thread;
    struct source_queue *queue;
    struct crowd_job *jobs;
    uint8_t address;
};

static void *crowd_submit(void *context) {
    struct crowd *crowd = context;
    for (unsigned i = 0; i < CROWD_JOBS; i++) {
        struct crowd_job *job = &crowd->jobs[i];
        job->job =
            (struct queue_job){.wanted = true, .run = crowd_run, .handed_back = crowd_handed_back};
        job->job.client.ip.s6_addr[0] = (uint8_t)(crowd->address + i % 3);
        enum error_kind why;
        if (!queue_submit(crowd->queue, &job->job, &why)) {
            crowd_over(&job->job);
            continue;
        }
        if (i % 5 == 0)
            queue_want(crowd->queue, &job->job, false);
        if (i % 7 == 0 && queue_withdraw(crowd->queue, &job->job))
            crowd_over(&job->job);
    }
    return NULL;
}

static void every_job_of_a_crowd_ends_exactly_once(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&tasks_ops, 3, 50);
    struct crowd crowds[CROWD];
    crowd_ended = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        crowds[i] = (struct crowd){.queue = queue, .address = (uint8_t)i};
        crowds[i].jobs = calloc(CROWD_JOBS, sizeof(struct crowd_job));
        assert_true(thread_start(&crowds[i].thread, "crowd", crowd_submit, &crowds[i], NULL));
    }
    for (unsigned i = 0; i < CROWD; i++)
        pthread_join(crowds[i].thread, NULL);
    int64_t deadline_ms = clock_ms() + TASKS_DEADLINE_MS;
    while (crowd_ended < CROWD * CROWD_JOBS) {
        assert_true(clock_ms() < deadline_ms);
        sched_yield();
    }
    for (unsigned i = 0; i < CROWD; i++)
        for (unsigned j = 0; j < CROWD_JOBS; j++)
            assert_int_equal(crowds[i].jobs[j].ends, 1);
    assert_int_equal(counted(&queue_counters(queue)->waiting), 0);
    tasks_end(queue);
    for (unsigned i = 0; i < CROWD; i++)
        free(crowds[i].jobs);
}

#define TEST(name) cmocka_unit_test_setup(name, tasks_setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(no_more_run_at_once_than_there_are_places),
        TEST(a_worker_is_used_again),
        TEST(an_idle_worker_ends_when_its_kind_says),
        TEST(half_the_places_may_be_lent),
        TEST(a_place_given_back_is_used_at_once),
        TEST(workers_that_gave_their_places_back_are_bounded),
        TEST(more_places_are_used_at_once),
        TEST(closing_hands_back_what_waits),
        TEST(the_last_reference_may_go_while_a_job_runs),
        TEST(a_rest_hands_waiting_jobs_back),
        TEST(a_short_pause_is_waited_out_and_probed),
        TEST(a_probe_that_reports_nothing_frees_the_next),
        TEST(every_job_of_a_crowd_ends_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
