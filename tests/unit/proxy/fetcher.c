// SPDX-License-Identifier: MIT
#include "proxy/fetcher.h"

#include "unit/base/check.h"

enum { SIZE = 1000, TIME_S = 1700000000 };

static const struct kept kept = {.compare = true, .size = SIZE, .modified_s = TIME_S};

static bool same(uint64_t size, int64_t modified_s, bool packed) {
    const struct content content = {.size = size, .last_modified = modified_s};
    return kept_is(&kept, &content, packed);
}

static void size_and_time_tell_whether_it_is_the_kept_file(void **state) {
    (void)state;
    assert_true(same(SIZE, TIME_S, false));
    assert_false(same(SIZE + 1, TIME_S, false));
    assert_false(same(SIZE, TIME_S + 1, false));
    assert_false(same(SIZE, TIME_S - 1, false));
}

static void what_is_compressed_is_told_by_its_time(void **state) {
    (void)state;
    assert_true(same(SIZE / 2, TIME_S, true));
    assert_false(same(SIZE / 2, TIME_S + 1, true));
}

static void what_the_source_does_not_say_is_not_compared(void **state) {
    (void)state;
    assert_true(same(SIZE, 0, false));
    assert_false(same(SIZE + 1, 0, false));
    assert_true(same(SIZE_UNKNOWN, TIME_S, false));
    assert_false(same(SIZE_UNKNOWN, TIME_S + 1, false));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_and_time_tell_whether_it_is_the_kept_file),
        cmocka_unit_test(what_is_compressed_is_told_by_its_time),
        cmocka_unit_test(what_the_source_does_not_say_is_not_compared),
    };
    return RUN_TESTS(tests);
}
