// SPDX-License-Identifier: MIT
//
// Jobs for a source_queue that write down what happens to them, and may wait at a gate that the
// test opens.
#pragma once

#include "source/source.h"
#include "source/source_queue.h"

enum { TASKS_DEADLINE_MS = 20000 };

struct task {
    struct queue_job job;
    char name[8];
    bool holds;                      /* waits at the gate */
    void (*then)(struct task *task); /* on the worker, behind the gate */
    struct source_queue *queue;
    bool lent;
};

/* Kinds of sources without a source: workers only. */
extern const struct source_ops tasks_ops;

/* For cmocka: nothing has happened yet. */
int tasks_setup(void **state);

/* Writes down "<what><name>"; a run writes its name alone, a hand-back "busy ", "rests " or "gone "
 * and the name. */
void task_happen(const char *what, const char *name);

/* Waits until so many things have happened. */
void tasks_wait(unsigned count);

/* Waits for what happens as number `index` (from 0), which must be this. */
void assert_happened(unsigned index, const char *what);

/* Lets so many pass the gate; waits at it. */
void tasks_open_gate(unsigned tasks);
void task_pass_gate(void);

/* Workers made so far. */
unsigned tasks_workers_made(void);

/* Waits until a counter has this value. */
void wait_counter(const counter *value, uint64_t wanted);

/* A job of the client address that the first letter of its name stands for. */
void task_init(struct task *task, const char *name);

/* Submits, which must succeed; or must be refused, for the reason returned. */
void task_submit(struct source_queue *queue, struct task *task);
enum error_kind task_refused(struct source_queue *queue, struct task *task);

/* A queue whose only place is taken by a job that holds. */
struct source_queue *tasks_blocked_queue(struct task *blocker, unsigned waiting_max);

/* Closes, waits for the workers and frees. */
void tasks_end(struct source_queue *queue);
