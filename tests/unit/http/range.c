// SPDX-License-Identifier: MIT
#include "http/range.h"

#include "unit/base/check.h"

static void one_range_is_read(void **state) {
    (void)state;
    static const struct wanted {
        const char *value;
        struct range range;
    } wanted[] = {
        {"bytes=0-499", {RANGE_FROM, .first = 0, .last = 499}},
        {"bytes=500-", {RANGE_FROM, .first = 500, .last = UINT64_MAX}},
        {"bytes=7-7", {RANGE_FROM, .first = 7, .last = 7}},
        {"bytes=-500", {RANGE_SUFFIX, .length = 500}},
        {"bytes=-0", {RANGE_SUFFIX, .length = 0}},
        {"Bytes= 0-1 ", {RANGE_FROM, .first = 0, .last = 1}},
        {"\tBYTES=\t2-3\t", {RANGE_FROM, .first = 2, .last = 3}},
        {"bytes=18446744073709551615-", {RANGE_FROM, .first = UINT64_MAX, .last = UINT64_MAX}},
        {"bytes=99999999999999999999-", {RANGE_FROM, .first = UINT64_MAX, .last = UINT64_MAX}},
        {"bytes=0-99999999999999999999", {RANGE_FROM, .first = 0, .last = UINT64_MAX}},
        {"bytes=-99999999999999999999", {RANGE_SUFFIX, .length = UINT64_MAX}},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        struct range range = range_parse(wanted[i].value);
        assert_int_equal(range.kind, wanted[i].range.kind);
        assert_true(range.first == wanted[i].range.first);
        assert_true(range.last == wanted[i].range.last);
        assert_true(range.length == wanted[i].range.length);
    }
}

static void anything_else_asks_for_the_whole(void **state) {
    (void)state;
    static const char *const values[] = {
        "",           "bytes",      "bytes=",      "bytes=-",       "bytes=a-b",
        "bytes=1",    "bytes=5-2",  "bytes=0-1,",  "bytes=0-1,3-4", "bytes=,0-1",
        "bytes=0-1x", "bytes=0 -1", "bytes=0- 1",  "items=0-1",     "bytes:0-1",
        "bytes=--1",  "bytes=+1-2", "bytes=0x1-2", "bytes=1-2-3",   "bytes =0-1"};
    for (size_t i = 0; i < LENGTH_OF(values); i++)
        assert_int_equal(range_parse(values[i]).kind, RANGE_NONE);
}

static void ranges_are_fitted(void **state) {
    (void)state;
    static const struct fit {
        const char *value;
        uint64_t size;
        enum range_fit fit;
        uint64_t first;
        uint64_t end;
    } fits[] = {
        {"", 10, RANGE_WHOLE, 0, 10},
        {"", 0, RANGE_WHOLE, 0, 0},
        {"bytes=0-", 10, RANGE_PART, 0, 10},
        {"bytes=0-0", 10, RANGE_PART, 0, 1},
        {"bytes=9-9", 10, RANGE_PART, 9, 10},
        {"bytes=9-100", 10, RANGE_PART, 9, 10},
        {"bytes=3-18446744073709551615", 10, RANGE_PART, 3, 10},
        {"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=10-20", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=99999999999999999999-", UINT64_MAX, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 10, RANGE_PART, 9, 10},
        {"bytes=-10", 10, RANGE_PART, 0, 10},
        {"bytes=-11", 10, RANGE_PART, 0, 10},
        {"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
    };
    for (size_t i = 0; i < LENGTH_OF(fits); i++) {
        struct range range = range_parse(fits[i].value);
        uint64_t first = 0;
        uint64_t end = 0;
        assert_int_equal(range_resolve(&range, fits[i].size, &first, &end), fits[i].fit);
        assert_true(first == fits[i].first);
        assert_true(end == fits[i].end);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_read),
        cmocka_unit_test(anything_else_asks_for_the_whole),
        cmocka_unit_test(ranges_are_fitted),
    };
    return RUN_TESTS(tests);
}
