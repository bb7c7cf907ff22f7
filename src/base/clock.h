// SPDX-License-Identifier: MIT
//
// The two clocks, behind functions so that tests link tests/unit/base/clock_fake.c in their place
// and let months pass in milliseconds. Deadlines are always on the monotonic one; what is kept on
// disk is wall time.
#pragma once

#include <stdint.h>

/* Monotonic milliseconds. */
int64_t clock_ms(void);

/* Monotonic microseconds, for durations that are reported. */
int64_t clock_us(void);

/* Seconds since 1970, for what is kept or shown. */
int64_t clock_wall_s(void);

/* Nanoseconds since 1970. */
int64_t clock_wall_ns(void);
