// SPDX-License-Identifier: MIT
#include "http/date.h"

#include <string.h>
#include <time.h>

#include "unit/base/check.h"
#include "unit/base/clock_fake.h"

static void dates_are_written(void **state) {
    (void)state;
    static const struct written {
        int64_t seconds;
        const char *text;
    } written[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {1709210096, "Thu, 29 Feb 2024 12:34:56 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"},
    };
    for (size_t i = 0; i < LENGTH_OF(written); i++) {
        char out[DATE_BYTES];
        date_format(written[i].seconds, out);
        assert_string_equal(out, written[i].text);
    }
}

static void all_three_forms_are_read(void **state) {
    (void)state;
    static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                       "Mon, 06 Nov 1994 08:49:37 GMT"};
    for (size_t i = 0; i < LENGTH_OF(same); i++) {
        int64_t seconds = 0;
        assert_true(date_parse(same[i], &seconds));
        assert_int_equal(seconds, 784111777);
    }
    int64_t seconds;
    assert_true(date_parse("Sun Nov 16 08:49:37 1994", &seconds));
    assert_int_equal(seconds, 784111777 + 10 * 86400);
}

static void anything_else_is_not_a_date(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "0",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sux, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1995 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:60 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "784111777",
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        int64_t seconds = 42;
        assert_false(date_parse(bad[i], &seconds));
        assert_int_equal(seconds, 42);
    }
}

static void a_leap_second_is_a_date(void **state) {
    (void)state;
    int64_t seconds;
    assert_true(date_parse("Sat, 31 Dec 2016 23:59:60 GMT", &seconds));
    assert_int_equal(seconds, 1483228800);
}

/* The fake clock stands in 2027. */
static void two_digits_mean_the_nearer_century(void **state) {
    (void)state;
    int64_t seconds;
    char out[DATE_BYTES];
    assert_true(date_parse("Tuesday, 01-Jan-77 00:00:00 GMT", &seconds));
    date_format(seconds, out);
    assert_string_equal(out, "Fri, 01 Jan 2077 00:00:00 GMT");
    assert_true(date_parse("Sunday, 01-Jan-78 00:00:00 GMT", &seconds));
    date_format(seconds, out);
    assert_string_equal(out, "Sun, 01 Jan 1978 00:00:00 GMT");
}

static void what_is_written_is_read(void **state) {
    (void)state;
    for (int64_t seconds = -62167219200; seconds < 253402300799; seconds += 123456789) {
        char out[DATE_BYTES];
        int64_t back;
        date_format(seconds, out);
        assert_true(date_parse(out, &back));
        assert_true(back == seconds);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written),
        cmocka_unit_test(all_three_forms_are_read),
        cmocka_unit_test(anything_else_is_not_a_date),
        cmocka_unit_test(a_leap_second_is_a_date),
        cmocka_unit_test(two_digits_mean_the_nearer_century),
        cmocka_unit_test(what_is_written_is_read),
    };
    return RUN_TESTS(tests);
}
