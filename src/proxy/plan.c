// SPDX-License-Identifier: MIT
#include "proxy/plan.h"

#include "base/clock.h"

/* Does this source's "no" of earlier still count? */
static bool remembered(const struct source *source, struct absences *absences,
                       const struct absence_mark *mark, int64_t now_s) {
    int64_t said_s;
    if (!absence_find(absences, mark, source->fingerprint, source_forms(source), &said_s))
        return false;
    /* A clock that was set back must not make a "no" count for years. */
    int64_t age_s = now_s - said_s;
    return age_s >= 0 && age_s < (source->options.retry_ms + 999) / 1000;
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

enum plan_end plan_make(const struct roster *roster, uint64_t allowed, struct absences *absences,
                        const struct absence_mark *mark, struct plan *out_plan) {
    out_plan->count = 0;
    out_plan->allowed = allowed;
    out_plan->remembered = 0;
    out_plan->unasked = 0;
    if (!allowed)
        return PLAN_EXCLUDED;
    int64_t now_s = clock_wall_s();
    for (uint64_t left = allowed; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct source *source = roster->sources[i];
        if (remembered(source, absences, mark, now_s))
            out_plan->remembered |= UINT64_C(1) << i;
        else if (source->options.unaskable || rest_refuses(queue_rest(source->queue)))
            out_plan->unasked |= UINT64_C(1) << i;
        else
            plan_add(out_plan, i, source->options.priority);
    }
    if (out_plan->count)
        return PLAN_ASK;
    return out_plan->unasked ? PLAN_UNASKED : PLAN_ABSENT;
}

void plan_unasked_why(const struct roster *roster, uint64_t unasked, struct error *out_why) {
    const struct source *source = roster->sources[__builtin_ctzll(unasked)];
    const char *identifier = source->options.identifier;
    if (source->options.unaskable)
        error_set(out_why, ERROR_UNMAPPED, "server \"%s\" cannot be asked from here", identifier);
    else
        error_set(out_why, ERROR_RESTING, "server \"%s\" may have it and rests after failures",
                  identifier);
}
