// SPDX-License-Identifier: MIT
#include "store/spill.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/threads.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/base/scratch.h"

enum { BYTES_MAX = 1000 };

/* What the kernel calls an open file, links to removed ones included. */
static void name_of(int fd, char out[256]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, out, 255);
    assert_true(length > 0);
    out[length] = '\0';
}

static bool lies_in(int fd, const char *folder) {
    char name[256];
    name_of(fd, name);
    return strncmp(name, folder, strlen(folder)) == 0;
}

static bool lies_in_memory(int fd) {
    char name[256];
    name_of(fd, name);
    return strstr(name, "memfd:symgate-spill") != NULL;
}

static int open_spill(struct spill *spill) {
    struct error err;
    int fd = -1;
    struct stat status;
    assert_true(spill_open(spill, &fd, &err));
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_nlink, 0); /* gone when it is closed */
    assert_int_equal(status.st_mode & 077, lies_in_memory(fd) ? status.st_mode & 077 : 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
    char there[3];
    assert_int_equal(pread(fd, there, 3, 0), 3);
    assert_memory_equal(there, "abc", 3);
    return fd;
}

static void begins_in_the_data_folder(void **state) {
    struct spill *spill = spill_new(*state, BYTES_MAX);
    CLEANUP(close_fd) int fd = open_spill(spill);
    assert_true(lies_in(fd, *state));
    spill_free(spill);
}

static void goes_to_the_temporary_folder_then_to_memory(void **state) {
    const char *old = getenv("TMPDIR");
    CLEANUP(free_block) char *before = old ? strdup(old) : NULL;
    CLEANUP(free_block) char *none = scratch_path(*state, "none");
    assert_int_equal(setenv("TMPDIR", *state, 1), 0);
    struct spill *spill = spill_new(none, BYTES_MAX);
    CLEANUP(close_fd) int temporary = open_spill(spill);
    assert_true(lies_in(temporary, *state));
    spill_free(spill);
    spill = spill_new(NULL, BYTES_MAX);
    CLEANUP(close_fd) int without_data = open_spill(spill);
    assert_true(lies_in(without_data, *state));
    spill_free(spill);
    assert_int_equal(setenv("TMPDIR", none, 1), 0);
    spill = spill_new(NULL, BYTES_MAX);
    CLEANUP(close_fd) int memory = open_spill(spill);
    assert_true(lies_in_memory(memory));
    spill_free(spill);
    assert_int_equal(before ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR"), 0);
}

/* A disk that was full is left out for 10 s. */
static void avoids_a_place_that_could_not_be_written(void **state) {
    const char *old = getenv("TMPDIR");
    CLEANUP(free_block) char *before = old ? strdup(old) : NULL;
    assert_int_equal(setenv("TMPDIR", *state, 1), 0);
    struct spill *spill = spill_new(*state, BYTES_MAX);
    CLEANUP(close_fd) int fd = open_spill(spill);
    spill_avoid(spill, fd);
    CLEANUP(close_fd) int memory = open_spill(spill); /* both folders lie on that disk */
    assert_true(lies_in_memory(memory));
    spill_avoid(spill, memory);
    clock_fake_advance(9000);
    CLEANUP(close_fd) int still = open_spill(spill);
    assert_true(lies_in_memory(still));
    clock_fake_advance(1000);
    CLEANUP(close_fd) int again = open_spill(spill);
    assert_true(lies_in(again, *state));
    spill_free(spill);
    assert_int_equal(before ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR"), 0);
}

static void leaves_nothing_in_its_folder(void **state) {
    struct spill *spill = spill_new(*state, BYTES_MAX);
    close(open_spill(spill));
    spill_free(spill);
    assert_int_equal(rmdir(*state), 0); /* only an empty one goes */
    assert_int_equal(mkdir(*state, 0700), 0);
}

static void charges_up_to_its_ceiling(void **state) {
    struct error err;
    struct spill *spill = spill_new(*state, BYTES_MAX);
    assert_true(spill_charge(spill, 600, &err));
    assert_true(spill_charge(spill, 400, &err));
    assert_false(spill_charge(spill, 1, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    assert_non_null(strstr(err.hint, "general.spillLimit"));
    assert_int_equal(spill_charged(spill), 1000);
    spill_discharge(spill, 400);
    assert_false(spill_charge(spill, UINT64_MAX, &err));
    assert_false(spill_charge(spill, 401, &err));
    assert_true(spill_charge(spill, 400, &err));
    spill_discharge(spill, 1000);
    assert_int_equal(spill_charged(spill), 0);
    spill_free(spill);
}

static void *charge_many(void *context) {
    struct spill *spill = context;
    struct error err;
    uintptr_t over = 0;
    for (unsigned i = 0; i < 20000; i++)
        if (spill_charge(spill, 300, &err)) {
            over += spill_charged(spill) < 300;
            spill_discharge(spill, 300);
        }
    return (void *)over;
}

static void counts_right_from_many_threads(void **state) {
    struct spill *spill = spill_new(*state, BYTES_MAX);
    pthread_t threads[4];
    for (size_t i = 0; i < LENGTH_OF(threads); i++)
        assert_true(thread_start(&threads[i], "charger", charge_many, spill, NULL));
    for (size_t i = 0; i < LENGTH_OF(threads); i++) {
        void *over = NULL;
        pthread_join(threads[i], &over);
        assert_null(over);
    }
    assert_int_equal(spill_charged(spill), 0);
    spill_free(spill);
}

/* Files that are still read outlive the cache. */
static void lives_as_long_as_its_last_owner(void **state) {
    struct error err;
    struct spill *spill = spill_new(*state, BYTES_MAX);
    struct spill *second = spill_ref(spill);
    assert_true(spill_charge(spill, 10, &err));
    spill_free(spill);
    assert_int_equal(spill_charged(second), 10);
    spill_discharge(second, 10);
    spill_free(second);
    spill_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(begins_in_the_data_folder),
        TEST(goes_to_the_temporary_folder_then_to_memory),
        TEST(avoids_a_place_that_could_not_be_written),
        TEST(leaves_nothing_in_its_folder),
        TEST(charges_up_to_its_ceiling),
        TEST(counts_right_from_many_threads),
        TEST(lives_as_long_as_its_last_owner),
    };
    return RUN_TESTS(tests);
}
