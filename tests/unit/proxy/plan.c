// SPDX-License-Identifier: MIT
#include "proxy/plan.h"

#include "base/clock.h"
#include "source/source_index.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/proxy/scene.h"

static enum plan_end make(struct stage *stage, uint64_t allowed, struct plan *plan) {
    struct question question = stage_question("app.pdb", 1);
    return plan_make(stage->roster, allowed, stage->absences, &question, plan);
}

static void say_no(struct stage *stage, const struct double_source *source) {
    struct question question = stage_question("app.pdb", 1);
    struct absence_mark mark = absence_mark(stage->absences, &question);
    absence_add(stage->absences, &mark, source->source.fingerprint, FORM_PLAIN, 60);
}

static void open_four(struct stage *stage, struct double_source *sources[4]) {
    static const struct {
        const char *identifier;
        int priority;
    } rows[] = {{"a", 3}, {"b", 1}, {"c", 3}, {"d", 2}};
    for (unsigned i = 0; i < 4; i++)
        sources[i] = double_new(rows[i].identifier, rows[i].priority, NULL);
    stage_roster(stage, sources, 4);
}

static void test_order(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[4];
    open_four(stage, sources);
    struct plan plan;
    assert_int_equal(make(stage, 15, &plan), PLAN_ASK);
    static const unsigned expected[] = {1, 3, 0, 2};
    assert_int_equal(plan.count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(plan.steps[i].source, expected[i]);
    assert_int_equal(make(stage, 1 | 4, &plan), PLAN_ASK);
    assert_int_equal(plan.count, 2);
    assert_int_equal(make(stage, 0, &plan), PLAN_EXCLUDED);
}

static void test_absences_count_until_the_retry_time(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[4];
    open_four(stage, sources);
    struct plan plan;
    say_no(stage, sources[1]);
    assert_int_equal(make(stage, 1 | 2, &plan), PLAN_ASK);
    assert_int_equal(plan.remembered, 2);
    assert_int_equal(plan.steps[0].source, 0);
    assert_int_equal(make(stage, 2, &plan), PLAN_ABSENT);
    clock_fake_advance(59 * 1000);
    assert_int_equal(make(stage, 2, &plan), PLAN_ABSENT);
    clock_fake_advance(1000);
    assert_int_equal(make(stage, 2, &plan), PLAN_ASK);
    /* A clock that was set back makes no "no" count for longer. */
    say_no(stage, sources[1]);
    clock_fake_set_wall(CLOCK_FAKE_START_WALL_S - 1000);
    assert_int_equal(make(stage, 2, &plan), PLAN_ASK);
}

static void test_resting_sources_are_not_asked(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[4];
    open_four(stage, sources);
    struct plan plan;
    rest_note(queue_rest(sources[0]->source.queue), ERROR_THROTTLED, 429, 1, 3600);
    assert_int_equal(make(stage, 1 | 2, &plan), PLAN_ASK);
    assert_int_equal(plan.unasked, 1);
    assert_int_equal(plan.count, 1);
    assert_int_equal(make(stage, 1, &plan), PLAN_UNASKED);
    say_no(stage, sources[1]);
    assert_int_equal(make(stage, 1 | 2, &plan), PLAN_UNASKED);
    /* A remembered "no" counts for a resting source too. */
    say_no(stage, sources[0]);
    assert_int_equal(make(stage, 1, &plan), PLAN_ABSENT);
}

static void ends_searches(struct source_options *options) {
    options->unindexed_ends = true;
}

static void say_no_for_all(struct stage *stage, const struct double_source *source) {
    struct question question = stage_question("app.pdb", 1);
    struct absence_mark mark = absence_mark(stage->absences, &question);
    absence_add(stage->absences, &mark, source->source.fingerprint,
                source_forms_ended(&source->source), 60);
}

static void test_a_no_for_all_leaves_out_what_comes_after(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[] = {double_new("a", 1, NULL), double_new("b", 2, ends_searches),
                                       double_new("c", 2, NULL), double_new("d", 3, NULL)};
    stage_roster(stage, sources, 4);
    rest_note(queue_rest(sources[3]->source.queue), ERROR_THROTTLED, 429, 1, 3600);
    struct plan plan;
    /* An ordinary one of the same source does not. */
    say_no(stage, sources[1]);
    assert_int_equal(make(stage, 15, &plan), PLAN_ASK);
    assert_int_equal(plan.count, 2);
    assert_false(plan.ended);
    say_no_for_all(stage, sources[1]);
    assert_int_equal(make(stage, 15, &plan), PLAN_ASK);
    assert_true(plan.ended);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].source, 0);
    assert_int_equal(plan.remembered, 2);
    assert_int_equal(plan.unasked, 0);
    assert_int_equal(make(stage, 2 | 4 | 8, &plan), PLAN_ABSENT);
    /* Whoever may not ask that source is not bound by it, and it has its time. */
    assert_int_equal(make(stage, 1 | 4, &plan), PLAN_ASK);
    assert_false(plan.ended);
    clock_fake_advance(60 * 1000);
    assert_int_equal(make(stage, 2 | 4, &plan), PLAN_ASK);
    assert_false(plan.ended);
    assert_int_equal(plan.count, 2);
    /* A server for which it does not count any more is asked anew. */
    say_no_for_all(stage, sources[0]);
    assert_int_equal(make(stage, 1, &plan), PLAN_ASK);
}

static void publishes_an_index(struct source_options *options) {
    options->published_index = true;
    options->index_refresh_ms = 3600 * 1000;
}

/* An index that was read this moment and lists this hash alone. */
static void list_one(struct double_source *source, uint64_t hash) {
    struct source_index *index = source->source.index;
    static const struct hash_set nothing;
    hash_set_release(&index->set);
    assert_true(hash_set_join(&nothing, &hash, 1, &index->set));
    index->looked_ms = clock_ms();
}

static void test_sources_whose_index_lacks_it_are_left_out(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[] = {double_new("a", 1, publishes_an_index),
                                       double_new("b", 2, NULL)};
    stage_roster(stage, sources, 2);
    struct question question = stage_question("app.pdb", 1);
    struct plan plan;
    assert_int_equal(make(stage, 1, &plan), PLAN_ASK);
    list_one(sources[0], question.key.hash + 1);
    assert_int_equal(make(stage, 1, &plan), PLAN_ABSENT);
    assert_int_equal(plan.unlisted, 1);
    assert_int_equal(make(stage, 1 | 2, &plan), PLAN_ASK);
    assert_int_equal(plan.unlisted, 1);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.steps[0].source, 1);
    /* Only a plan that is carried out spares anything. */
    assert_int_equal(counted(&sources[0]->source.index->spared), 0);
    plan_note_spared(stage->roster, &plan);
    assert_int_equal(counted(&sources[0]->source.index->spared), 1);
    /* It is no absence: nothing is remembered when it lists the file. */
    list_one(sources[0], question.key.hash);
    assert_int_equal(make(stage, 1 | 2, &plan), PLAN_ASK);
    assert_int_equal(plan.unlisted, 0);
    assert_int_equal(plan.count, 2);
    /* It speaks for a source that rests, too. */
    rest_note(queue_rest(sources[0]->source.queue), ERROR_THROTTLED, 429, 1, 7200);
    assert_int_equal(make(stage, 1, &plan), PLAN_UNASKED);
    list_one(sources[0], question.key.hash + 1);
    assert_int_equal(make(stage, 1, &plan), PLAN_ABSENT);
    clock_fake_advance(3600 * 1000);
    assert_int_equal(make(stage, 1, &plan), PLAN_UNASKED);
}

static void test_roster_hands_on_what_stays(void **state) {
    struct stage *stage = *state;
    struct double_source *old[] = {double_new("a", 1, NULL), double_new("b", 2, NULL)};
    stage_roster(stage, old, 2);
    struct roster *older = stage->roster;
    struct source_queue *kept = old[1]->source.queue;
    struct double_source *fresh[] = {double_new("b", 1, NULL), double_new("c", 2, NULL)};
    stage_roster(stage, fresh, 2);
    roster_take_over(stage->roster, older);
    roster_close_gone(older, stage->roster);
    assert_ptr_equal(fresh[0]->source.queue, kept);
    assert_ptr_not_equal(fresh[1]->source.queue, old[0]->source.queue);
    struct queue_job job = {0};
    enum error_kind why = ERROR_NONE;
    assert_false(queue_submit(old[0]->source.queue, &job, &why));
    assert_int_equal(why, ERROR_CANCELLED);
    roster_unref(older);
}

static void test_shelves(void **state) {
    (void)state;
    struct source *sources[3];
    for (unsigned i = 0; i < 3; i++)
        sources[i] = &double_new("x", 1, NULL)->source;
    struct roster *roster =
        roster_new(policy_new(NULL, 0, NULL, 0), sources, 3, (const bool[]){true, false, true});
    assert_int_equal(roster_shelves(roster, 0), 1);
    assert_int_equal(roster_shelves(roster, 7), 1 | 2 | 8);
    assert_int_equal(roster_shelves(roster, 2 | 4), 1 | 8);
    assert_int_equal(roster->shelf[0], 1);
    assert_int_equal(roster->shelf[1], 0);
    assert_int_equal(roster->shelf[2], 3);
    roster_unref(roster);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(test_order),
        STAGED(test_absences_count_until_the_retry_time),
        STAGED(test_resting_sources_are_not_asked),
        STAGED(test_a_no_for_all_leaves_out_what_comes_after),
        STAGED(test_sources_whose_index_lacks_it_are_left_out),
        STAGED(test_roster_hands_on_what_stays),
        cmocka_unit_test(test_shelves),
    };
    return RUN_TESTS(tests);
}
