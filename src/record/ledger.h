// SPDX-License-Identifier: MIT
//
// The ledger: what has been asked, what it came to and what it cost, over restarts. Requests come
// in from the recorder's thread, servers' answers from their workers; both are added to a sheet in
// memory (record/sheet.h, bounded), which one thread writes into the book (record/book.h, SQLite)
// once a second. Totals are atomics: exact always, whatever becomes of the details.
//
// The database may be full, locked, damaged, deleted: then sheets wait and fill, what finds no room
// any more is lost and counted, it is told once and tried again every second. A damaged file is set
// aside and a new one begun, with the totals as they are.
#pragma once

#include "base/counter.h"
#include "record/book.h"

struct ledger;

struct ledger_options {
    bool enabled;             /* false: no file, no totals; the counters of /metrics go on */
    const char *path;         /* of the file; copied */
    struct book_options book; /* without the path */
};

/* Numbers that are kept over restarts. Meanings: docs/statistics.md. */
enum ledger_total {
    TOTAL_SINCE_MS, /* when counting began */
    TOTAL_REQUESTS,
    TOTAL_INVALID,
    TOTAL_EXCLUDED,
    TOTAL_SUCCESS,
    TOTAL_HITS,
    TOTAL_BYTES,
    TOTAL_HIT_BYTES,
    TOTAL_HIT_US,
    TOTAL_FETCHED,
    TOTAL_FETCHED_US,
    TOTAL_LOST, /* details lost */
    TOTAL_COUNT
};

/* Counted since the start, statistics or not: for /metrics. */
struct ledger_counters {
    counter waits[HISTOGRAM_STEPS]; /* of lookups, until the answer began */
    counter wait_us;
    counter sizes[HISTOGRAM_STEPS]; /* of bodies sent for lookups */
    counter size_bytes;
    counter enabled;   /* 1 where statistics are kept, else 0 */
    counter written;   /* sheets */
    counter unwritten; /* times that a sheet could not be written */
    counter lost;      /* details left out */
};

/* Opens the book, if enabled, and starts the writing thread. Fails when the file was written by a
   later version, or no thread can be had; a file that cannot be used otherwise is logged. */
struct ledger *ledger_new(const struct ledger_options *options, struct error *err) MUST_CHECK;

/* Writes what there is, ends the thread, frees. NULL is allowed. */
void ledger_free(struct ledger *ledger);

/* Takes a request. One thread only; blocks on nothing but a lock that is held for microseconds. */
void ledger_take(struct ledger *ledger, const struct outcome *outcome,
                 const struct attempt_note *notes);

/* Takes what came of a question to a server: also that it was not put to it (ATTEMPT_UNASKED), or
   was called back (ATTEMPT_LOST). Any thread; as ledger_take. */
void ledger_take_answer(struct ledger *ledger, const struct reply *reply);

/* Has what was taken before the call written, so that readers see it. Waits at most wait_ms; false
   when it could not be written by then. Not on a loop. */
bool ledger_settle(struct ledger *ledger, int64_t wait_ms);

/* Are statistics kept at all? */
bool ledger_enabled(const struct ledger *ledger);

/* Any thread. */
uint64_t ledger_total(const struct ledger *ledger, enum ledger_total total);

/* Since when details are known: later than TOTAL_SINCE_MS where an earlier file was lost. Any
   thread. */
uint64_t ledger_details_since_ms(const struct ledger *ledger);

/* How many different names have been asked for, as far as they were written down; 0 until a file of
   before has been counted, which the start does not wait for. */
uint64_t ledger_names_seen(const struct ledger *ledger);

/* Seconds that hits have spared their clients: what a fetched file took on average, less what the
   hits took. */
double ledger_seconds_saved(const struct ledger *ledger);

/* What is wrong with the database at present: false when nothing is. */
bool ledger_trouble(struct ledger *ledger, struct error *out_why);

/* The file, for readers; NULL when statistics are off. Lives as long as the ledger. */
const char *ledger_path(const struct ledger *ledger);

/* To be set by a reader who finds that the file is not what was written there: it is closed and
   looked at anew, and set aside when it is damaged. Any thread; lives as long as the ledger. */
atomic_bool *ledger_doubt(struct ledger *ledger);

/* What has been counted since the start; lives as long as the ledger. */
const struct ledger_counters *ledger_counters(const struct ledger *ledger);
