// SPDX-License-Identifier: MIT
#include "symbol/question.h"

#include <stdio.h>
#include <string.h>

#include "unit/base/check.h"

/* 32 digits, and another check sum. */
#define HEX "00112233445566778899aAbBcCdDeEfF"
#define ONE "SHA256:" HEX
#define TWO "SHA1:" HEX "00"
#define THREE "X-1:" HEX HEX

static void check(const char *value, const char *wanted) {
    struct question question = {0};
    question_add_checksums(&question, value, strlen(value));
    assert_string_equal(question.checksums, wanted);
}

static void sums_are_gathered(void **state) {
    (void)state;
    check("", "");
    check(ONE, ONE);
    check(ONE ";" TWO, ONE ";" TWO);
    check(" " ONE " , " TWO "\t,,; " THREE ";", ONE ";" TWO ";" THREE);
    check(ONE ";" TWO ";" ONE, TWO ";" ONE);
    check(ONE ";" ONE ";" ONE, ONE);
    check(ONE "00;" ONE, ONE "00;" ONE);
}

static void what_is_none_is_passed_over(void **state) {
    (void)state;
    check("SHA256", "");
    check(HEX, "");
    check(":" HEX, "");
    check("SHA256:0011", "");
    check("SHA256:" HEX "x", "");
    check("SHA 256:" HEX, "256:" HEX);
    check("SH\"A:" HEX, "");
    check("ALGORITHM-OF-A-LONG-NAME:" HEX, "");
    check("SHA256:" HEX HEX HEX HEX "00", "");
    check("a;" ONE ";b:c", ONE);
}

static void only_the_given_bytes_count(void **state) {
    (void)state;
    struct question question = {0};
    question_add_checksums(&question, ONE "00", strlen(ONE));
    assert_string_equal(question.checksums, ONE);
}

static void the_last_ones_stay(void **state) {
    (void)state;
    struct question question = {0};
    char word[64];
    for (unsigned i = 0; i < 1000; i++) {
        int length = snprintf(word, sizeof word, "SHA1:%040x", i);
        question_add_checksums(&question, word, (size_t)length);
        size_t used = strlen(question.checksums);
        assert_true(used < CHECKSUMS_BYTES);
        assert_string_equal(question.checksums + used - (size_t)length, word);
        assert_memory_equal(question.checksums, "SHA1:", 5);
    }
    /* As many as there is room for. */
    assert_true(strlen(question.checksums) + 46 >= CHECKSUMS_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_gathered),
        cmocka_unit_test(what_is_none_is_passed_over),
        cmocka_unit_test(only_the_given_bytes_count),
        cmocka_unit_test(the_last_ones_stay),
    };
    return RUN_TESTS(tests);
}
