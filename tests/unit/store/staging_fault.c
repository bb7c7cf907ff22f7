// SPDX-License-Identifier: MIT
//
// What becomes of a body when the disk says no: one system call fails, at a chosen time.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "fault/fault.h"
#include "store/shelf.h"
#include "store/staging.h"
#include "symbol/content.h"
#include "unit/store/bench.h"

enum { PART = 100000, PARTS = 10, BODY = PART * PARTS };

struct setting {
    struct bench bench;
    unsigned descriptors;
};

static int set_up(void **state) {
    struct setting *setting = NEW(struct setting);
    fault_disarm();
    setting->descriptors = bench_descriptors();
    bench_open(&setting->bench, 10);
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    fault_disarm();
    assert_int_equal(spill_charged(setting->bench.spill), 0);
    assert_int_equal(bench_staged(&setting->bench), 0);
    bench_close(&setting->bench);
    assert_int_equal(bench_descriptors(), setting->descriptors);
    free(setting);
    return 0;
}

static struct staging *begin(struct setting *setting, uint64_t size) {
    struct error err;
    struct staging *staging;
    assert_true(staging_new(setting->bench.shelf, setting->bench.spill, size, &staging, &err));
    return staging;
}

static bool append(struct staging *staging, size_t length, struct error *err) {
    CLEANUP(free_block) char *bytes = NEW_ARRAY(char, length);
    bench_fill(bytes, length, staging_length(staging));
    return staging_append(staging, bytes, length, err);
}

static void append_parts(struct staging *staging, unsigned parts) {
    struct error err;
    for (unsigned i = 0; i < parts; i++)
        assert_true(append(staging, PART, &err));
}

static void check(const struct staging *staging, uint64_t length) {
    struct error err;
    CLEANUP(free_block) char *there = NEW_ARRAY(char, length);
    CLEANUP(free_block) char *wanted = NEW_ARRAY(char, length);
    assert_int_equal(staging_length(staging), length);
    assert_true(staging_read(staging, there, length, 0, &err));
    bench_fill(wanted, length, 0);
    assert_memory_equal(there, wanted, length);
}

/* In how many descriptors the body lies; checks that each tells where it ends. */
static unsigned segments(const struct staging *staging) {
    unsigned count = 0;
    for (uint64_t offset = 0; offset < staging_length(staging); count++) {
        int fd;
        uint64_t at;
        uint64_t bytes;
        staging_at(staging, offset, &fd, &at, &bytes);
        assert_true(fd >= 0 && bytes > 0);
        offset += bytes;
    }
    return count;
}

static void is_not_kept(struct staging *staging, int os) {
    struct error why;
    assert_false(staging_keepable(staging, &why));
    assert_int_equal(why.kind, ERROR_DISK);
    assert_non_null(strstr(why.what, strerror(os)));
    assert_false(staging_commit(staging, "app.pdb/AB1/app.pdb", 1, &why));
}

static void is_kept(struct setting *setting, struct staging *staging) {
    struct error err;
    struct stat status;
    assert_true(staging_commit(staging, "app.pdb/AB1/app.pdb", 1, &err));
    CLEANUP(free_block) char *path = scratch_path(setting->bench.root, "app.pdb/AB1/app.pdb");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, BODY);
}

static void spills_what_cannot_be_reserved(void **state) {
    struct setting *setting = *state;
    static const int full[] = {ENOSPC, EDQUOT, EFBIG};
    for (size_t i = 0; i < LENGTH_OF(full); i++) {
        fault_arm("fallocate", 1, full[i], false);
        struct staging *staging = begin(setting, BODY);
        append_parts(staging, PARTS);
        assert_true(fault_fired());
        check(staging, BODY);
        assert_int_equal(segments(staging), 2);
        assert_int_equal(spill_charged(setting->bench.spill), BODY - PART);
        is_not_kept(staging, full[i]);
        staging_free(staging);
    }
}

/* What cannot be reserved for other reasons may still be written. */
static void keeps_what_its_file_system_cannot_reserve(void **state) {
    struct setting *setting = *state;
    fault_arm("fallocate", 1, EOPNOTSUPP, true);
    struct staging *staging = begin(setting, BODY);
    append_parts(staging, PARTS);
    assert_int_equal(fault_count("fallocate"), 1); /* once a body */
    check(staging, BODY);
    is_kept(setting, staging);
    staging_free(staging);
}

static void reserves_nothing_for_unknown_or_small_sizes(void **state) {
    struct setting *setting = *state;
    fault_disarm();
    struct staging *staging = begin(setting, SIZE_UNKNOWN);
    append_parts(staging, 3);
    staging_free(staging);
    staging = begin(setting, PART + 1000);
    struct error err;
    assert_true(append(staging, PART, &err));
    assert_true(append(staging, 1000, &err));
    staging_free(staging);
    assert_int_equal(fault_count("fallocate"), 0);
}

/* The disk fills in mid-body: the byte where it stopped is where the spill file begins. */
static void goes_on_spilled_when_the_disk_fills(void **state) {
    struct setting *setting = *state;
    for (unsigned n = 1; n <= PARTS; n++) {
        struct staging *staging = begin(setting, SIZE_UNKNOWN);
        fault_arm("pwrite", n, ENOSPC, false);
        append_parts(staging, PARTS);
        assert_true(fault_fired());
        check(staging, BODY);
        assert_int_equal(segments(staging), n == 1 ? 1 : 2);
        assert_int_equal(spill_charged(setting->bench.spill), BODY - (n - 1) * PART);
        is_not_kept(staging, ENOSPC);
        staging_free(staging);
    }
}

/* A disk that takes a part of what was to be written: the spill file begins before that part. */
static void writes_again_what_was_written_in_part(void **state) {
    struct setting *setting = *state;
    struct staging *staging = begin(setting, SIZE_UNKNOWN);
    struct rlimit before;
    append_parts(staging, 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {3 * PART + 777, before.rlim_max};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    append_parts(staging, 2); /* the spill file stays below the limit */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
    append_parts(staging, PARTS - 5);
    check(staging, BODY);
    assert_int_equal(segments(staging), 2);
    assert_int_equal(spill_charged(setting->bench.spill), BODY - 3 * PART);
    is_not_kept(staging, EFBIG);
    staging_free(staging);
}

static void goes_on_after_a_short_write(void **state) {
    struct setting *setting = *state;
    struct staging *staging = begin(setting, BODY);
    append_parts(staging, 2);
    fault_arm("pwrite", 2, FAULT_SHORT, false);
    append_parts(staging, PARTS - 2);
    assert_true(fault_fired());
    check(staging, BODY);
    is_kept(setting, staging);
    staging_free(staging);
}

/* Two spill files and no third. */
static void spills_twice_at_most(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct staging *staging = begin(setting, SIZE_UNKNOWN);
    append_parts(staging, 2);
    fault_arm("pwrite", 1, ENOSPC, false);
    append_parts(staging, 2);
    fault_arm("pwrite", 1, EIO, false);
    append_parts(staging, 2);
    check(staging, 6 * PART);
    assert_int_equal(segments(staging), 3);
    fault_arm("pwrite", 1, ENOSPC, false);
    assert_false(append(staging, PART, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    assert_non_null(strstr(err.what, "no place is left"));
    check(staging, 6 * PART); /* what is there stays */
    staging_free(staging);
}

static void spills_from_the_first_byte_without_a_file(void **state) {
    struct setting *setting = *state;
    fault_arm("openat", 1, EROFS, false);
    struct staging *staging = begin(setting, BODY);
    assert_true(fault_fired());
    append_parts(staging, PARTS);
    check(staging, BODY);
    assert_int_equal(segments(staging), 1);
    assert_int_equal(spill_charged(setting->bench.spill), BODY);
    is_not_kept(staging, EROFS);
    staging_free(staging);
}

/* Without any folder to spill to it is memory, within the same limit. */
static void spills_to_memory_within_its_limit(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct spill *spill = spill_new(setting->bench.folder, BODY - PART);
    struct staging *staging;
    fault_arm("open", 1, ENOSPC, true);
    fault_arm("mkostemp", 1, ENOSPC, true);
    fault_arm("openat", 1, ENOSPC, false);
    assert_true(staging_new(setting->bench.shelf, spill, SIZE_UNKNOWN, &staging, &err));
    append_parts(staging, PARTS - 1);
    assert_false(append(staging, PART, &err));
    assert_non_null(strstr(err.hint, "spillLimit"));
    check(staging, BODY - PART);
    staging_free(staging);
    assert_int_equal(spill_charged(spill), 0);
    spill_free(spill);
}

static void fails_only_without_any_place(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct staging *staging = NULL;
    fault_arm("open", 1, ENOSPC, true);
    fault_arm("mkostemp", 1, ENOSPC, true);
    fault_arm("openat", 1, ENOSPC, true);
    fault_arm("memfd_create", 1, ENFILE, true);
    assert_false(staging_new(setting->bench.shelf, setting->bench.spill, BODY, &staging, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    assert_null(staging);
}

/* File systems without O_TMPFILE: a name that is gone at once. */
static void spills_without_unnamed_files(void **state) {
    struct setting *setting = *state;
    struct staging *staging;
    struct error err;
    fault_arm("open", 1, EOPNOTSUPP, false);
    assert_true(staging_new(NULL, setting->bench.spill, BODY, &staging, &err));
    assert_true(fault_fired());
    assert_int_equal(fault_count("memfd_create"), 0);
    append_parts(staging, PARTS);
    check(staging, BODY);
    staging_free(staging);
}

static void is_not_kept_when_it_cannot_be_synced(void **state) {
    struct setting *setting = *state;
    static const char *const calls[] = {"futimens", "fdatasync", "renameat", "openat2"};
    CLEANUP(free_block) char *path = scratch_path(setting->bench.root, "app.pdb/AB1/app.pdb");
    for (size_t i = 0; i < LENGTH_OF(calls); i++) {
        struct error why;
        struct staging *staging = begin(setting, BODY);
        append_parts(staging, PARTS);
        fault_arm(calls[i], 1, EIO, false);
        assert_false(staging_commit(staging, "app.pdb/AB1/app.pdb", 1, &why));
        assert_true(fault_fired());
        assert_int_equal(why.kind, ERROR_DISK);
        check(staging, BODY); /* its readers go on */
        staging_free(staging);
        assert_int_equal(access(path, F_OK), -1);
    }
}

/* The directory's sync is for power cuts only; the file is on the shelf all the same. */
static void is_kept_when_its_directory_cannot_be_synced(void **state) {
    struct setting *setting = *state;
    struct staging *staging = begin(setting, BODY);
    append_parts(staging, PARTS);
    fault_arm("fsync", 1, EIO, true);
    is_kept(setting, staging);
    assert_true(fault_fired());
    staging_free(staging);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(spills_what_cannot_be_reserved),
        TEST(keeps_what_its_file_system_cannot_reserve),
        TEST(reserves_nothing_for_unknown_or_small_sizes),
        TEST(goes_on_spilled_when_the_disk_fills),
        TEST(writes_again_what_was_written_in_part),
        TEST(goes_on_after_a_short_write),
        TEST(spills_twice_at_most),
        TEST(spills_from_the_first_byte_without_a_file),
        TEST(spills_to_memory_within_its_limit),
        TEST(fails_only_without_any_place),
        TEST(spills_without_unnamed_files),
        TEST(is_not_kept_when_it_cannot_be_synced),
        TEST(is_kept_when_its_directory_cannot_be_synced),
    };
    return RUN_TESTS(tests);
}
