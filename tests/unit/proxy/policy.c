// SPDX-License-Identifier: MIT
#include "proxy/policy.h"

#include "base/text.h"

#include "unit/base/check.h"

enum { ALL_KINDS = (1U << KIND_COUNT) - 1 };

static struct pattern *pattern(const char *text) {
    size_t offset;
    struct pattern *made = pattern_new(text, &offset, NULL);
    assert_non_null(made);
    return made;
}

static struct policy_verdict judge(const struct policy *policy, const char *name,
                                   enum symbol_kind kind) {
    struct question question = {.key.kind = kind};
    assert_true(text_copy(question.spelling.name, sizeof question.spelling.name, name));
    struct policy_verdict verdict;
    policy_judge(policy, &question, &verdict);
    return verdict;
}

static void test_lists(void **state) {
    (void)state;
    struct pattern *global[] = {pattern("secret")};
    struct pattern *white[] = {pattern("nt"), pattern("kernel")};
    struct pattern *black[] = {pattern("ntdll")};
    const struct policy_source sources[] = {
        {.enabled = true, .kinds = ALL_KINDS},
        {.enabled = true, .kinds = ALL_KINDS, .has_whitelist = true},
        {.enabled = true,
         .kinds = ALL_KINDS,
         .has_whitelist = true,
         .whitelist = white,
         .whitelist_count = 2,
         .blacklist = black,
         .blacklist_count = 1},
        {.enabled = false, .kinds = ALL_KINDS},
        {.enabled = true, .kinds = 1U << KIND_PE},
    };
    struct policy *policy = policy_new(global, 1, sources, LENGTH_OF(sources));
    assert_int_equal(judge(policy, "app.pdb", KIND_PDB).allowed, 1);
    assert_int_equal(judge(policy, "ntoskrnl.pdb", KIND_PDB).allowed, 1 | 4);
    assert_int_equal(judge(policy, "kernel32.dll", KIND_PE).allowed, 1 | 4 | 16);
    assert_int_equal(judge(policy, "ntdll.pdb", KIND_PDB).allowed, 1);
    assert_int_equal(judge(policy, "NTOSKRNL.pdb", KIND_PDB).allowed, 1); /* case counts */
    struct policy_verdict verdict = judge(policy, "secret.pdb", KIND_PDB);
    assert_true(verdict.globally);
    assert_int_equal(verdict.allowed, 0);
    assert_string_equal(verdict.rule, "secret");
    assert_false(judge(policy, "my-secret.pdb", KIND_PDB).globally); /* tied to the start */
    assert_true(policy_lets(policy, 0, "app.pdb"));
    assert_false(policy_lets(policy, 0, "secret.pdb"));
    assert_false(policy_lets(policy, 1, "app.pdb")); /* an empty whitelist */
    assert_true(policy_lets(policy, 2, "ntoskrnl.pdb"));
    assert_false(policy_lets(policy, 2, "ntdll.pdb"));
    assert_false(policy_lets(policy, 2, "app.pdb"));
    assert_false(policy_lets(policy, 3, "app.pdb")); /* switched off */
    assert_true(policy_lets(policy, 4, "app.pdb"));  /* whatever its kinds are */
    policy_free(policy);
}

/* A cache is asked for what the servers may be asked for that it belongs to. */
static void test_one_follows_others(void **state) {
    (void)state;
    struct pattern *white[] = {pattern("nt")};
    struct pattern *black[] = {pattern("app")};
    const struct policy_source sources[] = {
        {.follows = 2 | 4},
        {.enabled = true,
         .kinds = ALL_KINDS,
         .has_whitelist = true,
         .whitelist = white,
         .whitelist_count = 1},
        {.enabled = true, .kinds = 1U << KIND_PE},
        {.enabled = true, .kinds = ALL_KINDS, .blacklist = black, .blacklist_count = 1},
        {.enabled = true, .kinds = ALL_KINDS, .follows = 1}, /* of one that only follows: never */
    };
    struct policy *policy = policy_new(NULL, 0, sources, LENGTH_OF(sources));
    assert_int_equal(judge(policy, "nt.pdb", KIND_PDB).allowed, 1 | 2 | 8);
    assert_int_equal(judge(policy, "app.dll", KIND_PE).allowed, 1 | 4);
    assert_int_equal(judge(policy, "other.pdb", KIND_PDB).allowed, 8);
    struct policy_verdict verdict = judge(policy, "app.pdb", KIND_PDB);
    assert_int_equal(verdict.allowed, 0);
    assert_string_equal(verdict.rule, "app");
    policy_free(policy);
}

static void test_rule_is_named_when_nothing_is_allowed(void **state) {
    (void)state;
    struct pattern *black[] = {pattern("app"), pattern(".*pdb")};
    const struct policy_source source = {
        .enabled = true, .kinds = ALL_KINDS, .blacklist = black, .blacklist_count = 2};
    struct policy *policy = policy_new(NULL, 0, &source, 1);
    assert_string_equal(judge(policy, "x.pdb", KIND_PDB).rule, ".*pdb");
    assert_string_equal(judge(policy, "app.pdb", KIND_PDB).rule, "app");
    assert_null(judge(policy, "x.dll", KIND_PE).rule);
    policy_free(policy);
}

static void test_pattern_that_gives_up_excludes(void **state) {
    (void)state;
    struct pattern *white[] = {pattern("(a+)+$"), pattern("a")};
    const struct policy_source source = {.enabled = true,
                                         .kinds = ALL_KINDS,
                                         .has_whitelist = true,
                                         .whitelist = white,
                                         .whitelist_count = 2};
    struct policy *policy = policy_new(NULL, 0, &source, 1);
    struct policy_verdict verdict =
        judge(policy, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", KIND_OTHER);
    assert_non_null(verdict.gave_up);
    assert_ptr_equal(verdict.gave_up, verdict.rule);
    assert_int_equal(verdict.allowed, 0);
    assert_string_equal(verdict.rule, "(a+)+$");
    policy_free(policy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_one_follows_others),
        cmocka_unit_test(test_rule_is_named_when_nothing_is_allowed),
        cmocka_unit_test(test_pattern_that_gives_up_excludes),
    };
    return RUN_TESTS(tests);
}
