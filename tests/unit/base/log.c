// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/threads.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { SECONDS_LONG = 24 }; /* "2026-11-24 08:15:05.123 " */

static void start(const char *path, enum log_level level, uint64_t bytes_max, unsigned backups) {
    struct log_sink sink = {(char *)(uintptr_t)path, level, bytes_max, backups};
    struct error err = {0};
    assert_true(log_start(&sink, 1, level, &err));
}

/* Compares with the times taken out. */
static void expect_text(const char *folder, const char *name, const char *expected) {
    CLEANUP(free_block) char *text = scratch_read(folder, name);
    assert_non_null(text);
    CLEANUP(buffer_release) struct buffer plain;
    buffer_init(&plain, SIZE_MAX);
    buffer_append_text(&plain, "");
    for (char *rest = text, *line = strsep(&rest, "\n"); *line; line = strsep(&rest, "\n")) {
        assert_true(strlen(line) > SECONDS_LONG);
        assert_true(buffer_format(&plain, "%s\n", line + SECONDS_LONG));
    }
    assert_string_equal(plain.bytes, expected);
}

static void lines_have_time_level_and_text(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "made/for/it/log");
    start(path, LOG_DEBUG, 0, 0);
    log_info("served %d", 5);
    log_error("x");
    log_stop();
    expect_text(*state, "made/for/it/log", "INFO served 5\nERROR x\n");
    CLEANUP(free_block) char *text = scratch_read(*state, "made/for/it/log");
    int fields[7] = {0};
    assert_int_equal(sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d.%3d INFO served", &fields[0], &fields[1],
                            &fields[2], &fields[3], &fields[4], &fields[5], &fields[6]),
                     7);
    assert_int_equal(text[23], ' ');
    assert_true(fields[0] >= 2024 && fields[1] >= 1 && fields[1] <= 12 && fields[3] < 24);
}

static void what_stands_in_a_name_cannot_forge_a_line(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    start(path, LOG_DEBUG, 0, 0);
    log_info("a\nb\r\x1b[0m\x7f \xC2\x9B \xC3\xA4 \"\\");
    log_info("no UTF-8: \xE4 \xF0\x9F\x98 \xF0\x9F\x98\x80");
    log_stop();
    expect_text(*state, "log",
                "INFO a\\x0ab\\x0d\\x1b[0m\\x7f \\x9b \xC3\xA4 \"\\\n"
                "INFO no UTF-8: \\xe4 \\xf0\\x9f\\x98 \xF0\x9F\x98\x80\n");
}

static void long_lines_are_cut_between_characters(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    start(path, LOG_DEBUG, 0, 0);
    char text[6000];
    memset(text, 'a', sizeof text);
    memcpy(text + 4094, "\xC3\xA4", 2);
    text[5999] = '\0';
    log_info("%s", text);
    memcpy(text + 4093, "\xC3\xA4\n", 3);
    log_info("%s", text);
    memset(text, '\n', 5999);
    log_info("%s", text);
    log_stop();
    CLEANUP(free_block) char *got = scratch_read(*state, "log");
    char *second = strchr(got, '\n') + 1;
    char *third = strchr(second, '\n') + 1;
    assert_int_equal(second - got, SECONDS_LONG + 5 + 4094 + 1);
    assert_int_equal(third - second, SECONDS_LONG + 5 + 4095 + 1);
    assert_true(strlen(third) <= SECONDS_LONG + 5 + 4096);
    assert_string_equal(third + strlen(third) - 5, "\\x0a\n");
}

static void sinks_have_levels_of_their_own(void **state) {
    CLEANUP(free_block) char *all = scratch_path(*state, "all");
    CLEANUP(free_block) char *bad = scratch_path(*state, "bad");
    struct log_sink sinks[] = {{all, LOG_DEBUG, 0, 0}, {bad, LOG_ERROR, 0, 0}};
    struct error err = {0};
    assert_true(log_start(sinks, 2, LOG_INFO, &err));
    log_debug("below the queue's level");
    log_info("one");
    log_warning("two");
    log_error("three");
    log_stop();
    expect_text(*state, "all", "INFO one\nWARNING two\nERROR three\n");
    expect_text(*state, "bad", "ERROR three\n");
}

static void files_rotate_before_they_grow_too_long(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    start(path, LOG_DEBUG, 80, 2);
    for (int i = 0; i < 7; i++)
        log_info("line %d", i); /* 36 bytes each */
    log_stop();
    expect_text(*state, "log", "INFO line 6\n");
    expect_text(*state, "log.1", "INFO line 4\nINFO line 5\n");
    expect_text(*state, "log.2", "INFO line 2\nINFO line 3\n");
    assert_null(scratch_read(*state, "log.3"));
    /* What lies there already counts. */
    start(path, LOG_DEBUG, 80, 2);
    log_info("line 7");
    log_info("line 8");
    log_stop();
    expect_text(*state, "log.1", "INFO line 6\nINFO line 7\n");
    expect_text(*state, "log", "INFO line 8\n");
}

static void without_backups_nothing_is_rotated(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    start(path, LOG_DEBUG, 40, 0);
    log_info("line 1");
    log_info("line 2");
    log_stop();
    expect_text(*state, "log", "INFO line 1\nINFO line 2\n");
}

static void reopens_for_outside_rotation(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    CLEANUP(free_block) char *moved = scratch_path(*state, "moved");
    start(path, LOG_DEBUG, 0, 0);
    assert_int_equal(rename(path, moved), 0);
    log_reopen();
    log_info("after");
    log_stop();
    expect_text(*state, "log", "INFO after\n");
}

static void sinks_are_replaced_on_reload(void **state) {
    CLEANUP(free_block) char *one = scratch_path(*state, "one");
    CLEANUP(free_block) char *two = scratch_path(*state, "two");
    start(one, LOG_INFO, 0, 0);
    struct log_sink sink = {two, LOG_DEBUG, 0, 0};
    struct error err = {0};
    assert_true(log_use(&sink, 1, LOG_DEBUG, &err));
    log_debug("now heard");
    log_stop();
    expect_text(*state, "two", "DEBUG now heard\n");
    expect_text(*state, "one", "");
}

static void a_file_that_cannot_be_opened_is_an_error(void **state) {
    CLEANUP(free_block) char *good = scratch_path(*state, "good");
    struct log_sink sinks[] = {{good, LOG_DEBUG, 0, 0}, {*state, LOG_DEBUG, 0, 0}};
    struct error err = {0};
    assert_false(log_start(sinks, 2, LOG_INFO, &err));
    assert_int_equal(err.kind, ERROR_SYSTEM);
    assert_non_null(strstr(err.what, *state));
    start(good, LOG_INFO, 0, 0);
    assert_false(log_use(sinks, 2, LOG_ERROR, &err));
    log_info("still the old sinks");
    log_stop();
    expect_text(*state, "good", "INFO still the old sinks\n");
}

/* Standard error goes to a file while the test runs. */
static int redirect_stderr(const char *folder) {
    CLEANUP(free_block) char *path = scratch_path(folder, "stderr");
    fflush(stderr);
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    return kept;
}

static void restore_stderr(int kept) {
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
}

static void standard_error_is_a_sink_and_the_fallback(void **state) {
    int kept = redirect_stderr(*state);
    log_info("before");
    start(NULL, LOG_INFO, 10, 1);
    log_info("during");
    log_stop();
    log_info("after");
    log_debug("too low");
    restore_stderr(kept);
    expect_text(*state, "stderr", "INFO before\nINFO during\nINFO after\n");
}

static void errors_are_one_line(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    start(path, LOG_DEBUG, 0, 0);
    struct error err = {0};
    error_set(&err, ERROR_DISK, "could not write \"x\"");
    log_failure(LOG_WARNING, "keeping a.pdb", &err);
    error_hint(&err, "Make room.");
    log_failure(LOG_ERROR, "keeping a.pdb", &err);
    log_stop();
    expect_text(*state, "log",
                "WARNING keeping a.pdb: could not write \"x\"\n"
                "ERROR keeping a.pdb: could not write \"x\" (Make room.)\n");
}

static void a_lost_log_disk_is_told_once(void **state) {
    int kept = redirect_stderr(*state);
    start("/dev/full", LOG_DEBUG, 0, 0);
    uint64_t before = log_dropped();
    log_info("lost");
    log_info("lost, too");
    log_stop();
    restore_stderr(kept);
    assert_int_equal(log_dropped() - before, 2);
    CLEANUP(free_block) char *text = scratch_read(*state, "stderr");
    assert_string_equal(
        text, "symgate: could not write log file \"/dev/full\": No space left on device\n");
}

static void what_a_full_disk_lost_is_told_when_there_is_room(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    assert_int_equal(symlink("/dev/full", path), 0);
    int kept = redirect_stderr(*state);
    start(path, LOG_DEBUG, 0, 0);
    uint64_t before = log_dropped();
    log_info("lost");
    while (log_dropped() == before)
        sched_yield();
    assert_int_equal(unlink(path), 0);
    log_reopen();
    log_info("kept");
    log_stop();
    restore_stderr(kept);
    expect_text(
        *state, "log",
        "INFO kept\n"
        "WARNING 1 log lines were lost: the log could not be written, or not fast enough\n");
}

/* No file may grow past this, as on a disk that is full. */
static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lose_lines(uint64_t lines, int first) {
    uint64_t before = log_dropped();
    for (uint64_t i = 0; i < lines; i++)
        log_info("line %d", first + (int)i); /* 36 bytes each */
    while (log_dropped() < before + lines)
        sched_yield();
}

static void write_file(const char *folder, const char *name, const char *text) {
    CLEANUP(free_block) char *path = scratch_path(folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void lines_that_a_full_disk_loses_push_no_file_out(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    write_file(*state, "log", "2026-11-24 08:15:05.123 INFO old line\n");
    write_file(*state, "log.1", "2026-11-24 08:15:05.123 INFO older line\n");
    int kept = redirect_stderr(*state);
    start(path, LOG_DEBUG, 200, 1);
    limit_files(38);
    for (int i = 0; i < 12; i++)
        lose_lines(1, i);
    lose_lines(12, 12); /* some of them gathered */
    limit_files(RLIM_INFINITY);
    log_info("again");
    log_stop();
    restore_stderr(kept);
    expect_text(
        *state, "log",
        "INFO old line\nINFO again\n"
        "WARNING 24 log lines were lost: the log could not be written, or not fast enough\n");
    expect_text(*state, "log.1", "INFO older line\n");
}

static void a_line_that_a_full_disk_cut_is_taken_back(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    int kept = redirect_stderr(*state);
    start(path, LOG_DEBUG, 0, 0);
    limit_files(20);
    lose_lines(1, 0);
    CLEANUP(free_block) char *text = scratch_read(*state, "log");
    assert_string_equal(text, "");
    limit_files(RLIM_INFINITY);
    log_info("whole");
    log_stop();
    restore_stderr(kept);
    expect_text(
        *state, "log",
        "INFO whole\n"
        "WARNING 1 log lines were lost: the log could not be written, or not fast enough\n");
}

static void a_line_that_cannot_be_taken_back_is_ended(void **state) {
    int kept = redirect_stderr(*state);
    start(NULL, LOG_DEBUG, 0, 0);
    limit_files(20);
    lose_lines(1, 0);
    limit_files(RLIM_INFINITY);
    log_info("whole");
    log_stop();
    restore_stderr(kept);
    CLEANUP(free_block) char *text = scratch_read(*state, "stderr");
    assert_int_equal(text[20], '\n');
    assert_non_null(strstr(text + 21, "INFO whole\n"));
}

static void a_pipe_that_nobody_reads_is_an_error(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    struct log_sink sink = {path, LOG_DEBUG, 0, 0};
    struct error err = {0};
    assert_false(log_start(&sink, 1, LOG_DEBUG, &err));
    assert_non_null(strstr(err.what, path));
    assert_non_null(strstr(err.hint, "nobody reads"));
}

static void what_is_no_regular_file_is_not_rotated(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "fifo");
    CLEANUP(free_block) char *aside = scratch_path(*state, "fifo.1");
    assert_int_equal(mkfifo(path, 0600), 0);
    CLEANUP(close_fd) int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    start(path, LOG_DEBUG, 10, 2);
    for (int i = 0; i < 5; i++)
        log_info("longer than it may grow");
    log_stop();
    struct stat found;
    assert_true(stat(path, &found) == 0 && S_ISFIFO(found.st_mode));
    assert_true(stat(aside, &found) != 0);
}

struct drain {
    int fd;
    unsigned lines;
    unsigned told; /* how many lines the log itself says were lost */
};

static void *drain_lines(void *context) {
    struct drain *drain = context;
    FILE *in = fdopen(drain->fd, "r");
    char line[512];
    while (fgets(line, sizeof line, in)) {
        unsigned lost = 0;
        if (sscanf(line + SECONDS_LONG, "WARNING %u log lines were lost", &lost) == 1)
            drain->told += lost;
        else
            drain->lines++;
    }
    fclose(in);
    return NULL;
}

static void a_slow_disk_drops_lines_and_counts_them(void **state) {
    enum { LINES = 60000 };
    CLEANUP(free_block) char *path = scratch_path(*state, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    struct drain drain = {.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    assert_true(drain.fd >= 0);
    assert_int_equal(fcntl(drain.fd, F_SETFL, 0), 0);
    uint64_t before = log_dropped();
    start(path, LOG_DEBUG, 0, 0);
    /* Nobody reads: the pipe takes 64 KiB, then the writer hangs and the queue fills. */
    for (int i = 0; i < LINES; i++)
        log_info("%0200d", i);
    assert_true(log_dropped() > before);
    pthread_t reader;
    struct error err = {0};
    assert_true(thread_start(&reader, "reader", drain_lines, &drain, &err));
    log_stop();
    pthread_join(reader, NULL);
    assert_int_equal(drain.lines + (log_dropped() - before), LINES);
    assert_int_equal(drain.told, log_dropped() - before);
}

enum { WRITERS = 4, LINES_EACH = 1000 };

static void *write_lines(void *context) {
    for (int i = 0; i < LINES_EACH; i++)
        log_info("%d %d", *(int *)context, i);
    return NULL;
}

static void lines_of_a_thread_keep_their_order(void **state) {
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    uint64_t before = log_dropped();
    start(path, LOG_DEBUG, 0, 0);
    pthread_t threads[WRITERS];
    int numbers[WRITERS];
    struct error err = {0};
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_true(thread_start(&threads[i], "writer", write_lines, &numbers[i], &err));
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    log_stop();
    assert_true(log_dropped() == before);
    int next[WRITERS] = {0};
    CLEANUP(free_block) char *text = scratch_read(*state, "log");
    for (char *rest = text, *line = strsep(&rest, "\n"); *line; line = strsep(&rest, "\n")) {
        int writer = 0;
        int number = 0;
        assert_int_equal(sscanf(line + SECONDS_LONG, "INFO %d %d", &writer, &number), 2);
        assert_int_equal(number, next[writer]);
        next[writer]++;
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(next[i], LINES_EACH);
}

static void levels_are_parsed(void **state) {
    (void)state;
    enum log_level level = LOG_DEBUG;
    assert_true(log_level_parse("CRITICAL", &level) && level == LOG_ERROR);
    assert_true(log_level_parse("warn", &level) && level == LOG_WARNING);
    assert_true(log_level_parse("INFO", &level) && level == LOG_INFO);
    assert_false(log_level_parse("LOUD", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_INFO);
    for (enum log_level each = LOG_DEBUG; each < LOG_LEVEL_COUNT; each++)
        assert_true(log_level_parse(log_level_name(each), &level) && level == each);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        WITH_FOLDER(standard_error_is_a_sink_and_the_fallback),
        WITH_FOLDER(lines_have_time_level_and_text),
        WITH_FOLDER(what_stands_in_a_name_cannot_forge_a_line),
        WITH_FOLDER(long_lines_are_cut_between_characters),
        WITH_FOLDER(sinks_have_levels_of_their_own),
        WITH_FOLDER(files_rotate_before_they_grow_too_long),
        WITH_FOLDER(without_backups_nothing_is_rotated),
        WITH_FOLDER(reopens_for_outside_rotation),
        WITH_FOLDER(sinks_are_replaced_on_reload),
        WITH_FOLDER(a_file_that_cannot_be_opened_is_an_error),
        WITH_FOLDER(errors_are_one_line),
        WITH_FOLDER(a_lost_log_disk_is_told_once),
        WITH_FOLDER(what_a_full_disk_lost_is_told_when_there_is_room),
        WITH_FOLDER(lines_that_a_full_disk_loses_push_no_file_out),
        WITH_FOLDER(a_line_that_a_full_disk_cut_is_taken_back),
        WITH_FOLDER(a_line_that_cannot_be_taken_back_is_ended),
        WITH_FOLDER(a_pipe_that_nobody_reads_is_an_error),
        WITH_FOLDER(what_is_no_regular_file_is_not_rotated),
        WITH_FOLDER(a_slow_disk_drops_lines_and_counts_them),
        WITH_FOLDER(lines_of_a_thread_keep_their_order),
        cmocka_unit_test(levels_are_parsed),
    };
    return RUN_TESTS(tests);
}
