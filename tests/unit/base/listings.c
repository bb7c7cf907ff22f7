// SPDX-License-Identifier: MIT
#include "base/listings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
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

static struct listings *new_listings(size_t bytes_max) {
    struct listings_options options = {.bytes_max = bytes_max};
    return listings_new(&options);
}

static unsigned matches_in(struct listings *listings, int fd, const char *directory,
                           const char *name) {
    CLEANUP(name_set_unref_at) struct name_set *names = NULL;
    struct listings_place place = {.root_fd = fd, .directory = directory, .name = name};
    struct error err;
    const char *found;
    unsigned n = 0;
    assert_int_equal(listings_find(listings, &place, &names, &err), FILE_FOUND);
    for (; (found = name_set_find(names, name, n)); n++)
        assert_int_equal(strcasecmp(found, name), 0);
    return n;
}

static unsigned matches_for(struct listings *listings, int fd, const char *name) {
    return matches_in(listings, fd, ".", name);
}

static void names_are_found_without_regard_to_case(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(1024 * 1024);
    scratch_write(*state, "App.pdb", "");
    scratch_write(*state, "APP.PDB", "");
    scratch_write(*state, "other.pdb", "");
    for (unsigned settled = 0; settled < 2; settled++) {
        assert_int_equal(matches_for(listings, fd, "app.pdb"), 2);
        assert_int_equal(matches_for(listings, fd, "OTHER.pdb"), 1);
        assert_int_equal(matches_for(listings, fd, "none.pdb"), 0);
        settle(*state, 1000000000);
    }
    listings_free(listings);
}

static void a_settled_directory_is_read_once(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(1024 * 1024);
    scratch_write(*state, "a.pdb", "");
    settle(*state, 1000000000);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(matches_for(listings, fd, "A.pdb"), 1);
    assert_int_equal(listings_reads(listings), 1);
    scratch_write(*state, "b.pdb", "");
    /* Changed just now: its time may not show the next change. */
    assert_int_equal(matches_for(listings, fd, "B.pdb"), 1);
    assert_int_equal(matches_for(listings, fd, "B.pdb"), 1);
    assert_int_equal(listings_reads(listings), 3);
    settle(*state, 1000000001);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(matches_for(listings, fd, "B.pdb"), 1);
    assert_int_equal(listings_reads(listings), 4);
    listings_free(listings);
}

static void what_is_too_large_is_read_each_time(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(1024);
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "file%u.pdb", i);
        scratch_write(*state, name, "");
    }
    settle(*state, 1000000000);
    assert_int_equal(matches_for(listings, fd, "FILE7.pdb"), 1);
    assert_int_equal(matches_for(listings, fd, "FILE99.pdb"), 1);
    assert_int_equal(listings_reads(listings), 2);
    listings_free(listings);
}

static void the_directories_used_last_are_kept(void **state) {
    enum { DIRECTORIES = 40, BYTES_MAX = 4000 };
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(BYTES_MAX);
    for (unsigned i = 0; i < DIRECTORIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "d%u", i);
        CLEANUP(free_block) char *path = scratch_path(*state, name);
        assert_int_equal(mkdir(path, 0755), 0);
        scratch_write(path, "X.pdb", "");
        settle(path, 1000000000);
        assert_int_equal(matches_in(listings, fd, name, "x.pdb"), 1);
        assert_int_equal(matches_in(listings, fd, "d0", "x.pdb"), 1);
    }
    assert_int_equal(listings_reads(listings), DIRECTORIES);
    /* One that was not used for long is read again, for the memory is bounded. */
    assert_int_equal(matches_in(listings, fd, "d1", "x.pdb"), 1);
    assert_int_equal(listings_reads(listings), DIRECTORIES + 1);
    listings_free(listings);
}

/* Another directory of the same name and time is another. */
static void a_directory_in_another_s_place_is_read(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(1024 * 1024);
    assert_int_equal(mkdirat(fd, "first", 0755), 0);
    assert_int_equal(mkdirat(fd, "second", 0755), 0);
    CLEANUP(free_block) char *first = scratch_path(*state, "first");
    CLEANUP(free_block) char *second = scratch_path(*state, "second");
    scratch_write(second, "A.pdb", "");
    settle(first, 1000000000);
    settle(second, 1000000000);
    assert_int_equal(matches_in(listings, fd, "first", "a.pdb"), 0);
    assert_int_equal(renameat2(fd, "first", fd, "second", RENAME_EXCHANGE), 0);
    assert_int_equal(matches_in(listings, fd, "first", "a.pdb"), 1);
    listings_free(listings);
}

static enum file_found cached_look(struct listings *listings, int fd, const char *directory) {
    CLEANUP(name_set_unref_at) struct name_set *names = NULL;
    struct listings_place place = {
        .root_fd = fd, .directory = directory, .files_flags = FILES_CACHED, .cached = true};
    return listings_find(listings, &place, &names, NULL);
}

/* A look that may not block reads nothing, but finds what is known. */
static void a_cached_look_reads_nothing(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(1024 * 1024);
    scratch_write(*state, "App.pdb", "");
    settle(*state, 1000000000);
    assert_int_equal(cached_look(listings, fd, "."), FILE_COLD);
    assert_int_equal(listings_reads(listings), 0);
    assert_int_equal(matches_for(listings, fd, "app.pdb"), 1);
    assert_int_equal(cached_look(listings, fd, "."), FILE_FOUND);
    settle(*state, 1000000001);
    assert_int_equal(cached_look(listings, fd, "."), FILE_COLD);
    assert_int_equal(listings_reads(listings), 1);
    listings_free(listings);
}

/* Trusted for a while, a listing is used unseen. */
static void a_trusted_listing_is_used_unseen(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings_options options = {.bytes_max = 1024 * 1024, .trust_ms = 2000};
    struct listings *listings = listings_new(&options);
    assert_int_equal(matches_for(listings, fd, "app.pdb"), 0);
    scratch_write(*state, "App.pdb", "");
    clock_fake_advance(1900);
    assert_int_equal(matches_for(listings, fd, "app.pdb"), 0);
    assert_int_equal(cached_look(listings, fd, "."), FILE_FOUND);
    clock_fake_advance(200);
    assert_int_equal(cached_look(listings, fd, "."), FILE_COLD);
    assert_int_equal(matches_for(listings, fd, "app.pdb"), 1);
    listings_free(listings);
}

static bool is_upper(const char *name, const void *directory) {
    assert_string_equal(directory, ".");
    return name[0] >= 'A' && name[0] <= 'Z';
}

static void only_what_is_wanted_is_listed(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings_options options = {.bytes_max = 1024 * 1024, .wanted = is_upper};
    struct listings *listings = listings_new(&options);
    scratch_write(*state, "App.pdb", "");
    scratch_write(*state, "app.pdb", "");
    scratch_write(*state, ".App.pdb", "");
    assert_int_equal(matches_for(listings, fd, "app.pdb"), 1);
    assert_int_equal(matches_for(listings, fd, ".app.pdb"), 0);
    listings_free(listings);
}

/* Without a name that is looked for, a set that is too large is cut and kept. */
static void what_is_too_large_may_be_cut(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(2048);
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "file%u.pdb", i);
        scratch_write(*state, name, "");
    }
    settle(*state, 1000000000);
    for (unsigned i = 0; i < 3; i++) {
        CLEANUP(name_set_unref_at) struct name_set *names = NULL;
        struct listings_place place = {.root_fd = fd, .directory = "."};
        assert_int_equal(listings_find(listings, &place, &names, NULL), FILE_FOUND);
        assert_true(names->cut && names->count > 10 && names->count < 60);
        assert_true(names->bytes <= 2048);
    }
    assert_int_equal(listings_reads(listings), 1);
    listings_free(listings);
}

static void what_is_no_directory_is_absent(void **state) {
    CLEANUP(close_fd) int fd = open_directory(*state);
    struct listings *listings = new_listings(1024);
    scratch_write(*state, "file", "");
    static const char *const nothing[] = {"none", "file", "../..", ""};
    for (size_t i = 0; i < LENGTH_OF(nothing); i++) {
        struct name_set *names;
        struct listings_place place = {.root_fd = fd, .directory = nothing[i], .name = "x"};
        assert_int_equal(listings_find(listings, &place, &names, NULL), FILE_ABSENT);
        assert_null(names);
    }
    assert_int_equal(listings_reads(listings), 0);
    listings_free(listings);
}

/* Time stands still until a test moves it, but is that of the files. */
static int real_time(void **state) {
    (void)state;
    clock_fake_set_wall(time(NULL));
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(names_are_found_without_regard_to_case), TEST(a_settled_directory_is_read_once),
        TEST(what_is_too_large_is_read_each_time),    TEST(the_directories_used_last_are_kept),
        TEST(a_directory_in_another_s_place_is_read), TEST(a_cached_look_reads_nothing),
        TEST(a_trusted_listing_is_used_unseen),       TEST(only_what_is_wanted_is_listed),
        TEST(what_is_too_large_may_be_cut),           TEST(what_is_no_directory_is_absent),
    };
    return cmocka_run_group_tests(tests, real_time, NULL);
}
