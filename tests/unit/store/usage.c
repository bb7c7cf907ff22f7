// SPDX-License-Identifier: MIT
#include "store/usage.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/staging.h"
#include "unit/store/bench.h"

/* Until what was there at the start has been counted. */
static struct usage_view counted_view(struct usage *usage) {
    struct usage_view view;
    for (usage_glance(usage, &view); view.counting; usage_glance(usage, &view))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return view;
}

static struct usage *usage_of(struct bench *bench, unsigned times) {
    struct shelf *shelves[3] = {bench->shelf, NULL, bench->shelf};
    struct error err = {0};
    struct usage *usage = usage_new(shelves, times, &err);
    assert_non_null(usage);
    return usage;
}

static void put_many(struct bench *bench, unsigned count, const char *text) {
    for (unsigned i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "app%u.pdb/AB/app%u.pdb", i, i);
        bench_put(bench, path, text);
    }
}

static void keep(struct bench *bench, const char *path, size_t bytes) {
    char text[1000] = {0};
    struct error err = {0};
    struct staging *staging;
    assert_true(staging_new(bench->shelf, bench->spill, bytes, &staging, &err));
    assert_true(staging_append(staging, text, bytes, &err));
    assert_true(staging_commit(staging, path, 1500000000000000000, &err));
    staging_free(staging);
}

static void a_tree_is_counted_without_what_is_symgates_own(void **state) {
    struct bench *bench = *state;
    put_many(bench, 200, "seven..");
    bench_put(bench, ".symgate/other", "not counted");
    struct usage *usage = usage_of(bench, 3);
    assert_int_equal(counted_view(usage).bytes, 1400);
    usage_free(usage);
}

static void what_is_kept_replaced_and_removed_is_added(void **state) {
    struct bench *bench = *state;
    struct usage *usage = usage_of(bench, 1);
    assert_int_equal(counted_view(usage).bytes, 0);
    keep(bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", 700);
    keep(bench, "b.pdb/AB/b.pdb", 100);
    assert_int_equal(counted_view(usage).bytes, 800);
    keep(bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", 200);
    assert_int_equal(counted_view(usage).bytes, 300);
    assert_int_equal(shelf_remove(bench->shelf, &bench->question.key), 1);
    assert_int_equal(counted_view(usage).bytes, 100);
    usage_free(usage);
}

static void what_is_removed_while_it_counts_is_subtracted_once(void **state) {
    struct bench *bench = *state;
    put_many(bench, 2000, "seven..");
    bench_put(bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "one of many bytes");
    struct usage *usage = usage_of(bench, 1);
    assert_int_equal(shelf_remove(bench->shelf, &bench->question.key), 1);
    struct usage_view view;
    usage_glance(usage, &view);
    assert_true(view.counting);
    assert_int_equal(counted_view(usage).bytes, 14000);
    keep(bench, "b.pdb/AB/b.pdb", 100);
    assert_int_equal(counted_view(usage).bytes, 14100);
    usage_free(usage);
}

static void the_disk_is_looked_at(void **state) {
    struct bench *bench = *state;
    struct usage_view view;
    keep(bench, "b.pdb/AB/b.pdb", 100); /* the directory is made with the first file */
    struct usage *usage = usage_of(bench, 1);
    usage_look(usage, &view);
    assert_true(view.usable);
    assert_true(view.size > 0 && view.free <= view.size);
    usage_free(usage);
}

static void it_ends_in_the_middle_of_counting(void **state) {
    struct bench *bench = *state;
    put_many(bench, 500, "x");
    usage_free(usage_of(bench, 1));
    usage_free(NULL);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_BENCH(a_tree_is_counted_without_what_is_symgates_own),
        WITH_BENCH(what_is_kept_replaced_and_removed_is_added),
        WITH_BENCH(what_is_removed_while_it_counts_is_subtracted_once),
        WITH_BENCH(the_disk_is_looked_at),
        WITH_BENCH(it_ends_in_the_middle_of_counting),
    };
    return RUN_TESTS(tests);
}
