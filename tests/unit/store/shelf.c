// SPDX-License-Identifier: MIT
#include "store/shelf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/shelf_inside.h"
#include "store/staging.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";

/* The look of a thread that may block. */
static enum shelf_look look(struct shelf *shelf, const struct question *question,
                            struct shelf_found *out_found) {
    enum shelf_look outcome =
        shelf_look(shelf, &question->spelling, &question->key, false, out_found);
    if (outcome == SHELF_FOUND)
        close(out_found->fd);
    return outcome;
}

/* The same, and the file stays open. */
static void find_open(struct shelf *shelf, const struct question *question,
                      struct shelf_found *out_found) {
    assert_int_equal(shelf_look(shelf, &question->spelling, &question->key, false, out_found),
                     SHELF_FOUND);
}

static int real_time(void **state) {
    (void)state;
    clock_fake_set_wall(time(NULL));
    return 0;
}

/* Wall time goes on, so that directories are no longer as young as the look at them. */
static void settle(void) {
    clock_fake_advance(60000);
}

static void finds_every_spelling(void **state) {
    (void)state;
    static const char *const trees[] = {
        "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb",
        "App.PDB/0123456789ABCDEF0123456789ABCDEF1/App.PDB",
        "App.PDB/0123456789abcdef0123456789abcdef1/App.PDB",
        "App.PDB/0123456789abcdef0123456789abcdef1/app.pdb",
        "app.pdb/0123456789abcdef0123456789ABCDEF1/app.pdb",
        "app.pdb/0123456789ABCDEF0123456789ABCDEF1/APP.PDB",
        "App.PDB/0123456789abcdef0123456789abcdef1/aPP.pDb",
    };
    static const char *const names[] = {"app.pdb", "App.PDB", "APP.pdb"};
    for (size_t i = 0; i < LENGTH_OF(trees); i++) {
        struct bench bench = {0};
        bench_open(&bench, 10);
        bench_put(&bench, trees[i], "symbols");
        for (size_t n = 0; n < LENGTH_OF(names); n++) {
            struct question question = bench_question(names[n], id);
            struct shelf_found found;
            assert_int_equal(look(bench.shelf, &question, &found), SHELF_FOUND);
            assert_string_equal(found.path, trees[i]);
            assert_int_equal(found.size, 7);
        }
        bench_close(&bench);
    }
}

/* The text made of a symbol file is a file of its own, in every case; the one never stands for the
 * other. */
static void tells_a_part_from_the_file_itself(void **state) {
    (void)state;
    static const char *const folders[] = {
        "app.pdb/0123456789ABCDEF0123456789ABCDEF1",
        "app.pdb/0123456789abcdef0123456789abcdef1",
        "App.PDB/0123456789ABCDEF0123456789ABCDEF1",
    };
    static const char *const parts[] = {"app.sym", "APP.sym", "App.SYM"};
    for (size_t i = 0; i < LENGTH_OF(folders) * LENGTH_OF(parts); i++) {
        struct bench bench = {0};
        char path[100];
        struct shelf_found found;
        bench_open(&bench, 10);
        struct question itself = bench_question("App.pdb", id);
        struct question part = itself;
        struct error err;
        part.spelling.part = PART_SYM;
        assert_true(symbol_key_make(&part.spelling, &part.key, &err));
        for (unsigned n = 0; n < 2; n++) {
            snprintf(path, sizeof path, "%s/%s", folders[i % 3], n ? "app.pdb" : "App.PDB");
            bench_put(&bench, path, "symbols");
        }
        assert_int_equal(look(bench.shelf, &itself, &found), SHELF_FOUND);
        assert_int_equal(look(bench.shelf, &part, &found), SHELF_NOTHING);
        settle();
        snprintf(path, sizeof path, "%s/%s", folders[i % 3], parts[i / 3]);
        bench_put(&bench, path, "text");
        assert_int_equal(look(bench.shelf, &part, &found), SHELF_FOUND);
        assert_string_equal(found.path, path);
        assert_int_equal(shelf_remove(bench.shelf, &part.key), 1);
        assert_int_equal(look(bench.shelf, &part, &found), SHELF_NOTHING);
        assert_int_equal(look(bench.shelf, &itself, &found), SHELF_FOUND);
        bench_close(&bench);
    }
}

static void finds_nothing_else(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF2/app.pdb", "another");
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd", "another");
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "");
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    bench_close(&bench);
}

static void follows_no_link(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    scratch_write(bench.folder, "secret", "not yours");
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/other", "x");
    CLEANUP(free_block)
    char *link = scratch_path(bench.root, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb");
    assert_int_equal(symlink("../../../secret", link), 0);
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    bench_close(&bench);
}

/* Trees that appear in another case while symgate runs are found once the index is made anew. */
static void notices_what_is_put_there(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    bench_put(&bench, "APP.PDB/0123456789abcdef0123456789ABCDEF1/App.PDB", "symbols");
    settle();
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_FOUND);
    bench_close(&bench);
}

/* File systems keep times as coarsely as their clock ticks: a root that was made just now might
 * look unchanged after the next name is put into it. */
static void age_root(const struct bench *bench) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 3600}};
    assert_int_equal(utimensat(AT_FDCWD, shelf_path(bench->shelf), times, 0), 0);
}

/* The first look of a loop needs the disk; once a thread has looked, it is answered from memory. */
static void is_cold_only_once(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    age_root(&bench);
    settle();
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    assert_int_equal(shelf_look(bench.shelf, &question.spelling, &question.key, true, &found),
                     SHELF_COLD);
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    enum shelf_look again =
        shelf_look(bench.shelf, &question.spelling, &question.key, true, &found);
    /* A file system that keeps no memory of what is not there can only stay cold. */
    assert_true(again == SHELF_NOTHING || again == SHELF_COLD);
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "symbols");
    clock_fake_advance(1);
    assert_int_equal(shelf_look(bench.shelf, &question.spelling, &question.key, true, &found),
                     SHELF_FOUND);
    close(found.fd);
    bench_close(&bench);
}

static enum shelf_look look_of_a_loop(struct shelf *shelf, const char *name) {
    struct question question = bench_question(name, id);
    struct shelf_found found;
    enum shelf_look outcome = shelf_look(shelf, &question.spelling, &question.key, true, &found);
    if (outcome == SHELF_FOUND)
        close(found.fd);
    return outcome;
}

/* Names that nobody has asked for before are told from what the root holds, until it changes. */
static void knows_without_the_disk_what_it_has_never_had(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "symbols");
    bench_put(&bench, "Other.PDB/0123456789ABCDEF0123456789ABCDEF1/Other.PDB", "symbols");
    age_root(&bench);
    settle();
    struct shelf_found found;
    struct question question = bench_question("none.pdb", id);
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    bool told = bench.shelf->root->tells_time;
    assert_int_equal(look_of_a_loop(bench.shelf, "never.pdb"), told ? SHELF_NOTHING : SHELF_COLD);
    assert_int_equal(look_of_a_loop(bench.shelf, "APP.pdb"), SHELF_FOUND);
    assert_int_not_equal(look_of_a_loop(bench.shelf, "other.pdb"), SHELF_NOTHING);
    bench_put(&bench, "Never.PDB/0123456789ABCDEF0123456789ABCDEF1/Never.PDB", "symbols");
    clock_fake_advance(1);
    assert_int_not_equal(look_of_a_loop(bench.shelf, "never.pdb"), SHELF_NOTHING);
    settle();
    question = bench_question("never.pdb", id);
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_FOUND);
    bench_close(&bench);
}

/* However many are missed, no directory is read for each. */
static void reads_no_directory_for_a_miss(void **state) {
    (void)state;
    struct bench bench = {0};
    struct shelf_found found;
    bench_open(&bench, 10);
    bench_put(&bench, "App.PDB/0123456789ABCDEF0123456789ABCDEF1/App.PDB", "symbols");
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF2/app.pdb", "symbols");
    settle();
    for (unsigned i = 0; i < 200; i++) {
        char other[40];
        snprintf(other, sizeof other, "0123456789ABCDEF0123456789ABCDEF%x", 0x100 + i);
        struct question question = bench_question("app.pdb", other);
        assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
        clock_fake_advance(100); /* so that what is known is looked at again and again */
    }
    assert_int_equal(listings_reads(bench.shelf->listings), 2);
    struct question question = bench_question("app.pdb", id);
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_FOUND);
    bench_close(&bench);
}

/* A file system in memory keeps no memory of what is not there, but needs no disk to tell. */
static void is_never_cold_in_memory(void **state) {
    (void)state;
    char template[] = "/dev/shm/symgate-test-XXXXXX";
    struct bench bench = {0};
    struct shelf_found found;
    const char *folder = mkdtemp(template);
    bench.folder = folder ? strdup(folder) : scratch_new();
    bench.root = scratch_path(bench.folder, "shelf");
    bench_open(&bench, 10);
    settle();
    struct question question = bench_question("app.pdb", id);
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    struct question unseen = bench_question("unseen.pdb", id);
    assert_int_equal(shelf_look(bench.shelf, &unseen.spelling, &unseen.key, true, &found),
                     shelf_quick(bench.shelf) ? SHELF_NOTHING : SHELF_COLD);
    bench_close(&bench);
}

static void tells_a_changed_file(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "symbols");
    find_open(bench.shelf, &question, &found);
    assert_true(shelf_unchanged(bench.shelf, &found));
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "longer symbols");
    assert_false(shelf_unchanged(bench.shelf, &found));
    close(found.fd);
    find_open(bench.shelf, &question, &found);
    assert_true(shelf_unchanged(bench.shelf, &found));
    CLEANUP(free_block) char *path = scratch_path(bench.root, found.path);
    assert_int_equal(unlink(path), 0);
    assert_false(shelf_unchanged(bench.shelf, &found));
    close(found.fd);
    bench_close(&bench);
}

static void removes_every_spelling(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "one");
    bench_put(&bench, "App.PDB/0123456789abcdef0123456789ABCDEF1/App.PDB", "two");
    bench_put(&bench, "App.PDB/0123456789abcdef0123456789ABCDEF2/App.PDB", "another");
    assert_int_equal(shelf_remove(bench.shelf, &question.key), 2);
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    CLEANUP(free_block) char *gone = scratch_path(bench.root, "app.pdb");
    assert_int_equal(access(gone, F_OK), -1);
    struct question other = bench_question("app.pdb", "0123456789ABCDEF0123456789ABCDEF2");
    assert_int_equal(look(bench.shelf, &other, &found), SHELF_FOUND);
    bench_close(&bench);
}

static enum shelf_look look_form(struct shelf *shelf, const struct question *question,
                                 enum form form, struct shelf_found *out_found) {
    return shelf_look_form(shelf, &question->spelling, &question->key, form, false, out_found);
}

static void finds_other_forms_by_their_name(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    struct question question = bench_question("App.pdb", id);
    struct shelf_found found;
    bench_put(&bench, "APP.pdb/0123456789abcdef0123456789ABCDEF1/App.PD_", "cab");
    assert_int_equal(look_form(bench.shelf, &question, FORM_COMPRESSED, &found), SHELF_FOUND);
    assert_int_equal(found.size, 3);
    assert_int_equal(found.form, FORM_COMPRESSED);
    close(found.fd);
    assert_int_equal(look_form(bench.shelf, &question, FORM_POINTER, &found), SHELF_NOTHING);
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/file.ptr", "text");
    clock_fake_advance(60000); /* what was listed is listed anew */
    assert_int_equal(look_form(bench.shelf, &question, FORM_POINTER, &found), SHELF_FOUND);
    close(found.fd);
    bench_close(&bench);
}

/* Whatever case and tier, in the listing of the directory where the file itself would be. */
static void sees_other_forms(void **state) {
    (void)state;
    static const struct {
        const char *file;
        enum form form;
    } trees[] = {
        {"app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd_", FORM_COMPRESSED},
        {"App.PDB/0123456789abcdef0123456789abcdef1/APP.Pd_", FORM_COMPRESSED},
        {"app.pdb/0123456789abcdef0123456789abcdef1/File.PTR", FORM_POINTER},
        {"ap/app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd_", FORM_COMPRESSED},
        {"AP/App.PDB/0123456789abcdef0123456789abcdef1/file.ptr", FORM_POINTER},
    };
    for (size_t i = 0; i < LENGTH_OF(trees); i++) {
        struct bench bench = {0};
        struct shelf_found found;
        bench.folder = scratch_new();
        bench.root = scratch_path(bench.folder, "shelf");
        if (trees[i].file[2] == '/')
            bench_put(&bench, "index2.txt", "");
        bench_open(&bench, 10);
        struct question question = bench_question("APP.pdb", id);
        struct question other = bench_question("app.pdb", "0123456789ABCDEF0123456789ABCDEF2");
        bench_put(&bench, trees[i].file, "packed");
        assert_int_equal(look(bench.shelf, &question, &found), SHELF_OTHER_FORM);
        assert_int_equal(found.form, trees[i].form);
        assert_string_equal(found.path, trees[i].file);
        assert_int_equal(look(bench.shelf, &other, &found), SHELF_NOTHING);
        assert_int_equal(shelf_remove(bench.shelf, &question.key), 1);
        settle();
        assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
        bench_close(&bench);
    }
}

/* The compressed form comes before the pointer, and the file itself before both. */
static void prefers_the_file_itself(void **state) {
    (void)state;
    struct bench bench = {0};
    struct shelf_found found;
    bench_open(&bench, 10);
    struct question question = bench_question("app.pdb", id);
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/file.ptr", "PATH:x");
    bench_put(&bench, "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pd_", "packed");
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_OTHER_FORM);
    assert_int_equal(found.form, FORM_COMPRESSED);
    bench_put(&bench, "App.PDB/0123456789ABCDEF0123456789ABCDEF1/app.pdb", "symbols");
    settle();
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_FOUND);
    assert_int_equal(found.form, FORM_PLAIN);
    assert_int_equal(found.size, 7);
    assert_int_equal(shelf_remove(bench.shelf, &question.key), 3);
    bench_close(&bench);
}

/* Another process holds the shelf: it is named. */
static void is_held_by_one_program(void **state) {
    (void)state;
    struct bench bench = {0};
    bench_open(&bench, 10);
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    pid_t child = fork();
    if (child == 0) {
        struct error err;
        struct shelf_options options = {.path = bench.root};
        struct shelf *second = shelf_new(&options, &err);
        _exit(!second && err.kind == ERROR_BUSY && strstr(err.what, pid) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    bench_close(&bench);
}

static bool stage(struct bench *bench, const char *path, struct error *why) {
    struct error err;
    struct staging *staging;
    assert_true(staging_new(bench->shelf, bench->spill, 7, &staging, &err));
    assert_true(staging_append(staging, "symbols", 7, &err));
    bool kept = staging_commit(staging, path, 1, why);
    staging_free(staging);
    return kept;
}

/* Between the look at its place and the move. */
static void tells_what_lies_in_the_place_of_a_file(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error why;
    bench_open(&bench, 10);
    char command[300];
    snprintf(command, sizeof command, "mkdir -p '%s/app.pdb/AB1/app.pdb'", bench.root);
    assert_int_equal(system(command), 0);
    assert_false(stage(&bench, "app.pdb/AB1/app.pdb", &why));
    assert_non_null(
        strstr(why.what, "a directory lies in place of the file \"app.pdb/AB1/app.pdb\""));
    assert_non_null(strstr(why.hint, "remove it"));
    bench_close(&bench);
}

/* A directory that goes away is made anew, and what was under way is delivered without being kept.
 */
static void goes_on_when_its_directory_was_removed(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error why;
    bench_open(&bench, 10);
    struct staging *staging;
    assert_true(staging_new(bench.shelf, bench.spill, 7, &staging, &why));
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", bench.root);
    assert_int_equal(system(command), 0);
    assert_true(staging_append(staging, "symbols", 7, &why));
    assert_false(staging_commit(staging, "app.pdb/AB1/app.pdb", 1, &why));
    assert_int_equal(why.kind, ERROR_DISK);
    staging_free(staging);
    settle();
    assert_true(stage(&bench, "app.pdb/AB1/app.pdb", &why));
    CLEANUP(free_block) char *text = scratch_read(bench.root, "app.pdb/AB1/app.pdb");
    assert_string_equal(text, "symbols");
    bench_close(&bench);
}

/* A place that cannot be a directory stops nothing; once it can, it is used. */
static void begins_without_a_directory(void **state) {
    (void)state;
    struct bench bench = {.folder = scratch_new()};
    struct error why;
    bench.root = scratch_path(bench.folder, "file/shelf");
    scratch_write(bench.folder, "file", "in the way");
    bench_open(&bench, 10);
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    assert_int_equal(look(bench.shelf, &question, &found), SHELF_NOTHING);
    assert_false(stage(&bench, "app.pdb/AB1/app.pdb", &why));
    CLEANUP(free_block) char *file = scratch_path(bench.folder, "file");
    assert_int_equal(unlink(file), 0);
    settle();
    assert_int_equal(shelf_look(bench.shelf, &question.spelling, &question.key, true, &found),
                     SHELF_COLD);
    assert_true(stage(&bench, "app.pdb/AB1/app.pdb", &why));
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_held_by_one_program),
        cmocka_unit_test(finds_every_spelling),
        cmocka_unit_test(tells_a_part_from_the_file_itself),
        cmocka_unit_test(finds_nothing_else),
        cmocka_unit_test(follows_no_link),
        cmocka_unit_test(notices_what_is_put_there),
        cmocka_unit_test(is_cold_only_once),
        cmocka_unit_test(knows_without_the_disk_what_it_has_never_had),
        cmocka_unit_test(reads_no_directory_for_a_miss),
        cmocka_unit_test(is_never_cold_in_memory),
        cmocka_unit_test(tells_a_changed_file),
        cmocka_unit_test(removes_every_spelling),
        cmocka_unit_test(finds_other_forms_by_their_name),
        cmocka_unit_test(sees_other_forms),
        cmocka_unit_test(prefers_the_file_itself),
        cmocka_unit_test(tells_what_lies_in_the_place_of_a_file),
        cmocka_unit_test(goes_on_when_its_directory_was_removed),
        cmocka_unit_test(begins_without_a_directory),
    };
    return cmocka_run_group_tests(tests, real_time, NULL);
}
