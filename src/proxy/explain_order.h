// SPDX-License-Identifier: MIT
//
// When the steps of a plan would be taken as long as nobody answers: what search_next.c does with
// silence, foreseen. The next step, with all of its priority, is put into its queue once no step
// under way might still answer soon, and once more for each one that has just been silent for its
// hedgeAfter. Pure; no I/O.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ordered_step {
    int priority;      /* equal ones are taken together */
    int64_t silent_ms; /* its source's hedgeAfter; negative: never */
    bool slow;         /* nobody waits for it: the next is taken together with it */
    int64_t rests_ms;  /* how long its queue waits still before it asks */
    /* Found: */
    int64_t taken_ms; /* when it would be put into its queue; INT64_MAX: not as long as others are
                         under way */
    int64_t asked_ms; /* when it would be put to its source; INT64_MAX likewise */
};

/* Finds them; the steps are in the order of their plan. */
void explain_order(struct ordered_step *steps, unsigned count);

/* The step that would be asked first, of those at the same time the first. There is one. */
const struct ordered_step *explain_order_first(const struct ordered_step *steps, unsigned count);
