// SPDX-License-Identifier: MIT
//
// Leaving: files served in place, ends, making room, forgetting.
#include "store/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

enum { GLOBAL = 1 };

static const char shelf_file[] = "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb";

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

/* --- places of others ----------------------------------------------------------------------- */

static int open_file(const struct bench *bench, const char *text) {
    scratch_write(bench->folder, "elsewhere", text);
    CLEANUP(free_block) char *path = scratch_path(bench->folder, "elsewhere");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static struct copy *adopt(struct bench *bench, const char *text, bool keep) {
    struct stat status;
    int fd = open_file(bench, text);
    assert_int_equal(fstat(fd, &status), 0);
    int64_t modified_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec;
    struct copy *copy = bench_searching(bench);
    assert_true(cache_adopt(bench->cache, copy, fd, (uint64_t)status.st_size, modified_ns, "folder",
                            NULL, keep));
    return copy;
}

static void serves_a_file_in_place_for_a_while(void **state) {
    struct bench *bench = *state;
    struct copy_state now;
    char source[64];
    struct copy *copy = adopt(bench, "theirs", true);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_COMPLETE);
    assert_true(now.in_place && now.size == 6);
    copy_source(copy, source, sizeof source);
    assert_string_equal(source, "folder");
    struct copy *same = found(bench, &bench->question);
    assert_ptr_equal(same, copy);
    copy_unref(same);
    clock_fake_advance(2500);
    not_found(bench, &bench->question); /* the source is to look again */
    copy_unref(copy);
    assert_int_equal(counted(&counters(bench)->open_files), 0);
    assert_int_equal(size_on_shelf(bench), 0);
}

static void holds_no_file_in_place_that_just_changed(void **state) {
    struct bench *bench = *state;
    struct copy *copy = adopt(bench, "theirs", false);
    assert_int_equal(bench_phase(copy), COPY_COMPLETE);
    not_found(bench, &bench->question);
    assert_true(copy_intact(copy));
    scratch_write(bench->folder, "elsewhere", "another length");
    assert_false(copy_intact(copy));
    assert_null(copy_small(copy));
    copy_unref(copy);
}

static void adopts_nothing_into_a_copy_that_has_begun(void **state) {
    struct bench *bench = *state;
    struct copy *copy = bench_arriving(bench, &bench->question, 10);
    CLEANUP(close_fd) int fd = open_file(bench, "theirs");
    assert_false(cache_adopt(bench->cache, copy, fd, 6, 1, "folder", NULL, true));
    assert_int_equal(bench_phase(copy), COPY_ARRIVING);
    bench_give_up(bench, copy);
}

/* --- ends ----------------------------------------------------------------------------------- */

static void ends_absent(void **state) {
    struct bench *bench = *state;
    struct error why;
    struct copy *copy = bench_searching(bench);
    cache_end(bench->cache, copy, COPY_ABSENT, NULL);
    assert_int_equal(bench_phase(copy), COPY_ABSENT);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_NONE);
    struct copy *next = bench_searching(bench);
    copy_unref(copy);
    bench_give_up(bench, next);
}

static void drops_only_what_nobody_wants(void **state) {
    struct bench *bench = *state;
    struct cache *cache = bench->cache;
    struct error why;
    struct copy *copy = bench_searching(bench);
    assert_false(cache_drop_unwanted(cache, copy));
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_true(cache_drop_unwanted(cache, copy));
    assert_int_equal(bench_phase(copy), COPY_FAILED);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_CANCELLED);
    copy_unref(copy);
    copy = bench_searching(bench);
    copy_leave(copy, COPY_LEFT_LATER);
    assert_false(cache_drop_unwanted(cache, copy));
    bench_give_up(bench, copy);
    copy = bench_arriving(bench, &bench->question, 10);
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_false(cache_drop_unwanted(cache, copy)); /* what has begun goes on */
    bench_give_up(bench, copy);
}

/* A copy that was taken out may be followed by another search before it is replaced itself. */
static void replaces_without_pushing_another_out(void **state) {
    struct bench *bench = *state;
    struct copy *copy = bench_arriving(bench, &bench->question, 10);
    bench_append(copy, 10);
    copy_whole(copy, true);
    cache_complete(bench->cache, copy, false);
    struct copy *second = bench_searching(bench);
    struct copy *successor = cache_replace(bench->cache, copy, NULL);
    struct copy *listed = found(bench, &bench->question);
    assert_ptr_equal(listed, second);
    copy_unref(listed);
    bench_give_up(bench, second);
    bench_give_up(bench, successor);
    copy_unref(copy);
    assert_int_equal(counted(&counters(bench)->searching), 0);
}

/* --- making room, forgetting, listing ------------------------------------------------------- */

static struct question nth_question(unsigned n) {
    char name[32];
    snprintf(name, sizeof name, "app%u.pdb", n);
    return bench_question(name, bench_id);
}

static void closes_what_was_not_used_for_longest(void **state) {
    struct bench *bench = *state;
    struct question first = nth_question(0);
    enum { COPIES = 20 };
    unsigned before = bench_descriptors();
    for (unsigned i = 0; i < COPIES; i++) {
        struct question question = nth_question(i);
        copy_unref(bench_keep(bench, &question, 100));
        copy_unref(found(bench, &first)); /* in use all the time */
        assert_true(counted(&counters(bench)->open_files) <= BENCH_OPEN_FILES_MAX);
    }
    assert_int_equal(bench_descriptors(), before + BENCH_OPEN_FILES_MAX);
    assert_true(counted(&counters(bench)->evicted) >= COPIES - BENCH_OPEN_FILES_MAX);
    for (unsigned i = 0; i < COPIES; i++) { /* and every one is on the shelf still */
        struct question question = nth_question(i);
        struct copy *copy = found(bench, &question);
        bench_check(copy, 100);
        copy_unref(copy);
    }
}

/* Names whose keys lie in one shard, where what is used has a second chance. */
static struct question next_in_shard(unsigned *n, uint64_t hash) {
    for (;;) {
        struct question question = nth_question((*n)++);
        if (question.key.hash >> 58 == hash >> 58)
            return question;
    }
}

static void keeps_what_is_used_all_the_time(void **state) {
    struct bench *bench = *state;
    unsigned n = 1;
    struct question first = nth_question(0);
    struct copy *used = bench_keep(bench, &first, 100);
    for (unsigned i = 0; i < 3 * BENCH_OPEN_FILES_MAX; i++) {
        struct question question = next_in_shard(&n, first.key.hash);
        copy_unref(bench_keep(bench, &question, 100));
        struct copy *same = found(bench, &first);
        assert_ptr_equal(same, used);
        copy_unref(same);
    }
    assert_int_equal(counted(&counters(bench)->evicted), 2 * BENCH_OPEN_FILES_MAX + 1);
    copy_unref(used);
}

static void evicts_no_file_from_its_readers(void **state) {
    struct bench *bench = *state;
    struct question first = nth_question(0);
    struct copy *held = bench_keep(bench, &first, 50000);
    for (unsigned i = 1; i < 2 * BENCH_OPEN_FILES_MAX + 1; i++) {
        struct question question = nth_question(i);
        copy_unref(bench_keep(bench, &question, 100));
    }
    bench_check(held, 50000);
    copy_unref(held);
}

static void forgets_what_is_complete(void **state) {
    struct bench *bench = *state;
    struct copy *copy = bench_keep(bench, &bench->question, 100);
    assert_int_equal(cache_forget(bench->cache, &bench->question.key), 1);
    assert_int_equal(size_on_shelf(bench), 0);
    not_found(bench, &bench->question);
    bench_check(copy, 100);
    copy_unref(copy);
    assert_int_equal(cache_forget(bench->cache, &bench->question.key), 0);
    copy = bench_arriving(bench, &bench->question, 100);
    assert_int_equal(cache_forget(bench->cache, &bench->question.key), 0);
    struct copy *same = found(bench, &bench->question);
    assert_ptr_equal(same, copy);
    copy_unref(same);
    bench_give_up(bench, copy);
}

struct shown {
    unsigned count;
    struct cache_listing last;
};

static void show(const struct cache_listing *listing, void *context) {
    struct shown *shown = context;
    shown->count++;
    shown->last = *listing;
}

static void lists_what_is_under_way(void **state) {
    struct bench *bench = *state;
    struct shown shown = {0};
    struct question complete = nth_question(0);
    copy_unref(bench_keep(bench, &complete, 100));
    cache_list(bench->cache, 10, show, &shown);
    assert_int_equal(shown.count, 0);
    struct copy *copy = bench_arriving(bench, &bench->question, 1000);
    struct copy *joined = found(bench, &bench->question);
    bench_append(copy, 400);
    clock_fake_advance(5000);
    cache_list(bench->cache, 10, show, &shown);
    assert_int_equal(shown.count, 1);
    assert_string_equal(shown.last.key.name, "app.pdb");
    assert_string_equal(shown.last.source, "source");
    assert_int_equal(shown.last.readers, 2);
    assert_int_equal(shown.last.age_ms, 5000);
    assert_int_equal(shown.last.state.phase, COPY_ARRIVING);
    assert_true(shown.last.state.size == 1000 && shown.last.state.written == 400);
    bool leading;
    struct error err;
    struct question other = nth_question(1);
    struct copy *second = cache_claim(bench->cache, &other.key, &leading, &err);
    shown.count = 0;
    cache_list(bench->cache, 1, show, &shown);
    assert_int_equal(shown.count, 1);
    copy_unref(joined);
    bench_give_up(bench, second);
    bench_give_up(bench, copy);
}

/* Whoever still reads when the cache ends reads to the end. */
static void ends_before_its_readers(void **state) {
    struct bench *bench = *state;
    struct question other = nth_question(1);
    struct copy *complete = bench_keep(bench, &other, 100);
    struct copy *whole = bench_arriving(bench, &bench->question, 100);
    bench_append(whole, 100);
    copy_whole(whole, true);
    cache_free(TAKE(bench->cache));
    bench_check(complete, 100);
    bench_check(whole, 100);
    copy_unref(complete);
    copy_unref(whole);
}

/* Time stands still until a test moves it, but is that of the files. */
/* --- renewal -------------------------------------------------------------------------------- */

static void a_detached_copy_takes_the_entry_when_it_is_kept(void **state) {
    struct bench *bench = *state;
    struct copy *old = bench_keep(bench, &bench->question, 1000);
    struct copy *copy = cache_detached(bench->cache, &bench->question.key);
    bench_begin(bench, copy, 2000);
    struct copy *hit = found(bench, &bench->question);
    assert_ptr_equal(hit, old); /* nobody joins what is on its way */
    copy_unref(hit);
    bench_append(copy, 2000);
    copy_whole(copy, true);
    cache_complete(bench->cache, copy, true);
    hit = found(bench, &bench->question);
    assert_ptr_equal(hit, copy);
    assert_int_equal(size_on_shelf(bench), 2000);
    bench_check(old, 1000); /* who reads the old one reads it to the end */
    assert_int_equal(counted(&counters(bench)->open_files), 1);
    cache_supersede(bench->cache, old, copy); /* on the same shelf: the file has gone already */
    assert_int_equal(size_on_shelf(bench), 2000);
    copy_unref(hit);
    copy_unref(copy);
    copy_unref(old);
}

static void a_detached_copy_that_is_not_kept_changes_nothing(void **state) {
    struct bench *bench = *state;
    struct copy *old = bench_keep(bench, &bench->question, 1000);
    struct copy *copy = cache_detached(bench->cache, &bench->question.key);
    struct error why;
    error_set(&why, ERROR_IDENTITY, "false");
    bench_begin(bench, copy, 2000);
    bench_append(copy, 2000);
    struct copy *next = cache_replace(bench->cache, copy, &why);
    struct copy *hit = found(bench, &bench->question);
    assert_ptr_equal(hit, old);
    copy_unref(hit);
    bench_begin(bench, next, 2000);
    bench_append(next, 2000);
    copy_whole(next, true);
    cache_complete(bench->cache, next, false);
    assert_int_equal(bench_phase(next), COPY_WHOLE);
    assert_int_equal(size_on_shelf(bench), 1000);
    hit = found(bench, &bench->question);
    assert_ptr_equal(hit, old);
    copy_unref(hit);
    copy_unref(next);
    copy_unref(copy);
    copy_unref(old);
}

static void a_file_elsewhere_supersedes_the_kept_one(void **state) {
    struct bench *bench = *state;
    struct copy *old = bench_keep(bench, &bench->question, 1000);
    struct copy *copy = cache_detached(bench->cache, &bench->question.key);
    int fd = open_file(bench, "theirs");
    assert_true(cache_adopt(bench->cache, copy, fd, 6, 1, "folder", NULL, true));
    cache_supersede(bench->cache, old, copy);
    assert_int_equal(size_on_shelf(bench), 0);
    not_found(bench, &bench->question);
    copy_unref(copy);
    copy_unref(old);
}

static void only_one_caller_moves_the_renewal(void **state) {
    struct bench *bench = *state;
    struct copy *searching = bench_searching(bench);
    assert_true(copy_renewal(searching) == INT64_MAX);
    bench_give_up(bench, searching);
    struct copy *copy = bench_keep(bench, &bench->question, 1000);
    assert_int_equal(copy_renewal(copy), 0);
    assert_true(copy_renewal_move(copy, 0, 500));
    assert_false(copy_renewal_move(copy, 0, 700));
    assert_int_equal(copy_renewal(copy), 500);
    assert_int_equal(cache_shelves_of(bench->cache, copy), GLOBAL);
    copy_unref(copy);
}

static int real_time(void **state) {
    (void)state;
    clock_fake_set_wall(time(NULL));
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(serves_a_file_in_place_for_a_while),
        TEST(holds_no_file_in_place_that_just_changed),
        TEST(adopts_nothing_into_a_copy_that_has_begun),
        TEST(ends_absent),
        TEST(drops_only_what_nobody_wants),
        TEST(replaces_without_pushing_another_out),
        TEST(closes_what_was_not_used_for_longest),
        TEST(keeps_what_is_used_all_the_time),
        TEST(evicts_no_file_from_its_readers),
        TEST(forgets_what_is_complete),
        TEST(lists_what_is_under_way),
        TEST(a_detached_copy_takes_the_entry_when_it_is_kept),
        TEST(a_detached_copy_that_is_not_kept_changes_nothing),
        TEST(a_file_elsewhere_supersedes_the_kept_one),
        TEST(only_one_caller_moves_the_renewal),
        TEST(ends_before_its_readers),
    };
    return cmocka_run_group_tests(tests, real_time, NULL);
}
