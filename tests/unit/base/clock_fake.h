// SPDX-License-Identifier: MIT
//
// The clock that a test moves. A test program that lists clock_fake.c among its sources has these
// functions in place of src/base/clock.c's. Both clocks stand still until they are told; waits with
// a deadline still end, because condition_wait turns what is left by this clock into real time, and
// whoever waits must be woken after a jump (alarm_clock_look, a signal). May be used from several
// threads.
#pragma once

#include <stdint.h>

enum { CLOCK_FAKE_START_MS = 1000000, CLOCK_FAKE_START_WALL_S = 1800000000 };

/* Sets the monotonic clock; the wall clock moves by as much. */
void clock_fake_set(int64_t ms);

/* Lets time pass on both clocks. */
void clock_fake_advance(int64_t ms);

/* Sets the wall clock alone, as an administrator would. */
void clock_fake_set_wall(int64_t seconds);
