// SPDX-License-Identifier: MIT
#include "fault/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int scratch_file(void) {
    int fd = memfd_create("fault_test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void fails_at_the_nth_call_only(void **state) {
    (void)state;
    int fd = scratch_file();
    fault_disarm();
    fault_arm("pwrite", 2, ENOSPC, false);
    assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
    assert_false(fault_fired());
    errno = 0;
    assert_int_equal(pwrite(fd, "abc", 3, 3), -1);
    assert_int_equal(errno, ENOSPC);
    assert_true(fault_fired());
    assert_int_equal(pwrite(fd, "abc", 3, 3), 3);
    assert_int_equal(fault_count("pwrite"), 3);
    close(fd);
}

static void a_persistent_fault_stays(void **state) {
    (void)state;
    int fd = scratch_file();
    fault_disarm();
    fault_arm("fsync", 2, EIO, true);
    assert_int_equal(fsync(fd), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fsync(fd), -1);
    fault_disarm();
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

static void a_short_write_takes_one_byte(void **state) {
    (void)state;
    int fd = scratch_file();
    fault_disarm();
    fault_arm("pwrite", 1, FAULT_SHORT, false);
    assert_int_equal(pwrite(fd, "abc", 3, 0), 1);
    assert_true(fault_fired());
    close(fd);
}

static void opening_keeps_its_mode(void **state) {
    (void)state;
    fault_disarm();
    fault_arm("openat", 2, EMFILE, false);
    int fd = openat(AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC), -1);
    assert_int_equal(errno, EMFILE);
    close(fd);
}

static void memory_runs_out_when_armed(void **state) {
    (void)state;
    fault_disarm();
    fault_arm("malloc", 1, ENOMEM, false);
    void *volatile refused = malloc(16);
    assert_null(refused);
    void *volatile given = malloc(16);
    assert_non_null(given);
    free(given);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fails_at_the_nth_call_only),   cmocka_unit_test(a_persistent_fault_stays),
        cmocka_unit_test(a_short_write_takes_one_byte), cmocka_unit_test(opening_keeps_its_mode),
        cmocka_unit_test(memory_runs_out_when_armed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
