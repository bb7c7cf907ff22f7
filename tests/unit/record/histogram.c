// SPDX-License-Identifier: MIT
#include "record/histogram.h"

#include "unit/base/check.h"

static void values_count_up_to_their_bound(void **state) {
    (void)state;
    const enum histogram_scale scales[] = {SCALE_TIME, SCALE_SIZE};
    for (size_t i = 0; i < LENGTH_OF(scales); i++) {
        unsigned last = histogram_steps(scales[i]) - 1;
        assert_in_range(last, 2, HISTOGRAM_STEPS - 1);
        assert_int_equal(histogram_step(scales[i], 0), 0);
        assert_int_equal(histogram_step(scales[i], UINT64_MAX), last);
        for (unsigned step = 0; step < last; step++) {
            uint64_t bound = histogram_bound(scales[i], step);
            assert_int_equal(histogram_step(scales[i], bound), step);
            assert_int_equal(histogram_step(scales[i], bound + 1), step + 1);
        }
    }
}

static void quantiles_lie_within_their_step(void **state) {
    (void)state;
    struct histogram times = {0};
    assert_int_equal(histogram_quantile(&times, SCALE_TIME, 0.5), 0);
    times.counts[histogram_step(SCALE_TIME, 1000)] = 90; /* 500 to 1,000 us */
    times.counts[histogram_step(SCALE_TIME, 20000)] = 10;
    assert_int_equal(histogram_quantile(&times, SCALE_TIME, 0.45), 750);
    assert_int_equal(histogram_quantile(&times, SCALE_TIME, 0.9), 1000);
    assert_int_equal(histogram_quantile(&times, SCALE_TIME, 0.95), 15000);
    struct histogram slow = {0};
    slow.counts[histogram_step(SCALE_TIME, UINT64_MAX)] = 1;
    assert_int_equal(histogram_quantile(&slow, SCALE_TIME, 0.5), 60000000);
    histogram_add(&slow, &times);
    assert_int_equal(slow.counts[histogram_step(SCALE_TIME, 1000)], 90);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_count_up_to_their_bound),
        cmocka_unit_test(quantiles_lie_within_their_step),
    };
    return RUN_TESTS(tests);
}
