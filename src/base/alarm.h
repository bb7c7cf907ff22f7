// SPDX-License-Identifier: MIT
//
// Alarms: one thread that calls back when a time has come. The struct lies inside its owner. ring()
// runs on the alarm thread with no lock of ours held; it must be short and may set the same alarm
// again. The owner must stay alive until the alarm has rung or was cancelled: alarm_cancel says
// which.
#pragma once

#include <stdint.h>

#include "base/error.h"

struct alarm_clock;

struct alarm {
    int64_t at_ms;     /* owned by the alarm clock's lock, as is heap_index */
    size_t heap_index; /* 0: not set (index 0 of the heap is never used) */
    void (*ring)(struct alarm *alarm);
};

/* Starts the thread. */
struct alarm_clock *alarm_clock_new(struct error *err) MUST_CHECK;

/* Ends the thread, after the alarm that is ringing; those that are still set never ring. NULL is
 * allowed. */
void alarm_clock_free(struct alarm_clock *clock);

/* Looks at the time again: for tests that move a clock of their own. */
void alarm_clock_look(struct alarm_clock *clock);

/* Sets, or sets anew, to ring at clock_ms() >= at_ms. Returns true when the alarm was already set
   (and has been moved): an owner that holds a reference for its alarm takes a new one only when
   this is false. */
bool alarm_set(struct alarm_clock *clock, struct alarm *alarm, int64_t at_ms);

/* Takes back. True: it was set and will not ring. False: it was not set, or is ringing right now.
 */
bool alarm_cancel(struct alarm_clock *clock, struct alarm *alarm);
