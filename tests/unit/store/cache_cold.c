// SPDX-License-Identifier: MIT
//
// Looks that may block, and shelves that do. A shelf is made to hang by jobs that keep all its
// threads; time is the test's.
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/threads.h"
#include "store/cache_inside.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

enum { GLOBAL = 1, SECOND = 2, BOTH = 3, SHELF_THREADS = 8, SHELF_QUEUE = 12000 };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";
static const char shelf_file[] = "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb";

/* Two shelves: the bench's, and one in "<folder>/second". */
struct setting {
    struct bench bench;
    struct shelf *second;
    char *second_root;
    struct question question;
    struct gate done;
    bool found;
    struct shelved_form other; /* no form: none was told */
};

static int set_up(void **state) {
    struct setting *setting = NEW(struct setting);
    struct error err;
    clock_fake_set_wall(time(NULL));
    bench_open(&setting->bench, 10);
    cache_free(setting->bench.cache);
    setting->second_root = scratch_path(setting->bench.folder, "second");
    struct shelf_options options = {.path = setting->second_root};
    setting->second = shelf_new(&options, &err);
    assert_non_null(setting->second);
    struct shelf *shelves[] = {setting->bench.shelf, setting->second};
    struct cache_options cache = {.shelves = shelves,
                                  .shelf_count = 2,
                                  .spill = setting->bench.spill,
                                  .open_files_max = 10,
                                  .searches_max = 10};
    setting->bench.cache = cache_new(&cache);
    setting->question = bench_question("app.pdb", id);
    setting->done = (struct gate)GATE_CLOSED;
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    cache_free(TAKE(setting->bench.cache));
    shelf_free(setting->second);
    free(setting->second_root);
    bench_close(&setting->bench);
    free(setting);
    return 0;
}

static void put(const struct setting *setting, unsigned shelf, const char *text) {
    struct bench there = {.root = shelf == GLOBAL ? setting->bench.root : setting->second_root};
    bench_put(&there, shelf_file, text);
}

static void told(void *context, bool found, const struct shelved_form *other) {
    struct setting *setting = context;
    setting->found = found;
    if (other)
        setting->other = *other;
    gate_raise(&setting->done);
}

static struct copy *claim(struct setting *setting) {
    bool leading;
    struct error err;
    struct copy *copy = cache_claim(setting->bench.cache, &setting->question.key, &leading, &err);
    assert_true(leading);
    return copy;
}

static struct copy *begin_look(struct setting *setting, uint64_t shelves) {
    struct copy *copy = claim(setting);
    cache_look_cold(setting->bench.cache, copy, &setting->question, shelves, told, setting);
    return copy;
}

static void end(struct setting *setting, struct copy *copy) {
    if (bench_phase(copy) == COPY_SEARCHING)
        cache_end(setting->bench.cache, copy, COPY_FAILED, NULL);
    copy_unref(copy);
    cache_release_complete(setting->bench.cache);
}

/* --- hanging -------------------------------------------------------------------------------- */

struct hang {
    struct hanging_job {
        struct pool_job job;
        struct hang *hang;
    } jobs[SHELF_THREADS];
    struct gate begun;
    struct gate may_end;
    struct gate ended;
};

static void hang_until_let_go(struct pool_job *job) {
    struct hang *hang = LIST_ENTRY(job, struct hanging_job, job)->hang;
    gate_raise(&hang->begun);
    gate_wait(&hang->may_end, 1);
    gate_raise(&hang->ended);
}

/* Returns once all threads of the shelf hang, so that none does anything else. */
static void hang_begin(struct hang *hang, struct shelf *shelf) {
    *hang = (struct hang){.begun = GATE_CLOSED, .may_end = GATE_CLOSED, .ended = GATE_CLOSED};
    for (unsigned i = 0; i < SHELF_THREADS; i++) {
        hang->jobs[i] = (struct hanging_job){{.run = hang_until_let_go}, hang};
        assert_true(pool_post(shelf_pool(shelf), &hang->jobs[i].job));
    }
    gate_wait(&hang->begun, SHELF_THREADS);
}

static void hang_let_go(struct hang *hang) {
    gate_raise(&hang->may_end);
    gate_wait(&hang->ended, SHELF_THREADS);
}

/* Lets the shelf's threads go on, and waits until what was queued behind them has run: until they
 * are all free to hang once more. */
static void hang_end(struct hang *hang, struct shelf *shelf) {
    hang_let_go(hang);
    hang_begin(hang, shelf);
    hang_let_go(hang);
}

static void pass(struct setting *setting, int64_t ms) {
    clock_fake_advance(ms);
    alarm_clock_look(setting->bench.cache->alarms);
}

/* --- tests ---------------------------------------------------------------------------------- */

/* A thread that has told already, but not come back yet, seems to hang when time leaps. */
static void let_a_minute_pass(const struct setting *setting) {
    clock_fake_advance(60000);
    while (shelf_hangs(setting->bench.shelf) || shelf_hangs(setting->second))
        sched_yield();
}

static void tells_of_other_forms(void **state) {
    struct setting *setting = *state;
    struct bench second = {.root = setting->second_root};
    struct copy *none;
    bench_put(&second, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/file.ptr", "PATH:x");
    struct copy *copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 1);
    assert_false(setting->found);
    assert_int_equal(setting->other.form, FORM_POINTER);
    assert_int_equal(setting->other.shelf, 1);
    end(setting, copy);
    assert_int_equal(cache_find(setting->bench.cache, &setting->question, BOTH, &none), CACHE_COLD);
    bench_put(&setting->bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd_", "MSCF");
    let_a_minute_pass(setting);
    copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 2);
    assert_false(setting->found);
    assert_int_equal(setting->other.form, FORM_COMPRESSED);
    assert_int_equal(setting->other.shelf, 0);
    assert_string_equal(setting->other.path, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd_");
    end(setting, copy);
    put(setting, SECOND, "symbols");
    let_a_minute_pass(setting);
    copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 3);
    assert_true(setting->found);
    end(setting, copy);
}

static void completes_what_it_finds(void **state) {
    struct setting *setting = *state;
    put(setting, GLOBAL, "symbols");
    struct copy *copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 1);
    assert_true(setting->found);
    /* The search may end for another reason at the same moment. */
    cache_end(setting->bench.cache, copy, COPY_FAILED, NULL);
    assert_int_equal(bench_phase(copy), COPY_COMPLETE);
    struct copy *same;
    assert_int_equal(cache_find(setting->bench.cache, &setting->question, 0, &same), CACHE_FOUND);
    assert_ptr_equal(same, copy);
    copy_unref(same);
    assert_ptr_equal(copy_pool(copy), shelf_pool(setting->bench.shelf));
    end(setting, copy);
}

static void says_when_there_is_nothing(void **state) {
    struct setting *setting = *state;
    struct copy *copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 1);
    assert_false(setting->found);
    assert_int_equal(bench_phase(copy), COPY_SEARCHING);
    end(setting, copy);
}

static void looks_on_the_allowed_shelves_in_their_order(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    put(setting, SECOND, "the second shelf's");
    struct copy *copy = begin_look(setting, GLOBAL);
    gate_wait(&setting->done, 1);
    assert_false(setting->found);
    end(setting, copy);
    copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 2);
    assert_true(setting->found);
    copy_look(copy, &now);
    assert_int_equal(now.size, strlen("the second shelf's"));
    end(setting, copy);
    put(setting, GLOBAL, "the first's");
    copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 3);
    copy_look(copy, &now);
    assert_int_equal(now.size, strlen("the first's"));
    end(setting, copy);
}

/* The shelf that hangs counts as not there after 1 s, and its late answer as none. */
static void passes_a_shelf_that_hangs(void **state) {
    struct setting *setting = *state;
    struct hang hang;
    struct copy_state now;
    put(setting, GLOBAL, "too late");
    put(setting, SECOND, "in time");
    unsigned before = bench_descriptors();
    hang_begin(&hang, setting->bench.shelf);
    struct copy *copy = begin_look(setting, BOTH);
    pass(setting, 900);
    assert_int_equal(gate_count(&setting->done), 0);
    pass(setting, 200);
    gate_wait(&setting->done, 1);
    assert_true(setting->found);
    copy_look(copy, &now);
    assert_int_equal(now.size, strlen("in time"));
    assert_true(shelf_hangs(setting->bench.shelf));
    end(setting, copy);
    hang_end(&hang, setting->bench.shelf);
    assert_int_equal(gate_count(&setting->done), 1); /* told once */
    assert_true(cache_wait_for_looks(setting->bench.cache));
    assert_int_equal(bench_descriptors(), before);
    assert_false(shelf_hangs(setting->bench.shelf));
    copy = begin_look(setting, GLOBAL);
    gate_wait(&setting->done, 2);
    assert_true(setting->found);
    end(setting, copy);
}

/* Once it is known to hang, nobody waits for it: neither a search nor a hit. */
static void leaves_out_a_shelf_that_hangs(void **state) {
    struct setting *setting = *state;
    struct hang hang;
    struct copy *none;
    struct question unseen = bench_question("unseen.pdb", id);
    clock_fake_advance(60000);
    assert_int_equal(cache_find(setting->bench.cache, &unseen, GLOBAL, &none), CACHE_COLD);
    hang_begin(&hang, setting->bench.shelf);
    pass(setting, 1100);
    assert_int_equal(cache_find(setting->bench.cache, &unseen, GLOBAL, &none), CACHE_NOTHING);
    struct copy *copy = begin_look(setting, GLOBAL);
    gate_wait(&setting->done, 1); /* at once: no time has passed */
    assert_false(setting->found);
    end(setting, copy);
    assert_int_equal(cache_forget(setting->bench.cache, &setting->question.key), 0);
    hang_end(&hang, setting->bench.shelf);
}

static void stages_nothing_on_a_shelf_that_hangs(void **state) {
    struct setting *setting = *state;
    struct hang hang;
    struct error why;
    hang_begin(&hang, setting->bench.shelf);
    pass(setting, 1100);
    struct copy *copy = bench_arriving(&setting->bench, &setting->question, 100);
    bench_append(copy, 100);
    bench_check(copy, 100);
    copy_whole(copy, true);
    cache_complete(setting->bench.cache, copy, true);
    assert_int_equal(bench_phase(copy), COPY_WHOLE);
    copy_why(copy, &why);
    assert_non_null(strstr(why.what, "does not answer"));
    hang_end(&hang, setting->bench.shelf);
    copy_unref(copy);
}

static void settles_no_copy_that_has_begun_meanwhile(void **state) {
    struct setting *setting = *state;
    struct hang hang;
    put(setting, GLOBAL, "symbols");
    unsigned before = bench_descriptors();
    hang_begin(&hang, setting->bench.shelf);
    struct copy *copy = begin_look(setting, GLOBAL);
    cache_end(setting->bench.cache, copy, COPY_FAILED, NULL);
    hang_end(&hang, setting->bench.shelf);
    gate_wait(&setting->done, 1);
    assert_false(setting->found);
    assert_int_equal(bench_phase(copy), COPY_FAILED);
    copy_unref(copy);
    assert_true(cache_wait_for_looks(setting->bench.cache));
    assert_int_equal(bench_descriptors(), before);
}

static void run_nothing(struct pool_job *job) {
    gate_raise(&LIST_ENTRY(job, struct hanging_job, job)->hang->ended);
}

static void passes_a_shelf_whose_queue_is_full(void **state) {
    struct setting *setting = *state;
    struct hang hang;
    CLEANUP(free_block) struct hanging_job *queued = NEW_ARRAY(struct hanging_job, SHELF_QUEUE);
    put(setting, SECOND, "symbols");
    hang_begin(&hang, setting->bench.shelf);
    for (unsigned i = 0; i < SHELF_QUEUE; i++) {
        queued[i] = (struct hanging_job){{.run = run_nothing}, &hang};
        assert_true(pool_post(shelf_pool(setting->bench.shelf), &queued[i].job));
    }
    struct copy *copy = begin_look(setting, BOTH);
    gate_wait(&setting->done, 1);
    assert_true(setting->found);
    end(setting, copy);
    gate_raise(&hang.may_end);
    gate_wait(&hang.ended, SHELF_THREADS + SHELF_QUEUE);
}

struct ending {
    struct cache *cache;
    struct hang *hang;
};

/* Lets a hanging shelf go once the cache is being ended. */
static void *let_go_at_the_end(void *context) {
    struct ending *ending = context;
    while (!atomic_load(&ending->cache->closing))
        sched_yield();
    gate_raise(&ending->hang->may_end);
    return NULL;
}

/* The end of the cache waits for a look under way, which tells nobody then. */
static void tells_nobody_after_its_end(void **state) {
    struct setting *setting = *state;
    struct hang hang;
    pthread_t thread;
    put(setting, GLOBAL, "symbols");
    hang_begin(&hang, setting->bench.shelf);
    struct copy *copy = begin_look(setting, BOTH);
    copy_unref(copy);
    struct ending ending = {setting->bench.cache, &hang};
    assert_true(thread_start(&thread, "ending", let_go_at_the_end, &ending, NULL));
    cache_free(TAKE(setting->bench.cache));
    pthread_join(thread, NULL);
    gate_wait(&hang.ended, SHELF_THREADS);
    assert_int_equal(gate_count(&setting->done), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(completes_what_it_finds),
        TEST(tells_of_other_forms),
        TEST(says_when_there_is_nothing),
        TEST(looks_on_the_allowed_shelves_in_their_order),
        TEST(passes_a_shelf_that_hangs),
        TEST(leaves_out_a_shelf_that_hangs),
        TEST(stages_nothing_on_a_shelf_that_hangs),
        TEST(settles_no_copy_that_has_begun_meanwhile),
        TEST(passes_a_shelf_whose_queue_is_full),
        TEST(tells_nobody_after_its_end),
    };
    return RUN_TESTS(tests);
}
