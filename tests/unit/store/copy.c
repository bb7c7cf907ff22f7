// SPDX-License-Identifier: MIT
//
// Phases, the pen, interest, notes, small bodies. Readers have a file of their own.
#include "store/copy.h"

#include <stdio.h>

#include "base/text.h"
#include "unit/store/bench.h"

/* --- phases and what they show -------------------------------------------------------------- */

static void shows_what_its_phase_knows(void **state) {
    struct bench *bench = *state;
    struct copy_state now;
    struct copy *copy = bench_searching(bench);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_SEARCHING);
    assert_true(now.size == SIZE_UNKNOWN && now.written == 0 && !now.certain);
    assert_int_equal(now.modified_ns, 0);
    bench_begin(bench, copy, SIZE_UNKNOWN);
    bench_append(copy, 1000);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_ARRIVING);
    assert_true(now.size == SIZE_UNKNOWN && now.written == 1000 && !now.certain);
    assert_int_equal(now.modified_ns / 1000000000, 1500000000);
    int64_t modified_ns = now.modified_ns;
    copy_whole(copy, true);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_WHOLE);
    assert_true(now.size == 1000 && now.written == 1000 && now.certain);
    cache_complete(bench->cache, copy, true);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_COMPLETE);
    assert_true(now.size == 1000 && now.written == 1000 && now.certain && !now.in_place);
    assert_int_equal(now.modified_ns, modified_ns);
    assert_true(symbol_key_equal(copy_key(copy), &bench->question.key));
    bench_check(copy, 1000);
    copy_unref(copy);
}

/* Two copies of files of the same second must not have the same ETag. */
static void has_a_time_of_its_own(void **state) {
    struct bench *bench = *state;
    int64_t times[8];
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        struct copy *copy = bench_arriving(bench, &bench->question, 10);
        struct copy_state now;
        copy_look(copy, &now);
        times[i] = now.modified_ns;
        assert_int_equal(times[i] / 1000000000, 1500000000);
        for (size_t before = 0; before < i; before++)
            assert_int_not_equal(times[i], times[before]);
        bench_give_up(bench, copy);
    }
}

static void gives_the_pen_once(void **state) {
    struct bench *bench = *state;
    struct content content = bench_content(10);
    struct error err;
    struct staging *staging;
    char source[64];
    struct copy *copy = bench_arriving(bench, &bench->question, 10);
    assert_true(cache_stage(bench->cache, &bench->question.key, 0, 10, &staging, &err));
    assert_int_equal(copy_begin(copy, &content, "second", staging), COPY_LOST);
    copy_source(copy, source, sizeof source);
    assert_string_equal(source, "source");
    copy_ref(copy);
    bench_give_up(bench, copy);
    assert_int_equal(copy_begin(copy, &content, "third", staging), COPY_LOST);
    copy_unref(copy);
    staging_free(staging);
}

static void refuses_a_longer_body_before_it_is_written(void **state) {
    struct bench *bench = *state;
    struct error err;
    struct copy_state now;
    struct copy *copy = bench_arriving(bench, &bench->question, 1000);
    bench_append(copy, 900);
    char more[101] = {0};
    assert_false(copy_append(copy, more, sizeof more, &err));
    assert_int_equal(err.kind, ERROR_LENGTH);
    copy_look(copy, &now);
    assert_int_equal(now.written, 900);
    bench_append(copy, 100);
    assert_true(copy_append(copy, more, 0, &err));
    assert_false(copy_append(copy, more, 1, &err));
    bench_check(copy, 1000);
    bench_give_up(bench, copy);
}

/* --- interest ------------------------------------------------------------------------------- */

struct owner {
    struct copy_owner owner;
    unsigned references;
    unsigned told;
};

static void owner_ref(struct copy_owner *owner) {
    ((struct owner *)owner)->references++;
}

static void owner_unref(struct copy_owner *owner) {
    ((struct owner *)owner)->references--;
}

static void owner_interest(struct copy_owner *owner) {
    ((struct owner *)owner)->told++;
}

static const struct copy_owner_ops owner_ops = {owner_ref, owner_unref, owner_interest};

static void tells_its_owner_when_interest_ends_or_begins(void **state) {
    struct bench *bench = *state;
    struct owner owner = {.owner = {&owner_ops}};
    struct copy *copy = bench_searching(bench);
    copy_own(copy, &owner.owner);
    assert_int_equal(owner.references, 1);
    copy_join(copy);
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_int_equal(owner.told, 0);
    assert_true(copy_waited_for(copy) && copy_wanted(copy));
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_int_equal(owner.told, 1);
    assert_false(copy_waited_for(copy) || copy_wanted(copy));
    copy_join(copy);
    assert_int_equal(owner.told, 2);
    copy_leave(copy, COPY_LEFT_LATER);
    assert_int_equal(owner.told, 3);
    assert_false(copy_waited_for(copy));
    assert_true(copy_wanted(copy)); /* a promise was given */
    struct copy_owner *same = copy_owner(copy);
    assert_ptr_equal(same, &owner.owner);
    owner_unref(same);
    copy_own(copy, NULL);
    assert_int_equal(owner.references, 0);
    assert_null(copy_owner(copy));
    copy_join(copy);
    assert_int_equal(owner.told, 3);
    bench_give_up(bench, copy);
}

static void lets_its_owner_go_at_its_end(void **state) {
    struct bench *bench = *state;
    struct owner owner = {.owner = {&owner_ops}};
    struct copy *copy = bench_searching(bench);
    copy_own(copy, &owner.owner);
    bench_give_up(bench, copy);
    assert_int_equal(owner.references, 0);
}

static void counts_no_askers_once_complete(void **state) {
    struct bench *bench = *state;
    struct owner owner = {.owner = {&owner_ops}};
    struct copy *copy = bench_keep(bench, &bench->question, 10);
    copy_own(copy, &owner.owner);
    copy_join(copy);
    copy_leave(copy, COPY_LEFT_SERVED);
    copy_leave(copy, COPY_LEFT_SERVED);
    assert_int_equal(owner.told, 0);
    copy_own(copy, NULL);
    copy_unref(copy);
}

/* --- notes ---------------------------------------------------------------------------------- */

static struct attempt_note note_of(unsigned source, enum attempt_result result, int status) {
    struct attempt_note note = {.result = result, .status = status};
    text_format(note.source, sizeof note.source, "%u", source);
    return note;
}

static void notes_are_noted_again(void **state) {
    struct bench *bench = *state;
    struct attempt_note notes[COPY_NOTES_MAX + 2];
    struct copy *copy = bench_searching(bench);
    assert_int_equal(copy_notes(copy, notes, LENGTH_OF(notes)), 0);
    for (unsigned i = 0; i < COPY_NOTES_MAX + 2; i++) {
        struct attempt_note note = note_of(i, ATTEMPT_WAITING, (int)i);
        unsigned number = copy_note(copy, &note);
        note.result = ATTEMPT_ABSENT;
        copy_note_again(copy, number, &note);
    }
    assert_int_equal(copy_notes(copy, notes, 3), 3);
    assert_int_equal(copy_notes(copy, notes, LENGTH_OF(notes)), COPY_NOTES_MAX);
    for (int i = 0; i < COPY_NOTES_MAX; i++) {
        assert_int_equal(notes[i].status, i);
        assert_int_equal(notes[i].result, ATTEMPT_ABSENT);
    }
    bench_give_up(bench, copy);
}

/* The last word of each source stands, and the first failure of all. */
static void a_last_word_finds_room(void **state) {
    enum { SOURCES = 63, TIMES = 4 };
    struct bench *bench = *state;
    struct attempt_note notes[COPY_NOTES_MAX];
    struct copy *copy = bench_searching(bench);
    for (unsigned source = 0; source < SOURCES; source++)
        for (int time = 0; time < TIMES; time++) {
            struct attempt_note note = note_of(source, ATTEMPT_WAITING, time);
            unsigned number = copy_note(copy, &note);
            note.result = ATTEMPT_FAILED;
            copy_note_again(copy, number, &note);
        }
    assert_int_equal(copy_notes(copy, notes, LENGTH_OF(notes)), COPY_NOTES_MAX);
    assert_string_equal(notes[0].source, "0");
    assert_int_equal(notes[0].status, 0);
    unsigned last = 0;
    for (unsigned i = 0; i < COPY_NOTES_MAX; i++)
        last += notes[i].status == TIMES - 1 && notes[i].result == ATTEMPT_FAILED;
    assert_int_equal(last, SOURCES);
    bench_give_up(bench, copy);
}

/* What is under way or delivers is never put out, and what was put out does not come back. */
static void what_is_under_way_keeps_its_note(void **state) {
    struct bench *bench = *state;
    struct attempt_note notes[COPY_NOTES_MAX];
    struct copy *copy = bench_searching(bench);
    struct attempt_note found = note_of(1, ATTEMPT_FOUND, 200);
    copy_note(copy, &found);
    struct attempt_note waiting = note_of(1, ATTEMPT_WAITING, 1);
    unsigned under_way = copy_note(copy, &waiting);
    struct attempt_note lost = note_of(1, ATTEMPT_LOST, 2);
    unsigned gone = copy_note(copy, &lost);
    for (unsigned i = 3; i < COPY_NOTES_MAX; i++)
        copy_note(copy, &(struct attempt_note){.source = "1", .result = ATTEMPT_WAITING});
    struct attempt_note newest = note_of(2, ATTEMPT_WAITING, 3);
    copy_note(copy, &newest);
    copy_note_again(copy, gone, &lost);
    waiting.status = 4;
    copy_note_again(copy, under_way, &waiting);
    assert_int_equal(copy_notes(copy, notes, LENGTH_OF(notes)), COPY_NOTES_MAX);
    assert_int_equal(notes[0].result, ATTEMPT_FOUND);
    assert_int_equal(notes[1].status, 4);
    assert_string_equal(notes[COPY_NOTES_MAX - 1].source, "2");
    for (unsigned i = 0; i < COPY_NOTES_MAX; i++)
        assert_int_not_equal(notes[i].result, ATTEMPT_LOST);
    bench_give_up(bench, copy);
}

/* --- small bodies --------------------------------------------------------------------------- */

static void keeps_small_bodies_in_memory(void **state) {
    struct bench *bench = *state;
    const struct cache_counters *counters = cache_counters(bench->cache);
    char wanted[2000];
    struct copy *copy = bench_arriving(bench, &bench->question, 2000);
    bench_append(copy, 2000);
    assert_null(copy_small(copy));
    copy_whole(copy, true);
    assert_null(copy_small(copy));
    cache_complete(bench->cache, copy, true);
    const char *small = copy_small(copy);
    assert_non_null(small);
    bench_fill(wanted, sizeof wanted, 0);
    assert_memory_equal(small, wanted, sizeof wanted);
    assert_ptr_equal(copy_small(copy), small);
    assert_int_equal(counted(&counters->small_bytes), 2000);
    copy_unref(copy);
    assert_int_equal(counted(&counters->small_bytes), 2000); /* the cache holds it still */
    cache_release_complete(bench->cache);
    assert_int_equal(counted(&counters->small_bytes), 0);
}

static void keeps_no_large_body_in_memory(void **state) {
    struct bench *bench = *state;
    struct copy *copy = bench_keep(bench, &bench->question, (16 << 10) + 1);
    assert_null(copy_small(copy));
    copy_unref(copy);
}

/* The bench gives 1 MiB to small bodies. */
static void bounds_the_memory_of_small_bodies(void **state) {
    struct bench *bench = *state;
    enum { COPIES = 70, BYTES = 16 << 10 };
    struct copy *copies[COPIES];
    unsigned in_memory = 0;
    for (unsigned i = 0; i < COPIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "app%u.pdb", i);
        struct question question = bench_question(name, bench_id);
        copies[i] = bench_keep(bench, &question, BYTES);
        in_memory += copy_small(copies[i]) != NULL;
    }
    assert_int_equal(in_memory, (1 << 20) / BYTES);
    assert_int_equal(counted(&cache_counters(bench->cache)->small_bytes), 1 << 20);
    for (unsigned i = 0; i < COPIES; i++)
        copy_unref(copies[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(shows_what_its_phase_knows),
        TEST(has_a_time_of_its_own),
        TEST(gives_the_pen_once),
        TEST(refuses_a_longer_body_before_it_is_written),
        TEST(tells_its_owner_when_interest_ends_or_begins),
        TEST(lets_its_owner_go_at_its_end),
        TEST(counts_no_askers_once_complete),
        TEST(notes_are_noted_again),
        TEST(a_last_word_finds_room),
        TEST(what_is_under_way_keeps_its_note),
        TEST(keeps_small_bodies_in_memory),
        TEST(keeps_no_large_body_in_memory),
        TEST(bounds_the_memory_of_small_bodies),
    };
    return RUN_TESTS(tests);
}
