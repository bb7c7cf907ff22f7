// SPDX-License-Identifier: MIT
#include "server/query.h"

#include <string.h>

#include "unit/base/check.h"

static void values_are_found_and_decoded(void **state) {
    (void)state;
    char out[16];
    const char *query = "name=a%20b&names=no&empty=&x=1&x=2&broken=%zz&long=0123456789abcdef";
    assert_true(query_value(query, "name", out, sizeof out));
    assert_string_equal(out, "a b");
    assert_true(query_value(query, "empty", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(query_value(query, "x", out, sizeof out));
    assert_string_equal(out, "1");
    assert_false(query_value(query, "nam", out, sizeof out));
    assert_false(query_value(query, "ame", out, sizeof out));
    assert_false(query_value(query, "broken", out, sizeof out));
    assert_false(query_value(query, "long", out, sizeof out));
    assert_true(
        query_value("coded=%D0%B4%D0%B4%D0%B4%D0%B4%D0%B4%D0%B4%D0%B4x", "coded", out, sizeof out));
    assert_string_equal(out, "\u0434\u0434\u0434\u0434\u0434\u0434\u0434x");
    assert_false(query_value("nul=a%00b", "nul", out, sizeof out));
    assert_true(query_has(query, "long") && query_has(query, "empty"));
    assert_false(query_has(query, "other") || query_has("", "name") || query_has("name", "name"));
}

static void numbers_are_whole_and_bounded(void **state) {
    (void)state;
    uint64_t number = 0;
    struct error err = {0};
    assert_true(query_number("", "limit", 7, 10, &number, &err));
    assert_int_equal(number, 7);
    assert_true(query_number("limit=10", "limit", 7, 10, &number, &err));
    assert_int_equal(number, 10);
    static const char *const bad[] = {"limit=", "limit=-1", "limit=1.5", "limit=x", "limit=11"};
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        error_clear(&err);
        assert_false(query_number(bad[i], "limit", 7, 10, &number, &err));
        assert_non_null(strstr(err.what, "\"limit\""));
    }
    assert_int_equal(number, 10);
}

static void choices_are_named_when_none_fits(void **state) {
    (void)state;
    static const char *const words[] = {"up", "down", NULL};
    unsigned index = 9;
    struct error err = {0};
    assert_true(query_choice("", "way", words, 1, &index, &err));
    assert_int_equal(index, 1);
    assert_true(query_choice("way=up", "way", words, 1, &index, &err));
    assert_int_equal(index, 0);
    assert_false(query_choice("way=UP", "way", words, 1, &index, &err));
    assert_string_equal(err.what, "\"way\" must be one of up, down");
}

static void texts_may_be_left_out(void **state) {
    (void)state;
    char out[4];
    struct error err = {0};
    assert_true(query_text("", "search", out, sizeof out, &err));
    assert_string_equal(out, "");
    assert_true(query_text("search=abc", "search", out, sizeof out, &err));
    assert_false(query_text("search=abcd", "search", out, sizeof out, &err));
    assert_non_null(strstr(err.what, "\"search\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_and_decoded),
        cmocka_unit_test(numbers_are_whole_and_bounded),
        cmocka_unit_test(choices_are_named_when_none_fits),
        cmocka_unit_test(texts_may_be_left_out),
    };
    return RUN_TESTS(tests);
}
