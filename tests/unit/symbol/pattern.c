// SPDX-License-Identifier: MIT
//
// What is seen from outside; that patterns mean what Python means is pattern_python_test.py's to
// show.
#include "symbol/pattern.h"

#include <pthread.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbol/python.h"
#include "unit/base/check.h"

static void free_pattern(struct pattern **pattern) {
    pattern_free(*pattern);
}

static enum pattern_match try_once(const char *text, const char *name) {
    struct error err;
    size_t offset;
    CLEANUP(free_pattern) struct pattern *pattern = pattern_new(text, &offset, &err);
    assert_non_null(pattern);
    assert_string_equal(pattern_text(pattern), text);
    return pattern_try(pattern, name);
}

static void patterns_are_tied_to_the_start_only(void **state) {
    (void)state;
    assert_int_equal(try_once("mso", "mso.pdb"), PATTERN_YES);
    assert_int_equal(try_once("mso", "xmso.pdb"), PATTERN_NO);
    assert_int_equal(try_once("mso", "MSO.pdb"), PATTERN_NO);
    assert_int_equal(try_once("(?i)mso", "MSO.pdb"), PATTERN_YES);
    assert_int_equal(try_once("x|mso", "mso.pdb"), PATTERN_YES);
    assert_int_equal(try_once("x|mso", "amso.pdb"), PATTERN_NO);
    assert_int_equal(try_once("", "anything"), PATTERN_YES);
    assert_int_equal(try_once("(?=b.)(?>b?b)", "baa"), PATTERN_YES);
}

static void bytes_that_are_not_utf8_are_latin1(void **state) {
    (void)state;
    assert_int_equal(try_once("caf\xc3\xa9$", "caf\xc3\xa9"), PATTERN_YES);
    assert_int_equal(try_once("caf\xc3\xa9$", "caf\xe9"), PATTERN_YES);
    assert_int_equal(try_once("\\w+$", "caf\xe9"), PATTERN_YES);
    assert_int_equal(try_once("..$", "\xc3\xa9"), PATTERN_NO);
}

static void no_pattern_runs_for_ever(void **state) {
    (void)state;
    static const char *const slow[] = {"(a*)*b", "(?:a|aa)+b", "(a|a)*?b", "(?:(?:a?){60}){60}b",
                                       "(?=(a+)+b)c"};
    char name[256];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < LENGTH_OF(slow); i++)
        assert_int_equal(try_once(slow[i], name), PATTERN_LIMIT);
    assert_int_equal(try_once("(a*)*", name), PATTERN_YES);
}

static void names_longer_than_any_are_given_up(void **state) {
    (void)state;
    char name[2000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(try_once("a", name), PATTERN_LIMIT);
    name[1024] = '\0';
    assert_int_equal(try_once("a", name), PATTERN_YES);
    memset(name, 0xe9, 1024);
    assert_int_equal(try_once("\xc3\xa9{1024}$", name), PATTERN_YES);
}

static void mistakes_are_told_with_their_place(void **state) {
    (void)state;
    static const struct mistake {
        const char *text;
        size_t offset;
        const char *what;
    } mistakes[] = {
        {"abc(def", 3, "unterminated subpattern"},
        {"abc)def", 3, "unbalanced parenthesis"},
        {"ab[cd", 2, "unterminated character set"},
        {"ab**", 3, "multiple repeat"},
        {"|*", 1, "nothing to repeat"},
        {"a{3,2}", 1, "min repeat greater than max repeat"},
        {"a\\z", 1, "bad escape"},
        {"a\\", 1, "end of pattern"},
        {"\xc3\xa9\\q", 2, "bad escape"},
        {"[b-a]", 1, "bad character range"},
        {"a(?i)", 1, "global flags"},
        {"(?<n>a)", 0, "(?P<name>"},
        {"(?P=n)", 4, "unknown group name"},
        {"(a)\\2", 3, "invalid group reference"},
        {"a(?<=b*)c", 1, "fixed-width"},
        {"a\\N{DASH}", 1, "not supported"},
        {"(?i)(a)\\1", 7, "not supported"},
        {"(?:(a)|b)*\\1", 10, "not supported"},
        {"(?=a)*", 5, "not supported"},
        {"(?R)", 0, "unknown extension"},
        {"a{65536}", 1, "not supported"},
        {"\xff", 0, "UTF-8"},
    };
    for (size_t i = 0; i < LENGTH_OF(mistakes); i++) {
        struct error err = {0};
        size_t offset = SIZE_MAX;
        assert_null(pattern_new(mistakes[i].text, &offset, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_int_equal(offset, mistakes[i].offset);
        assert_non_null(strstr(err.what, mistakes[i].what));
    }
}

static void refuse_text(const char *text) {
    struct error err = {0};
    size_t offset;
    assert_null(pattern_new(text, &offset, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_true(offset <= strlen(text));
}

static void sizes_have_ceilings(void **state) {
    (void)state;
    static char text[PYTHON_BYTES_MAX + 2];
    memset(text, 'a', PYTHON_BYTES_MAX);
    assert_int_equal(try_once(text, "a"), PATTERN_NO);
    text[PYTHON_BYTES_MAX] = 'a';
    refuse_text(text);
    memset(text, '(', sizeof text - 1);
    refuse_text(text);
    memset(text, '[', sizeof text - 1);
    refuse_text(text);
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "()", 2);
    refuse_text(text);
    refuse_text("((((a{1000}){1000}){1000}){1000}){1000}");
}

static void what_was_translated_is_seen(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer out;
    struct error err;
    size_t offset;
    buffer_init(&out, PYTHON_OUT_BYTES_MAX);
    assert_true(python_translate("(?P<n>a)(?P=n)\\Z", &out, &offset, &err));
    assert_string_equal(out.bytes, "(a)\\g{1}\\z");
    buffer_clear(&out);
    assert_true(python_translate("a{,2}[[:x]$", &out, &offset, &err));
    assert_string_equal(out.bytes, "a{0,2}[\\x{5b}\\x{3a}x]\\Z");
    buffer_release(&out);
    buffer_init(&out, 2);
    assert_false(python_translate("abc", &out, &offset, &err));
    assert_non_null(strstr(err.what, "too large"));
}

static void *try_often(void *context) {
    const struct pattern *pattern = context;
    size_t right = 0;
    for (int i = 0; i < 1000; i++) {
        right += pattern_try(pattern, "company.core.pdb") == PATTERN_YES;
        right += pattern_try(pattern, "company.core.exe") == PATTERN_NO;
    }
    return right == 2000 ? context : NULL;
}

static void threads_share_a_pattern(void **state) {
    (void)state;
    struct error err;
    size_t offset;
    CLEANUP(free_pattern)
    struct pattern *pattern = pattern_new("company\\.(?:\\w+\\.)*pdb$", &offset, &err);
    pthread_t threads[8];
    for (size_t i = 0; i < LENGTH_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, try_often, pattern), 0);
    for (size_t i = 0; i < LENGTH_OF(threads); i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
}

static void freeing_nothing_is_allowed(void **state) {
    (void)state;
    pattern_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_tied_to_the_start_only),
        cmocka_unit_test(bytes_that_are_not_utf8_are_latin1),
        cmocka_unit_test(no_pattern_runs_for_ever),
        cmocka_unit_test(names_longer_than_any_are_given_up),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(sizes_have_ceilings),
        cmocka_unit_test(what_was_translated_is_seen),
        cmocka_unit_test(threads_share_a_pattern),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return RUN_TESTS(tests);
}
