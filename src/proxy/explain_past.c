// SPDX-License-Identifier: MIT
//
// What became of a request of earlier, from what was recorded of it.
#include <string.h>

#include "base/text.h"
#include "proxy/explain.h"
#include "proxy/plan.h"

/* The attempt that a failure is told by: the last one that failed, else one that could not be. */
static const struct attempt_note *blamed(const struct outcome *outcome,
                                         const struct attempt_note *notes) {
    const struct attempt_note *found = NULL;
    for (unsigned i = 0; i < outcome->note_count; i++) {
        const struct attempt_note *note = &notes[i];
        if (note->cause == ERROR_NONE ||
            (note->result != ATTEMPT_FAILED && note->result != ATTEMPT_UNASKED))
            continue;
        if (note->what[0] && strcmp(note->what, outcome->text.reason) == 0)
            return note;
        if (!found || note->result == ATTEMPT_FAILED)
            found = note;
    }
    return found;
}

/* How many were asked, and said no themselves. */
static unsigned said_no(const struct outcome *outcome, const struct attempt_note *notes) {
    unsigned count = 0;
    for (unsigned i = 0; i < outcome->note_count; i++)
        count += notes[i].result == ATTEMPT_ABSENT && notes[i].url[0];
    return count;
}

/* And how many were not, since it was known. */
static unsigned spared(const struct outcome *outcome, const struct attempt_note *notes) {
    unsigned count = 0;
    for (unsigned i = 0; i < outcome->note_count; i++)
        count += notes[i].result == ATTEMPT_REMEMBERED ||
                 (notes[i].result == ATTEMPT_ABSENT && !notes[i].url[0]);
    return count;
}

/* By what nobody needed to be asked, as the notes tell it. */
static enum told told_of_spared(const struct outcome *outcome, const struct attempt_note *notes) {
    enum told told = TOLD_KNOWN_SOMEHOW;
    for (unsigned i = 0; i < outcome->note_count; i++) {
        enum told one = notes[i].result == ATTEMPT_REMEMBERED         ? TOLD_REMEMBERED
                        : strcmp(notes[i].what, NOTED_UNLISTED) == 0  ? TOLD_UNLISTED
                        : strcmp(notes[i].what, NOTED_PLACELESS) == 0 ? TOLD_PLACELESS
                                                                      : told;
        if (told != TOLD_KNOWN_SOMEHOW && one != told)
            return TOLD_KNOWN;
        told = one;
    }
    return told;
}

/* The same where it was known at once and nothing was noted: the reason tells it. */
static enum told told_of_reason(const char *reason) {
    static const struct {
        const char *reason;
        enum told told;
    } rows[] = {
        {REASON_REMEMBERED, TOLD_REMEMBERED},
        {REASON_UNLISTED, TOLD_UNLISTED},
        {REASON_PLACELESS, TOLD_PLACELESS},
        {REASON_KNOWN, TOLD_KNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(reason, rows[i].reason) == 0)
            return rows[i].told;
    return TOLD_KNOWN_SOMEHOW;
}

static enum told told_of_absence(const struct outcome *outcome, const struct attempt_note *notes) {
    if (outcome->follow_up)
        return TOLD_FOLLOW_UP;
    for (unsigned i = 0; i < outcome->note_count; i++) {
        if (notes[i].cause == ERROR_UNINDEXED)
            return TOLD_UNINDEXED;
        if (notes[i].cause == ERROR_WITHDRAWN)
            return TOLD_WITHDRAWN;
    }
    struct error ended = {0};
    plan_ended_why(&ended);
    if (strcmp(outcome->text.reason, ended.what) == 0)
        return TOLD_UNINDEXED;
    if (text_starts(outcome->text.reason, "the store says: "))
        return TOLD_WITHDRAWN; /* by a no of earlier that still counts */
    if (said_no(outcome, notes))
        return spared(outcome, notes) ? TOLD_ABSENT_PARTLY : TOLD_ABSENT;
    if (blamed(outcome, notes))
        return TOLD_FAILED; /* it counts as if it were not there, a cache for one */
    return outcome->note_count > 0 ? told_of_spared(outcome, notes)
                                   : told_of_reason(outcome->text.reason);
}

/* The filters may be others by now than those that decided then: the record tells which did. */
static enum told told_of_exclusion(const struct outcome *outcome) {
    const char *reason = outcome->text.reason;
    if (!outcome->text.rule[0])
        return TOLD_EXCLUDED_NAMELESS;
    if (strstr(reason, "\" " REASON_GAVE_UP))
        return TOLD_GIVEN_UP;
    return text_ends_folded(reason, "\" " REASON_GLOBALLY) ? TOLD_EXCLUDED_GLOBALLY : TOLD_EXCLUDED;
}

static enum told told_of_delivery(const struct outcome *outcome, enum told good) {
    if (outcome->hung_up)
        return TOLD_HUNG_UP;
    if (outcome->broken)
        return TOLD_CUT;
    if (outcome->not_kept && strstr(outcome->text.reason, "still be writing"))
        return TOLD_NOT_SETTLED;
    return outcome->not_kept ? TOLD_NOT_KEPT : good;
}

static enum told told_of(const struct outcome *outcome, const struct attempt_note *notes) {
    switch (outcome->verdict) {
    case VERDICT_HIT:
        return told_of_delivery(outcome, TOLD_HIT);
    case VERDICT_JOINED:
        return told_of_delivery(outcome, TOLD_JOINED);
    case VERDICT_FETCHED:
        return told_of_delivery(outcome, TOLD_FETCHED);
    case VERDICT_LOCAL:
        return told_of_delivery(outcome, TOLD_LOCAL);
    case VERDICT_ABSENT:
        return told_of_absence(outcome, notes);
    case VERDICT_EXCLUDED:
        return told_of_exclusion(outcome);
    case VERDICT_LATER:
        return outcome->hung_up ? TOLD_LEFT : TOLD_LATER;
    case VERDICT_BUSY:
        return TOLD_BUSY;
    case VERDICT_INVALID:
        return TOLD_INVALID;
    case VERDICT_FAILED:
        return outcome->broken ? told_of_delivery(outcome, TOLD_FAILED) : TOLD_FAILED;
    case VERDICT_COUNT:
        break;
    }
    return TOLD_FAILED;
}

/* --- what helps now --- */

/* Is the pattern that decided one of those that keep a server out now? */
static bool in_force_still(const char *rule, const struct explanation *now) {
    for (unsigned i = 0; i < now->server_count; i++)
        if (now->servers[i].rule && strcmp(now->servers[i].rule, rule) == 0)
            return true;
    return false;
}

static bool any_pattern(const struct explanation *now) {
    for (unsigned i = 0; i < now->server_count; i++)
        if (now->servers[i].rule)
            return true;
    return false;
}

/* By whose cure an exclusion is ended, as the filters are now. */
static enum told cured_as(const char *rule, const struct explanation *now) {
    bool nobody = now->told == TOLD_NOBODY, kept_out = nobody || now->globally;
    if (!rule[0] && nobody && !any_pattern(now))
        return TOLD_EXCLUDED_NAMELESS_STILL;
    if (!rule[0])
        return kept_out ? TOLD_EXCLUDED_NAMELESS_ELSE : TOLD_EXCLUDED_NAMELESS;
    if (nobody && in_force_still(rule, now))
        return TOLD_EXCLUDED_STILL;
    return kept_out ? TOLD_EXCLUDED_ELSE : TOLD_EXCLUDED;
}

static void cure_exclusion(const struct outcome *outcome, const struct explanation *now,
                           struct telling *out_telling) {
    const char *rule = outcome->text.rule;
    if (now->globally && strcmp(now->rule, rule) == 0) {
        text_copy(out_telling->cure, sizeof out_telling->cure, now->telling.cure);
        return;
    }
    struct telling cured;
    tell(cured_as(rule, now), &(struct facts){.rule = rule}, &cured);
    text_copy(out_telling->cure, sizeof out_telling->cure, cured.cure);
}

void explain_outcome(const struct outcome *outcome, const struct attempt_note *notes,
                     const char *key, const struct explanation *now, struct telling *out_telling) {
    enum told told = told_of(outcome, notes);
    const struct attempt_note *note = told == TOLD_FAILED ? blamed(outcome, notes) : NULL;
    if (note) {
        explain_attempt(outcome, notes, (unsigned)(note - notes), key, out_telling);
        return;
    }
    tell(told,
         &(struct facts){
             .server = outcome->text.source,
             .rule = outcome->text.rule,
             .what = outcome->text.reason,
             .key = key,
         },
         out_telling);
    if (now && outcome->verdict == VERDICT_EXCLUDED)
        cure_exclusion(outcome, now, out_telling);
    /* Nobody was asked, and what stood in the way does so still. */
    if (told == TOLD_FAILED && now &&
        (now->told == TOLD_NOW_RESTING || now->told == TOLD_NOW_UNASKABLE))
        text_copy(out_telling->cure, sizeof out_telling->cure, now->telling.cure);
}

/* --- attempts --- */

static bool tells_of_pause(const struct attempt_note *note) {
    return note->cause == ERROR_RESTING && strcmp(note->what, rest_cause_told(REST_ASKED_FOR)) == 0;
}

/* What kept an attempt's answer from being waited for. */
enum ending { ENDING_SENT, ENDING_UNINDEXED, ENDING_OTHER };

static enum ending ending_of(const struct outcome *outcome, const struct attempt_note *notes) {
    enum ending ending = ENDING_OTHER;
    for (unsigned i = 0; i < outcome->note_count; i++) {
        if (notes[i].result == ATTEMPT_FOUND)
            return ENDING_SENT;
        if (notes[i].cause == ERROR_UNINDEXED)
            ending = ENDING_UNINDEXED;
    }
    return ending;
}

static enum told told_of_withdrawn(enum ending ending) {
    switch (ending) {
    case ENDING_SENT:
        return TOLD_ATTEMPT_WITHDRAWN;
    case ENDING_UNINDEXED:
        return TOLD_ATTEMPT_WITHDRAWN_UNINDEXED;
    case ENDING_OTHER:
        break;
    }
    return TOLD_ATTEMPT_WITHDRAWN_OVER;
}

/* A source that was asked twice at the same time has answered once. */
static bool has_twin(const struct outcome *outcome, const struct attempt_note *notes,
                     unsigned index) {
    for (unsigned i = 0; i < outcome->note_count; i++)
        if (i != index && strcmp(notes[i].source, notes[index].source) == 0 &&
            (notes[i].result == ATTEMPT_FOUND || notes[i].result == ATTEMPT_ABSENT))
            return true;
    return false;
}

static enum told told_of_lost(const struct outcome *outcome, const struct attempt_note *notes,
                              unsigned index) {
    if (notes[index].cause != ERROR_NONE)
        return TOLD_ATTEMPT_ASIDE;
    if (has_twin(outcome, notes, index))
        return TOLD_ATTEMPT_TWIN;
    switch (ending_of(outcome, notes)) {
    case ENDING_SENT:
        return TOLD_ATTEMPT_LOST;
    case ENDING_UNINDEXED:
        return TOLD_ATTEMPT_LOST_UNINDEXED;
    case ENDING_OTHER:
        break;
    }
    return TOLD_ATTEMPT_LOST_OVER;
}

static void explain_unasked(const struct outcome *outcome, const struct attempt_note *notes,
                            const struct attempt_note *note, const struct facts *facts,
                            struct telling *out_telling) {
    if (note->cause == ERROR_CANCELLED)
        tell(told_of_withdrawn(ending_of(outcome, notes)), facts, out_telling);
    else if (tells_of_pause(note))
        tell(TOLD_ATTEMPT_PAUSED, facts, out_telling);
    else
        tell_failure(note->cause, facts, out_telling);
}

void explain_attempt(const struct outcome *outcome, const struct attempt_note *notes,
                     unsigned index, const char *key, struct telling *out_telling) {
    const struct attempt_note *note = &notes[index];
    const struct facts facts = {.server = note->source,
                                .what = telling_what(note->what, note->source),
                                .key = key,
                                .status = note->status};
    switch (note->result) {
    case ATTEMPT_UNASKED:
        explain_unasked(outcome, notes, note, &facts, out_telling);
        return;
    case ATTEMPT_FAILED:
        tell_failure(note->cause, &facts, out_telling);
        return;
    case ATTEMPT_WAITING:
        tell(note->cause == ERROR_BUSY ? TOLD_ATTEMPT_QUEUED : TOLD_ATTEMPT_WAITING, &facts,
             out_telling);
        return;
    case ATTEMPT_FOUND:
        tell(TOLD_ATTEMPT_FOUND, &facts, out_telling);
        return;
    case ATTEMPT_ABSENT:
        tell(note->url[0]                               ? TOLD_ATTEMPT_ABSENT
             : strcmp(note->what, NOTED_PLACELESS) == 0 ? TOLD_SERVER_PLACELESS
                                                        : TOLD_SERVER_UNLISTED,
             &facts, out_telling);
        return;
    case ATTEMPT_REMEMBERED:
        tell(TOLD_ATTEMPT_REMEMBERED, &facts, out_telling);
        return;
    case ATTEMPT_FILTERED:
        tell(TOLD_ATTEMPT_FILTERED, &facts, out_telling);
        return;
    case ATTEMPT_LOST:
        break;
    }
    tell(told_of_lost(outcome, notes, index), &facts, out_telling);
}
