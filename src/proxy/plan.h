// SPDX-License-Identifier: MIT
//
// A plan: which sources a search asks, in which order. Filters, remembered absences, published
// indexes and resting sources have been applied, so a step is a question that will cost something.
// Made on the loop for every request that finds no copy, so it must cost little: it is how a
// known-missing symbol is answered in microseconds.
#pragma once

#include "proxy/roster.h"
#include "store/absence.h"

/* What is noted of a source that was not asked, since it is known not to have the file. */
#define NOTED_UNLISTED "not in its index; it was not asked"
#define NOTED_PLACELESS "its layout has no place for such a file; it was not asked"

struct plan_step {
    uint8_t source; /* index in the roster */
    int priority;   /* equal ones are asked together */
};

enum plan_end {
    PLAN_ASK,      /* there are steps */
    PLAN_ABSENT,   /* every allowed source said no, and that still counts; or its index does */
    PLAN_EXCLUDED, /* no source is allowed */
    PLAN_UNASKED,  /* no step left, but some allowed source could not be asked */
};

struct plan {
    struct plan_step steps[SOURCES_MAX]; /* by priority, then position */
    unsigned count;
    uint64_t allowed;
    uint64_t remembered; /* allowed sources whose "no" still counts */
    uint64_t unlisted;   /* allowed sources whose published index has no such file */
    uint64_t placeless;  /* allowed sources whose layout has no place for it */
    uint64_t unasked;    /* allowed sources that rest or cannot be asked at all */
    bool ended;          /* one of the remembered ones said that nobody has it: what would be asked
                            after it is left out, and who cannot be asked does not matter */
};

/* Makes the plan for a verdict. Never blocks, counts nothing. */
enum plan_end plan_make(const struct roster *roster, uint64_t allowed, struct absences *absences,
                        const struct question *question, struct plan *out_plan);

/* Counts what the published indexes have spared, for a plan that is carried out. */
void plan_note_spared(const struct roster *roster, const struct plan *plan);

/* Does a source's "no" of earlier still count? *out_said_s: since when (wall clock); *out_ends: it
   was said for everybody. */
bool plan_remembers(const struct source *source, struct absences *absences,
                    const struct absence_mark *mark, int64_t now_s, int64_t *out_said_s,
                    bool *out_ends);

/* What the client of a plan that was ended is told. */
void plan_ended_why(struct error *out_why);

/* Why the first of these sources is not asked now; a plan's `unasked`, not empty. */
void plan_unasked_why(const struct roster *roster, uint64_t unasked, struct error *out_why);
