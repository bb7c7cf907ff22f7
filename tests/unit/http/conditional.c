// SPDX-License-Identifier: MIT
#include "http/conditional.h"

#include <string.h>

#include "unit/base/check.h"

#define ETAG "\"17a2b3c4d5e6f708\""
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static const int64_t date_s = 784111777;

static void tags_are_made_from_times(void **state) {
    (void)state;
    char tag[ETAG_BYTES];
    char other[ETAG_BYTES];
    conditional_etag(0x17a2b3c4d5e6f708, tag);
    assert_string_equal(tag, ETAG);
    conditional_etag(0x17a2b3c4d5e6f709, other);
    assert_string_not_equal(tag, other);
    conditional_etag(-1, tag);
    assert_string_equal(tag, "\"ffffffffffffffff\"");
    conditional_etag(0, tag);
    assert_string_equal(tag, "\"0\"");
}

static void what_a_client_has_is_known_by_its_tag(void **state) {
    (void)state;
    static const char *const matching[] = {ETAG,
                                           "*",
                                           " * ",
                                           "W/" ETAG,
                                           "\"a\", " ETAG,
                                           "\"a\"," ETAG ",\"b\"",
                                           " , W/\"a\" ,\t" ETAG,
                                           "\"\", " ETAG,
                                           "\"a,b\", " ETAG};
    for (size_t i = 0; i < LENGTH_OF(matching); i++)
        assert_true(conditional_not_modified(matching[i], "", ETAG, date_s));
    static const char *const others[] = {
        "\"a\"",   "17a2b3c4d5e6f708", "\"17a2b3c4d5e6f708", "**", "\"17A2B3C4D5E6F708\"",
        "w/" ETAG, "a " ETAG,          "\"a\" b, " ETAG,     ",",  "W/"};
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        assert_false(conditional_not_modified(others[i], "", ETAG, date_s));
}

static void the_date_counts_only_without_tags(void **state) {
    (void)state;
    assert_true(conditional_not_modified("", DATE, ETAG, date_s));
    assert_true(conditional_not_modified("", DATE, ETAG, date_s - 1));
    assert_false(conditional_not_modified("", DATE, ETAG, date_s + 1));
    assert_false(conditional_not_modified("\"a\"", DATE, ETAG, date_s));
    assert_false(conditional_not_modified("", "yesterday", ETAG, date_s));
    assert_false(conditional_not_modified("", "", ETAG, date_s));
}

static void parts_are_sent_of_the_very_same_only(void **state) {
    (void)state;
    assert_true(conditional_range_allowed("", ETAG, date_s));
    assert_true(conditional_range_allowed(ETAG, ETAG, date_s));
    assert_true(conditional_range_allowed(DATE, ETAG, date_s));
    static const char *const others[] = {
        "W/" ETAG, "\"a\"", ETAG ", \"a\"", "*", "x", "\"", "Sun, 06 Nov 1994 08:49:38 GMT"};
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        assert_false(conditional_range_allowed(others[i], ETAG, date_s));
    assert_false(conditional_range_allowed(DATE, ETAG, date_s - 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_made_from_times),
        cmocka_unit_test(what_a_client_has_is_known_by_its_tag),
        cmocka_unit_test(the_date_counts_only_without_tags),
        cmocka_unit_test(parts_are_sent_of_the_very_same_only),
    };
    return RUN_TESTS(tests);
}
