// SPDX-License-Identifier: MIT
#include "store/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "base/threads.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

enum { OPEN_FILES_MAX = 4, GLOBAL = 1, EVERY_SHELF = 3 };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";
static const char shelf_file[] = "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb";

struct setting {
    struct bench bench;
    struct question question;
};

static int set_up(void **state) {
    struct setting *setting = NEW(struct setting);
    clock_fake_set_wall(time(NULL));
    bench_open(&setting->bench, OPEN_FILES_MAX);
    setting->question = bench_question("app.pdb", id);
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    bench_close(&setting->bench);
    free(setting);
    return 0;
}

static struct copy *claim(struct setting *setting, bool *out_leading) {
    struct error err;
    struct copy *copy =
        cache_claim(setting->bench.cache, &setting->question.key, out_leading, &err);
    assert_non_null(copy);
    return copy;
}

static struct copy *searching(struct setting *setting) {
    bool leading;
    struct copy *copy = claim(setting, &leading);
    assert_true(leading);
    return copy;
}

static struct copy *found(struct setting *setting, const struct question *question) {
    struct copy *copy = NULL;
    assert_int_equal(cache_find(setting->bench.cache, question, GLOBAL, &copy), CACHE_FOUND);
    return copy;
}

/* Nothing, or not to be told without the disk: no copy in any case. */
static void not_found(struct setting *setting, const struct question *question) {
    struct copy *copy = NULL;
    assert_int_not_equal(cache_find(setting->bench.cache, question, GLOBAL, &copy), CACHE_FOUND);
    assert_null(copy);
}

static void end(struct setting *setting, struct copy *copy) {
    cache_end(setting->bench.cache, copy, COPY_FAILED, NULL);
    copy_unref(copy);
}

static const struct cache_counters *counters(struct setting *setting) {
    return cache_counters(setting->bench.cache);
}

static uint64_t size_on_shelf(const struct bench *bench) {
    struct stat status;
    CLEANUP(free_block) char *path = scratch_path(bench->root, shelf_file);
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* --- finding -------------------------------------------------------------------------------- */

static void opens_a_file_once(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    bench_put(&setting->bench, shelf_file, "symbols");
    unsigned before = bench_descriptors();
    struct copy *copy = found(setting, &setting->question);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_COMPLETE);
    assert_int_equal(now.size, 7);
    for (unsigned i = 0; i < 10; i++) {
        struct copy *again = found(setting, &setting->question);
        assert_ptr_equal(again, copy);
        copy_unref(again);
    }
    assert_int_equal(bench_descriptors(), before + 1);
    assert_int_equal(counted(&counters(setting)->open_files), 1);
    copy_unref(copy);
    assert_int_equal(bench_descriptors(), before + 1); /* held for the next one */
    cache_release_complete(setting->bench.cache);
    assert_int_equal(bench_descriptors(), before);
    assert_int_equal(counted(&counters(setting)->open_files), 0);
}

static void finds_one_copy_for_every_spelling(void **state) {
    struct setting *setting = *state;
    struct copy *copy = searching(setting);
    static const char *const ids[] = {id, "0123456789abcdef0123456789abcdef1"};
    static const char *const names[] = {"app.pdb", "App.PDB"};
    for (size_t i = 0; i < LENGTH_OF(ids); i++)
        for (size_t n = 0; n < LENGTH_OF(names); n++) {
            struct question question = bench_question(names[n], ids[i]);
            struct copy *same = found(setting, &question);
            assert_ptr_equal(same, copy);
            copy_unref(same);
        }
    struct question other = bench_question("app.pdb", "0123456789ABCDEF0123456789ABCDEF2");
    not_found(setting, &other);
    end(setting, copy);
}

/* Only the shelves that are allowed are looked at; what is open already serves everybody. */
static void looks_on_allowed_shelves_only(void **state) {
    struct setting *setting = *state;
    struct copy *copy = NULL;
    bench_put(&setting->bench, shelf_file, "symbols");
    assert_int_equal(cache_find(setting->bench.cache, &setting->question, 0, &copy), CACHE_NOTHING);
    assert_int_equal(cache_find(setting->bench.cache, &setting->question, EVERY_SHELF, &copy),
                     CACHE_FOUND);
    copy_unref(copy);
    assert_int_equal(cache_find(setting->bench.cache, &setting->question, 0, &copy), CACHE_FOUND);
    copy_unref(copy);
}

static void finds_another_form_only_as_itself(void **state) {
    struct setting *setting = *state;
    struct copy *copy = NULL;
    struct copy_state now;
    struct symbol_path path = {.spelling = setting->question.spelling,
                               .key = setting->question.key,
                               .form = FORM_COMPRESSED,
                               .file = "app.pd_"};
    assert_false(cache_find_file(setting->bench.cache, &path, GLOBAL, &copy));
    bench_put(&setting->bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd_", "cabinet");
    assert_false(cache_find_file(setting->bench.cache, &path, 0, &copy));
    assert_true(cache_find_file(setting->bench.cache, &path, GLOBAL, &copy));
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_COMPLETE);
    assert_int_equal(now.size, 7);
    copy_leave(copy, COPY_LEFT_SERVED);
    copy_unref(copy);
    assert_int_equal(counted(&counters(setting)->open_files), 0);
    assert_int_equal(counted(&counters(setting)->searching), 0);
    not_found(setting, &setting->question);
}

/* A file's identity is looked at again from time to time: somebody may have removed or replaced it.
 */
static void serves_no_file_that_is_gone_for_long(void **state) {
    struct setting *setting = *state;
    bench_put(&setting->bench, shelf_file, "symbols");
    struct copy *copy = found(setting, &setting->question);
    CLEANUP(free_block) char *path = scratch_path(setting->bench.root, shelf_file);
    assert_int_equal(unlink(path), 0);
    struct copy *trusted = found(setting, &setting->question);
    assert_ptr_equal(trusted, copy);
    copy_unref(trusted);
    clock_fake_advance(11000);
    not_found(setting, &setting->question);
    assert_int_equal(counted(&counters(setting)->open_files), 0);
    bench_put(&setting->bench, shelf_file, "other symbols");
    struct copy *other = found(setting, &setting->question);
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
    struct setting *setting = *state;
    bench_put(&setting->bench, shelf_file, "symbols");
    struct copy *copy = found(setting, &setting->question);
    for (unsigned i = 0; i < 5; i++) {
        clock_fake_advance(11000);
        struct copy *same = found(setting, &setting->question);
        assert_ptr_equal(same, copy);
        copy_unref(same);
    }
    copy_unref(copy);
}

/* --- fetching ------------------------------------------------------------------------------- */

static void leads_once_and_lets_others_join(void **state) {
    struct setting *setting = *state;
    bool leading;
    struct copy *copy = searching(setting);
    assert_int_equal(counted(&counters(setting)->searching), 1);
    struct copy *second = claim(setting, &leading);
    assert_false(leading);
    assert_ptr_equal(second, copy);
    struct copy *third = found(setting, &setting->question);
    assert_ptr_equal(third, copy);
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    copy_leave(second, COPY_LEFT_HUNG_UP);
    assert_true(copy_waited_for(copy));
    copy_leave(third, COPY_LEFT_HUNG_UP);
    assert_false(copy_waited_for(copy));
    copy_unref(second);
    copy_unref(third);
    end(setting, copy);
    assert_int_equal(counted(&counters(setting)->searching), 0);
}

enum { ASKERS = 8, ROUNDS = 200 };

struct asker {
    pthread_t thread;
    struct setting *setting;
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
        struct question question = bench_question(name, id);
        struct copy *copy = cache_claim(asker->setting->bench.cache, &question.key, &leading, &err);
        asker->led += leading;
        copy_leave(copy, COPY_LEFT_SERVED);
        copy_unref(copy);
    }
    return NULL;
}

static void is_led_by_one_of_many(void **state) {
    struct setting *setting = *state;
    struct gate begin = GATE_CLOSED;
    struct asker askers[ASKERS];
    unsigned led = 0;
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.setting = setting, .begin = &begin};
        assert_true(thread_start(&askers[i].thread, "asker", ask_for_all, &askers[i], NULL));
    }
    gate_raise(&begin);
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        led += askers[i].led;
    }
    assert_int_equal(led, 50);
    assert_int_equal(counted(&counters(setting)->searching), 50);
}

/* The bench allows 100. */
static void refuses_more_searches_than_allowed(void **state) {
    struct setting *setting = *state;
    struct copy *copies[100];
    struct error err;
    bool leading;
    for (unsigned i = 0; i < LENGTH_OF(copies); i++) {
        char name[32];
        snprintf(name, sizeof name, "app%u.pdb", i);
        struct question question = bench_question(name, id);
        copies[i] = cache_claim(setting->bench.cache, &question.key, &leading, &err);
        assert_non_null(copies[i]);
    }
    assert_null(cache_claim(setting->bench.cache, &setting->question.key, &leading, &err));
    assert_int_equal(err.kind, ERROR_BUSY);
    struct copy *joined = cache_claim(setting->bench.cache, copy_key(copies[7]), &leading, &err);
    assert_ptr_equal(joined, copies[7]);
    copy_unref(joined);
    /* What has arrived makes room: a copy that is WHOLE is no search any more. */
    bench_begin(&setting->bench, copies[0], 1);
    bench_append(copies[0], 1);
    assert_null(cache_claim(setting->bench.cache, &setting->question.key, &leading, &err));
    copy_whole(copies[0]);
    struct copy *copy = cache_claim(setting->bench.cache, &setting->question.key, &leading, &err);
    assert_non_null(copy);
    end(setting, copy);
    cache_complete(setting->bench.cache, copies[0], true);
    copy_unref(copies[0]);
    for (unsigned i = 1; i < LENGTH_OF(copies); i++)
        end(setting, copies[i]);
    assert_int_equal(counted(&counters(setting)->searching), 0);
}

static void is_a_hit_from_whole_on(void **state) {
    struct setting *setting = *state;
    struct copy *copy = bench_arriving(&setting->bench, &setting->question, 5000);
    bench_append(copy, 5000);
    copy_whole(copy);
    assert_int_equal(size_on_shelf(&setting->bench), 0);
    struct copy *joined = found(setting, &setting->question);
    assert_ptr_equal(joined, copy);
    bench_check(joined, 5000);
    cache_complete(setting->bench.cache, copy, true);
    assert_int_equal(size_on_shelf(&setting->bench), 5000);
    assert_int_equal(bench_phase(joined), COPY_COMPLETE);
    assert_int_equal(counted(&counters(setting)->committed), 1);
    assert_int_equal(counted(&counters(setting)->open_files), 1);
    assert_int_equal(bench_staged(&setting->bench), 0);
    bench_check(joined, 5000);
    copy_unref(joined);
    copy_unref(copy);
}

/* The time for ETag and Last-Modified is the file's, so a restart changes neither. */
static void has_the_same_time_after_a_restart(void **state) {
    struct setting *setting = *state;
    struct copy_state before;
    struct copy_state after;
    struct copy *copy = bench_keep(&setting->bench, &setting->question, 5000);
    copy_look(copy, &before);
    copy_unref(copy);
    cache_release_complete(setting->bench.cache);
    copy = found(setting, &setting->question);
    copy_look(copy, &after);
    assert_int_equal(after.modified_ns, before.modified_ns);
    assert_int_not_equal(after.modified_ns % 1000000000, 0);
    assert_int_equal(after.size, 5000);
    bench_check(copy, 5000);
    copy_unref(copy);
}

static void stays_whole_when_it_must_not_be_kept(void **state) {
    struct setting *setting = *state;
    struct error why;
    struct copy *copy = bench_arriving(&setting->bench, &setting->question, 5000);
    bench_append(copy, 5000);
    copy_whole(copy);
    cache_complete(setting->bench.cache, copy, false);
    assert_int_equal(bench_phase(copy), COPY_WHOLE);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_CHANGED);
    assert_int_equal(counted(&counters(setting)->not_kept), 1);
    assert_int_equal(counted(&counters(setting)->committed), 0);
    assert_int_equal(size_on_shelf(&setting->bench), 0);
    not_found(setting, &setting->question);
    struct copy *next = searching(setting); /* the next request asks again */
    assert_ptr_not_equal(next, copy);
    bench_check(copy, 5000); /* its readers go on */
    copy_unref(copy);
    end(setting, next);
    /* The file is unlinked by the shelf's threads; closing the shelf waits for them. */
    cache_free(TAKE(setting->bench.cache));
    shelf_free(TAKE(setting->bench.shelf));
    assert_int_equal(bench_staged(&setting->bench), 0);
}

static void is_not_kept_without_a_shelf_to_write(void **state) {
    struct setting *setting = *state;
    struct error why;
    CLEANUP(free_block) char *staging = scratch_path(setting->bench.root, ".symgate/staging");
    assert_int_equal(rmdir(staging), 0);
    struct copy *copy = bench_arriving(&setting->bench, &setting->question, 5000);
    bench_append(copy, 5000);
    copy_whole(copy);
    cache_complete(setting->bench.cache, copy, true);
    assert_int_equal(bench_phase(copy), COPY_WHOLE);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_DISK);
    assert_int_equal(counted(&counters(setting)->not_kept), 1);
    assert_int_equal(spill_charged(setting->bench.spill), 5000);
    bench_check(copy, 5000);
    copy_unref(copy);
}

/* --- places of others ----------------------------------------------------------------------- */

static int open_file(const struct setting *setting, const char *text) {
    scratch_write(setting->bench.folder, "elsewhere", text);
    CLEANUP(free_block) char *path = scratch_path(setting->bench.folder, "elsewhere");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static struct copy *adopt(struct setting *setting, const char *text, bool keep) {
    struct stat status;
    int fd = open_file(setting, text);
    assert_int_equal(fstat(fd, &status), 0);
    int64_t modified_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec;
    struct copy *copy = searching(setting);
    assert_true(cache_adopt(setting->bench.cache, copy, fd, (uint64_t)status.st_size, modified_ns,
                            "folder", NULL, keep));
    return copy;
}

static void serves_a_file_in_place_for_a_while(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    char source[64];
    struct copy *copy = adopt(setting, "theirs", true);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_COMPLETE);
    assert_true(now.in_place && now.size == 6);
    copy_source(copy, source, sizeof source);
    assert_string_equal(source, "folder");
    struct copy *same = found(setting, &setting->question);
    assert_ptr_equal(same, copy);
    copy_unref(same);
    clock_fake_advance(2500);
    not_found(setting, &setting->question); /* the source is to look again */
    copy_unref(copy);
    assert_int_equal(counted(&counters(setting)->open_files), 0);
    assert_int_equal(size_on_shelf(&setting->bench), 0);
}

static void holds_no_file_in_place_that_just_changed(void **state) {
    struct setting *setting = *state;
    struct copy *copy = adopt(setting, "theirs", false);
    assert_int_equal(bench_phase(copy), COPY_COMPLETE);
    not_found(setting, &setting->question);
    assert_true(copy_intact(copy));
    scratch_write(setting->bench.folder, "elsewhere", "another length");
    assert_false(copy_intact(copy));
    assert_null(copy_small(copy));
    copy_unref(copy);
}

static void adopts_nothing_into_a_copy_that_has_begun(void **state) {
    struct setting *setting = *state;
    struct copy *copy = bench_arriving(&setting->bench, &setting->question, 10);
    CLEANUP(close_fd) int fd = open_file(setting, "theirs");
    assert_false(cache_adopt(setting->bench.cache, copy, fd, 6, 1, "folder", NULL, true));
    assert_int_equal(bench_phase(copy), COPY_ARRIVING);
    end(setting, copy);
}

/* --- ends ----------------------------------------------------------------------------------- */

static void ends_absent(void **state) {
    struct setting *setting = *state;
    struct error why;
    struct copy *copy = searching(setting);
    cache_end(setting->bench.cache, copy, COPY_ABSENT, NULL);
    assert_int_equal(bench_phase(copy), COPY_ABSENT);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_NONE);
    struct copy *next = searching(setting);
    copy_unref(copy);
    end(setting, next);
}

static void drops_only_what_nobody_wants(void **state) {
    struct setting *setting = *state;
    struct cache *cache = setting->bench.cache;
    struct error why;
    struct copy *copy = searching(setting);
    assert_false(cache_drop_unwanted(cache, copy));
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_true(cache_drop_unwanted(cache, copy));
    assert_int_equal(bench_phase(copy), COPY_FAILED);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_CANCELLED);
    copy_unref(copy);
    copy = searching(setting);
    copy_leave(copy, COPY_LEFT_LATER);
    assert_false(cache_drop_unwanted(cache, copy));
    end(setting, copy);
    copy = bench_arriving(&setting->bench, &setting->question, 10);
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_false(cache_drop_unwanted(cache, copy)); /* what has begun goes on */
    end(setting, copy);
}

/* A copy that was taken out may be followed by another search before it is replaced itself. */
static void replaces_without_pushing_another_out(void **state) {
    struct setting *setting = *state;
    struct copy *copy = bench_arriving(&setting->bench, &setting->question, 10);
    bench_append(copy, 10);
    copy_whole(copy);
    cache_complete(setting->bench.cache, copy, false);
    struct copy *second = searching(setting);
    struct copy *successor = cache_replace(setting->bench.cache, copy, NULL);
    struct copy *listed = found(setting, &setting->question);
    assert_ptr_equal(listed, second);
    copy_unref(listed);
    end(setting, second);
    end(setting, successor);
    copy_unref(copy);
    assert_int_equal(counted(&counters(setting)->searching), 0);
}

/* --- making room, forgetting, listing ------------------------------------------------------- */

static struct question nth_question(unsigned n) {
    char name[32];
    snprintf(name, sizeof name, "app%u.pdb", n);
    return bench_question(name, id);
}

static void closes_what_was_not_used_for_longest(void **state) {
    struct setting *setting = *state;
    struct question first = nth_question(0);
    enum { COPIES = 20 };
    unsigned before = bench_descriptors();
    for (unsigned i = 0; i < COPIES; i++) {
        struct question question = nth_question(i);
        copy_unref(bench_keep(&setting->bench, &question, 100));
        copy_unref(found(setting, &first)); /* in use all the time */
        assert_true(counted(&counters(setting)->open_files) <= OPEN_FILES_MAX);
    }
    assert_int_equal(bench_descriptors(), before + OPEN_FILES_MAX);
    assert_true(counted(&counters(setting)->evicted) >= COPIES - OPEN_FILES_MAX);
    for (unsigned i = 0; i < COPIES; i++) { /* and every one is on the shelf still */
        struct question question = nth_question(i);
        struct copy *copy = found(setting, &question);
        bench_check(copy, 100);
        copy_unref(copy);
    }
}

static void evicts_no_file_from_its_readers(void **state) {
    struct setting *setting = *state;
    struct question first = nth_question(0);
    struct copy *held = bench_keep(&setting->bench, &first, 50000);
    for (unsigned i = 1; i < 2 * OPEN_FILES_MAX + 1; i++) {
        struct question question = nth_question(i);
        copy_unref(bench_keep(&setting->bench, &question, 100));
    }
    bench_check(held, 50000);
    copy_unref(held);
}

static void forgets_what_is_complete(void **state) {
    struct setting *setting = *state;
    struct copy *copy = bench_keep(&setting->bench, &setting->question, 100);
    assert_int_equal(cache_forget(setting->bench.cache, &setting->question.key), 1);
    assert_int_equal(size_on_shelf(&setting->bench), 0);
    not_found(setting, &setting->question);
    bench_check(copy, 100);
    copy_unref(copy);
    assert_int_equal(cache_forget(setting->bench.cache, &setting->question.key), 0);
    copy = bench_arriving(&setting->bench, &setting->question, 100);
    assert_int_equal(cache_forget(setting->bench.cache, &setting->question.key), 0);
    struct copy *same = found(setting, &setting->question);
    assert_ptr_equal(same, copy);
    copy_unref(same);
    end(setting, copy);
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
    struct setting *setting = *state;
    struct shown shown = {0};
    struct question complete = nth_question(0);
    copy_unref(bench_keep(&setting->bench, &complete, 100));
    cache_list(setting->bench.cache, 10, show, &shown);
    assert_int_equal(shown.count, 0);
    struct copy *copy = bench_arriving(&setting->bench, &setting->question, 1000);
    struct copy *joined = found(setting, &setting->question);
    bench_append(copy, 400);
    clock_fake_advance(5000);
    cache_list(setting->bench.cache, 10, show, &shown);
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
    struct copy *second = cache_claim(setting->bench.cache, &other.key, &leading, &err);
    shown.count = 0;
    cache_list(setting->bench.cache, 1, show, &shown);
    assert_int_equal(shown.count, 1);
    copy_unref(joined);
    end(setting, second);
    end(setting, copy);
}

/* Whoever still reads when the cache ends reads to the end. */
static void ends_before_its_readers(void **state) {
    struct setting *setting = *state;
    struct question other = nth_question(1);
    struct copy *complete = bench_keep(&setting->bench, &other, 100);
    struct copy *whole = bench_arriving(&setting->bench, &setting->question, 100);
    bench_append(whole, 100);
    copy_whole(whole);
    cache_free(TAKE(setting->bench.cache));
    bench_check(complete, 100);
    bench_check(whole, 100);
    copy_unref(complete);
    copy_unref(whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
        TEST(serves_a_file_in_place_for_a_while),
        TEST(holds_no_file_in_place_that_just_changed),
        TEST(adopts_nothing_into_a_copy_that_has_begun),
        TEST(ends_absent),
        TEST(drops_only_what_nobody_wants),
        TEST(replaces_without_pushing_another_out),
        TEST(closes_what_was_not_used_for_longest),
        TEST(evicts_no_file_from_its_readers),
        TEST(forgets_what_is_complete),
        TEST(lists_what_is_under_way),
        TEST(ends_before_its_readers),
    };
    return RUN_TESTS(tests);
}
