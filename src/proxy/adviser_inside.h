// SPDX-License-Identifier: MIT
//
// What the parts of the adviser share: adviser_trace.c (what was answered when), adviser.c (names),
// adviser_servers.c (whole servers), adviser_watch.c (modules), adviser_play.c (retry times and
// order).
#pragma once

#include "proxy/adviser.h"

enum event_kind {
    EVENT_NO,
    EVENT_OPEN, /* its answer is not known: a file may have come, or would have */
    EVENT_FOUND
};

/* What one server answered to one question. */
struct event {
    uint64_t key; /* a hash of the symbol's */
    int64_t at_ms;
    uint32_t time_ms;
    uint8_t source; /* its index */
    bool kept_away; /* a filter in force does so already */
    enum event_kind kind;
};

/* How often, and for how long, one server had to say no before another one had the file. */
struct swap {
    uint64_t spared, spared_ms;
};

/* The last requests that are kept, each server's answers since there is evidence of it. */
struct trace {
    const struct roster *roster;
    const struct evidence_total *said; /* by source */
    struct event *events;              /* by source and key, the oldest first */
    unsigned event_count;
    struct swap (*swaps)[SOURCES_MAX]; /* [asked][had it] */
    int64_t from;                      /* the number of the first that counts … */
    int64_t oldest_ms;                 /* … and when it came */
};

/* `said` is the caller's, and outlives it. NULL with err when the requests cannot be read. */
struct trace *trace_read(struct reading *reading, const struct roster *roster,
                         const struct evidence_total *said, struct error *err) MUST_CHECK;

/* NULL is allowed. */
void trace_free(struct trace *trace);

/* One round of advice. */
struct asking {
    struct reading *reading;
    const struct roster *roster;
    const struct cache *cache;
    struct rules *rules;
    const struct watch_list *watched;
    bool (*show)(const struct advice *advice, void *context);
    void *context;
    bool enough;                       /* show has said so */
    const struct evidence_total *said; /* by source */
    const char *servers;               /* their identifiers, as a JSON list */
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

/* Shows what a source has said, name by name in the order of their bytes, and then what lies on its
   own shelf, in no order, until show returns false. Not when advice_sees says no. */
bool advice_each_said(struct asking *asking, unsigned source,
                      bool (*show)(const struct evidence_row *said, void *context),
                      void *context) MUST_CHECK;

/* Can be seen what lies on a source's own shelf, if it has one? By a filter it would be withheld.
 */
bool advice_sees(const struct asking *asking, unsigned source);

/* Has the source denied whatever it was asked? Not when an answer of its is not known, nor when
   files were here of which nobody knows whose, nor when it has a shelf of its own, of whose files
   it is not asked. */
bool advice_denies_all(const struct asking *asking, unsigned source);

/* Is the source asked together with another? Then what it has is told by nothing: the slower one of
   two that both have a file is never seen to have it. */
bool advice_races(const struct roster *roster, unsigned source);
