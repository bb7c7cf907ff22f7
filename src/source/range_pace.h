// SPDX-License-Identifier: MIT
//
// How many connections a long body is worth: begins with one, and after each measured second tries
// more while that gains; goes back where it does not. Pure; the time is the caller's.
//
//   RISING  a level is measured once its connections have run for a moment; 15 % more for each
//           connection that was added is a gain: the level is doubled, up to the most that are
//           allowed. No gain: back to the level before.
//   HELD    the level stays; where the rate falls below what one connection had brought, one is
//           enough from then on
//   ONE     for good
//
// A level that places were missing for is not judged.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { RANGE_MEMORY_MS = 10 * 60 * 1000 };

enum range_phase { RANGE_RISING, RANGE_HELD, RANGE_ONE };

struct range_pace {
    enum range_phase phase;
    unsigned most;
    unsigned first; /* the level that is tried first */
    unsigned level;
    unsigned level_before;
    uint64_t rate_before; /* bytes a second, as all below */
    uint64_t rate_of_one;
    int64_t since_ms; /* the level counts from here … */
    int64_t begun_ms; /* … and is measured from here; 0: not yet */
    uint64_t begun_bytes;
};

/* One connection now, at most `most`. `known`: the level that was best for the source before; 0:
   nothing is known. */
void range_pace_init(struct range_pace *pace, unsigned most, unsigned known, int64_t now_ms);

/* How many connections there should be. `granted`: how many there may be at present; `bytes`: what
   has come by all of them since the beginning. */
unsigned range_pace_look(struct range_pace *pace, unsigned granted, uint64_t bytes, int64_t now_ms);

/* The source has refused: one is enough. */
void range_pace_give_up(struct range_pace *pace);

/* What was found to be best; 0: not known yet. */
unsigned range_pace_learned(const struct range_pace *pace);

/* What is remembered of a source, for RANGE_MEMORY_MS. Any thread. */
struct range_memory {
    _Atomic uint64_t until_and_level;
};

/* The level; 0: nothing is known (any more). */
unsigned range_memory_get(const struct range_memory *memory, int64_t now_ms);

/* Remembers a level (1: one connection does it). */
void range_memory_set(struct range_memory *memory, unsigned level, int64_t now_ms);
