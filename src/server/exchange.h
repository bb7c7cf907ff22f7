// SPDX-License-Identifier: MIT
//
// One request and its answer. It is made when a request's first byte comes and ends with an outcome
// (one log line). Answers are of two sorts: a text made at once (errors, pages, API), or a symbol's
// body from a copy that may still be searched for or arriving.
//
//   state     meaning                                            goes on by
//   HEAD      the head is being read                             exchange_dispatch
//   SEARCHING waits for a copy to begin or end                   the copy's watch, its deadline
//   HOLDING   a small answer waits for the verdict (at most 2 s) the copy's watch, the deadline
//   WORKING   a pool job runs for it (API)                       the inbox
//   SENDING   head and body go out                               the socket, the copy's watch, a
//   warmed disk ENDED
#pragma once

#include "base/buffer.h"
#include "base/pool.h"
#include "http/range.h"
#include "http/request.h"
#include "server/connection.h"

enum exchange_state {
    EXCHANGE_HEAD,
    EXCHANGE_SEARCHING,
    EXCHANGE_HOLDING,
    EXCHANGE_WORKING,
    EXCHANGE_SENDING,
    EXCHANGE_ENDED,
};

enum exchange_step {
    STEP_WAIT,    /* nothing to do until something wakes it */
    STEP_BLOCKED, /* the socket takes no more */
    STEP_YIELD,   /* more could be sent, but others have a turn first */
    STEP_DONE,    /* the answer is out */
    STEP_GONE,    /* the client has hung up */
    STEP_BROKEN,  /* the answer cannot be ended well: reset */
};

enum framing {
    FRAMING_TEXT,   /* a text answer, no copy */
    FRAMING_SPOOL,  /* a spooled one (call->spool), no copy either */
    FRAMING_EVENTS, /* a text that goes on as long as the client listens */
    FRAMING_NONE,   /* a head alone */
    FRAMING_LENGTH,
    FRAMING_CHUNKED,
    FRAMING_CLOSE, /* HTTP/1.0 without a length: ends with the connection */
};

/* Where a body from a copy stands. */
struct body_cursor {
    enum framing framing;
    uint64_t at;         /* the next byte to send */
    uint64_t end;        /* the byte after the last one of this answer; SIZE_UNKNOWN while it is */
    uint64_t piece_left; /* of the chunk that has been opened */
    uint64_t warm_end;   /* up to here a pool thread has read the file into memory */
    bool piece_open;
    bool ended; /* the end mark is in `head`, or there is none */
};

/* What lies in the loop's inbox for an exchange. Two, since a pool thread must not touch an
   exchange any more once the loop may have seen that its job is done. */
struct waker {
    struct watch watch;
    struct exchange *exchange;
    bool for_job;
};

struct exchange {
    enum exchange_state state;
    struct connection *connection; /* NULL once the client is gone and a pool job still runs */
    struct settings *settings;     /* the snapshot this request is answered under */
    struct request request;
    struct list in_loop; /* loop.waiting or loop.growing */

    /* what was asked */
    struct question question;
    struct range range;
    char if_range[64];
    char if_none_match[256];
    char if_modified_since[48];
    char id[REQUEST_ID_BYTES];
    char path[REQUEST_PATH_BYTES];
    const char *dialect;
    bool about_symbol; /* below /symbols/ */
    bool follow_up;    /* another form of a symbol's file */
    bool joined;       /* a lookup that another request had begun */
    bool head_only;
    const struct buffer *posted; /* its body, while it is dispatched; NULL: none */
    bool keep_alive;

    /* the copy it is answered from */
    struct copy *copy;
    struct waker changed; /* watches the copy */
    bool watching;
    bool asked_more;        /* with its own spelling, after another's search had led to nothing */
    enum copy_left leaving; /* how it leaves its copy */

    /* how it goes */
    enum verdict verdict;
    int64_t started_us;
    int64_t wall_ns;
    int64_t answered_us; /* when the head was made, 0 before */
    int64_t deadline_ms; /* told "later" then */
    int64_t arriving_ms; /* since when it has been seen arriving; 0 */
    char reason[256];
    char source[64];
    const char *rule;
    bool rule_gave_up; /* at its limit, which counts as excluded */
    int status;
    uint64_t sent; /* bytes of the body */
    bool not_kept;

    /* what goes out */
    uint32_t head_length;
    uint32_t head_sent;
    struct buffer text; /* a text answer's body */
    uint32_t text_sent;
    struct body_cursor body;

    /* pool work */
    struct pool_job job;
    void (*work)(struct exchange *exchange);   /* on a pool thread */
    void (*worked)(struct exchange *exchange); /* back on the loop */
    struct waker job_done;
    bool job_running;
    struct symbols *job_symbols; /* for a job of the API */
    struct api_call *call;       /* the same, of those that say what they need; NULL: none */
    struct copy *warming;        /* the copy whose file the job reads: the job's own reference */

    char head[1536]; /* head, chunk marks, and a small body with them; last, for it is never cleared
                      */
};

/* A fresh one for a connection. */
struct exchange *exchange_new(struct connection *connection);

/* The head is complete (in `bytes`): answers or begins to. A body, if any, is whole in `body`. */
void exchange_dispatch(struct exchange *exchange, const char *bytes, const struct buffer *body);

/* Answers a request that cannot be parsed. */
void exchange_refuse(struct exchange *exchange, int status, const char *reason);

/* Sends what can be sent. */
enum exchange_step exchange_go(struct exchange *exchange);

/* Ends it: gives the copy back, records the outcome, frees (at once, or when a running job
 * returns). */
void exchange_end(struct exchange *exchange, bool broken, bool hung_up);

/* Its copy has changed, or its time has come. */
void exchange_woken(struct exchange *exchange);

/* Its pool job has come back. */
void exchange_worked(struct exchange *exchange);

/* Runs work on a pool thread, then worked on the loop (not called when the client is gone by then).
 * False: the pool is full. */
bool exchange_work(struct exchange *exchange, struct pool *pool,
                   void (*work)(struct exchange *exchange),
                   void (*worked)(struct exchange *exchange)) MUST_CHECK;

/* --- answers
 * ------------------------------------------------------------------------------------------------------------
 */

/* Makes a whole answer from text (copied) with a content type; state becomes SENDING. */
void answer_text(struct exchange *exchange, int status, const char *type, const char *text);

/* The same from exchange->text, filled by the caller. */
void answer_buffer(struct exchange *exchange, int status, const char *type);

/* A part of the page, from exchange->text: with the policy that keeps a browser from running or
   loading anything that is not the page's own. */
void answer_document(struct exchange *exchange, const char *type, const char *caching);

/* The same from call->spool, which lies whole in its file. */
void answer_spool(struct exchange *exchange, const char *type);

/* Begins an answer that has no end of its own; events_next brings its text. */
void answer_stream(struct exchange *exchange, const char *type);

/* Answers a symbol request without a body: by verdict, with reason and dialect's words. */
void answer_verdict(struct exchange *exchange, enum verdict verdict, const char *reason);

/* Begins a body from exchange->copy: 200, 206, 304 or 416. */
void answer_copy(struct exchange *exchange, const struct copy_state *state);
