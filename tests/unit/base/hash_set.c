// SPDX-License-Identifier: MIT
#include "base/hash_set.h"

#include "unit/base/check.h"

static void what_was_put_in_is_found(void **state) {
    (void)state;
    struct hash_set first = {0}, second, nothing = {0};
    uint64_t some[] = {7, UINT64_MAX, 0, 7, 3};
    uint64_t more[] = {5, 3, 9};
    assert_true(hash_set_join(&nothing, some, LENGTH_OF(some), &first));
    assert_int_equal(first.count, 4);
    assert_true(hash_set_join(&first, more, LENGTH_OF(more), &second));
    assert_int_equal(second.count, 6);
    static const uint64_t expected[] = {0, 3, 5, 7, 9, UINT64_MAX};
    for (size_t i = 0; i < LENGTH_OF(expected); i++) {
        assert_true(second.hashes[i] == expected[i]);
        assert_true(hash_set_has(&second, expected[i]));
    }
    static const uint64_t others[] = {1, 4, 8, 10, UINT64_MAX - 1};
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        assert_false(hash_set_has(&second, others[i]));
    /* What it was made of stays. */
    assert_true(hash_set_has(&first, 3));
    assert_false(hash_set_has(&first, 5));
    hash_set_release(&first);
    hash_set_release(&second);
}

static void an_empty_one_has_nothing(void **state) {
    (void)state;
    struct hash_set nothing = {0}, joined;
    assert_false(hash_set_has(&nothing, 0));
    assert_true(hash_set_join(&nothing, NULL, 0, &joined));
    assert_int_equal(joined.count, 0);
    uint64_t one[] = {1};
    assert_true(hash_set_join(&nothing, one, 1, &joined));
    struct hash_set again;
    assert_true(hash_set_join(&joined, NULL, 0, &again));
    assert_true(hash_set_has(&again, 1));
    hash_set_release(&joined);
    hash_set_release(&again);
    assert_false(hash_set_has(&again, 1));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_is_found),
        cmocka_unit_test(an_empty_one_has_nothing),
    };
    return RUN_TESTS(tests);
}
