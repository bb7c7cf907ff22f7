// SPDX-License-Identifier: MIT
//
// Finding and fetching: what is in the cache, how it comes in.
#include "store/cache.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/threads.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

enum { GLOBAL = 1, EVERY_SHELF = 3 };

static const char shelf_file[] = "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb";

static struct copy *claim(struct bench *bench, bool *out_leading) {
    struct error err;
    struct copy *copy = cache_claim(bench->cache, &bench->question.key, out_leading, &err);
    assert_non_null(copy);
    return copy;
}

static struct copy *found(struct bench *bench, const struct question *question) {
    struct copy *copy = NULL;
    assert_int_equal(cache_find(bench->cache, question, GLOBAL, &copy), CACHE_FOUND);
    return copy;
}

/* Nothing, or not to be told without the disk: no copy in any case. */
static void not_found(struct bench *bench, const struct question *question) {
    struct copy *copy = NULL;
    assert_int_not_equal(cache_find(bench->cache, question, GLOBAL, &copy), CACHE_FOUND);
    assert_null(copy);
}

static const struct cache_counters *counters(struct bench *bench) {
    return cache_counters(bench->cache);
}

static uint64_t size_on_shelf(const struct bench *bench) {
    struct stat status;
    CLEANUP(free_block) char *path = scratch_path(bench->root, shelf_file);
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* --- finding -------------------------------------------------------------------------------- */

static void opens_a_file_once(void **state) {
    struct bench *bench = *state;
    struct copy_state now;
    bench_put(bench, shelf_file, "symbols");
    unsigned before = bench_descriptors();
    struct copy *copy = found(bench, &bench->question);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_COMPLETE);
    assert_int_equal(now.size, 7);
    for (unsigned i = 0; i < 10; i++) {
        struct copy *again = found(bench, &bench->question);
        assert_ptr_equal(again, copy);
        copy_unref(again);
    }
    assert_int_equal(bench_descriptors(), before + 1);
    assert_int_equal(counted(&counters(bench)->open_files), 1);
    copy_unref(copy);
    assert_int_equal(bench_descriptors(), before + 1); /* held for the next one */
    cache_release_complete(bench->cache);
    assert_int_equal(bench_descriptors(), before);
    assert_int_equal(counted(&counters(bench)->open_files), 0);
}

static void finds_one_copy_for_every_spelling(void **state) {
    struct bench *bench = *state;
    struct copy *copy = bench_searching(bench);
    static const char *const ids[] = {bench_id, "0123456789abcdef0123456789abcdef1"};
    static const char *const names[] = {"app.pdb", "App.PDB"};
    for (size_t i = 0; i < LENGTH_OF(ids); i++)
        for (size_t n = 0; n < LENGTH_OF(names); n++) {
            struct question question = bench_question(names[n], ids[i]);
            struct copy *same = found(bench, &question);
            assert_ptr_equal(same, copy);
            copy_unref(same);
        }
    struct question other = bench_question("app.pdb", "0123456789ABCDEF0123456789ABCDEF2");
    not_found(bench, &other);
    bench_give_up(bench, copy);
}

/* Only the shelves that are allowed are looked at; what is open already serves everybody. */
static void looks_on_allowed_shelves_only(void **state) {
    struct bench *bench = *state;
    struct copy *copy = NULL;
    bench_put(bench, shelf_file, "symbols");
    assert_int_equal(cache_find(bench->cache, &bench->question, 0, &copy), CACHE_NOTHING);
    assert_int_equal(cache_find(bench->cache, &bench->question, EVERY_SHELF, &copy), CACHE_FOUND);
    copy_unref(copy);
    assert_int_equal(cache_find(bench->cache, &bench->question, 0, &copy), CACHE_FOUND);
    copy_unref(copy);
}

/* How a copy ends that is looked for on a shelf's threads. */
static enum copy_phase ended(struct copy *copy) {
    while (bench_phase(copy) == COPY_SEARCHING)
        sched_yield();
    return bench_phase(copy);
}

static void finds_another_form_only_as_itself(void **state) {
    struct bench *bench = *state;
    struct copy *copy = NULL;
    struct copy_state now;
    struct symbol_path path = {
        .spelling = bench->question.spelling, .key = bench->question.key, .form = FORM_COMPRESSED};
    assert_true(cache_find_form(bench->cache, &path, GLOBAL, &copy)); /* the disk is asked */
    assert_int_equal(ended(copy), COPY_ABSENT);
    copy_leave(copy, COPY_LEFT_SERVED);
    copy_unref(copy);
    assert_false(cache_find_form(bench->cache, &path, GLOBAL, &copy)); /* no such name at all */
    bench_put(bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd_", "cabinet");
    assert_false(cache_find_form(bench->cache, &path, 0, &copy));
    assert_true(cache_find_form(bench->cache, &path, GLOBAL, &copy));
    assert_int_equal(ended(copy), COPY_COMPLETE);
    copy_look(copy, &now);
    assert_int_equal(now.size, 7);
    copy_leave(copy, COPY_LEFT_SERVED);
    copy_unref(copy);
    assert_int_equal(counted(&counters(bench)->open_files), 0);
    assert_int_equal(counted(&counters(bench)->searching), 0);
    not_found(bench, &bench->question);
}

/* A file's identity is looked at again from time to time: somebody may have removed or replaced it.
 */
static void serves_no_file_that_is_gone_for_long(void **state) {
    struct bench *bench = *state;
    bench_put(bench, shelf_file, "symbols");
    struct copy *copy = found(bench, &bench->question);
    CLEANUP(free_block) char *path = scratch_path(bench->root, shelf_file);
    assert_int_equal(unlink(path), 0);
    struct copy *trusted = found(bench, &bench->question);
    assert_ptr_equal(trusted, copy);
    copy_unref(trusted);
    clock_fake_advance(11000);
    not_found(bench, &bench->question);
    assert_int_equal(counted(&counters(bench)->open_files), 0);
    bench_put(bench, shelf_file, "other symbols");
    struct copy *other = found(bench, &bench->question);
    assert_ptr_not_equal(other, copy);
    struct copy_state now;
    copy_look(other, &now);
    assert_int_equal(now.size, 13);
    copy_unref(other);
    copy_look(copy, &now); /* who holds the old one reads it to its end */
    assert_int_equal(now.size, 7);
    copy_unref(copy);
}

static void trusts_a_file_that_is_unchanged(void **state) {
    struct bench *bench = *state;
    bench_put(bench, shelf_file, "symbols");
    struct copy *copy = found(bench, &bench->question);
    for (unsigned i = 0; i < 5; i++) {
        clock_fake_advance(11000);
        struct copy *same = found(bench, &bench->question);
        assert_ptr_equal(same, copy);
        copy_unref(same);
    }
    copy_unref(copy);
}

/* --- fetching ------------------------------------------------------------------------------- */

static void leads_once_and_lets_others_join(void **state) {
    struct bench *bench = *state;
    bool leading;
    struct copy *copy = bench_searching(bench);
    assert_int_equal(counted(&counters(bench)->searching), 1);
    struct copy *second = claim(bench, &leading);
    assert_false(leading);
    assert_ptr_equal(second, copy);
    struct copy *third = found(bench, &bench->question);
    assert_ptr_equal(third, copy);
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    copy_leave(second, COPY_LEFT_HUNG_UP);
    assert_true(copy_waited_for(copy));
    copy_leave(third, COPY_LEFT_HUNG_UP);
    assert_false(copy_waited_for(copy));
    copy_unref(second);
    copy_unref(third);
    bench_give_up(bench, copy);
    assert_int_equal(counted(&counters(bench)->searching), 0);
}

enum { ASKERS = 8, ROUNDS = 200 };

struct asker {
    pthread_t thread;
    struct bench *bench;
    struct gate *begin;
    unsigned led;
};

static void *ask_for_all(void *context) {
    struct asker *asker = context;
    gate_wait(asker->begin, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char name[32];
        bool leading;
        struct error err;
        snprintf(name, sizeof name, "app%u.pdb", i % 50);
        struct question question = bench_question(name, bench_id);
        struct copy *copy = cache_claim(asker->bench->cache, &question.key, &leading, &err);
        asker->led += leading;
        copy_leave(copy, COPY_LEFT_SERVED);
        copy_unref(copy);
    }
    return NULL;
}

static void is_led_by_one_of_many(void **state) {
    struct bench *bench = *state;
    struct gate begin = GATE_CLOSED;
    struct asker askers[ASKERS];
    unsigned led = 0;
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.bench = bench, .begin = &begin};
        assert_true(thread_start(&askers[i].thread, "asker", ask_for_all, &askers[i], NULL));
    }
    gate_raise(&begin);
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        led += askers[i].led;
    }
    assert_int_equal(led, 50);
    assert_int_equal(counted(&counters(bench)->searching), 50);
}

/* The bench allows 100. */
static void refuses_more_searches_than_allowed(void **state) {
    struct bench *bench = *state;
    struct copy *copies[100];
    struct error err;
    bool leading;
    for (unsigned i = 0; i < LENGTH_OF(copies); i++) {
        char name[32];
        snprintf(name, sizeof name, "app%u.pdb", i);
        struct question question = bench_question(name, bench_id);
        copies[i] = cache_claim(bench->cache, &question.key, &leading, &err);
        assert_non_null(copies[i]);
    }
    assert_null(cache_claim(bench->cache, &bench->question.key, &leading, &err));
    assert_int_equal(err.kind, ERROR_BUSY);
    struct copy *joined = cache_claim(bench->cache, copy_key(copies[7]), &leading, &err);
    assert_ptr_equal(joined, copies[7]);
    copy_unref(joined);
    /* What has arrived makes room: a copy that is WHOLE is no search any more. */
    bench_begin(bench, copies[0], 1);
    bench_append(copies[0], 1);
    assert_null(cache_claim(bench->cache, &bench->question.key, &leading, &err));
    copy_whole(copies[0], true);
    struct copy *copy = cache_claim(bench->cache, &bench->question.key, &leading, &err);
    assert_non_null(copy);
    bench_give_up(bench, copy);
    cache_complete(bench->cache, copies[0], true);
    copy_unref(copies[0]);
    for (unsigned i = 1; i < LENGTH_OF(copies); i++)
        bench_give_up(bench, copies[i]);
    assert_int_equal(counted(&counters(bench)->searching), 0);
}

static void is_a_hit_from_whole_on(void **state) {
    struct bench *bench = *state;
    struct copy *copy = bench_arriving(bench, &bench->question, 5000);
    bench_append(copy, 5000);
    copy_whole(copy, true);
    assert_int_equal(size_on_shelf(bench), 0);
    struct copy *joined = found(bench, &bench->question);
    assert_ptr_equal(joined, copy);
    bench_check(joined, 5000);
    cache_complete(bench->cache, copy, true);
    assert_int_equal(size_on_shelf(bench), 5000);
    assert_int_equal(bench_phase(joined), COPY_COMPLETE);
    assert_int_equal(counted(&counters(bench)->committed), 1);
    assert_int_equal(counted(&counters(bench)->open_files), 1);
    assert_int_equal(bench_staged(bench), 0);
    bench_check(joined, 5000);
    copy_unref(joined);
    copy_unref(copy);
}

/* The time for ETag and Last-Modified is the file's, so a restart changes neither. */
static void has_the_same_time_after_a_restart(void **state) {
    struct bench *bench = *state;
    struct copy_state before;
    struct copy_state after;
    struct copy *copy = bench_keep(bench, &bench->question, 5000);
    copy_look(copy, &before);
    copy_unref(copy);
    cache_release_complete(bench->cache);
    copy = found(bench, &bench->question);
    copy_look(copy, &after);
    assert_int_equal(after.modified_ns, before.modified_ns);
    assert_int_not_equal(after.modified_ns % 1000000000, 0);
    assert_int_equal(after.size, 5000);
    bench_check(copy, 5000);
    copy_unref(copy);
}

static void stays_whole_when_it_must_not_be_kept(void **state) {
    struct bench *bench = *state;
    struct error why;
    struct copy *copy = bench_arriving(bench, &bench->question, 5000);
    bench_append(copy, 5000);
    copy_whole(copy, true);
    cache_complete(bench->cache, copy, false);
    assert_int_equal(bench_phase(copy), COPY_WHOLE);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_CHANGED);
    assert_int_equal(counted(&counters(bench)->not_kept), 1);
    assert_int_equal(counted(&counters(bench)->committed), 0);
    assert_int_equal(size_on_shelf(bench), 0);
    not_found(bench, &bench->question);
    struct copy *next = bench_searching(bench); /* the next request asks again */
    assert_ptr_not_equal(next, copy);
    bench_check(copy, 5000); /* its readers go on */
    copy_unref(copy);
    bench_give_up(bench, next);
    /* The file is unlinked by the shelf's threads; closing the shelf waits for them. */
    cache_free(TAKE(bench->cache));
    shelf_free(TAKE(bench->shelf));
    assert_int_equal(bench_staged(bench), 0);
}

static void is_not_kept_without_a_shelf_to_write(void **state) {
    struct bench *bench = *state;
    struct error why;
    CLEANUP(free_block) char *staging = scratch_path(bench->root, ".symgate/staging");
    assert_int_equal(rmdir(staging), 0);
    struct copy *copy = bench_arriving(bench, &bench->question, 5000);
    bench_append(copy, 5000);
    copy_whole(copy, true);
    cache_complete(bench->cache, copy, true);
    assert_int_equal(bench_phase(copy), COPY_WHOLE);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_DISK);
    assert_int_equal(counted(&counters(bench)->not_kept), 1);
    assert_int_equal(spill_charged(bench->spill), 5000);
    bench_check(copy, 5000);
    copy_unref(copy);
}

/* Time stands still until a test moves it, but is that of the files. */
static int real_time(void **state) {
    (void)state;
    clock_fake_set_wall(time(NULL));
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(opens_a_file_once),
        TEST(finds_one_copy_for_every_spelling),
        TEST(looks_on_allowed_shelves_only),
        TEST(finds_another_form_only_as_itself),
        TEST(serves_no_file_that_is_gone_for_long),
        TEST(trusts_a_file_that_is_unchanged),
        TEST(leads_once_and_lets_others_join),
        TEST(is_led_by_one_of_many),
        TEST(refuses_more_searches_than_allowed),
        TEST(is_a_hit_from_whole_on),
        TEST(has_the_same_time_after_a_restart),
        TEST(stays_whole_when_it_must_not_be_kept),
        TEST(is_not_kept_without_a_shelf_to_write),
    };
    return cmocka_run_group_tests(tests, real_time, NULL);
}
