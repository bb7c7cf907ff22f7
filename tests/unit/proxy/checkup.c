// SPDX-License-Identifier: MIT
#include "proxy/checkup.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "unit/base/check.h"
#include "unit/proxy/double.h"

enum { SHORT_MS = 50, LONG_MS = 20 * 1000 };

static struct roster *roster_of(struct double_source *source) {
    struct source *sources[] = {&source->source};
    return roster_new(policy_new(NULL, 0, NULL, 0), sources, 1, (const bool[]){false});
}

static void a_plain_no_is_good(void **state) {
    (void)state;
    struct double_source *source = double_new("one", 1, NULL);
    struct roster *roster = roster_of(source);
    struct checkup checkup;
    checkup_within(roster, 0, NULL, LONG_MS, &checkup);
    assert_int_equal(checkup.word, CHECKUP_GOOD);
    assert_int_equal(double_asked(source), 1);
    roster_unref(roster);
}

static void silence_ends_with_the_time(void **state) {
    (void)state;
    struct double_source *source = double_new("one", 1, NULL);
    double_play(source, (struct scene){.play = PLAY_ABSENT, .holds_head = true});
    struct roster *roster = roster_of(source);
    struct checkup checkup;
    checkup_within(roster, 0, NULL, SHORT_MS, &checkup);
    assert_int_equal(checkup.word, CHECKUP_FAILED);
    assert_int_equal(checkup.why.kind, ERROR_CANCELLED);
    assert_true(checkup.cut_ms > 0);
    roster_unref(roster);
}

/* The visit's own reference keeps the roster until it comes back. */
static void what_hangs_is_left_alone(void **state) {
    (void)state;
    struct double_source *source = double_new("one", 1, NULL);
    double_play(source, (struct scene){.play = PLAY_ABSENT, .holds_head = true, .stubborn = true});
    struct roster *roster = roster_of(source);
    struct checkup checkup;
    checkup_within(roster, 0, NULL, SHORT_MS, &checkup);
    assert_int_equal(checkup.word, CHECKUP_FAILED);
    assert_int_equal(checkup.why.kind, ERROR_UNMOUNTED);
    assert_int_equal(atomic_load(&roster->refs), 2);
    double_open(source, 1);
    for (unsigned naps = 0; atomic_load(&roster->refs) > 1 && naps < 20000; naps++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(atomic_load(&roster->refs), 1);
    roster_unref(roster);
}

/* Is the question that was cut off the one that hangs, or one of many that took their time? */
static void a_cut_is_weighed_by_its_length(void **state) {
    (void)state;
    static const struct {
        unsigned answers;
        int64_t took_ms, cut_ms;
        const char *name;
        enum checkup_weight weight;
    } cases[] = {
        {3, 7, 14900, "timeout", CHECKUP_PROBLEM}, {2, 6000, 3000, "slow", CHECKUP_WARNING},
        {1, 6000, 9000, "slow", CHECKUP_WARNING},  {15, 990, 700, "slow", CHECKUP_WARNING},
        {0, 0, 15000, "timeout", CHECKUP_PROBLEM},
    };
    struct double_source *source = double_new("one", 1, NULL);
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const struct checkup checkup = {.word = CHECKUP_FAILED,
                                        .answers = cases[i].answers,
                                        .took_ms = cases[i].took_ms,
                                        .cut_ms = cases[i].cut_ms,
                                        .why.kind = ERROR_CANCELLED};
        struct checkup_told told;
        checkup_tell(&source->source, &checkup, &told);
        assert_string_equal(told.name, cases[i].name);
        assert_int_equal(told.weight, cases[i].weight);
    }
    source_free(&source->source);
}

static void of_microsoft(struct source_options *options) {
    options->remote = "https://msdl.microsoft.com/download/symbols";
}

static void a_vendor_has_a_known_file(void **state) {
    (void)state;
    struct double_source *microsoft = double_new("ms", 1, of_microsoft);
    struct double_source *other = double_new("other", 1, NULL);
    struct question known;
    assert_true(checkup_find_known(NULL, &microsoft->source, &known));
    assert_string_equal(known.spelling.name, CHECKUP_MICROSOFT_NAME);
    assert_string_equal(known.key.id, CHECKUP_MICROSOFT_ID);
    assert_false(checkup_find_known(NULL, &other->source, &known));
    source_free(&microsoft->source);
    source_free(&other->source);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_no_is_good),
        cmocka_unit_test(silence_ends_with_the_time),
        cmocka_unit_test(what_hangs_is_left_alone),
        cmocka_unit_test(a_cut_is_weighed_by_its_length),
        cmocka_unit_test(a_vendor_has_a_known_file),
    };
    return RUN_TESTS(tests);
}
