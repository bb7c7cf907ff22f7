// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <time.h>

static int64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_ms(void) {
    return nanoseconds(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_us(void) {
    return nanoseconds(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_wall_s(void) {
    return nanoseconds(CLOCK_REALTIME_COARSE) / 1000000000; /* late by a tick at most, and cheap */
}

int64_t clock_wall_ns(void) {
    return nanoseconds(CLOCK_REALTIME);
}
