// SPDX-License-Identifier: MIT
//
// How times and sizes are spread: counts over fixed steps, the same in memory, in the database, in
// /metrics and for the percentiles of the page. The bounds are part of the database's format. Plain
// values, pure functions.
#pragma once

#include <stdint.h>

enum histogram_scale {
    SCALE_TIME, /* microseconds: 50 us to 60 s */
    SCALE_SIZE, /* bytes: 256 to 4 GiB */
};

enum { HISTOGRAM_STEPS = 20 };

struct histogram {
    uint64_t counts[HISTOGRAM_STEPS]; /* the last one in use: above all bounds */
};

/* How many steps a scale has, the one above all bounds included. */
unsigned histogram_steps(enum histogram_scale scale);

/* The bound of a step that has one: values up to it, itself included, count there. */
uint64_t histogram_bound(enum histogram_scale scale, unsigned step);

/* The step that a value counts in. */
unsigned histogram_step(enum histogram_scale scale, uint64_t value);

/* Adds all counts of another one. */
void histogram_add(struct histogram *histogram, const struct histogram *other);

/* The value below which the share (0 to 1) of all lies, within its step by proportion; 0 when
   nothing was counted. What lies above all bounds counts as the last bound. */
uint64_t histogram_quantile(const struct histogram *histogram, enum histogram_scale scale,
                            double share);
