// SPDX-License-Identifier: MIT
//
// Killed before every single system call in turn: what is found afterwards is whole or not there.
// Each run and each look afterwards is a process of its own, so that nothing survives in memory.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "fault/fault.h"
#include "store/absence.h"
#include "unit/store/bench.h"

enum { PART = 70000, PARTS = 3, BODY = PART * PARTS, RUNS_MAX = 200, ABSENCES = 20 };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";

/* The calls that change a disk, or open what is changed. */
static const char *const calls[] = {
    "openat",   "openat2",   "mkdirat", "pwrite",   "write",    "fallocate", "ftruncate",
    "futimens", "fdatasync", "fsync",   "renameat", "unlinkat", "open",
};

/* Ends the process and nothing else: what a sanitizer does at an exit takes a second. */
static void leave(int code) {
    syscall(SYS_exit_group, code);
}

/* Runs a step in a process of its own; how it ended. */
static int run(void (*step)(const char *folder), const char *folder) {
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        step(folder);
        leave(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Ends the process when something is not as it must be: cmocka counts in the parent. */
static void must(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "must hold: %s\n", what);
    leave(1);
}

static struct bench bench_in(const char *folder) {
    struct bench bench = {.folder = strdup(folder), .root = scratch_path(folder, "shelf")};
    bench_open(&bench, 10);
    return bench;
}

/* --- a symbol put on the shelf -------------------------------------------------------------- */

static const char *killed_at;
static unsigned long killed_before;

static void put_on_shelf(const char *folder) {
    fault_arm(killed_at, killed_before, FAULT_KILL, false);
    struct bench bench = bench_in(folder);
    struct question question = bench_question("app.pdb", id);
    struct copy *copy = bench_arriving(&bench, &question, BODY);
    for (unsigned i = 0; i < PARTS; i++)
        bench_append(copy, PART);
    copy_whole(copy, true);
    cache_complete(bench.cache, copy, true);
    must(bench_phase(copy) == COPY_COMPLETE, "it is kept");
}

static bool bytes_are_right(struct copy *copy) {
    CLEANUP(free_block) char *there = NEW_ARRAY(char, BODY);
    CLEANUP(free_block) char *wanted = NEW_ARRAY(char, BODY);
    struct copy_state now;
    int fd;
    uint64_t at;
    uint64_t bytes;
    copy_look(copy, &now);
    copy_file(copy, 0, &fd, &at, &bytes);
    bench_fill(wanted, BODY, 0);
    return now.size == BODY && pread(fd, there, BODY, 0) == BODY &&
           memcmp(there, wanted, BODY) == 0;
}

/* What the next start finds; ends with 0 or, when there is nothing, with 2. */
static void look_afterwards(const char *folder) {
    struct bench bench = bench_in(folder);
    struct question question = bench_question("app.pdb", id);
    struct shelf_found found;
    must(bench_staged(&bench) == 0, "nothing is left in the staging room");
    if (shelf_look(bench.shelf, &question.spelling, &question.key, false, &found) != SHELF_FOUND)
        leave(2);
    close(found.fd);
    struct copy *copy = NULL;
    must(cache_find(bench.cache, &question, 1, &copy) == CACHE_FOUND, "it is a hit");
    must(bytes_are_right(copy), "every byte is there and right");
}

static void begin_anew(const char *folder) {
    scratch_free(strdup(folder));
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void leaves_no_part_of_a_symbol(void **state) {
    unsigned killed = 0;
    unsigned kept = 0;
    for (size_t i = 0; i < LENGTH_OF(calls); i++) {
        int status = 0;
        killed_at = calls[i];
        for (killed_before = 1; killed_before < RUNS_MAX; killed_before++) {
            begin_anew(*state);
            status = run(put_on_shelf, *state);
            if (!WIFSIGNALED(status))
                break;
            assert_int_equal(WTERMSIG(status), SIGKILL);
            killed++;
            status = run(look_afterwards, *state);
            assert_true(WIFEXITED(status));
            assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
            kept += WEXITSTATUS(status) == 0;
        }
        /* No call is left to be killed before: that run went through, and so does the look. */
        assert_int_equal(status, 0);
        assert_int_equal(run(look_afterwards, *state), 0);
    }
    assert_true(killed >= 20);
    assert_true(kept >= 1); /* one of them came after the rename */
}

/* And once a symbol is on the shelf, no kill while it is put there again takes it away. */
static void loses_no_symbol_that_was_kept(void **state) {
    for (size_t i = 0; i < LENGTH_OF(calls); i++) {
        begin_anew(*state);
        killed_at = calls[i];
        killed_before = RUNS_MAX;
        assert_int_equal(run(put_on_shelf, *state), 0);
        for (killed_before = 1; killed_before < RUNS_MAX; killed_before++) {
            int status = run(put_on_shelf, *state);
            assert_int_equal(run(look_afterwards, *state), 0);
            if (!WIFSIGNALED(status))
                break;
        }
        assert_true(killed_before < RUNS_MAX);
    }
}

/* --- absences ------------------------------------------------------------------------------- */

static struct absences *open_absences(const char *folder) {
    struct error err;
    struct absences_options options = {.directory = folder, .key = {{1, 2}}, .entries_max = 1000};
    struct absences *absences = absences_open(&options, &err);
    must(absences != NULL, "absences can be opened");
    /* Forgetting waits for the replay. */
    struct question none = bench_question("none.pdb", id);
    absence_forget(absences, &none.key);
    return absences;
}

static struct absence_mark mark_of(struct absences *absences, unsigned n) {
    char name[32];
    snprintf(name, sizeof name, "app%u.pdb", n);
    struct question question = bench_question(name, id);
    return absence_mark(absences, &question);
}

static int told_fd; /* a byte for each that a client would have been told of */

static void learn(const char *folder) {
    fault_arm(killed_at, killed_before, FAULT_KILL, false);
    struct absences *absences = open_absences(folder);
    for (unsigned n = 0; n < ABSENCES; n++) {
        struct absence_mark mark = mark_of(absences, n);
        absence_add(absences, &mark, 1, FORM_PLAIN, 3600);
        must(send(told_fd, "x", 1, 0) == 1, "it is told");
    }
    absences_close(absences);
}

/* Ends with how many of them are known. */
static void count_known(const char *folder) {
    struct absences *absences = open_absences(folder);
    int known = 0;
    for (unsigned n = 0; n < ABSENCES; n++) {
        int64_t when_s;
        struct absence_mark mark = mark_of(absences, n);
        known += absence_find(absences, &mark, 1, FORM_PLAIN, &when_s);
    }
    absences_close(absences);
    leave(known);
}

static unsigned told(int fd) {
    char bytes[ABSENCES];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    return got > 0 ? (unsigned)got : 0;
}

static void loses_no_absence_that_was_told(void **state) {
    int pair[2];
    unsigned killed = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    told_fd = pair[0];
    for (size_t i = 0; i < LENGTH_OF(calls); i++) {
        int status = 0;
        killed_at = calls[i];
        for (killed_before = 1; killed_before < RUNS_MAX; killed_before++) {
            begin_anew(*state);
            status = run(learn, *state);
            unsigned least = told(pair[1]);
            int known = run(count_known, *state);
            assert_true(WIFEXITED(known));
            assert_true((unsigned)WEXITSTATUS(known) >= least);
            if (!WIFSIGNALED(status))
                break;
            killed++;
        }
        assert_int_equal(status, 0);
    }
    assert_true(killed > ABSENCES);
    close(pair[0]);
    close(pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(leaves_no_part_of_a_symbol),
        TEST(loses_no_symbol_that_was_kept),
        TEST(loses_no_absence_that_was_told),
    };
    return RUN_TESTS(tests);
}
