// SPDX-License-Identifier: MIT
#include "fault/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
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

static void a_kill_ends_the_program_before_the_call(void **state) {
    (void)state;
    int fd = scratch_file();
    int status;
    fault_disarm();
    pid_t child = fork();
    if (child == 0) {
        fault_arm("pwrite", 2, FAULT_KILL, false);
        for (int i = 0; i < 3; i++)
            (void)!pwrite(fd, "abc", 3, 3 * i);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(lseek(fd, 0, SEEK_END), 3);
    close(fd);
}

static void *run_nothing(void *context) {
    return context;
}

static void a_thread_cannot_be_had(void **state) {
    (void)state;
    pthread_t thread;
    fault_disarm();
    fault_arm("pthread_create", 1, EAGAIN, false);
    assert_int_equal(pthread_create(&thread, NULL, run_nothing, NULL), EAGAIN);
    assert_int_equal(pthread_create(&thread, NULL, run_nothing, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void every_call_has_a_name(void **state) {
    (void)state;
    unsigned named = 0;
    fault_disarm();
    for (const char *const *call = fault_calls(); *call; call++, named++)
        fault_arm(*call, 1, EIO, false); /* an unknown name would end the program */
    fault_disarm();
    assert_true(named > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fails_at_the_nth_call_only),
        cmocka_unit_test(a_persistent_fault_stays),
        cmocka_unit_test(a_short_write_takes_one_byte),
        cmocka_unit_test(opening_keeps_its_mode),
        cmocka_unit_test(memory_runs_out_when_armed),
        cmocka_unit_test(a_kill_ends_the_program_before_the_call),
        cmocka_unit_test(a_thread_cannot_be_had),
        cmocka_unit_test(every_call_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
