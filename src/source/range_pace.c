// SPDX-License-Identifier: MIT
#include "source/range_pace.h"

#include <stdatomic.h>

enum {
    SETTLE_MS = 250, /* until new connections run at their speed */
    MEASURE_MS = 1000,
    GAIN_PERCENT = 15, /* for each connection more */
    LEVEL_BITS = 8,
};

void range_pace_init(struct range_pace *pace, unsigned most, unsigned known, int64_t now_ms) {
    *pace = (struct range_pace){.phase = most > 1 ? RANGE_RISING : RANGE_ONE,
                                .most = most,
                                .first = known > 1 ? known : 2,
                                .level = 1,
                                .since_ms = now_ms};
}

static void change_level(struct range_pace *pace, unsigned level, int64_t now_ms) {
    pace->level = level < pace->most ? level : pace->most;
    pace->since_ms = now_ms;
    pace->begun_ms = 0;
}

void range_pace_give_up(struct range_pace *pace) {
    pace->phase = RANGE_ONE;
    pace->level = 1;
}

/* Measures; true: *out_rate is that of a whole span, and the next one begins. */
static bool measure(struct range_pace *pace, uint64_t bytes, int64_t now_ms, uint64_t *out_rate) {
    if (now_ms - pace->since_ms < SETTLE_MS)
        return false;
    int64_t span_ms = now_ms - pace->begun_ms;
    bool whole = pace->begun_ms != 0 && span_ms >= MEASURE_MS;
    /* Fewer than before: gathered bytes were given up. */
    uint64_t came = bytes > pace->begun_bytes ? bytes - pace->begun_bytes : 0;
    if (whole)
        *out_rate = came * 1000 / (uint64_t)span_ms;
    if (whole || pace->begun_ms == 0) {
        pace->begun_ms = now_ms;
        pace->begun_bytes = bytes;
    }
    return whole;
}

static void rise(struct range_pace *pace, uint64_t rate, int64_t now_ms) {
    unsigned level = pace->level;
    if (level == 1) {
        pace->rate_of_one = rate;
    } else if (rate * 100 <
               pace->rate_before * (100 + GAIN_PERCENT * (uint64_t)(level - pace->level_before))) {
        pace->phase = pace->level_before > 1 ? RANGE_HELD : RANGE_ONE;
        change_level(pace, pace->level_before, now_ms);
        return;
    }
    if (level == pace->most) {
        pace->phase = RANGE_HELD;
        return;
    }
    pace->level_before = level;
    pace->rate_before = rate;
    change_level(pace, level == 1 ? pace->first : 2 * level, now_ms);
}

unsigned range_pace_look(struct range_pace *pace, unsigned granted, uint64_t bytes,
                         int64_t now_ms) {
    uint64_t rate;
    if (pace->phase == RANGE_ONE)
        return 1;
    if (granted < pace->level) {
        change_level(pace, pace->level, now_ms);
        return pace->level;
    }
    if (!measure(pace, bytes, now_ms, &rate))
        return pace->level;
    switch (pace->phase) {
    case RANGE_RISING:
        rise(pace, rate, now_ms);
        break;
    case RANGE_HELD:
        if (rate < pace->rate_of_one)
            range_pace_give_up(pace);
        break;
    case RANGE_ONE:
        break;
    }
    return pace->level;
}

unsigned range_pace_learned(const struct range_pace *pace) {
    return pace->phase == RANGE_RISING ? 0 : pace->level;
}

unsigned range_memory_get(const struct range_memory *memory, int64_t now_ms) {
    uint64_t both = atomic_load_explicit(&memory->until_and_level, memory_order_relaxed);
    int64_t until_ms = (int64_t)(both >> LEVEL_BITS);
    return now_ms < until_ms ? (unsigned)(both & ((1U << LEVEL_BITS) - 1)) : 0;
}

void range_memory_set(struct range_memory *memory, unsigned level, int64_t now_ms) {
    uint64_t until_ms = (uint64_t)(now_ms + RANGE_MEMORY_MS);
    atomic_store_explicit(&memory->until_and_level, until_ms << LEVEL_BITS | level,
                          memory_order_relaxed);
}
