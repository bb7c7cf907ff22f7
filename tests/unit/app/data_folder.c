// SPDX-License-Identifier: MIT
#include "app/data_folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

static mode_t mode_of(const char *folder, const char *name) {
    CLEANUP(free_block) char *path = scratch_path(folder, name);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 0777;
}

static void what_is_missing_is_made_and_kept(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "deep/data");
    struct data_folder folder, again;
    struct error err = {0};
    assert_true(data_folder_open(&folder, path, &err));
    struct hash_key key = folder.key;
    CLEANUP(free_block) char *format = scratch_read(path, "format");
    assert_string_equal(format, "1\n");
    assert_int_equal(mode_of(path, "key"), 0600);
    data_folder_close(&folder);
    assert_int_equal(folder.lock_fd, -1);
    data_folder_close(&folder); /* closed twice is closed */
    assert_true(data_folder_open(&again, path, &err));
    assert_memory_equal(&again.key, &key, sizeof key);
    data_folder_close(&again);
}

static void keys_differ_between_folders(void **state) {
    CLEANUP(free_block) char *one = scratch_path(*state, "one");
    CLEANUP(free_block) char *two = scratch_path(*state, "two");
    struct data_folder first, second;
    struct error err = {0};
    assert_true(data_folder_open(&first, one, &err));
    assert_true(data_folder_open(&second, two, &err));
    assert_memory_not_equal(&first.key, &second.key, sizeof first.key);
    data_folder_close(&first);
    data_folder_close(&second);
}

static void a_second_one_is_refused_with_the_pid_of_the_first(void **state) {
    struct data_folder folder, second;
    struct error err = {0};
    char told[4200];
    assert_true(data_folder_open(&folder, *state, &err));
    snprintf(told, sizeof told, "the data folder \"%s\" is in use by process %d", (char *)*state,
             (int)getpid());
    assert_false(data_folder_open(&second, *state, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_string_equal(err.what, told);
    assert_non_null(strstr(err.hint, "--data"));
    data_folder_close(&folder);
    assert_true(data_folder_open(&second, *state, &err));
    data_folder_close(&second);
}

/* Whoever held the lock and was killed leaves a pid behind, and no lock. */
static void the_lock_of_the_dead_is_free(void **state) {
    pid_t child = fork();
    if (child == 0) {
        struct data_folder folder;
        struct error err;
        _exit(data_folder_open(&folder, *state, &err) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    CLEANUP(free_block) char *pid = scratch_read(*state, "lock");
    assert_int_equal(strtol(pid, NULL, 10), child);
    struct data_folder folder;
    struct error err = {0};
    assert_false(data_folder_is_held(*state));
    assert_true(data_folder_open(&folder, *state, &err));
    assert_true(data_folder_is_held(*state));
    CLEANUP(free_block) char *own = scratch_read(*state, "lock");
    assert_int_equal(strtol(own, NULL, 10), getpid());
    data_folder_close(&folder);
    assert_false(data_folder_is_held(*state));
    assert_false(data_folder_is_held("/nowhere"));
}

static void refuses(const char *folder, const char *what) {
    struct data_folder data;
    struct error err = {0};
    assert_false(data_folder_open(&data, folder, &err));
    if (!strstr(err.what, what))
        fail_msg("says \"%s\"", err.what);
    assert_non_null(strstr(err.what, "\"")); /* the object is quoted */
    assert_int_equal(data.lock_fd, -1);
    assert_int_equal(data.root_fd, -1);
}

static void a_newer_format_is_refused_and_left_alone(void **state) {
    const char *folder = *state;
    scratch_write(folder, "format", "2\n");
    scratch_write(folder, "absences", "of the future");
    refuses(folder, "was written by a newer symgate (format 2, this one knows 1)");
    CLEANUP(free_block) char *format = scratch_read(folder, "format");
    CLEANUP(free_block) char *absences = scratch_read(folder, "absences");
    assert_string_equal(format, "2\n");
    assert_string_equal(absences, "of the future");
    /* The refused one holds no lock. */
    scratch_write(folder, "format", "1\n");
    struct data_folder data;
    struct error err = {0};
    assert_true(data_folder_open(&data, folder, &err));
    data_folder_close(&data);
}

static void a_format_that_says_nothing_is_refused(void **state) {
    static const char *const nothing[] = {"", "\n", "one\n", "0\n", "-1\n", "1 \n"};
    for (size_t i = 0; i < LENGTH_OF(nothing); i++) {
        scratch_write(*state, "format", nothing[i]);
        refuses(*state, "says no version");
    }
}

/* What is there and cannot be read must not be made anew: absences would be lost with the key. */
static void what_cannot_be_read_is_not_replaced(void **state) {
    static const char *const names[] = {"format", "key"};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        CLEANUP(free_block) char *path = scratch_path(*state, names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        refuses(*state, "Is a directory");
        assert_int_equal(rmdir(path), 0);
        scratch_write(*state, "format", "1\n");
    }
    char big[5000];
    memset(big, '1', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    scratch_write(*state, "format", big);
    refuses(*state, "is longer than");
}

static void a_folder_that_cannot_be_is_told(void **state) {
    scratch_write(*state, "file", "");
    CLEANUP(free_block) char *path = scratch_path(*state, "file/data");
    struct data_folder data;
    struct error err = {0};
    assert_false(data_folder_open(&data, path, &err));
    assert_int_equal(err.kind, ERROR_SYSTEM);
    assert_int_equal(err.os, ENOTDIR);
    assert_non_null(strstr(err.what, "/file\": Not a directory"));
    assert_non_null(strstr(err.hint, "general.dataLocation"));
}

/* A link in the place of the lock would have another file emptied. */
static void the_lock_is_no_link(void **state) {
    scratch_write(*state, "victim", "precious");
    CLEANUP(free_block) char *lock = scratch_path(*state, "lock");
    assert_int_equal(symlink("victim", lock), 0);
    refuses(*state, "cannot lock the data folder");
    CLEANUP(free_block) char *victim = scratch_read(*state, "victim");
    assert_string_equal(victim, "precious");
}

static void the_address_is_announced_and_taken_back(void **state) {
    struct data_folder folder;
    struct error err = {0};
    char url[64] = "untouched";
    assert_true(data_folder_open(&folder, *state, &err));
    assert_false(data_folder_find_server(*state, url, sizeof url, &err));
    assert_string_equal(url, "untouched");
    assert_non_null(strstr(err.what, "no symgate is running with the data folder"));
    assert_non_null(strstr(err.hint, "--url"));
    assert_true(data_folder_announce(&folder, "http://127.0.0.1:40123/", &err));
    assert_true(data_folder_find_server(*state, url, sizeof url, &err));
    assert_string_equal(url, "http://127.0.0.1:40123/");
    assert_true(data_folder_announce(&folder, "http://[::1]:1/", &err));
    assert_true(data_folder_find_server(*state, url, sizeof url, &err));
    assert_string_equal(url, "http://[::1]:1/");
    data_folder_withdraw(&folder);
    assert_false(data_folder_find_server(*state, url, sizeof url, &err));
    data_folder_withdraw(&folder); /* not there any more */
    data_folder_close(&folder);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_is_missing_is_made_and_kept),
        IN_SCRATCH(keys_differ_between_folders),
        IN_SCRATCH(a_second_one_is_refused_with_the_pid_of_the_first),
        IN_SCRATCH(the_lock_of_the_dead_is_free),
        IN_SCRATCH(a_newer_format_is_refused_and_left_alone),
        IN_SCRATCH(a_format_that_says_nothing_is_refused),
        IN_SCRATCH(what_cannot_be_read_is_not_replaced),
        IN_SCRATCH(a_folder_that_cannot_be_is_told),
        IN_SCRATCH(the_lock_is_no_link),
        IN_SCRATCH(the_address_is_announced_and_taken_back),
    };
    return RUN_TESTS(tests);
}
