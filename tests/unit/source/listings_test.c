// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "source/listings.h"
#include "unit/base/scratch.h"

static int open_directory(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Makes a directory look as if nothing had changed in it for long. */
static void settle(const char *path, time_t when) {
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static unsigned matches_for(struct listings *listings, int fd, const char *name) {
    struct listing_matches matches;
    struct error err;
    assert_true(folder_listings_find(listings, fd, name, &matches, &err));
    for (unsigned i = 0; i < matches.count; i++)
        assert_int_equal(strcasecmp(matches.names[i], name), 0);
    return matches.count;
}

static void names_are_found_without_regard_to_case(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = folder_listings_new(1024 * 1024);
    scratch_write(*state, "App.pdb", "");
    scratch_write(*state, "APP.PDB", "");
    scratch_write(*state, "other.pdb", "");
    for (unsigned settled = 0; settled < 2; settled++) {
        assert_int_equal(matches_for(listings, fd, "app.pdb"), 2);
        assert_int_equal(matches_for(listings, fd, "OTHER.pdb"), 1);
        assert_int_equal(matches_for(listings, fd, "none.pdb"), 0);
        settle(*state, 1000000000);
    }
    folder_listings_free(listings);
}

static void a_settled_directory_is_read_once(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = folder_listings_new(1024 * 1024);
    scratch_write(*state, "a.pdb", "");
    settle(*state, 1000000000);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(matches_for(listings, fd, "A.pdb"), 1);
    assert_int_equal(folder_listings_read(listings), 1);
    scratch_write(*state, "b.pdb", "");
    /* Changed just now: its time may not show the next change. */
    assert_int_equal(matches_for(listings, fd, "B.pdb"), 1);
    assert_int_equal(matches_for(listings, fd, "B.pdb"), 1);
    assert_int_equal(folder_listings_read(listings), 3);
    settle(*state, 1000000001);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(matches_for(listings, fd, "B.pdb"), 1);
    assert_int_equal(folder_listings_read(listings), 4);
    folder_listings_free(listings);
}

static void what_is_too_large_is_read_each_time(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = folder_listings_new(1024);
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "file%u.pdb", i);
        scratch_write(*state, name, "");
    }
    settle(*state, 1000000000);
    assert_int_equal(matches_for(listings, fd, "FILE7.pdb"), 1);
    assert_int_equal(matches_for(listings, fd, "FILE99.pdb"), 1);
    assert_int_equal(folder_listings_read(listings), 2);
    folder_listings_free(listings);
}

static void the_directories_used_last_are_kept(void **state) {
    enum { DIRECTORIES = 40 };
    struct listings *listings = folder_listings_new(1024 * 1024);
    int fds[DIRECTORIES];
    for (unsigned i = 0; i < DIRECTORIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "d%u", i);
        CLEANUP(free_block) char *path = scratch_path(*state, name);
        assert_int_equal(mkdir(path, 0755), 0);
        settle(path, 1000000000);
        fds[i] = open_directory(path);
        assert_int_equal(matches_for(listings, fds[i], "x"), 0);
        assert_int_equal(matches_for(listings, fds[0], "x"), 0);
    }
    assert_int_equal(folder_listings_read(listings), DIRECTORIES);
    for (unsigned i = 0; i < DIRECTORIES; i++)
        close(fds[i]);
    folder_listings_free(listings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(names_are_found_without_regard_to_case),
        TEST(a_settled_directory_is_read_once),
        TEST(what_is_too_large_is_read_each_time),
        TEST(the_directories_used_last_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
