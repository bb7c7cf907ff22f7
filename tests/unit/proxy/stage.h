// SPDX-License-Identifier: MIT
//
// Everything that a search needs, on a scratch folder: cache, absences, alarms, symbols and a
// roster of doubles. Time is the test's (clock_fake).
#pragma once

#include "base/alarm.h"
#include "proxy/symbols.h"
#include "unit/proxy/double.h"

struct stage {
    char *folder;
    struct shelf *shelf;
    struct spill *spill;
    struct cache *cache;
    struct absences *absences;
    struct alarm_clock *alarms;
    struct symbols *symbols;
    struct roster *roster;
};

/* Opens all but the roster. */
void stage_open(struct stage *stage);

/* Cancels and closes all. */
void stage_close(struct stage *stage);

/* Makes the roster of doubles, which it takes over; everything is allowed but names that begin with
   "forbidden" (globally) and, for every source, "nobody". */
void stage_roster(struct stage *stage, struct double_source **sources, unsigned count);

/* Lets time pass and wakes the alarms. */
void stage_pass(struct stage *stage, int64_t ms);

/* The same, and again while the source has not been asked so often: a pause may begin only after
   what the test has waited for. */
void stage_pass_until_asked(struct stage *stage, struct double_source *source, unsigned times,
                            int64_t ms);

/* A question for <name>/0123456789ABCDEF0123456789ABCDEF1/<name> from a client with this number. */
struct question stage_question(const char *name, unsigned client);

/* Asks. */
struct answer stage_ask(struct stage *stage, const char *name, unsigned client);

/* Waits until the copy is in this phase; another end fails the test. */
void stage_wait_phase(struct copy *copy, enum copy_phase phase);

/* Waits until the copy is whole or has ended; the phase. */
enum copy_phase stage_wait_end(struct copy *copy);

/* Waits until so many bytes can be read. */
void stage_wait_written(struct copy *copy, uint64_t bytes);

/* Waits until the copy has ended well and compares its bytes. */
void stage_assert_body(struct copy *copy, const void *bytes, size_t length);

/* The note about this source in the copy; fails the test when there is none. */
struct attempt_note stage_note(struct copy *copy, const char *source);

/* Waits until the note about this source says so. */
void stage_wait_note(struct copy *copy, const char *source, enum attempt_result result);

/* Waits until the source has failed so often and every one of its attempts has been seen to. */
void stage_wait_failed(struct double_source *source, uint64_t times);

/* The same for its own no. */
void stage_wait_no(struct double_source *source, uint64_t times);

/* Waits, with a deadline, until a counter has this value. */
void stage_wait_counter(const counter *value, uint64_t wanted);
