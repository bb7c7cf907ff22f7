// SPDX-License-Identifier: MIT
//
// The recorder takes every outcome: raises counters (exact, always; by verdict for symbols), writes
// the log line (base/log.h: a bounded queue, so a slow disk never delays a request) and keeps the
// last ones with their attempts in memory, bounded. Any thread; a call costs about a microsecond
// and blocks on nothing.
#pragma once

#include "base/counter.h"
#include "record/outcome.h"

struct recorder;

struct recorder_options {
    unsigned outcomes_max; /* kept in memory: 10,000 */
    bool log_requests;     /* one line a request */
};

struct recorder_counters {
    counter requests;
    counter by_verdict[VERDICT_COUNT];
    counter bytes_sent;
    counter broken;
    counter hung_up;
};

/* An empty one; the options are copied. */
struct recorder *recorder_new(const struct recorder_options *options);

/* Frees all that is kept. NULL is allowed; nobody may be in a call any more. */
void recorder_free(struct recorder *recorder);

/* Takes a copy of the outcome and its notes (may be NULL when note_count is 0). */
void recorder_put(struct recorder *recorder, const struct outcome *outcome,
                  const struct attempt_note *notes);

/* Finds a kept outcome by its request id; copies up to notes_max notes and says how many in
 * out_outcome->note_count. */
bool recorder_find(struct recorder *recorder, const char *id, struct outcome *out_outcome,
                   struct attempt_note *out_notes, unsigned notes_max);

/* Calls show for the newest outcomes first, without their notes, at most `count_max`, until it
 * returns false. No lock is held during show. */
void recorder_recent(struct recorder *recorder, unsigned count_max,
                     bool (*show)(const struct outcome *outcome, void *context), void *context);

/* What has been counted since the start; lives as long as the recorder. */
const struct recorder_counters *recorder_counters(const struct recorder *recorder);
