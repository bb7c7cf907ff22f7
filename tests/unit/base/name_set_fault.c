// SPDX-License-Identifier: MIT
//
// A directory that cannot be read to its end is no directory with fewer names: "not there" would be
// believed.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/name_set.h"
#include "fault/fault.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { NAMES = 10 };

static struct name_set *read_set(const char *folder, struct error *err) {
    struct name_choice choice = {.bytes_max = 10000};
    CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return name_set_read(fd, &choice, err);
}

static void is_whole_or_an_error(void **state) {
    static const char *const calls[] = {"openat", "readdir"};
    for (unsigned i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "App%u.pdb", i);
        scratch_write(*state, name, "");
    }
    for (size_t call = 0; call < LENGTH_OF(calls); call++)
        for (unsigned long nth = 1;; nth++) {
            struct error err = {0};
            fault_disarm();
            fault_arm(calls[call], nth, EIO, false);
            CLEANUP(name_set_unref_at) struct name_set *set = read_set(*state, &err);
            if (!fault_fired()) {
                assert_int_equal(set->count, NAMES);
                assert_non_null(name_set_find(set, "app9.PDB", 0));
                assert_null(name_set_find(set, "app9.PDB", 1));
                break;
            }
            assert_null(set);
            assert_int_equal(err.kind, ERROR_DISK);
            assert_int_equal(err.os, EIO);
        }
    fault_disarm();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_whole_or_an_error, scratch_setup, scratch_teardown),
    };
    return RUN_TESTS(tests);
}
