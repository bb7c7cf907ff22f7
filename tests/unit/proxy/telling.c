// SPDX-License-Identifier: MIT
#include "proxy/telling.h"

#include <string.h>

#include "base/text.h"
#include "unit/base/check.h"

static const struct facts facts = {
    .server = "acme",
    .rule = "nv.*",
    .what = "what happened",
    .key = "app.pdb/1",
    .time = "3h",
    .place = "/cache",
    .status = 418,
};

/* A sentence for people: it begins with a capital (or the program's own name), ends with a full
   stop, and nothing in braces is left. */
static void assert_sentence(const char *text) {
    size_t length = strlen(text);
    assert_true(length > 20);
    assert_true((text[0] >= 'A' && text[0] <= 'Z') || strncmp(text, "symgate", 7) == 0 ||
                strncmp(text, "index2.txt", 10) == 0);
    assert_int_equal(text[length - 1], '.');
    assert_null(strpbrk(text, "{}"));
}

static void every_word_has_a_sentence(void **state) {
    (void)state;
    struct telling telling, others[TOLD_COUNT];
    for (unsigned i = 0; i < TOLD_COUNT; i++) {
        tell((enum told)i, &facts, &telling);
        assert_sentence(telling.sentence);
        assert_null(strpbrk(telling.cure, "{}"));
        others[i] = telling;
    }
    /* Each says something of its own, but where a server's word and the whole's are the same. */
    assert_string_not_equal(others[TOLD_HIT].sentence, others[TOLD_JOINED].sentence);
    assert_string_not_equal(others[TOLD_ABSENT].sentence, others[TOLD_REMEMBERED].sentence);
}

static void every_cause_has_a_sentence_and_a_cure(void **state) {
    (void)state;
    struct telling telling;
    for (unsigned i = 0; i < ERROR_KIND_COUNT; i++) {
        tell_failure((enum error_kind)i, &facts, &telling);
        assert_sentence(telling.sentence);
        assert_true(strlen(telling.cure) >= 10);
        assert_null(strpbrk(telling.cure, "{}"));
    }
}

static void statuses_are_told_apart(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *sentence, *cure;
    } rows[] = {
        {203, "status 203", "credentials"},  {401, "does not let symgate in", "token"},
        {403, "forbids", "absentStatus"},    {407, "proxy on the way", "proxyUser"},
        {503, "in trouble itself", "later"}, {418, "status 418", "Look at that server"},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct facts with = facts;
        struct telling telling;
        with.status = rows[i].status;
        tell_failure(ERROR_STATUS, &with, &telling);
        assert_non_null(strstr(telling.sentence, rows[i].sentence));
        assert_non_null(strstr(telling.cure, rows[i].cure));
    }
}

static void facts_are_filled_in(void **state) {
    (void)state;
    struct telling telling;
    tell(TOLD_BLACKLIST, &facts, &telling);
    assert_string_equal(telling.sentence,
                        "The name is excluded by \"nv.*\" of the blacklist of server \"acme\".");
    tell(TOLD_NOW_RESTING, &facts, &telling);
    assert_string_equal(telling.sentence, "Server \"acme\" may have the file, but rests what "
                                          "happened and is asked again in 3h.");
    tell(TOLD_NOW_RESTING, &(struct facts){0}, &telling);
    assert_string_equal(telling.sentence, "A server may have the file, but rests it is not known "
                                          "why and is asked again in a moment.");
}

static void a_host_behind_the_server_rests_and_not_the_server(void **state) {
    (void)state;
    struct telling telling;
    struct facts with = facts;
    with.what =
        "source \"acme\" redirects to \"cdn:443\", which rests after errors for another 5 s";
    tell_failure(ERROR_RESTING, &with, &telling);
    assert_string_equal(
        telling.sentence,
        "Server \"acme\" leads to a host that rests and was not asked: \"cdn:443\", "
        "which rests after errors for another 5 s.");
    with.what = "after errors";
    tell_failure(ERROR_RESTING, &with, &telling);
    assert_string_equal(telling.sentence, "Server \"acme\" may have the file, but rested after "
                                          "errors and was not asked.");
}

static void what_is_long_is_cut(void **state) {
    (void)state;
    char what[2000];
    struct telling telling;
    memset(what, 'w', sizeof what - 1);
    what[sizeof what - 1] = '\0';
    tell_failure(ERROR_TLS, &(struct facts){.server = "a", .what = what}, &telling);
    assert_int_equal(strlen(telling.sentence), sizeof telling.sentence - 1);
}

static void every_filter_word_is_told(void **state) {
    (void)state;
    for (unsigned i = POLICY_ADMITTED + 1; i < POLICY_WORDS; i++)
        for (unsigned other = POLICY_ADMITTED + 1; other < i; other++)
            assert_int_not_equal(told_of_policy((enum policy_word)i),
                                 told_of_policy((enum policy_word)other));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_has_a_sentence),
        cmocka_unit_test(every_cause_has_a_sentence_and_a_cure),
        cmocka_unit_test(statuses_are_told_apart),
        cmocka_unit_test(facts_are_filled_in),
        cmocka_unit_test(a_host_behind_the_server_rests_and_not_the_server),
        cmocka_unit_test(what_is_long_is_cut),
        cmocka_unit_test(every_filter_word_is_told),
    };
    return RUN_TESTS(tests);
}
