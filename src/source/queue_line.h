// SPDX-License-Identifier: MIT
//
// The line of waiting jobs of a source_queue: who is next, and who has to go when it is full
// (rules: source_queue.h). Adding, taking out and finding the next cost the same however many wait;
// only putting out walks over the client addresses. No lock of its own: the queue's guards it.
#pragma once

#include "base/table.h"
#include "source/source_queue.h"

struct queue_line {
    struct list take_ups;   /* jobs that go before all */
    struct list ring;       /* client addresses, the next one first */
    struct list background; /* jobs that nobody waits for from the start, after all others */
    struct table clients;   /* by address */
    counter *waiting;       /* jobs in line */
    uint64_t tickets;       /* given out */
};

/* An empty line that counts its jobs in *waiting. */
void queue_line_init(struct queue_line *line, counter *waiting);

/* Frees; the line must be empty. */
void queue_line_release(struct queue_line *line);

/* Lines a job up. */
void queue_line_add(struct queue_line *line, struct queue_job *job);

/* Takes a job out that is in line. */
void queue_line_remove(struct queue_line *line, struct queue_job *job);

/* The next job by the rules of order, still in line; NULL when nobody waits. */
struct queue_job *queue_line_next(const struct queue_line *line);

/* Takes the next job out to be run: its client's turn is over. */
void queue_line_take(struct queue_line *line, struct queue_job *job);

/* Somebody waits for the job, or nobody any more; it may be in line or not. */
void queue_line_want(struct queue_job *job, bool wanted);

/* Whom a newcomer to a full line puts out, still in line; NULL: nobody, it is refused itself. */
struct queue_job *queue_line_victim(const struct queue_line *line,
                                    const struct queue_job *newcomer);
