// SPDX-License-Identifier: MIT
//
// The fetcher moves one body: it asks a source, claims the copy's pen and writes what comes until the end. It runs on the source's
// worker and blocks there. What follows from how it ended (the next source, a take-up, a new copy) is the search's business.
#pragma once

#include "source/source.h"
#include "store/cache.h"

/* What one attempt brings to the fetcher. */
struct fetch {
    struct source *source;
    void *worker;
    const struct question *question;
    struct cache *cache;
    struct copy *copy;
    unsigned shelf;             /* where it will be kept */
    bool in_place;
    bool fresh_connection;
    bool taking_up;             /* the copy has begun already and this attempt is to go on with it */
    struct resume resume;       /* with taking_up */
    struct cancel *cancel;
    struct queue_job *job;      /* lends its place after 10 s of body */
    struct attempt_note *note;
    int64_t retry_after_s;      /* out */
    /* Called once, when the head has come and the source's answer is known to be good (before any byte is written). */
    void (*head_came)(struct fetch *fetch);
};

enum fetch_end {
    FETCH_WHOLE,     /* the copy is WHOLE, and COMPLETE where it could be kept */
    FETCH_LOCAL,     /* the copy is COMPLETE, a file served in place */
    FETCH_ABSENT,    /* the source's own no */
    FETCH_FAILED,    /* nothing was written: err says why */
    FETCH_LOST,      /* another attempt writes; what came was good */
    FETCH_BROKEN,    /* this attempt leads, some bytes are written, then it broke: err says why, take it up at `resume` */
    FETCH_FALSE,     /* this attempt led and the body proved false: the copy must be replaced */
    FETCH_DIFFERENT, /* taking up brought other bytes than those already written: the copy must be replaced */
    FETCH_CANCELLED,
};

/* Runs to the end. On FETCH_BROKEN fetch->resume says where and how to go on. */
enum fetch_end fetcher_run(struct fetch *fetch, struct error *err);
