// SPDX-License-Identifier: MIT
#include "record/histogram.h"

#include <assert.h>

enum { TIME_BOUNDS = HISTOGRAM_STEPS - 1, SIZE_BOUNDS = 13 };

static const uint64_t times_us[TIME_BOUNDS] = {
    50,     100,    200,    500,     1000,    2000,    5000,     10000,    20000,   50000,
    100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000, 20000000, 60000000};

static const uint64_t sizes[SIZE_BOUNDS] = {
    1ULL << 8,  1ULL << 10, 1ULL << 12, 1ULL << 14, 1ULL << 16, 1ULL << 18, 1ULL << 20,
    1ULL << 22, 1ULL << 24, 1ULL << 26, 1ULL << 28, 1ULL << 30, 1ULL << 32};

unsigned histogram_steps(enum histogram_scale scale) {
    return (scale == SCALE_TIME ? TIME_BOUNDS : SIZE_BOUNDS) + 1;
}

uint64_t histogram_bound(enum histogram_scale scale, unsigned step) {
    assert(step + 1 < histogram_steps(scale));
    return scale == SCALE_TIME ? times_us[step] : sizes[step];
}

unsigned histogram_step(enum histogram_scale scale, uint64_t value) {
    unsigned step = 0;
    while (step + 1 < histogram_steps(scale) && value > histogram_bound(scale, step))
        step++;
    return step;
}

void histogram_add(struct histogram *histogram, const struct histogram *other) {
    for (unsigned i = 0; i < HISTOGRAM_STEPS; i++)
        histogram->counts[i] += other->counts[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, enum histogram_scale scale,
                            double share) {
    unsigned steps = histogram_steps(scale);
    uint64_t all = 0, before = 0;
    for (unsigned i = 0; i < steps; i++)
        all += histogram->counts[i];
    if (all == 0)
        return 0;
    double wanted = share * (double)all;
    for (unsigned i = 0; i + 1 < steps; i++) {
        uint64_t here = histogram->counts[i];
        if (here > 0 && (double)(before + here) >= wanted) {
            double low = i ? (double)histogram_bound(scale, i - 1) : 0;
            double high = (double)histogram_bound(scale, i);
            return (uint64_t)(low + (high - low) * (wanted - (double)before) / (double)here);
        }
        before += here;
    }
    return histogram_bound(scale, steps - 2);
}
