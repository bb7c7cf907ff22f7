// SPDX-License-Identifier: MIT
#include "proxy/explain_order.h"

#include <assert.h>

struct ordering {
    struct ordered_step *steps;
    unsigned count;
    unsigned taken; /* the first so many are under way */
    unsigned owed;  /* silent ones whose next step has not been taken yet */
    int64_t now_ms;
};

/* Until when the next step waits for one that is under way; INT64_MAX: for ever. */
static int64_t silent_at(const struct ordered_step *step) {
    return step->silent_ms < 0 ? INT64_MAX : step->taken_ms + step->silent_ms;
}

static bool is_waited_for(const struct ordered_step *step, int64_t now_ms) {
    return !step->slow && silent_at(step) > now_ms;
}

static bool waits(const struct ordering *order) {
    for (unsigned i = 0; i < order->taken; i++)
        if (is_waited_for(&order->steps[i], order->now_ms))
            return true;
    return false;
}

/* The next step and all of its priority. */
static void take_group(struct ordering *order) {
    int priority = order->steps[order->taken].priority;
    while (order->taken < order->count && order->steps[order->taken].priority == priority) {
        struct ordered_step *step = &order->steps[order->taken++];
        step->taken_ms = order->now_ms;
        step->asked_ms = step->taken_ms > step->rests_ms ? step->taken_ms : step->rests_ms;
        if (!is_waited_for(step, order->now_ms))
            order->owed++;
    }
}

static void take_next(struct ordering *order) {
    while (order->taken < order->count && (order->owed > 0 || !waits(order))) {
        if (order->owed > 0)
            order->owed--;
        take_group(order);
    }
}

/* Goes on to when somebody has become silent; false: nobody ever does. */
static bool pass(struct ordering *order) {
    int64_t next_ms = INT64_MAX;
    for (unsigned i = 0; i < order->taken; i++)
        if (is_waited_for(&order->steps[i], order->now_ms) && silent_at(&order->steps[i]) < next_ms)
            next_ms = silent_at(&order->steps[i]);
    if (next_ms == INT64_MAX)
        return false;
    for (unsigned i = 0; i < order->taken; i++)
        order->owed += !order->steps[i].slow && silent_at(&order->steps[i]) == next_ms;
    order->now_ms = next_ms;
    return true;
}

void explain_order(struct ordered_step *steps, unsigned count) {
    struct ordering order = {.steps = steps, .count = count};
    for (unsigned i = 0; i < count; i++)
        steps[i].taken_ms = steps[i].asked_ms = INT64_MAX;
    do
        take_next(&order);
    while (order.taken < count && pass(&order));
}

const struct ordered_step *explain_order_first(const struct ordered_step *steps, unsigned count) {
    assert(count > 0);
    const struct ordered_step *first = &steps[0];
    for (unsigned i = 1; i < count; i++)
        if (steps[i].asked_ms < first->asked_ms)
            first = &steps[i];
    return first;
}
