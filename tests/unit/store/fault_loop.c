// SPDX-License-Identifier: MIT
#include "unit/store/fault_loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "fault/fault.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

enum { RUNS_MAX = 2000 };

struct fault_kind {
    int error;
    bool persistent;
};

static const struct fault_kind kinds[] = {
    {EIO, false},
    {ENOSPC, true},
    {EINTR, false},
    {FAULT_SHORT, false},
};

static bool is_memory(const char *call) {
    return strstr(call, "alloc") && !strstr(call, "fallocate");
}

static void begin_anew(const char *folder) {
    scratch_free(strdup(folder));
    assert_int_equal(mkdir(folder, 0700), 0);
}

/* With so many descriptors open before. */
static bool run_once(const struct scene *scene, const char *folder, unsigned before,
                     bool *out_fired) {
    bool good = scene->run(folder);
    *out_fired = fault_fired();
    fault_disarm();
    assert_int_equal(bench_descriptors(), before);
    scene->afterwards(folder, good);
    assert_int_equal(bench_descriptors(), before);
    return good;
}

/* How often the fault struck. */
static unsigned loop(const struct scene *scene, const char *folder, const char *call,
                     const struct fault_kind *kind) {
    bool fired = true;
    unsigned long nth = 0;
    while (fired) {
        bool unarmed;
        assert_true(++nth < RUNS_MAX);
        begin_anew(folder);
        unsigned before = bench_descriptors(); /* which reads a directory itself */
        fault_arm(call, nth, kind->error, kind->persistent);
        bool good = run_once(scene, folder, before, &fired);
        if (!good && !fired)
            fail_msg("failed without a fault (%s, %lu)", call, nth);
        clock_fake_advance(60000);
        if (!run_once(scene, folder, before, &unarmed))
            fail_msg("does not work after %s %lu (%s)", call, nth, strerror(kind->error));
    }
    return (unsigned)nth - 1;
}

void fault_loop(const struct scene *scene, const char *folder, const char *const *calls) {
    unsigned struck = 0;
    fault_disarm();
    for (const char *const *call = calls ? calls : fault_calls(); *call; call++)
        for (size_t i = 0; i < LENGTH_OF(kinds) && !is_memory(*call); i++)
            struck += loop(scene, folder, *call, &kinds[i]);
    assert_true(struck > 10); /* the scene does call what is armed */
}

void fault_loop_memory(const struct scene *scene, const char *folder) {
    static const char *const calls[] = {"malloc", "calloc", "realloc"};
    unsigned ended = 0;
    for (size_t i = 0; i < LENGTH_OF(calls); i++) {
        int status = -1;
        for (unsigned long nth = 1; nth < RUNS_MAX && status != 0; nth++) {
            begin_anew(folder);
            fflush(NULL);
            pid_t child = fork();
            if (child == 0) {
                fault_arm(calls[i], nth, ENOMEM, false);
                bool good = scene->run(folder);
                /* And nothing that a sanitizer does at an exit, which takes a second. */
                syscall(SYS_exit_group, good && !fault_fired() ? 0 : 7);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
            assert_true(aborted ||
                        (WIFEXITED(status) && (status == 0 || WEXITSTATUS(status) == 7)));
            ended += aborted;
            scene->afterwards(folder, status == 0);
        }
        assert_int_equal(status, 0);
    }
    assert_true(ended > 0);
}

int fault_loop_setup(void **state) {
    char *folder = scratch_new();
    *state = scratch_path(folder, "scene");
    free(folder);
    assert_int_equal(mkdir(*state, 0700), 0);
    return 0;
}

int fault_loop_teardown(void **state) {
    char *folder = *state;
    *strrchr(folder, '/') = '\0';
    scratch_free(folder);
    return 0;
}

int fault_loop_main(int (*forking)(void), int (*threaded)(void)) {
    struct error err;
    int failed = forking();
    /* A thousand warnings of disks that said no would tell nobody anything. */
    if (!log_start(NULL, 0, LOG_ERROR, &err))
        return 1;
    failed += threaded();
    log_stop();
    return failed;
}
