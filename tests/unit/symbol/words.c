// SPDX-License-Identifier: MIT
//
// The small values that are told in words: results of attempts, verdicts, sameness of questions.
#include <string.h>

#include "base/text.h"
#include "symbol/attempt.h"
#include "symbol/question.h"
#include "symbol/verdict.h"
#include "unit/base/check.h"

static void results_have_names(void **state) {
    (void)state;
    static const char *const names[] = {"waiting",  "found", "absent", "remembered",
                                        "filtered", "lost",  "failed", "unasked"};
    for (unsigned i = 0; i < LENGTH_OF(names); i++)
        assert_string_equal(attempt_result_name((enum attempt_result)i), names[i]);
    assert_int_equal(LENGTH_OF(names), ATTEMPT_UNASKED + 1);
}

static void verdicts_have_names_and_sentences(void **state) {
    (void)state;
    static const char *const names[] = {"hit",      "joined", "fetched", "local",  "absent",
                                        "excluded", "later",  "busy",    "failed", "invalid"};
    assert_int_equal(LENGTH_OF(names), VERDICT_COUNT);
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        assert_string_equal(verdict_name((enum verdict)i), names[i]);
        assert_true(strlen(verdict_sentence((enum verdict)i)) > 5);
    }
}

static struct question ask(const char *name, const char *id) {
    struct question question = {0};
    text_copy(question.spelling.name, sizeof question.spelling.name, name);
    text_copy(question.spelling.id, sizeof question.spelling.id, id);
    assert_true(symbol_key_make(&question.spelling, &question.key, NULL));
    return question;
}

static void questions_are_the_same_by_their_spelling(void **state) {
    (void)state;
    struct question a = ask("a.pdb", "X");
    struct question same = ask("a.pdb", "X");
    struct question other = ask("A.pdb", "X");
    same.client.ip.s6_addr[15] = 1;
    assert_true(question_same(&a, &same));
    assert_false(question_same(&a, &other));
    assert_true(symbol_key_equal(&a.key, &other.key));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_have_names),
        cmocka_unit_test(verdicts_have_names_and_sentences),
        cmocka_unit_test(questions_are_the_same_by_their_spelling),
    };
    return RUN_TESTS(tests);
}
