// SPDX-License-Identifier: MIT
// Lines: pieces, numbers, and what happens when the block is full.
#include <string.h>

#include "base/line.h"
#include "unit/base/check.h"

static void pieces_stand_one_behind_the_other(void **state) {
    (void)state;
    char block[64];
    struct line line;
    line_begin(&line, block, sizeof block);
    assert_string_equal(block, "");
    line_text(&line, "a");
    line_text(&line, "");
    line_bytes(&line, "bcd", 2);
    line_number(&line, 0);
    line_text(&line, "-");
    line_number(&line, UINT64_MAX);
    assert_string_equal(block, "abc0-18446744073709551615");
    assert_int_equal(line.length, strlen(block));
    assert_false(line.cut);
}

static void hexadecimal_has_as_many_digits_as_asked_for(void **state) {
    (void)state;
    char block[64];
    struct line line;
    line_begin(&line, block, sizeof block);
    line_hex(&line, 0, 1);
    line_text(&line, " ");
    line_hex(&line, 0xAB, 4);
    line_text(&line, " ");
    line_hex(&line, UINT64_MAX, 16);
    line_text(&line, " ");
    line_hex(&line, 0x1234, 1);
    assert_string_equal(block, "0 00ab ffffffffffffffff 1234");
}

static void milliseconds_are_rounded_to_a_tenth(void **state) {
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {{0, "0.0"},    {49, "0.0"}, {50, "0.1"},           {949, "0.9"},   {950, "1.0"},
                 {1250, "1.3"}, {-5, "0.0"}, {25000000, "25000.0"}, {99949, "99.9"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char block[32];
        struct line line;
        line_begin(&line, block, sizeof block);
        line_ms(&line, cases[i].us);
        assert_string_equal(block, cases[i].text);
    }
}

static void what_does_not_fit_is_cut(void **state) {
    (void)state;
    char block[6] = "-----";
    struct line line;
    line_begin(&line, block, sizeof block);
    line_text(&line, "abc");
    line_number(&line, 12);
    assert_false(line.cut);
    line_number(&line, 3);
    line_text(&line, "d");
    assert_true(line.cut);
    assert_string_equal(block, "abc12");
    line_begin(&line, block, 1);
    line_text(&line, "x");
    assert_true(line.cut);
    assert_string_equal(block, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_stand_one_behind_the_other),
        cmocka_unit_test(hexadecimal_has_as_many_digits_as_asked_for),
        cmocka_unit_test(milliseconds_are_rounded_to_a_tenth),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
