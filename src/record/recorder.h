// SPDX-License-Identifier: MIT
//
// The recorder takes every outcome: raises counters (exact, always; by verdict for symbols), and
// carries it through the loop's own lane to the record thread, which writes the log line
// (base/log.h), keeps the last ones with their attempts in memory, and hands each one on. A request
// pays for one copy of its texts and blocks on nothing; what a lane cannot hold loses its line and
// its place in memory, and is counted.
#pragma once

#include "base/counter.h"
#include "record/lane.h"
#include "record/outcome.h"

struct recorder;

struct recorder_options {
    unsigned outcomes_max; /* kept in memory: 10,000 */
    bool log_requests;     /* one line a request */
    /* Gets every outcome, in one thread at a time, in the order of each lane; NULL: nobody does. */
    void (*take)(void *context, const struct outcome *outcome, const struct attempt_note *notes);
    void *context;
};

struct recorder_counters {
    counter requests;
    counter by_verdict[VERDICT_COUNT];
    counter bytes_sent;
    counter broken;
    counter hung_up;
    counter lost; /* outcomes without line and detail, since their lane was full */
};

/* Starts the record thread; the options are copied. */
struct recorder *recorder_new(const struct recorder_options *options, struct error *err) MUST_CHECK;

/* Carries out what is left in the lanes, ends the thread, frees lanes and all that is kept. NULL is
 * allowed; nobody may be in a call any more. */
void recorder_free(struct recorder *recorder);

/* A lane for one thread, which alone may put into it; lives as long as the recorder. */
struct lane *recorder_lane(struct recorder *recorder);

/* Takes a copy of the outcome and its notes (may be NULL when note_count is 0). */
void recorder_put(struct recorder *recorder, struct lane *lane, const struct outcome *outcome,
                  const struct attempt_note *notes);

/* Carries all outcomes that have been put to their ends, now: for whoever wants to see them. May
   wait for the record thread; never on a loop. */
void recorder_settle(struct recorder *recorder);

/* Shows the newest kept outcome with this request id; false when none is kept. */
bool recorder_find(struct recorder *recorder, const char *id, outcome_show *show, void *context);

/* Shows the newest outcomes first, at most count_max, until show returns false. No lock is held
 * during show. */
void recorder_recent(struct recorder *recorder, unsigned count_max, outcome_show *show,
                     void *context);

/* What has been counted since the start; lives as long as the recorder. */
const struct recorder_counters *recorder_counters(const struct recorder *recorder);
