// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/threads.h"
#include "source/source.h"
#include "source/source_queue.h"

enum { DEADLINE_MS = 20000, LOG_MAX = 64 };

/* What happened to whom, in order; guarded by lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char entries[LOG_MAX][32];
    unsigned count;
    unsigned gates; /* how many jobs that hold may go on */
    unsigned workers_made;
} happened = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct task {
    struct queue_job job;
    char name[8];
    bool holds;                      /* waits at the gate */
    void (*then)(struct task *task); /* on the worker, behind the gate */
    struct source_queue *queue;
    bool lent;
};

static void happen(const char *what, const char *name) {
    SCOPED_LOCK(&happened.lock);
    assert_true(happened.count < LOG_MAX);
    snprintf(happened.entries[happened.count++], 32, "%s%s", what, name);
    pthread_cond_broadcast(&happened.changed);
}

static void wait_happened(unsigned count) {
    SCOPED_LOCK(&happened.lock);
    int64_t deadline_ms = clock_ms() + DEADLINE_MS;
    while (happened.count < count)
        assert_true(condition_wait(&happened.changed, &happened.lock, deadline_ms));
}

static void assert_happened(unsigned index, const char *what) {
    wait_happened(index + 1);
    SCOPED_LOCK(&happened.lock);
    assert_string_equal(happened.entries[index], what);
}

static void open_gate(unsigned jobs) {
    SCOPED_LOCK(&happened.lock);
    happened.gates += jobs;
    pthread_cond_broadcast(&happened.changed);
}

static void pass_gate(void) {
    SCOPED_LOCK(&happened.lock);
    int64_t deadline_ms = clock_ms() + DEADLINE_MS;
    while (happened.gates == 0)
        assert_true(condition_wait(&happened.changed, &happened.lock, deadline_ms));
    happened.gates--;
}

static void wait_counter(const counter *value, uint64_t wanted) {
    int64_t deadline_ms = clock_ms() + DEADLINE_MS;
    while (counted(value) != wanted) {
        assert_true(clock_ms() < deadline_ms);
        sched_yield();
    }
}

static void run(struct queue_job *job, void *worker) {
    struct task *task = (struct task *)job;
    assert_non_null(worker);
    happen("", task->name);
    if (task->holds)
        pass_gate();
    if (task->then)
        task->then(task);
}

static void handed_back(struct queue_job *job, enum error_kind why) {
    struct task *task = (struct task *)job;
    happen(why == ERROR_BUSY ? "busy " : why == ERROR_RESTING ? "rests " : "gone ", task->name);
}

static void *worker_new(void) {
    SCOPED_LOCK(&happened.lock);
    happened.workers_made++;
    return malloc(1);
}

static const struct source_ops ops = {
    .type = "test", .worker_new = worker_new, .worker_free = free};

static void task_init(struct task *task, const char *name) {
    *task = (struct task){.job = {.wanted = true, .run = run, .handed_back = handed_back}};
    snprintf(task->name, sizeof task->name, "%s", name);
    task->job.client.ip.s6_addr[15] = (uint8_t)name[0];
}

static void submit(struct source_queue *queue, struct task *task) {
    enum error_kind why = ERROR_NONE;
    task->queue = queue;
    assert_true(queue_submit(queue, &task->job, &why));
}

static enum error_kind submit_refused(struct source_queue *queue, struct task *task) {
    enum error_kind why = ERROR_NONE;
    task->queue = queue;
    assert_false(queue_submit(queue, &task->job, &why));
    return why;
}

/* A queue whose only place is taken by a job that holds. */
static struct source_queue *blocked_queue(struct task *blocker, unsigned waiting_max) {
    struct source_queue *queue = queue_new(&ops, 1, waiting_max);
    task_init(blocker, "block");
    blocker->holds = true;
    submit(queue, blocker);
    wait_happened(1);
    return queue;
}

static void end(struct source_queue *queue) {
    queue_close(queue);
    wait_counter(&queue_counters(queue)->workers, 0);
    queue_unref(queue);
}

static int setup(void **state) {
    (void)state;
    condition_init(&happened.changed);
    happened.count = 0;
    happened.gates = 0;
    happened.workers_made = 0;
    return 0;
}

static void no_more_run_at_once_than_there_are_places(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&ops, 2, 1000);
    struct task tasks[5];
    assert_true(queue_free_place(queue));
    for (unsigned i = 0; i < 5; i++) {
        task_init(&tasks[i], "a");
        tasks[i].holds = true;
        submit(queue, &tasks[i]);
    }
    wait_happened(2);
    assert_int_equal(counted(&queue_counters(queue)->running), 2);
    assert_int_equal(counted(&queue_counters(queue)->waiting), 3);
    assert_false(queue_free_place(queue));
    open_gate(1);
    wait_happened(3);
    assert_int_equal(counted(&queue_counters(queue)->running), 2);
    open_gate(4);
    wait_happened(5);
    wait_counter(&queue_counters(queue)->running, 0);
    assert_true(counted(&queue_counters(queue)->workers) <= 2);
    end(queue);
}

static void a_worker_is_used_again(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&ops, 4, 1000);
    struct task tasks[20];
    for (unsigned i = 0; i < 20; i++) {
        task_init(&tasks[i], "a");
        submit(queue, &tasks[i]);
        wait_happened(i + 1);
        wait_counter(&queue_counters(queue)->running, 0);
    }
    SCOPED_LOCK(&happened.lock);
    /* Between a job's end and the worker's lying down a second one may be made, not one a job. */
    assert_true(happened.workers_made <= 4);
    lock_give(&happened.lock);
    end(queue);
    lock_take(&happened.lock);
}

static void addresses_take_turns(void **state) {
    (void)state;
    static const char *const order[] = {"a1", "a2", "a3", "b1", "c1", "b2"};
    static const char *const expected[] = {"a1", "b1", "c1", "a2", "b2", "a3"};
    struct task blocker;
    struct task tasks[6];
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    for (unsigned i = 0; i < 6; i++) {
        task_init(&tasks[i], order[i]);
        submit(queue, &tasks[i]);
    }
    open_gate(1);
    for (unsigned i = 0; i < 6; i++)
        assert_happened(i + 1, expected[i]);
    end(queue);
}

static void wanted_before_abandoned_and_take_ups_first(void **state) {
    (void)state;
    static const char *const names[] = {"a1", "a2", "a3", "t1", "t2"};
    static const char *const expected[] = {"t1", "t2", "a2", "a3", "a1"};
    struct task blocker;
    struct task tasks[5];
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    for (unsigned i = 0; i < 5; i++) {
        task_init(&tasks[i], names[i]);
        tasks[i].job.at_head = names[i][0] == 't';
        submit(queue, &tasks[i]);
    }
    queue_want(queue, &tasks[0].job, false);
    queue_want(queue, &tasks[1].job, false);
    queue_want(queue, &tasks[1].job, true);
    open_gate(1);
    for (unsigned i = 0; i < 5; i++)
        assert_happened(i + 1, expected[i]);
    end(queue);
}

static void a_full_queue_puts_out_the_newest_of_the_address_with_most(void **state) {
    (void)state;
    static const char *const names[] = {"a1", "a2", "b1", "c1", "a3", "d1"};
    struct task blocker;
    struct task tasks[6];
    struct source_queue *queue = blocked_queue(&blocker, 3);
    for (unsigned i = 0; i < 6; i++)
        task_init(&tasks[i], names[i]);
    for (unsigned i = 0; i < 4; i++)
        submit(queue, &tasks[i]); /* c1 puts a2 out */
    assert_happened(1, "busy a2");
    assert_int_equal(submit_refused(queue, &tasks[4]), ERROR_BUSY);
    assert_int_equal(submit_refused(queue, &tasks[5]), ERROR_BUSY);
    assert_int_equal(counted(&queue_counters(queue)->busy), 3);
    open_gate(1);
    assert_happened(2, "a1");
    assert_happened(3, "b1");
    assert_happened(4, "c1");
    end(queue);
}

static void abandoned_jobs_are_put_out_first(void **state) {
    (void)state;
    static const char *const names[] = {"a1", "a2", "a3", "a4", "b1"};
    struct task blocker;
    struct task tasks[5];
    struct source_queue *queue = blocked_queue(&blocker, 3);
    for (unsigned i = 0; i < 5; i++)
        task_init(&tasks[i], names[i]);
    for (unsigned i = 0; i < 3; i++)
        submit(queue, &tasks[i]);
    queue_want(queue, &tasks[0].job, false);
    queue_want(queue, &tasks[1].job, false);
    submit(queue, &tasks[4]);
    assert_happened(1, "busy a2");
    submit(queue, &tasks[3]); /* of the same address, but somebody waits for it */
    assert_happened(2, "busy a1");
    open_gate(1);
    assert_happened(3, "a3");
    assert_happened(4, "b1");
    assert_happened(5, "a4");
    end(queue);
}

static void a_hedge_puts_nobody_out(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[2];
    struct source_queue *queue = blocked_queue(&blocker, 1);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "b1");
    tasks[1].job.optional = true;
    submit(queue, &tasks[0]);
    assert_int_equal(submit_refused(queue, &tasks[1]), ERROR_BUSY);
    assert_int_equal(counted(&queue_counters(queue)->busy), 0);
    open_gate(1);
    assert_happened(1, "a1");
    end(queue);
}

static void a_take_up_gives_way_to_nobody(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[3];
    struct source_queue *queue = blocked_queue(&blocker, 1);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "t1");
    task_init(&tasks[2], "t2");
    tasks[1].job.at_head = true;
    tasks[2].job.at_head = true;
    submit(queue, &tasks[0]);
    submit(queue, &tasks[1]);
    assert_happened(1, "busy a1");
    assert_int_equal(submit_refused(queue, &tasks[2]), ERROR_BUSY);
    open_gate(1);
    assert_happened(2, "t1");
    end(queue);
}

static void a_withdrawn_job_never_runs(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[2];
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    submit(queue, &tasks[0]);
    submit(queue, &tasks[1]);
    assert_true(queue_withdraw(queue, &tasks[0].job));
    assert_false(queue_withdraw(queue, &tasks[0].job));
    assert_false(queue_withdraw(queue, &blocker.job));
    open_gate(1);
    assert_happened(1, "a2");
    end(queue);
}

static void lend(struct task *task) {
    task->lent = queue_lend(task->queue, &task->job);
    happen(task->lent ? "lent " : "kept ", task->name);
    pass_gate();
}

static void half_the_places_may_be_lent(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&ops, 2, 1000);
    struct task tasks[4];
    static const char *const names[] = {"a", "b", "c", "d"};
    for (unsigned i = 0; i < 4; i++) {
        task_init(&tasks[i], names[i]);
        tasks[i].holds = i >= 2;
    }
    tasks[0].then = lend;
    tasks[1].then = lend;
    submit(queue, &tasks[0]);
    wait_happened(2);
    submit(queue, &tasks[1]);
    wait_happened(4);
    assert_string_equal(happened.entries[1], "lent a");
    assert_string_equal(happened.entries[3], "kept b");
    submit(queue, &tasks[2]); /* in the place that was lent */
    wait_happened(5);
    submit(queue, &tasks[3]);
    assert_int_equal(counted(&queue_counters(queue)->running), 2);
    assert_int_equal(counted(&queue_counters(queue)->lent), 1);
    assert_int_equal(counted(&queue_counters(queue)->waiting), 1);
    open_gate(4);
    wait_happened(6);
    wait_counter(&queue_counters(queue)->running, 0);
    wait_counter(&queue_counters(queue)->lent, 0);
    end(queue);
}

static void give(struct task *task) {
    queue_give(task->queue, &task->job);
    pass_gate();
}

static void a_place_given_back_is_used_at_once(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&ops, 1, 1000);
    struct task tasks[2];
    task_init(&tasks[0], "a");
    task_init(&tasks[1], "b");
    tasks[0].then = give;
    submit(queue, &tasks[0]);
    submit(queue, &tasks[1]);
    assert_happened(0, "a");
    assert_happened(1, "b"); /* while a has not ended */
    open_gate(1);
    wait_counter(&queue_counters(queue)->running, 0);
    end(queue);
}

static void more_places_are_used_at_once(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[2];
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    tasks[0].holds = true;
    submit(queue, &tasks[0]);
    submit(queue, &tasks[1]);
    queue_set_places(queue, 3);
    wait_happened(3);
    open_gate(2);
    end(queue);
}

static void closing_hands_back_what_waits(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[3];
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "b1");
    task_init(&tasks[2], "c1");
    submit(queue, &tasks[0]);
    submit(queue, &tasks[1]);
    queue_close(queue);
    assert_happened(1, "gone a1");
    assert_happened(2, "gone b1");
    assert_int_equal(submit_refused(queue, &tasks[2]), ERROR_CANCELLED);
    open_gate(1);
    end(queue);
}

static void say_done(struct task *task) {
    happen("done ", task->name);
}

static void the_last_reference_may_go_while_a_job_runs(void **state) {
    (void)state;
    struct task blocker;
    struct task task;
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    blocker.then = say_done;
    task_init(&task, "a1");
    submit(queue, &task);
    assert_ptr_equal(queue_ref(queue), queue);
    queue_unref(queue);
    queue_unref(queue);
    assert_happened(1, "gone a1");
    open_gate(1);
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
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    blocker.then = note_unreachable;
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    submit(queue, &tasks[0]);
    open_gate(1);
    assert_happened(1, "rests a1");
    assert_int_equal(submit_refused(queue, &tasks[1]), ERROR_RESTING);
    rest_end(queue_rest(queue));
    submit(queue, &tasks[1]);
    assert_happened(2, "a2");
    end(queue);
}

static void note_throttled(struct task *task) {
    rest_note(queue_rest(task->queue), ERROR_THROTTLED, 429, 1, 1);
}

static void note_good(struct task *task) {
    happen(task->job.probe ? "probe " : "plain ", task->name);
    pass_gate();
    rest_note(queue_rest(task->queue), ERROR_NONE, 200, 1, -1);
}

static void a_short_pause_is_waited_out_and_probed(void **state) {
    (void)state;
    struct task blocker;
    struct task tasks[4];
    static const char *const names[] = {"a1", "a2", "a3", "a4"};
    struct source_queue *queue = blocked_queue(&blocker, 1000);
    blocker.then = note_throttled;
    queue_set_places(queue, 3);
    open_gate(1);
    wait_counter(&queue_counters(queue)->running, 0);
    for (unsigned i = 0; i < 4; i++) {
        task_init(&tasks[i], names[i]);
        submit(queue, &tasks[i]);
    }
    tasks[0].then = note_good;
    assert_true(counted(&queue_counters(queue)->workers) <= 3);
    assert_happened(1, "a1");
    assert_happened(2, "probe a1");
    /* The others wait for what it brings, though places are free. */
    assert_int_equal(counted(&queue_counters(queue)->waiting), 3);
    open_gate(1);
    wait_happened(6);
    assert_false(tasks[1].job.probe || tasks[2].job.probe || tasks[3].job.probe);
    end(queue);
}

static void fall_silent(struct task *task) {
    happen(task->job.probe ? "probe " : "plain ", task->name);
}

static void a_probe_that_reports_nothing_frees_the_next(void **state) {
    (void)state;
    struct source_queue *queue = queue_new(&ops, 1, 1000);
    struct task tasks[2];
    task_init(&tasks[0], "a1");
    task_init(&tasks[1], "a2");
    tasks[0].then = fall_silent;
    tasks[1].then = fall_silent;
    rest_note(queue_rest(queue), ERROR_THROTTLED, 429, 1, 1);
    submit(queue, &tasks[0]);
    submit(queue, &tasks[1]);
    assert_happened(1, "probe a1");
    assert_happened(3, "probe a2");
    end(queue);
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
    struct source_queue *queue = queue_new(&ops, 3, 50);
    struct crowd crowds[CROWD];
    crowd_ended = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        crowds[i] = (struct crowd){.queue = queue, .address = (uint8_t)i};
        crowds[i].jobs = calloc(CROWD_JOBS, sizeof(struct crowd_job));
        assert_true(thread_start(&crowds[i].thread, "crowd", crowd_submit, &crowds[i], NULL));
    }
    for (unsigned i = 0; i < CROWD; i++)
        pthread_join(crowds[i].thread, NULL);
    int64_t deadline_ms = clock_ms() + DEADLINE_MS;
    while (crowd_ended < CROWD * CROWD_JOBS) {
        assert_true(clock_ms() < deadline_ms);
        sched_yield();
    }
    for (unsigned i = 0; i < CROWD; i++)
        for (unsigned j = 0; j < CROWD_JOBS; j++)
            assert_int_equal(crowds[i].jobs[j].ends, 1);
    assert_int_equal(counted(&queue_counters(queue)->waiting), 0);
    end(queue);
    for (unsigned i = 0; i < CROWD; i++)
        free(crowds[i].jobs);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(no_more_run_at_once_than_there_are_places),
        TEST(a_worker_is_used_again),
        TEST(addresses_take_turns),
        TEST(wanted_before_abandoned_and_take_ups_first),
        TEST(a_full_queue_puts_out_the_newest_of_the_address_with_most),
        TEST(abandoned_jobs_are_put_out_first),
        TEST(a_hedge_puts_nobody_out),
        TEST(a_take_up_gives_way_to_nobody),
        TEST(a_withdrawn_job_never_runs),
        TEST(half_the_places_may_be_lent),
        TEST(a_place_given_back_is_used_at_once),
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
