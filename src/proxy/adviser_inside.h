// SPDX-License-Identifier: MIT
//
// What the parts of the adviser share: adviser_trace.c (what was answered when), adviser_said.c
// (what was answered about each name), adviser.c (names), adviser_servers.c (whole servers, watched
// modules), adviser_play.c (retry times and order).
#pragma once

#include "proxy/adviser.h"

enum { ADVICE_DOUBTS_MAX = 100000 };

/* What one server answered to one question. */
struct event {
    uint64_t key; /* a hash of the symbol's */
    int64_t at_ms;
    uint32_t time_ms;
    uint8_t source; /* its index */
    bool found;
};

/* One question that a server was not heard to answer: it failed, another one was faster, or it was
   not put at all, since the server rested or had no place. */
struct doubt {
    uint64_t key;
    char *name; /* of the file; the trace's */
    int64_t at_ms;
    uint8_t source;
    enum attempt_result result; /* FAILED, LOST; UNASKED and WAITING: not put, or not over */
    bool dispelled;             /* it has answered that question since */
};

/* How often, and for how long, one server had to say no before another one had the file. */
struct swap {
    uint64_t spared, spared_ms;
};

/* The last requests that are kept. */
struct trace {
    const struct roster *roster;
    struct event *events; /* by source and key, the oldest first */
    struct doubt *doubts; /* by source and name */
    unsigned event_count, doubt_count;
    struct swap (*swaps)[SOURCES_MAX]; /* [asked][had it] */
};

/* The doubts about a source and a name; "": all names. */
struct doubts {
    const struct doubt *first;
    unsigned count;
    uint64_t cleared; /* failures after all of which it has answered */
    uint64_t lost;    /* times that another one was faster, and it has not answered since */
    uint64_t unasked; /* times that it was not asked, and has not answered since */
};

/* NULL with err when the requests cannot be read. */
struct trace *trace_read(struct reading *reading, const struct roster *roster,
                         struct error *err) MUST_CHECK;

/* NULL is allowed. */
void trace_free(struct trace *trace);

/* Finds and counts them; what is told lives as long as the trace. */
struct doubts trace_doubts(const struct trace *trace, unsigned source, const char *name);

/* One round of advice. */
struct asking {
    struct reading *reading;
    const struct roster *roster;
    const struct watch_list *watched;
    bool (*show)(const struct advice *advice, void *context);
    void *context;
    bool enough; /* show has said so */
    const struct trace *trace;
    struct error *err;
};

/* An advice about a server (NULL: about none) that changes this list to this value. */
void advice_begin(struct advice *advice, enum advice_kind kind, enum rule_list list,
                  const char *server, const char *value);

/* Gives it its id and shows it. */
void advice_show(struct asking *asking, struct advice *advice);

/* Each looks for its kinds; false with err when the statistics cannot be read. */
bool advise_names(struct asking *asking) MUST_CHECK;
bool advise_servers(struct asking *asking) MUST_CHECK;
bool advise_retries(struct asking *asking) MUST_CHECK;
bool advise_order(struct asking *asking) MUST_CHECK;
bool advise_watch(struct asking *asking) MUST_CHECK;

/* Appends the first `length` bytes of a name with all that patterns want escaped; the new
   length. */
size_t advice_escape(char *out, size_t at, const char *name, size_t length);

/* How many bytes two names begin with alike; it does not end within a character. */
size_t advice_common(const char *a, const char *b);

/* What a source has said about one name. */
struct said {
    const char *name;
    uint64_t found, absent, failed, time_us;
    uint64_t may_have; /* what speaks for its having a file: found, served from a shelf where it has
                          one of its own, and questions that it was not heard to answer */
};

/* Shows what a source has said, in no order, until show returns false; a name may come twice. */
bool advice_each_said(struct asking *asking, unsigned source,
                      bool (*show)(const struct said *said, void *context),
                      void *context) MUST_CHECK;

/* Do the sums know all files that a source has had? Not when some lie on a shelf of its own, or
   another source was faster. */
bool advice_knows(const struct asking *asking, unsigned source);

/* Has the source answered whatever it was asked, if not always at once? What it failed to answer it
   may have. */
bool advice_heard(const struct asking *asking, unsigned source, const struct source_row *row);

/* Is the source asked together with another? Then what it has is told by nothing: the slower one of
   two that both have a file is never seen to have it. */
bool advice_races(const struct roster *roster, unsigned source);
