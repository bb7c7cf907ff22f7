// SPDX-License-Identifier: MIT
#include "unit/base/clock_fake.h"

#include <stdatomic.h>

#include "base/clock.h"

static _Atomic int64_t monotonic_ms = CLOCK_FAKE_START_MS;
/* The wall clock's nanoseconds less the monotonic one's. */
static _Atomic int64_t wall_ahead_ns =
    CLOCK_FAKE_START_WALL_S * INT64_C(1000000000) - CLOCK_FAKE_START_MS * INT64_C(1000000);

int64_t clock_ms(void) {
    return atomic_load(&monotonic_ms);
}

int64_t clock_us(void) {
    return clock_ms() * 1000;
}

int64_t clock_wall_ns(void) {
    return clock_ms() * 1000000 + atomic_load(&wall_ahead_ns);
}

int64_t clock_wall_s(void) {
    return clock_wall_ns() / 1000000000;
}

void clock_fake_set(int64_t ms) {
    atomic_store(&monotonic_ms, ms);
}

void clock_fake_advance(int64_t ms) {
    atomic_fetch_add(&monotonic_ms, ms);
}

void clock_fake_set_wall(int64_t seconds) {
    atomic_store(&wall_ahead_ns, seconds * 1000000000 - clock_ms() * 1000000);
}
