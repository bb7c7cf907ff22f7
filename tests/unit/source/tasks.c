// SPDX-License-Identifier: MIT
#include "unit/source/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"

enum { LOG_MAX = 64 };

/* What happened to whom, in order; guarded by lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char entries[LOG_MAX][32];
    unsigned count;
    unsigned gates; /* how many jobs that hold may go on */
    unsigned workers_made;
} happened = {.lock = PTHREAD_MUTEX_INITIALIZER};

void task_happen(const char *what, const char *name) {
    SCOPED_LOCK(&happened.lock);
    assert_true(happened.count < LOG_MAX);
    snprintf(happened.entries[happened.count++], 32, "%s%s", what, name);
    pthread_cond_broadcast(&happened.changed);
}

void tasks_wait(unsigned count) {
    SCOPED_LOCK(&happened.lock);
    int64_t deadline_ms = clock_ms() + TASKS_DEADLINE_MS;
    while (happened.count < count)
        assert_true(condition_wait(&happened.changed, &happened.lock, deadline_ms));
}

void assert_happened(unsigned index, const char *what) {
    tasks_wait(index + 1);
    SCOPED_LOCK(&happened.lock);
    assert_string_equal(happened.entries[index], what);
}

void tasks_open_gate(unsigned jobs) {
    SCOPED_LOCK(&happened.lock);
    happened.gates += jobs;
    pthread_cond_broadcast(&happened.changed);
}

void task_pass_gate(void) {
    SCOPED_LOCK(&happened.lock);
    int64_t deadline_ms = clock_ms() + TASKS_DEADLINE_MS;
    while (happened.gates == 0)
        assert_true(condition_wait(&happened.changed, &happened.lock, deadline_ms));
    happened.gates--;
}

void wait_counter(const counter *value, uint64_t wanted) {
    int64_t deadline_ms = clock_ms() + TASKS_DEADLINE_MS;
    while (counted(value) != wanted) {
        assert_true(clock_ms() < deadline_ms);
        sched_yield();
    }
}

static void run(struct queue_job *job, void *worker) {
    struct task *task = (struct task *)job;
    assert_non_null(worker);
    task_happen("", task->name);
    if (task->holds)
        task_pass_gate();
    if (task->then)
        task->then(task);
}

static void handed_back(struct queue_job *job, enum error_kind why) {
    struct task *task = (struct task *)job;
    task_happen(why == ERROR_BUSY      ? "busy "
                : why == ERROR_RESTING ? "rests "
                                       : "gone ",
                task->name);
}

static void *worker_new(void) {
    SCOPED_LOCK(&happened.lock);
    happened.workers_made++;
    return malloc(1);
}

unsigned tasks_workers_made(void) {
    SCOPED_LOCK(&happened.lock);
    return happened.workers_made;
}

const struct source_ops tasks_ops = {.type = "test", .worker_new = worker_new, .worker_free = free};

void task_init(struct task *task, const char *name) {
    *task = (struct task){.job = {.wanted = true, .run = run, .handed_back = handed_back}};
    snprintf(task->name, sizeof task->name, "%s", name);
    task->job.client.ip.s6_addr[15] = (uint8_t)name[0];
}

void task_submit(struct source_queue *queue, struct task *task) {
    enum error_kind why = ERROR_NONE;
    task->queue = queue;
    assert_true(queue_submit(queue, &task->job, &why));
}

enum error_kind task_refused(struct source_queue *queue, struct task *task) {
    enum error_kind why = ERROR_NONE;
    task->queue = queue;
    assert_false(queue_submit(queue, &task->job, &why));
    return why;
}

/* A queue whose only place is taken by a job that holds. */
struct source_queue *tasks_blocked_queue(struct task *blocker, unsigned waiting_max) {
    struct source_queue *queue = queue_new(&tasks_ops, 1, waiting_max);
    task_init(blocker, "block");
    blocker->holds = true;
    task_submit(queue, blocker);
    tasks_wait(1);
    return queue;
}

void tasks_end(struct source_queue *queue) {
    queue_close(queue);
    wait_counter(&queue_counters(queue)->workers, 0);
    queue_unref(queue);
}

int tasks_setup(void **state) {
    (void)state;
    condition_init(&happened.changed);
    happened.count = 0;
    happened.gates = 0;
    happened.workers_made = 0;
    return 0;
}
