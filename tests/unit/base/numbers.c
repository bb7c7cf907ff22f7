// SPDX-License-Identifier: MIT
#include "base/numbers.h"

#include <string.h>

#include "unit/base/check.h"

static void whole_numbers(void **state) {
    (void)state;
    uint64_t number = 7;
    assert_true(number_parse("0", &number));
    assert_true(number == 0);
    assert_true(number_parse("18446744073709551615", &number));
    assert_true(number == UINT64_MAX);
    static const char *const bad[] = {"",    " 1", "1 ", "+1", "-1", "18446744073709551616",
                                      "0x1", "1.0"};
    number = 7;
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        assert_false(number_parse(bad[i], &number));
    assert_true(number == 7);
}

static void hexadecimal_numbers(void **state) {
    (void)state;
    uint64_t number = 7;
    assert_true(number_parse_hex("0123456789abcDEF", 16, &number));
    assert_true(number == UINT64_C(0x0123456789abcdef));
    assert_true(number_parse_hex("ffff", 2, &number));
    assert_true(number == 255);
    assert_false(number_parse_hex("", 0, &number));
    assert_false(number_parse_hex("00000000000000001", 17, &number));
    assert_false(number_parse_hex("1g", 2, &number));
    assert_false(number_parse_hex("1", 2, &number));
    assert_true(number == 255);
}

static void sizes_are_parsed(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"123", 123},
        {"123 B", 123},
        {"64KB", 65536},
        {"64 KiB", 65536},
        {"64k", 65536},
        {"1.5 MiB", 1572864},
        {"200 GiB", UINT64_C(214748364800)},
        {"0.5TB", UINT64_C(549755813888)},
        {"2 pib", UINT64_C(2251799813685248)},
        {"0.1 KiB", 102},
        {"0.999999999 PiB", UINT64_C(1125899905716724)},
        {"16383 PiB", UINT64_C(18445618173802708992)},
    };
    for (size_t i = 0; i < LENGTH_OF(good); i++) {
        uint64_t bytes = 1;
        assert_true(number_parse_size(good[i].text, &bytes));
        assert_true(bytes == good[i].bytes);
    }
    static const char *const bad[] = {"",     "GiB",     "1.5",       "1.5 B",
                                      "-1",   "1 GiBs",  "1.",        ".5 GB",
                                      "1 .5", "1,5 GiB", "16384 PiB", "1.0000000001 GiB",
                                      " 1",   "1 ms",    "1.5.5 GB",  "99999999999999999999"};
    uint64_t bytes = 7;
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        assert_false(number_parse_size(bad[i], &bytes));
    assert_true(bytes == 7);
}

static void times_are_parsed(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"10m", 600000}, {"25s", 25000}, {"250ms", 250}, {"1.5h", 5400000}, {"7d", 604800000},
        {"60", 60000},   {"0", 0},       {"2.5", 2500},  {"1 h", 3600000},  {"0.25s", 250},
    };
    for (size_t i = 0; i < LENGTH_OF(good); i++) {
        int64_t ms = 1;
        assert_true(number_parse_time(good[i].text, &ms));
        assert_true(ms == good[i].ms);
    }
    static const char *const bad[] = {
        "", "s", "-1s", "1y", "0.5ms", "1m30s", "1000000000000001ms", "11574075d", "10 KB"};
    int64_t ms = 7;
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        assert_false(number_parse_time(bad[i], &ms));
    assert_true(ms == 7);
}

static void shows_size(uint64_t bytes, const char *expected) {
    char out[32];
    number_format_size(out, sizeof out, bytes);
    assert_string_equal(out, expected);
    uint64_t again = 0;
    assert_true(number_parse_size(out, &again));
    double off = bytes > again ? (double)(bytes - again) : (double)(again - bytes);
    assert_true(off <= (double)bytes * 0.05);
}

static void sizes_are_shown(void **state) {
    (void)state;
    shows_size(0, "0 B");
    shows_size(1023, "1023 B");
    shows_size(1024, "1 KiB");
    shows_size(1536, "1.5 KiB");
    shows_size(1048575, "1 MiB");
    shows_size(1048000, "1023.4 KiB");
    shows_size(UINT64_C(1610612736), "1.5 GiB");
    shows_size(UINT64_C(214748364800), "200 GiB");
}

static void shows_time(int64_t ms, const char *expected) {
    char out[32];
    number_format_time(out, sizeof out, ms);
    assert_string_equal(out, expected);
}

static void times_are_shown(void **state) {
    (void)state;
    shows_time(0, "0s");
    shows_time(1, "1ms");
    shows_time(250, "250ms");
    shows_time(1000, "1s");
    shows_time(1500, "1.5s");
    shows_time(1234, "1234ms");
    shows_time(61000, "61s");
    shows_time(61550, "61.6s");
    shows_time(90000, "1.5m");
    shows_time(600000, "10m");
    shows_time(5400000, "1.5h");
    shows_time(604800000, "7d");
    shows_time(-1500, "-1.5s");
    char small[3];
    number_format_time(small, sizeof small, 250);
    assert_string_equal(small, "25");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),    cmocka_unit_test(hexadecimal_numbers),
        cmocka_unit_test(sizes_are_parsed), cmocka_unit_test(times_are_parsed),
        cmocka_unit_test(sizes_are_shown),  cmocka_unit_test(times_are_shown),
    };
    return RUN_TESTS(tests);
}
