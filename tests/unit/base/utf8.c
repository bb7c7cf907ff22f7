// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include <string.h>

#include "unit/base/check.h"

static bool valid(const char *text) {
    return utf8_valid(text, strlen(text));
}

static void well_formed_text_is_valid(void **state) {
    (void)state;
    static const char *const good[] = {"",
                                       "abc",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < LENGTH_OF(good); i++)
        assert_true(valid(good[i]));
    assert_true(utf8_valid("a\0b", 3));
}

static void anything_else_is_not(void **state) {
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2"
                                      "a",
                                      "\xe0\x9f\xbf",
                                      "\xe2\x82",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xe2\x82"
                                      "a",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "a\xfe",
                                      "\xc3\xa9\xa9"};
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        assert_false(valid(bad[i]));
}

static void characters_are_taken_one_by_one(void **state) {
    (void)state;
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9d\x94\x98z";
    assert_int_equal(utf8_take(&text), 'a');
    assert_int_equal(utf8_take(&text), 0xe9);
    assert_int_equal(utf8_take(&text), 0x20ac);
    assert_int_equal(utf8_take(&text), 0x1d518);
    assert_int_equal(utf8_take(&text), 'z');
    assert_string_equal(text, "");
}

static void latin1_is_converted(void **state) {
    (void)state;
    char out[8] = {0};
    assert_int_equal(utf8_from_latin1(out, "a\xe9\x80\xff", 4), 7);
    assert_string_equal(out, "a\xc3\xa9\xc2\x80\xc3\xbf");
}

static void utf_16_is_written_as_utf_8(void **state) {
    (void)state;
    char out[32];
    static const char little[] = "a\0\xe4\0\xac\x20\x3d\xd8\x00\xde\x3d\xd8"
                                 "b";
    size_t length = utf8_from_utf16(out, little, sizeof little - 1, false);
    out[length] = '\0';
    assert_string_equal(out, "a\u00e4\u20ac\U0001f600\ufffd");
    static const char big[] = "\0a\xde\x00\x20\xac";
    length = utf8_from_utf16(out, big, sizeof big - 1, true);
    out[length] = '\0';
    assert_string_equal(out, "a\ufffd\u20ac");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_is_valid),       cmocka_unit_test(anything_else_is_not),
        cmocka_unit_test(characters_are_taken_one_by_one), cmocka_unit_test(latin1_is_converted),
        cmocka_unit_test(utf_16_is_written_as_utf_8),
    };
    return RUN_TESTS(tests);
}
