// SPDX-License-Identifier: MIT
#include "store/staging.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"
#include "store/shelf.h"
#include "store/shelf_stage.h"
#include "symbol/content.h"
#include "unit/store/bench.h"

static void append(struct staging *staging, size_t length) {
    struct error err;
    CLEANUP(free_block) char *bytes = NEW_ARRAY(char, length);
    bench_fill(bytes, length, staging_length(staging));
    assert_true(staging_append(staging, bytes, length, &err));
}

static void check(const struct staging *staging, uint64_t length) {
    struct error err;
    char there[1000];
    char wanted[1000];
    assert_int_equal(staging_length(staging), length);
    for (uint64_t offset = 0; offset < length; offset += sizeof there) {
        size_t part = length - offset < sizeof there ? (size_t)(length - offset) : sizeof there;
        assert_true(staging_read(staging, there, part, offset, &err));
        bench_fill(wanted, part, offset);
        assert_memory_equal(there, wanted, part);
    }
    assert_false(staging_read(staging, there, 1, length, &err));
}

static void is_kept_with_its_time(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error err;
    bench_open(&bench, 10);
    struct staging *staging;
    assert_true(staging_new(bench.shelf, bench.spill, 300000, &staging, &err));
    append(staging, 5000);
    append(staging, 295000);
    check(staging, 300000);
    assert_int_equal(bench_staged(&bench), 1);
    assert_true(staging_keepable(staging, &err));
    assert_true(staging_commit(staging, "app.pdb/AB1/app.pdb", 1500000000123456789, &err));
    assert_int_equal(bench_staged(&bench), 0);
    struct stat status;
    CLEANUP(free_block) char *path = scratch_path(bench.root, "app.pdb/AB1/app.pdb");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 300000);
    assert_int_equal(status.st_mtim.tv_sec, 1500000000);
    assert_int_equal(status.st_mtim.tv_nsec, 123456789);
    check(staging, 300000);
    staging_free(staging);
    bench_close(&bench);
}

static void a_file_is_signed(void **state) {
    (void)state;
    struct bench bench = {0};
    char read[16];
    bench_open(&bench, 10);
    CLEANUP(free_block) char *path = scratch_path(bench.root, "signed");
    CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    shelf_signature(fd, read, sizeof read);
    assert_string_equal(read, "");
    shelf_sign(fd, "one");
    if (fsetxattr(fd, "user.symgate.test", "x", 1, 0) == 0) {
        shelf_signature(fd, read, sizeof read);
        assert_string_equal(read, "one");
        assert_int_equal(fsetxattr(fd, "user.symgate.source", "one\r\nX: y", 9, 0), 0);
        shelf_signature(fd, read, sizeof read);
        assert_string_equal(read, "");
    }
    unlink(path);
    bench_close(&bench);
}

static void replaces_what_is_there(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error err;
    bench_open(&bench, 10);
    for (size_t size = 100; size <= 200; size += 100) {
        struct staging *staging;
        assert_true(staging_new(bench.shelf, bench.spill, SIZE_UNKNOWN, &staging, &err));
        append(staging, size);
        assert_true(staging_commit(staging, "app.pdb/AB1/app.pdb", 1, &err));
        staging_free(staging);
    }
    struct stat status;
    CLEANUP(free_block) char *path = scratch_path(bench.root, "app.pdb/AB1/app.pdb");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 200);
    bench_close(&bench);
}

static void leaves_nothing_when_thrown_away(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error err;
    bench_open(&bench, 10);
    struct staging *staging;
    assert_true(staging_new(bench.shelf, bench.spill, SIZE_UNKNOWN, &staging, &err));
    append(staging, 100);
    staging_free(staging);
    assert_int_equal(bench_staged(&bench), 0);
    bench_close(&bench);
}

static void spills_without_a_shelf(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error err;
    bench_open(&bench, 10);
    struct staging *staging;
    assert_true(staging_new(NULL, bench.spill, 100000, &staging, &err));
    append(staging, 100000);
    check(staging, 100000);
    assert_int_equal(spill_charged(bench.spill), 100000);
    assert_false(staging_keepable(staging, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    assert_false(staging_commit(staging, "app.pdb/AB1/app.pdb", 1, &err));
    staging_free(staging);
    assert_int_equal(spill_charged(bench.spill), 0);
    bench_close(&bench);
}

static void spills_below_the_floor(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error err;
    bench_open(&bench, 10);
    struct shelf_options options = {.path = bench.folder, .free_min_bytes = UINT64_MAX / 2};
    struct shelf *full = shelf_new(&options, &err);
    struct staging *staging;
    assert_true(staging_new(full, bench.spill, SIZE_UNKNOWN, &staging, &err));
    assert_false(staging_keepable(staging, &err));
    assert_non_null(strstr(err.what, "no room"));
    assert_non_null(strstr(err.hint, "minFreeSpace"));
    append(staging, 1000);
    check(staging, 1000);
    staging_free(staging);
    shelf_free(full);
    bench_close(&bench);
}

static void stops_at_the_ceiling(void **state) {
    (void)state;
    struct error err;
    char *folder = scratch_new();
    struct spill *spill = spill_new(folder, 1500);
    struct staging *staging;
    assert_true(staging_new(NULL, spill, SIZE_UNKNOWN, &staging, &err));
    append(staging, 1000);
    char bytes[600] = {0};
    assert_false(staging_append(staging, bytes, sizeof bytes, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    assert_non_null(strstr(err.hint, "spillLimit"));
    check(staging, 1000);
    append(staging, 500);
    check(staging, 1500);
    staging_free(staging);
    assert_int_equal(spill_charged(spill), 0);
    spill_free(spill);
    scratch_free(folder);
}

/* A kill leaves what was being staged; the next start throws it away, and the lock of the dead does
 * not count. */
static void a_kill_leaves_nothing(void **state) {
    (void)state;
    struct bench bench = {0};
    struct error err;
    bench.folder = scratch_new();
    bench.root = scratch_path(bench.folder, "shelf");
    pid_t child = fork();
    if (child == 0) {
        bench_open(&bench, 10);
        struct staging *staging;
        bool staged = staging_new(bench.shelf, bench.spill, 100000, &staging, &err) &&
                      staging_append(staging, "half", 4, &err);
        _exit(staged && bench_staged(&bench) == 1 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(bench_staged(&bench), 1);
    bench_open(&bench, 10);
    assert_int_equal(bench_staged(&bench), 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_leaves_nothing),
        cmocka_unit_test(is_kept_with_its_time),
        cmocka_unit_test(a_file_is_signed),
        cmocka_unit_test(replaces_what_is_there),
        cmocka_unit_test(leaves_nothing_when_thrown_away),
        cmocka_unit_test(spills_without_a_shelf),
        cmocka_unit_test(spills_below_the_floor),
        cmocka_unit_test(stops_at_the_ceiling),
    };
    return RUN_TESTS(tests);
}
