// SPDX-License-Identifier: MIT
//
// When a source, or a host that it redirects to, must not be asked for a while, and why: its
// breaker. Rules (docs/sources.md):
//
//   Retry-After, or 429 without one (30 s, doubling to 10 min)             rests until then
//   3 connect failures or first-byte timeouts in a row                     5 s, doubling to 60 s
//   10 answers 5xx or resets before the head in a row, over 3 keys or more 15 s, doubling to 15 min
//
// A configured breaker takes the place of the last two: so many of these failures within a time
// rest it for another time, as Microsoft's SymProxy counts them.
//
// At the end of a rest one probe is let through; what it brings ends or prolongs the rest. Refused
// bodies and absences never count. Also here: how fast the source answers. Silent past hedgeAfter
// three times in a row makes it *slow* until it answers sooner once; three clients told "later" in
// a row make it *late* until it answers within a client's limit once. Its own lock; any thread.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/error.h"

enum rest_cause {
    REST_NONE,
    REST_ASKED_FOR,   /* Retry-After or 429: neither SIGHUP nor a probe ends it early */
    REST_UNREACHABLE, /* connect failures, first-byte timeouts */
    REST_ERRORS,      /* 5xx, resets before the head */
    REST_FAILURES,    /* either, as the breaker was configured */
    REST_CAUSES
};

enum { BREAKER_FAILURES_MAX = 100, REST_PAST_MAX = 8 };

/* A rest of earlier, or the one that lasts. */
struct rest_past {
    enum rest_cause cause;
    int64_t at_s;   /* when it began (wall clock) */
    int64_t for_ms; /* how long it took; -1 while it lasts */
};

/* When failures make something rest. All 0: the rules above. */
struct breaker {
    bool configured;     /* the rest counts */
    unsigned failures;   /* so many, 0: no number of failures does … */
    int64_t within_ms;   /* … within so long … */
    int64_t blackout_ms; /* … for so long */
};

struct rest {
    pthread_mutex_t lock;
    struct breaker breaker;
    enum rest_cause cause;
    int64_t until_ms;     /* monotonic */
    bool probing;         /* the one probe is under way */
    unsigned rests;       /* in a row, of whatever cause */
    unsigned throttled;   /* times in a row: the doubling */
    unsigned unreachable; /* failures in a row */
    unsigned unreachable_rests;
    unsigned errors;
    unsigned error_rests;
    uint64_t error_keys[3]; /* hashes of the first distinct keys of the row */
    int64_t *failed_ms;     /* a configured breaker's: when the last failures were, a ring */
    unsigned failed_at;     /* where the oldest of them stands */
    unsigned failed;        /* how many are in it */
    unsigned silent;        /* times past hedgeAfter in a row */
    unsigned late;          /* clients told "later" in a row */
    counter begun;          /* rests begun, prolonged ones too */
    int64_t since_ms;       /* monotonic: when the last one began */
    struct rest_past past[REST_PAST_MAX]; /* the last ones, the newest first … */
    unsigned past_count;                  /* … so many of them */
};

enum rest_says {
    REST_FREE,  /* ask */
    REST_PROBE, /* ask, as the one probe: report with rest_note, or rest_probe_over when it was not
                   asked after all */
    REST_WAIT,  /* wait: *out_until_ms is at most 30 s away and was asked for by the source */
    REST_REFUSED, /* could not be asked: longer, or not asked for by the source */
};

/* What a rest looks like to people. */
struct rest_view {
    enum rest_cause cause;
    int64_t left_ms;   /* until the probe; 0: it is due, or under way */
    unsigned failures; /* that count, in a row or within the breaker's time */
    unsigned rests;    /* in a row */
};

/* A source that may be asked. */
void rest_init(struct rest *rest);

/* Gives back what rest_init made. */
void rest_release(struct rest *rest);

/* Changes what makes it rest (reload). A rest that has begun goes on, but for failures that count
   no more. */
void rest_set_breaker(struct rest *rest, const struct breaker *breaker);

/* May the source be asked now? Takes the probe when it is due. */
enum rest_says rest_ask(struct rest *rest, int64_t *out_until_ms);

/* The same without taking the probe: would asking be refused now? For plans, which cost nothing. */
bool rest_refuses(struct rest *rest);

/* What an attempt came to, by the kind of error (ERROR_NONE: an answer, good or absent). Before the
   head only: breaks in mid-body do not count. retry_after_s: -1 when the source did not say; more
   than a day counts as a day. Failures of what was asked before a rest began do not prolong it; a
   good answer ends it, unless the source asked for it. */
void rest_note(struct rest *rest, enum error_kind kind, int status, uint64_t key_hash,
               int64_t retry_after_s);

/* Does this count against a source: a failure, or a pause that it asks for? */
bool rest_counts(enum error_kind kind, int status, int64_t retry_after_s);

/* The probe was not put to the source (withdrawn, cancelled): the next one may be. */
void rest_probe_over(struct rest *rest);

/* An answer came after waited_ms, or has not come yet and hedgeAfter has passed (silent true). */
void rest_note_silence(struct rest *rest, bool silent);

/* A client was told "later" while this source was asked (true), or the source answered within a
   client's limit (false). */
void rest_note_late(struct rest *rest, bool late);

/* Is it slow: should the next source be asked together with it? */
bool rest_slow(struct rest *rest);

/* Is it late: should a client be held only 3 s? */
bool rest_late(struct rest *rest);

/* The probe is due now, unless the source asked for the rest (SIGHUP). What has been counted stays:
   if the probe fails, the next rest is the longer one. */
void rest_end(struct rest *rest);

/* How things stand. */
struct rest_view rest_view(struct rest *rest);

/* The last rests, the newest first; how many. */
unsigned rest_history(struct rest *rest, struct rest_past out_past[REST_PAST_MAX]);

/* The name of a cause as it stands in metrics, and a clause for people ("after connect failures");
   never NULL. */
const char *rest_cause_name(enum rest_cause cause);
const char *rest_cause_told(enum rest_cause cause);
