// SPDX-License-Identifier: MIT
//
// Counters that many threads raise: relaxed atomics. Modules keep their counters in a struct of
// their own and list them in a table of struct counter_info, from which metrics, help texts and
// documentation are made.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t counter;

struct counter_info {
    const char *name; /* "symgate_fetches_total" */
    const char *help; /* one sentence without full stop */
    enum { COUNTER_TOTAL, COUNTER_GAUGE } type;
    counter *value; /* NULL when read by a function */
};

static inline void count(counter *value) {
    atomic_fetch_add_explicit(value, 1, memory_order_relaxed);
}

static inline void count_many(counter *value, uint64_t amount) {
    atomic_fetch_add_explicit(value, amount, memory_order_relaxed);
}

static inline void count_down(counter *value) {
    atomic_fetch_sub_explicit(value, 1, memory_order_relaxed);
}

static inline uint64_t counted(const counter *value) {
    return atomic_load_explicit(value, memory_order_relaxed);
}
