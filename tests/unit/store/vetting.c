// SPDX-License-Identifier: MIT
#include "store/vetting.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";
static const char at[] = "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb";

/* A file is good here when it begins with "good", an archive with "pack", and
   cannot be read when it begins with "disk". */
static enum vetted begins_good(void *context, const struct symbol_key *key,
                               const struct shelf_found *found, struct error *err) {
    char text[5] = {0};
    assert_true(!context && key->hash != 0 && found->size > 0);
    assert_true(pread(found->fd, text, 4, 0) > 0);
    if (strcmp(text, "disk") == 0)
        error_set(err, ERROR_DISK, "the disk is at fault");
    else if (strcmp(text, "good") == 0)
        return VETTED_GOOD;
    else if (strcmp(text, "pack") == 0)
        return VETTED_PACKED;
    else
        error_set(err, ERROR_IDENTITY, "the file is another one");
    return VETTED_FALSE;
}

struct setting {
    struct bench bench;
    struct vetting *vetting;
    struct shelf *shelf; /* the one whose files are checked */
    char *root;
};

static void open_shelf(struct setting *setting) {
    struct error err;
    struct shelf_options options = {.path = setting->root, .vetting = setting->vetting};
    setting->shelf = shelf_new(&options, &err);
    assert_non_null(setting->shelf);
}

static int set_up(void **state) {
    struct setting *setting = NEW(struct setting);
    clock_fake_set_wall(time(NULL) + 3600);
    bench_open(&setting->bench, 10);
    setting->root = scratch_path(setting->bench.folder, "checked");
    setting->vetting = vetting_new(&(struct vetting_options){.verify = begins_good, .marks = 1000});
    open_shelf(setting);
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    shelf_free(setting->shelf);
    vetting_free(setting->vetting);
    bench_close(&setting->bench);
    free(setting->root);
    free(setting);
    return 0;
}

static void put(const struct setting *setting, const char *path, const char *text) {
    struct bench there = {.root = setting->root};
    bench_put(&there, path, text);
}

/* Moves the file's time back by so many seconds. */
static void age(const struct setting *setting, const char *path, long seconds) {
    CLEANUP(free_block) char *whole = scratch_path(setting->root, path);
    struct stat file;
    assert_int_equal(stat(whole, &file), 0);
    struct timespec times[2] = {file.st_mtim, file.st_mtim};
    times[1].tv_sec -= seconds;
    assert_int_equal(utimensat(AT_FDCWD, whole, times, 0), 0);
}

static int64_t written_s(const struct setting *setting, const char *path) {
    CLEANUP(free_block) char *whole = scratch_path(setting->root, path);
    struct stat file;
    assert_int_equal(stat(whole, &file), 0);
    return file.st_mtim.tv_sec;
}

static enum shelf_look look(const struct setting *setting, const char *name, bool cached) {
    struct question question = bench_question(name, id);
    struct shelf_found found;
    enum shelf_look outcome =
        shelf_look(setting->shelf, &question.spelling, &question.key, cached, &found);
    if (outcome == SHELF_FOUND)
        close(found.fd);
    return outcome;
}

static uint64_t checks(const struct setting *setting) {
    return counted(&vetting_counters(setting->vetting)->checked);
}

static uint64_t refused(const struct setting *setting) {
    return counted(&vetting_counters(setting->vetting)->false_files);
}

static void a_file_is_checked_once_and_never_on_a_loop(void **state) {
    const struct setting *setting = *state;
    put(setting, at, "good");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(look(setting, "app.pdb", true), SHELF_COLD);
    assert_int_equal(checks(setting), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(setting, "App.PDB", false), SHELF_FOUND);
    assert_int_equal(look(setting, "app.pdb", true), SHELF_FOUND);
    assert_int_equal(checks(setting), 1);
}

static void a_changed_file_is_checked_again(void **state) {
    const struct setting *setting = *state;
    put(setting, at, "good");
    assert_int_equal(look(setting, "app.pdb", false), SHELF_FOUND);
    age(setting, at, 5);
    assert_int_equal(look(setting, "app.pdb", true), SHELF_COLD);
    assert_int_equal(look(setting, "app.pdb", false), SHELF_FOUND);
    assert_int_equal(checks(setting), 2);
    put(setting, at, "longer, and false");
    assert_int_equal(look(setting, "app.pdb", true), SHELF_COLD);
    assert_int_equal(look(setting, "app.pdb", false), SHELF_NOTHING);
    assert_int_equal(refused(setting), 1);
}

static void a_false_file_is_as_if_it_were_not_there(void **state) {
    const struct setting *setting = *state;
    put(setting, at, "false");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(setting, "app.pdb", false), SHELF_NOTHING);
    assert_int_equal(checks(setting), 1);
    assert_int_equal(refused(setting), 1);
    put(setting, "app.pdb/0123456789abcdef0123456789ABCDEF1/app.pdb", "good");
    clock_fake_advance(600000); /* what was listed is listed anew */
    assert_int_equal(look(setting, "app.pdb", false), SHELF_FOUND);
    struct question question = bench_question("app.pdb", id);
    assert_int_equal(shelf_remove(setting->shelf, &question.key), 2);
}

static void an_archive_is_another_form(void **state) {
    const struct setting *setting = *state;
    put(setting, at, "packed");
    assert_int_equal(look(setting, "app.pdb", true), SHELF_COLD);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(look(setting, "app.pdb", false), SHELF_OTHER_FORM);
    assert_int_equal(look(setting, "app.pdb", true), SHELF_OTHER_FORM);
    assert_int_equal(checks(setting), 1);
    assert_int_equal(refused(setting), 0);
}

/* Another program may be writing it at this moment: it is asked again, and is not told as false. */
static void a_file_that_is_being_written_is_no_false_one(void **state) {
    const struct setting *setting = *state;
    put(setting, at, "half");
    clock_fake_set_wall(written_s(setting, at));
    age(setting, at, -1); /* the clocks may differ by the granularity of the file's */
    clock_fake_advance(2000);
    assert_int_equal(look(setting, "app.pdb", false), SHELF_NOTHING);
    assert_int_equal(look(setting, "app.pdb", true), SHELF_COLD);
    assert_int_equal(refused(setting), 0);
    clock_fake_advance(60000);
    assert_int_equal(look(setting, "app.pdb", false), SHELF_NOTHING);
    assert_int_equal(refused(setting), 1);
}

static void a_file_that_cannot_be_read_is_asked_again(void **state) {
    const struct setting *setting = *state;
    put(setting, at, "disk");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(look(setting, "app.pdb", false), SHELF_NOTHING);
    assert_int_equal(checks(setting), 2);
    assert_int_equal(refused(setting), 0);
}

static void what_symgate_put_there_is_known(void **state) {
    struct setting *setting = *state;
    cache_free(TAKE(setting->bench.cache));
    struct cache_options options = {.shelves = &setting->shelf,
                                    .shelf_count = 1,
                                    .spill = setting->bench.spill,
                                    .open_files_max = 10,
                                    .searches_max = 10};
    setting->bench.cache = cache_new(&options);
    struct question question = bench_question("app.pdb", id);
    copy_unref(bench_keep(&setting->bench, &question, 100));
    assert_int_equal(look(setting, "app.pdb", true), SHELF_FOUND);
    assert_int_equal(checks(setting), 0);
    cache_free(TAKE(setting->bench.cache));
}

static void the_oldest_are_forgotten(void **state) {
    const struct setting *setting = *state;
    struct vetting *small =
        vetting_new(&(struct vetting_options){.verify = begins_good, .marks = 8});
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found = {.size = 1, .device = 1};
    for (found.inode = 1; found.inode <= 9; found.inode++)
        vetting_pass(small, &question.key, &found);
    found.inode = 1;
    assert_int_equal(vetting_find(small, &question.key, &found), VETTED_UNKNOWN);
    for (found.inode = 2; found.inode <= 9; found.inode++)
        assert_int_equal(vetting_find(small, &question.key, &found), VETTED_GOOD);
    question = bench_question("other.pdb", id);
    found.inode = 2;
    assert_int_equal(vetting_find(small, &question.key, &found), VETTED_UNKNOWN);
    vetting_free(small);
    (void)setting;
}

/* --- two tiers ------------------------------------------------------------------------------ */

static void reopen_with_two_tiers(struct setting *setting) {
    put(setting, "x/index2.txt", "");
    CLEANUP(free_block) char *from = scratch_path(setting->root, "x/index2.txt");
    CLEANUP(free_block) char *to = scratch_path(setting->root, "index2.txt");
    shelf_free(setting->shelf);
    assert_int_equal(rename(from, to), 0);
    open_shelf(setting);
}

static void two_tiers_are_read_in_any_case(void **state) {
    struct setting *setting = *state;
    static const char *const trees[] = {
        "ap/app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb",
        "Ap/App.pdb/0123456789ABCDEF0123456789ABCDEF1/App.pdb",
        "AP/App.pdb/0123456789abcdef0123456789ABCDEF1/aPP.pdb",
        "ap/APP.pdb/0123456789abcdef0123456789abcdef1/App.pdb",
        "ap/app.pdb/0123456789abcdef0123456789abcdef1/App.pdb",
        "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb",
    };
    reopen_with_two_tiers(setting);
    struct question question = bench_question("app.pdb", id);
    for (size_t i = 0; i < LENGTH_OF(trees); i++) {
        put(setting, trees[i], "good");
        clock_fake_advance(600000); /* what was listed is listed anew */
        struct shelf_found found;
        assert_int_equal(
            shelf_look(setting->shelf, &question.spelling, &question.key, false, &found),
            SHELF_FOUND);
        close(found.fd);
        assert_string_equal(found.path, trees[i]);
        assert_int_equal(look(setting, "App.pdb", false), SHELF_FOUND);
        assert_int_equal(shelf_remove(setting->shelf, &question.key), 1);
        assert_int_equal(look(setting, "app.pdb", false), SHELF_NOTHING);
    }
}

static void two_tiers_are_kept(void **state) {
    struct setting *setting = *state;
    char path[LAYOUT_PATH_BYTES];
    struct question question = bench_question("App.pdb", id);
    shelf_place(setting->shelf, &question.key, path);
    assert_string_equal(path, at);
    reopen_with_two_tiers(setting);
    shelf_place(setting->shelf, &question.key, path);
    assert_string_equal(path, "ap/app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb");
    question = bench_question("_.debug", "elf-buildid-sym-0123");
    shelf_place(setting->shelf, &question.key, path);
    assert_string_equal(path, "_/_.debug/elf-buildid-sym-0123/_.debug");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_checked_once_and_never_on_a_loop, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_changed_file_is_checked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_false_file_is_as_if_it_were_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_archive_is_another_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_being_written_is_no_false_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_asked_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_symgate_put_there_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_tiers_are_read_in_any_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_tiers_are_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
