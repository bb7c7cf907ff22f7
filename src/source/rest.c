// SPDX-License-Identifier: MIT
#include "source/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"

enum {
    WAITED_OUT_MS = 30 * 1000,
    PROBE_POLL_MS = 100,
    RETRY_AFTER_MAX_S = 24 * 3600, /* a server that asks for a year has a broken clock */
    THROTTLED_FIRST_MS = 30 * 1000,
    THROTTLED_MAX_MS = 10 * 60 * 1000,
    UNREACHABLE_IN_A_ROW = 3,
    UNREACHABLE_FIRST_MS = 5 * 1000,
    UNREACHABLE_MAX_MS = 60 * 1000,
    ERRORS_IN_A_ROW = 10,
    ERRORS_FIRST_MS = 15 * 1000,
    ERRORS_MAX_MS = 15 * 60 * 1000,
    SLOW_IN_A_ROW = 3,
    KEYS = sizeof((struct rest *)NULL)->error_keys / sizeof(uint64_t),
};

/* What an attempt says about the health of its source. */
enum health {
    HEALTH_UNTOLD, /* nothing: it was cancelled, or broke off after the head */
    HEALTH_GOOD,
    HEALTH_THROTTLED,
    HEALTH_UNREACHABLE,
    HEALTH_ERROR,
};

void rest_init(struct rest *rest) {
    *rest = (struct rest){0};
    pthread_mutex_init(&rest->lock, NULL);
}

void rest_release(struct rest *rest) {
    free(rest->failed_ms);
    pthread_mutex_destroy(&rest->lock);
}

static enum rest_says say_resting(const struct rest *rest, int64_t now_ms, int64_t *out_until_ms) {
    /* While the probe is out, those that a pause has gathered wait for what it brings. */
    bool probing = now_ms >= rest->until_ms;
    int64_t until_ms = probing ? now_ms + PROBE_POLL_MS : rest->until_ms;
    if (rest->cause != REST_ASKED_FOR || until_ms - now_ms > WAITED_OUT_MS)
        return REST_REFUSED;
    *out_until_ms = until_ms;
    return REST_WAIT;
}

enum rest_says rest_ask(struct rest *rest, int64_t *out_until_ms) {
    SCOPED_LOCK(&rest->lock);
    if (rest->cause == REST_NONE)
        return REST_FREE;
    int64_t now_ms = clock_ms();
    if (now_ms < rest->until_ms || rest->probing)
        return say_resting(rest, now_ms, out_until_ms);
    rest->probing = true;
    return REST_PROBE;
}

bool rest_refuses(struct rest *rest) {
    SCOPED_LOCK(&rest->lock);
    int64_t now_ms = clock_ms();
    int64_t until_ms;
    if (rest->cause == REST_NONE || (now_ms >= rest->until_ms && !rest->probing))
        return false;
    return say_resting(rest, now_ms, &until_ms) == REST_REFUSED;
}

static enum health health_of(enum error_kind kind, int status, int64_t retry_after_s) {
    if (kind == ERROR_THROTTLED || status == 429 || retry_after_s > 0)
        return HEALTH_THROTTLED;
    switch (kind) {
    case ERROR_CONNECT:
    case ERROR_TLS:
    case ERROR_TIMEOUT:
        return HEALTH_UNREACHABLE;
    case ERROR_RESET:
        return HEALTH_ERROR;
    case ERROR_STATUS:
        return status >= 500 && status <= 599 ? HEALTH_ERROR : HEALTH_GOOD;
    case ERROR_NONE:
    case ERROR_REDIRECT:
    case ERROR_HTML:
    case ERROR_EMPTY:
    case ERROR_TEXT:
    case ERROR_LENGTH:
    case ERROR_ENCODING:
    case ERROR_IDENTITY:
    case ERROR_DIFFERENT:
    case ERROR_CHANGED:
    case ERROR_ELSEWHERE:
    case ERROR_WITHDRAWN:
    case ERROR_UNINDEXED:
    case ERROR_LOOP:
        return HEALTH_GOOD; /* it answered: one bad file is not a bad server */
    case ERROR_INVALID:
    case ERROR_CONFIG:
    case ERROR_SYSTEM:
    case ERROR_DISK:
    case ERROR_STALLED:
    case ERROR_UNMOUNTED:
    case ERROR_UNMAPPED:
    case ERROR_RESTING:
    case ERROR_BUSY:
    case ERROR_CANCELLED:
    case ERROR_REMOVED:
    case ERROR_THROTTLED:
    case ERROR_KIND_COUNT:
        break;
    }
    return HEALTH_UNTOLD;
}

/* first, twice that, … but never more than most; `times` counts from 0. */
static int64_t doubled(int64_t first_ms, unsigned times, int64_t most_ms) {
    int64_t ms = first_ms;
    while (times-- > 0 && ms < most_ms)
        ms *= 2;
    return ms < most_ms ? ms : most_ms;
}

/* The one that lasts has come to its end, if there is one. */
static void note_end(struct rest *rest) {
    if (rest->past_count > 0 && rest->past[0].for_ms < 0)
        rest->past[0].for_ms = clock_ms() - rest->since_ms;
}

static void note_begin(struct rest *rest, enum rest_cause cause) {
    note_end(rest);
    memmove(rest->past + 1, rest->past, (REST_PAST_MAX - 1) * sizeof *rest->past);
    rest->past[0] = (struct rest_past){.cause = cause, .at_s = clock_wall_s(), .for_ms = -1};
    rest->past_count += rest->past_count < REST_PAST_MAX;
    rest->since_ms = clock_ms();
}

/* REST_NONE: what comes is counted anew, but not as a good answer's would be. */
static void begin(struct rest *rest, enum rest_cause cause, int64_t until_ms) {
    rest->cause = cause;
    rest->until_ms = until_ms;
    rest->probing = false;
    if (cause == REST_NONE) {
        note_end(rest);
        return;
    }
    note_begin(rest, cause);
    rest->rests++;
    count(&rest->begun);
}

static void end(struct rest *rest) {
    note_end(rest);
    rest->cause = REST_NONE;
    rest->probing = false;
    rest->rests = 0;
    rest->failed = 0;
    rest->throttled = 0;
    rest->unreachable = 0;
    rest->unreachable_rests = 0;
    rest->errors = 0;
    rest->error_rests = 0;
}

static void note_throttled(struct rest *rest, int64_t now_ms, int64_t retry_after_s) {
    int64_t pause_ms;
    if (retry_after_s > 0) {
        pause_ms = 1000 * (retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S);
    } else {
        /* Answers of one burst are one refusal. */
        if (rest->cause == REST_ASKED_FOR && now_ms < rest->until_ms)
            return;
        pause_ms = doubled(THROTTLED_FIRST_MS, rest->throttled++, THROTTLED_MAX_MS);
    }
    int64_t until_ms = now_ms + pause_ms;
    if (rest->cause == REST_ASKED_FOR && rest->until_ms > until_ms)
        return;
    begin(rest, REST_ASKED_FOR, until_ms);
}

static void note_unreachable(struct rest *rest, int64_t now_ms) {
    bool prolongs = rest->cause != REST_NONE;
    rest->unreachable++;
    if (!prolongs && rest->unreachable < UNREACHABLE_IN_A_ROW)
        return;
    begin(rest, REST_UNREACHABLE,
          now_ms + doubled(UNREACHABLE_FIRST_MS, rest->unreachable_rests++, UNREACHABLE_MAX_MS));
}

/* Takes the key into the row; true when the row has enough different ones. */
static bool note_key(struct rest *rest, uint64_t key_hash) {
    for (unsigned i = 0; i < KEYS; i++) {
        if (rest->error_keys[i] == key_hash)
            break;
        if (rest->error_keys[i] == 0) {
            rest->error_keys[i] = key_hash;
            break;
        }
    }
    return rest->error_keys[KEYS - 1] != 0;
}

static void note_error(struct rest *rest, int64_t now_ms, uint64_t key_hash) {
    bool prolongs = rest->cause == REST_ERRORS || rest->cause == REST_FAILURES;
    if (rest->errors == 0)
        for (unsigned i = 0; i < KEYS; i++)
            rest->error_keys[i] = 0;
    bool many_keys = note_key(rest, key_hash ? key_hash : 1);
    rest->errors++;
    rest->unreachable = 0;
    rest->unreachable_rests = 0;
    if (!prolongs && (rest->errors < ERRORS_IN_A_ROW || !many_keys))
        return;
    begin(rest, REST_ERRORS, now_ms + doubled(ERRORS_FIRST_MS, rest->error_rests++, ERRORS_MAX_MS));
}

/* As the breaker was configured: a good answer in between does not make the failures uncounted. */
static void note_failure(struct rest *rest, int64_t now_ms) {
    const struct breaker *breaker = &rest->breaker;
    if (breaker->failures == 0)
        return;
    bool prolongs = rest->cause != REST_NONE;
    bool full = rest->failed == breaker->failures;
    unsigned at = (rest->failed_at + rest->failed) % breaker->failures;
    rest->failed_ms[at] = now_ms;
    if (full)
        rest->failed_at = (rest->failed_at + 1) % breaker->failures;
    else
        rest->failed++;
    bool enough = rest->failed == breaker->failures &&
                  now_ms - rest->failed_ms[rest->failed_at] <= breaker->within_ms;
    if (prolongs || enough)
        begin(rest, REST_FAILURES, now_ms + breaker->blackout_ms);
}

/* A good answer. */
static void note_good(struct rest *rest) {
    unsigned failed = rest->cause == REST_NONE ? rest->failed : 0;
    end(rest);
    rest->failed = failed;
}

static void note_bad(struct rest *rest, enum health health, int64_t now_ms, uint64_t key_hash) {
    if (rest->breaker.configured)
        note_failure(rest, now_ms);
    else if (health == HEALTH_UNREACHABLE)
        note_unreachable(rest, now_ms);
    else
        note_error(rest, now_ms, key_hash);
}

void rest_note(struct rest *rest, enum error_kind kind, int status, uint64_t key_hash,
               int64_t retry_after_s) {
    enum health health = health_of(kind, status, retry_after_s);
    if (health == HEALTH_UNTOLD)
        return;
    SCOPED_LOCK(&rest->lock);
    int64_t now_ms = clock_ms();
    if (health == HEALTH_THROTTLED) {
        note_throttled(rest, now_ms, retry_after_s);
        return;
    }
    /* An answer to what was asked before the rest began cannot shorten a pause that was asked for,
     * nor prolong any. */
    bool resting = rest->cause != REST_NONE && now_ms < rest->until_ms;
    if (resting && (rest->cause == REST_ASKED_FOR || health != HEALTH_GOOD))
        return;
    if (health == HEALTH_GOOD) {
        note_good(rest);
        return;
    }
    /* A pause is over, or a source that was out of reach is there again: what it does now is
     * counted anew. */
    if (rest->cause == REST_ASKED_FOR ||
        (rest->cause == REST_UNREACHABLE && health == HEALTH_ERROR))
        begin(rest, REST_NONE, 0);
    note_bad(rest, health, now_ms, key_hash);
}

bool rest_counts(enum error_kind kind, int status, int64_t retry_after_s) {
    enum health health = health_of(kind, status, retry_after_s);
    return health != HEALTH_UNTOLD && health != HEALTH_GOOD;
}

void rest_probe_over(struct rest *rest) {
    SCOPED_LOCK(&rest->lock);
    rest->probing = false;
}

void rest_note_silence(struct rest *rest, bool silent) {
    SCOPED_LOCK(&rest->lock);
    rest->silent = silent ? rest->silent + 1 : 0;
}

void rest_note_late(struct rest *rest, bool late) {
    SCOPED_LOCK(&rest->lock);
    rest->late = late ? rest->late + 1 : 0;
}

bool rest_slow(struct rest *rest) {
    SCOPED_LOCK(&rest->lock);
    return rest->silent >= SLOW_IN_A_ROW;
}

bool rest_late(struct rest *rest) {
    SCOPED_LOCK(&rest->lock);
    return rest->late >= SLOW_IN_A_ROW;
}

void rest_end(struct rest *rest) {
    SCOPED_LOCK(&rest->lock);
    int64_t now_ms = clock_ms();
    if (rest->cause != REST_NONE && rest->cause != REST_ASKED_FOR && rest->until_ms > now_ms)
        rest->until_ms = now_ms;
}

static bool same_breaker(const struct breaker *a, const struct breaker *b) {
    return a->configured == b->configured && a->failures == b->failures &&
           a->within_ms == b->within_ms && a->blackout_ms == b->blackout_ms;
}

void rest_set_breaker(struct rest *rest, const struct breaker *breaker) {
    SCOPED_LOCK(&rest->lock);
    if (same_breaker(&rest->breaker, breaker))
        return;
    rest->breaker = *breaker;
    free(rest->failed_ms);
    rest->failed_ms = breaker->failures ? NEW_ARRAY(int64_t, breaker->failures) : NULL;
    rest->failed = 0;
    rest->failed_at = 0;
    bool never = breaker->configured && breaker->failures == 0;
    if (never && rest->cause != REST_ASKED_FOR)
        end(rest);
}

/* Those of the last while; older ones lie in the ring until others push them out. */
static unsigned failures_within(const struct rest *rest, int64_t now_ms) {
    unsigned found = 0;
    for (unsigned i = 0; i < rest->failed; i++) {
        unsigned at = (rest->failed_at + i) % rest->breaker.failures;
        found += now_ms - rest->failed_ms[at] <= rest->breaker.within_ms;
    }
    return found;
}

unsigned rest_history(struct rest *rest, struct rest_past out_past[REST_PAST_MAX]) {
    SCOPED_LOCK(&rest->lock);
    memcpy(out_past, rest->past, rest->past_count * sizeof *out_past);
    return rest->past_count;
}

struct rest_view rest_view(struct rest *rest) {
    SCOPED_LOCK(&rest->lock);
    int64_t now_ms = clock_ms();
    struct rest_view view = {.cause = rest->cause, .rests = rest->rests};
    if (rest->cause != REST_NONE && rest->until_ms > now_ms)
        view.left_ms = rest->until_ms - now_ms;
    if (rest->breaker.configured)
        view.failures = failures_within(rest, now_ms);
    else
        view.failures = rest->unreachable > rest->errors ? rest->unreachable : rest->errors;
    return view;
}

static const struct {
    const char *name;
    const char *told;
} causes[REST_CAUSES] = {
    [REST_NONE] = {"none", "for no reason"},
    [REST_ASKED_FOR] = {"asked", "as it asked"},
    [REST_UNREACHABLE] = {"unreachable", "after connect failures or timeouts"},
    [REST_ERRORS] = {"errors", "after errors"},
    [REST_FAILURES] = {"failures", "after as many failures as its breaker counts"},
};

const char *rest_cause_name(enum rest_cause cause) {
    return causes[cause].name;
}

const char *rest_cause_told(enum rest_cause cause) {
    return causes[cause].told;
}
