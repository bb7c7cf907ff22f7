// SPDX-License-Identifier: MIT
#include "proxy/plan.h"

#include "base/clock.h"
#include "source/source_index.h"
#include "source/source_layout.h"

/* Does this source's "no" of earlier, remembered under `forms`, still count? */
static bool remembered(const struct source *source, unsigned forms, struct absences *absences,
                       const struct absence_mark *mark, int64_t now_s, int64_t *out_said_s) {
    if (!absence_find(absences, mark, source->fingerprint, forms, out_said_s))
        return false;
    /* A clock that was set back must not make a "no" count for years. */
    int64_t age_s = now_s - *out_said_s;
    return age_s >= 0 && age_s < (source->options.retry_ms + 999) / 1000;
}

bool plan_remembers(const struct source *source, struct absences *absences,
                    const struct absence_mark *mark, int64_t now_s, int64_t *out_said_s,
                    bool *out_ends) {
    *out_ends = source->options.unindexed_ends &&
                remembered(source, source_forms_ended(source), absences, mark, now_s, out_said_s);
    return *out_ends || remembered(source, source_forms(source), absences, mark, now_s, out_said_s);
}

/* Keeps the steps in order; sources come by position. */
static void plan_add(struct plan *plan, unsigned source, int priority) {
    unsigned at = plan->count++;
    while (at > 0 && plan->steps[at - 1].priority > priority) {
        plan->steps[at] = plan->steps[at - 1];
        at--;
    }
    plan->steps[at] = (struct plan_step){.source = (uint8_t)source, .priority = priority};
}

/* A source's "no" was everybody's: nobody is asked after it. */
static void plan_end_after(struct plan *plan, int priority) {
    while (plan->count > 0 && plan->steps[plan->count - 1].priority >= priority)
        plan->count--;
    plan->unasked = 0;
}

enum plan_end plan_make(const struct roster *roster, uint64_t allowed, struct absences *absences,
                        const struct question *question, struct plan *out_plan) {
    struct absence_mark mark = absence_mark(absences, question);
    out_plan->count = 0;
    out_plan->allowed = allowed;
    out_plan->remembered = 0;
    out_plan->unlisted = 0;
    out_plan->placeless = 0;
    out_plan->unasked = 0;
    out_plan->ended = false;
    if (!allowed)
        return PLAN_EXCLUDED;
    int64_t now_s = clock_wall_s();
    int ended_at = 0;
    for (uint64_t left = allowed; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct source *source = roster->sources[i];
        int priority = source->options.priority;
        int64_t said_s;
        bool ends = false;
        if (!source_has_place(source, question))
            out_plan->placeless |= UINT64_C(1) << i;
        else if (plan_remembers(source, absences, &mark, now_s, &said_s, &ends))
            out_plan->remembered |= UINT64_C(1) << i;
        else if (source_index_lacks(source, &question->key))
            out_plan->unlisted |= UINT64_C(1) << i;
        else if (source->options.unaskable || rest_refuses(queue_rest(source->queue)))
            out_plan->unasked |= source->options.is_cache ? 0 : UINT64_C(1) << i;
        else
            plan_add(out_plan, i, priority);
        if (ends && (!out_plan->ended || priority < ended_at)) {
            out_plan->ended = true;
            ended_at = priority;
        }
    }
    if (out_plan->ended)
        plan_end_after(out_plan, ended_at);
    if (out_plan->count)
        return PLAN_ASK;
    return out_plan->unasked ? PLAN_UNASKED : PLAN_ABSENT;
}

void plan_note_spared(const struct roster *roster, const struct plan *plan) {
    for (uint64_t left = plan->unlisted; left; left &= left - 1)
        source_index_note_spared(roster->sources[__builtin_ctzll(left)]);
}

void plan_ended_why(struct error *out_why) {
    error_set(out_why, ERROR_UNINDEXED, "the store said: NoLongerIndexed");
}

void plan_unasked_why(const struct roster *roster, uint64_t unasked, struct error *out_why) {
    const struct source *source = roster->sources[__builtin_ctzll(unasked)];
    const char *identifier = source->options.identifier;
    if (source->options.unaskable)
        error_set(out_why, ERROR_UNMAPPED, "server \"%s\" cannot be asked from here", identifier);
    else
        error_set(out_why, ERROR_RESTING, "server \"%s\" may have it and rests %s", identifier,
                  rest_cause_told(rest_view(queue_rest(source->queue)).cause));
}
