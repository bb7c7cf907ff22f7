// SPDX-License-Identifier: MIT
//
// The fetcher moves one body: it asks a source, claims the copy's pen and writes what comes until
// the end. It runs on the source's worker and blocks there. What follows from how it ended (the
// next source, a take-up, a new copy) is the search's business.
//
// Taking up: a body that broke is asked for again, by Range where this source can go on (`resume`),
// else from the start; then what comes is compared with what was written before anything is added.
#pragma once

#include "proxy/quarantine.h"
#include "source/source.h"
#include "store/cache.h"

struct fetch;

/* A kept file that a source's is compared with before it is read. */
struct kept {
    bool compare;
    uint64_t size;
    int64_t modified_s;
};

/* Is what the source has the kept file? A compressed one is told by its time alone, and what has no
   time by its size. */
bool kept_is(const struct kept *kept, const struct content *content, bool packed);

/* What the fetcher tells the search while it runs; called on the worker, with no lock held. */
struct fetch_ops {
    /* The head has come and the source's answer is good; before any byte of the body is read. */
    void (*head_came)(struct fetch *fetch);
    /* The first bytes are good too: may this attempt write? False: another one does. */
    bool (*may_write)(struct fetch *fetch);
    /* All is there and verified: the note is filled, and the copy is about to be whole. */
    void (*body_came)(struct fetch *fetch);
    /* The copy is whole and is about to be kept. */
    void (*keeps)(struct fetch *fetch);
};

/* What one attempt brings to the fetcher. */
struct fetch {
    const struct fetch_ops *ops;
    struct source *source;
    void *worker;
    const struct question *question;
    struct cache *cache;
    struct quarantine *quarantine; /* where refused bodies are noted; may be NULL */
    struct copy *copy;
    unsigned shelf;                     /* where it will be kept */
    const struct shelved_form *shelved; /* the one path to ask for, in this form; NULL: the source's
                                           forms, at the paths of its layout */
    unsigned forms_but;                 /* those not to be asked for: what came was refused */
    bool in_place;
    bool fresh_connection;
    bool chooses;   /* by the question's check sums, since others may have the better file */
    bool taking_up; /* the copy has begun already and this attempt is to go on with it */
    struct kept kept;
    struct resume resume;    /* with taking_up: offset 0 means from the start; out: FETCH_BROKEN */
    struct staging *staging; /* with taking_up: the copy's file; out: set when this attempt began */
    struct cancel *cancel;
    struct queue_job *job; /* lends its place after 10 s of body */
    struct attempt_note *note;
    int64_t retry_after_s; /* out: -1 when the source did not say */
    bool behind;           /* out: it failed at a host to which the source had redirected */
    bool head_good;        /* out: the head had come and was good */
    enum form form;        /* out: what was asked for last */
    bool refused; /* out: FETCH_FAILED since what came is false: in this form it always will be */
};

enum fetch_end {
    FETCH_WHOLE,     /* the copy is WHOLE, and COMPLETE where it could be kept */
    FETCH_LOCAL,     /* the copy is COMPLETE, a file served in place */
    FETCH_ABSENT,    /* the source's own no */
    FETCH_FAILED,    /* this attempt wrote nothing: err says why */
    FETCH_ASIDE,     /* the file of another build, and this attempt chooses: nothing was written */
    FETCH_LOST,      /* another attempt writes; what came was good */
    FETCH_BROKEN,    /* this attempt led, some bytes are written, then it broke: err says why (with
                        ERROR_DISK it was not the source), take it up at `resume` */
    FETCH_FALSE,     /* this attempt led and the body proved false: the copy must be replaced */
    FETCH_DIFFERENT, /* taking up brought other bytes than those written: the copy must be replaced
                      */
    FETCH_CANCELLED,
    FETCH_KEPT, /* the source's file is the kept one, or may still be written: nothing was read */
};

/* Runs to the end. */
enum fetch_end fetcher_run(struct fetch *fetch, struct error *err);
