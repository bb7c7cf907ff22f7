// SPDX-License-Identifier: MIT
#include "store/absence_log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/lock.h"
#include "base/threads.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { NOW_S = 1800000000, HEAD_BYTES = 32, RECORD_BYTES = 32 };

struct setting {
    char *folder;
    struct absence_log log;
    struct absence_table table;
};

static void reopen(struct setting *setting) {
    struct error err;
    assert_true(absence_log_open(&setting->log, setting->folder, &err));
    absence_table_init(&setting->table, 1000000);
    absence_log_replay(&setting->log, &setting->table, NOW_S);
}

static void shut(struct setting *setting) {
    absence_log_close(&setting->log);
    absence_table_release(&setting->table);
}

static int set_up(void **state) {
    struct setting *setting = calloc(1, sizeof *setting);
    assert_non_null(setting);
    setting->folder = scratch_new();
    reopen(setting);
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    shut(setting);
    scratch_free(setting->folder);
    free(setting);
    return 0;
}

static struct absence_slot entry_of(uint64_t n) {
    return (struct absence_slot){.key = n + 1, .rest = n * 3, .when_s = NOW_S, .retry_s = 3600};
}

/* Both in the log and in the table, as absence.c does it. */
static void add(struct setting *setting, uint64_t n) {
    struct absence_slot entry = entry_of(n);
    assert_true(absence_log_add(&setting->log, &entry));
    absence_table_put(&setting->table, &entry, NOW_S);
}

static bool there(struct setting *setting, uint64_t n) {
    uint32_t when_s;
    struct absence_slot entry = entry_of(n);
    return absence_table_find(&setting->table, entry.key, entry.rest, &when_s);
}

/* Closes, opens and replays. */
static void restart(struct setting *setting) {
    shut(setting);
    reopen(setting);
}

static int open_file(const struct setting *setting) {
    CLEANUP(free_block) char *path = scratch_path(setting->folder, "absences");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static off_t file_bytes(const struct setting *setting) {
    CLEANUP(close_fd) int fd = open_file(setting);
    return lseek(fd, 0, SEEK_END);
}

static void replays_what_was_added(void **state) {
    struct setting *setting = *state;
    for (uint64_t n = 0; n < 70000; n++) /* more than are read at once */
        add(setting, n);
    restart(setting);
    assert_int_equal(absence_table_count(&setting->table), 70000);
    for (uint64_t n = 0; n < 70000; n += 999)
        assert_true(there(setting, n));
    assert_int_equal(file_bytes(setting), HEAD_BYTES + 70000 * RECORD_BYTES);
}

static void replays_the_later_over_the_earlier(void **state) {
    struct setting *setting = *state;
    struct absence_slot entry = entry_of(1);
    uint32_t when_s;
    entry.when_s = NOW_S - 100;
    assert_true(absence_log_add(&setting->log, &entry));
    add(setting, 1);
    add(setting, 2);
    assert_true(absence_log_forget(&setting->log, entry_of(2).key));
    add(setting, 3);
    assert_true(absence_log_forget(&setting->log, entry_of(3).key));
    add(setting, 3);
    restart(setting);
    assert_true(absence_table_find(&setting->table, entry.key, entry.rest, &when_s));
    assert_int_equal(when_s, NOW_S);
    assert_false(there(setting, 2));
    assert_true(there(setting, 3));
}

static void replays_nothing_that_has_expired(void **state) {
    struct setting *setting = *state;
    struct absence_slot entry = entry_of(1);
    entry.when_s = NOW_S - 3601;
    assert_true(absence_log_add(&setting->log, &entry));
    entry = entry_of(2);
    entry.when_s = NOW_S - 3600;
    assert_true(absence_log_add(&setting->log, &entry));
    restart(setting);
    assert_false(there(setting, 1));
    assert_true(there(setting, 2));
}

/* A kill in the middle of a write leaves half a record: it goes, and what is added afterwards
 * stands where it can be read. */
static void cuts_a_torn_tail_off(void **state) {
    struct setting *setting = *state;
    for (unsigned torn = 1; torn < RECORD_BYTES; torn += 10) {
        shut(setting);
        {
            CLEANUP(close_fd) int fd = open_file(setting);
            char junk[RECORD_BYTES];
            memset(junk, 'j', sizeof junk);
            assert_int_equal(pwrite(fd, junk, torn, lseek(fd, 0, SEEK_END)), torn);
        }
        reopen(setting);
        add(setting, torn);
        restart(setting);
        for (unsigned before = 1; before <= torn; before += 10)
            assert_true(there(setting, before));
        assert_int_equal((file_bytes(setting) - HEAD_BYTES) % RECORD_BYTES, 0);
    }
}

/* The kernel writes a part of what does not fit, and then refuses. */
static void limit_files_to(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A record that was written in part is taken back, so that the next stands where it can be read. */
static void takes_back_what_was_written_of_a_record(void **state) {
    struct setting *setting = *state;
    struct absence_slot entry = entry_of(2);
    add(setting, 0);
    add(setting, 1);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    limit_files_to(HEAD_BYTES + 2 * RECORD_BYTES + 10);
    bool added = absence_log_add(&setting->log, &entry);
    limit_files_to(RLIM_INFINITY);
    assert_true(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
    assert_false(added);
    assert_int_equal(file_bytes(setting), HEAD_BYTES + 2 * RECORD_BYTES);
    add(setting, 3);
    restart(setting);
    for (uint64_t n = 0; n < 4; n++)
        assert_int_equal(there(setting, n), n != 2);
}

static void skips_a_damaged_record_alone(void **state) {
    struct setting *setting = *state;
    for (uint64_t n = 0; n < 5; n++)
        add(setting, n);
    for (unsigned byte = 0; byte < RECORD_BYTES; byte++) {
        CLEANUP(close_fd) int fd = open_file(setting);
        char was;
        off_t at = HEAD_BYTES + 2 * RECORD_BYTES + byte;
        assert_int_equal(pread(fd, &was, 1, at), 1);
        char damaged = was ^ 0x10;
        assert_int_equal(pwrite(fd, &damaged, 1, at), 1);
        restart(setting);
        for (uint64_t n = 0; n < 5; n++)
            assert_int_equal(there(setting, n), n != 2);
        assert_int_equal(absence_table_count(&setting->table), 4);
        assert_int_equal(pwrite(fd, &was, 1, at), 1);
    }
    restart(setting);
    assert_int_equal(absence_table_count(&setting->table), 5);
}

static void refuses_a_newer_version(void **state) {
    struct setting *setting = *state;
    struct absence_log log;
    struct error err;
    add(setting, 1);
    CLEANUP(close_fd) int fd = open_file(setting);
    uint32_t version = ABSENCE_LOG_VERSION + 1;
    assert_int_equal(pwrite(fd, &version, sizeof version, 16), sizeof version);
    assert_false(absence_log_open(&log, setting->folder, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.what, "newer"));
    assert_non_null(strstr(err.what, setting->folder));
    assert_true(err.hint[0] != '\0');
    assert_int_equal(file_bytes(setting), HEAD_BYTES + RECORD_BYTES); /* left alone */
}

static void begins_anew_over_a_foreign_file(void **state) {
    struct setting *setting = *state;
    static const char *const foreign[] = {"", "short",
                                          "a text of another program, longer than a head"};
    for (size_t i = 0; i < LENGTH_OF(foreign); i++) {
        shut(setting);
        scratch_write(setting->folder, "absences", foreign[i]);
        reopen(setting);
        assert_int_equal(absence_table_count(&setting->table), 0);
        add(setting, i);
        restart(setting);
        assert_true(there(setting, i));
        assert_int_equal(absence_table_count(&setting->table), 1);
    }
}

/* A link in the folder's place of the file leads nowhere. */
static void follows_no_link(void **state) {
    struct setting *setting = *state;
    shut(setting);
    scratch_write(setting->folder, "other", "precious");
    CLEANUP(free_block) char *link = scratch_path(setting->folder, "absences");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("other", link), 0);
    reopen(setting);
    CLEANUP(free_block) char *text = scratch_read(setting->folder, "other");
    assert_string_equal(text, "precious");
}

static void tells_when_it_is_mostly_out_of_date(void **state) {
    struct setting *setting = *state;
    for (unsigned round = 0; round < 202; round++)
        for (uint64_t n = 0; n < 100; n++) {
            if (round * 100 + n == 20200)
                assert_false(absence_log_bloated(&setting->log, 100));
            add(setting, n);
        }
    assert_false(absence_log_bloated(&setting->log, 100));
    add(setting, 0);
    assert_true(absence_log_bloated(&setting->log, 100));
    restart(setting);
    assert_true(absence_log_bloated(&setting->log, 100));
}

/* --- compaction ----------------------------------------------------------------------------- */

struct locks {
    pthread_mutex_t adding;
    pthread_mutex_t pause;
};

static void compact(struct setting *setting, struct locks *locks) {
    struct error err;
    assert_true(
        absence_log_compact(&setting->log, &setting->table, &locks->adding, &locks->pause, &err));
}

static void compacts_to_what_counts(void **state) {
    struct setting *setting = *state;
    struct locks locks = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
    for (unsigned round = 0; round < 10; round++)
        for (uint64_t n = 0; n < 1000; n++)
            add(setting, n);
    assert_int_equal(file_bytes(setting), HEAD_BYTES + 10000 * RECORD_BYTES);
    compact(setting, &locks);
    assert_int_equal(file_bytes(setting), HEAD_BYTES + 1000 * RECORD_BYTES);
    assert_false(absence_log_bloated(&setting->log, 0));
    add(setting, 5000);
    restart(setting);
    assert_int_equal(absence_table_count(&setting->table), 1001);
    CLEANUP(free_block) char *next = scratch_path(setting->folder, "absences.next");
    assert_int_equal(access(next, F_OK), -1);
}

enum { ADDERS = 3, ADDED = 5000, FORGOTTEN_EVERY = 7 };

struct adder {
    pthread_t thread;
    struct setting *setting;
    struct locks *locks;
    uint64_t first;
    atomic_uint *left; /* adders that are at work still */
};

static void *add_and_forget(void *context) {
    struct adder *adder = context;
    struct setting *setting = adder->setting;
    for (uint64_t n = adder->first; n < adder->first + ADDED; n++) {
        struct absence_slot entry = entry_of(n);
        {
            SCOPED_LOCK(&adder->locks->adding);
            absence_log_add(&setting->log, &entry);
            absence_table_put(&setting->table, &entry, NOW_S);
        }
        if (n % FORGOTTEN_EVERY != 0)
            continue;
        SCOPED_LOCK(&adder->locks->pause);
        absence_table_forget(&setting->table, entry.key);
        absence_log_forget(&setting->log, entry.key);
    }
    atomic_fetch_sub(adder->left, 1);
    return NULL;
}

/* While others add and forget, it is written anew again and again: nothing is lost, and nothing
 * that was forgotten comes back. */
static void loses_nothing_to_compaction(void **state) {
    struct setting *setting = *state;
    struct locks locks = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
    struct adder adders[ADDERS];
    atomic_uint left = ADDERS;
    for (unsigned i = 0; i < ADDERS; i++) {
        adders[i] = (struct adder){.setting = setting, .locks = &locks, .left = &left};
        adders[i].first = 1000000 * (uint64_t)i;
        assert_true(thread_start(&adders[i].thread, "adder", add_and_forget, &adders[i], NULL));
    }
    unsigned compactions = 0;
    while (atomic_load(&left) > 0) {
        compact(setting, &locks);
        compactions++;
    }
    for (unsigned i = 0; i < ADDERS; i++)
        pthread_join(adders[i].thread, NULL);
    assert_true(compactions > 0);
    restart(setting);
    for (unsigned i = 0; i < ADDERS; i++)
        for (uint64_t n = adders[i].first; n < adders[i].first + ADDED; n++)
            if (there(setting, n) != (n % FORGOTTEN_EVERY != 0))
                fail_msg("%llu: wrong after %u compactions", (unsigned long long)n, compactions);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(replays_what_was_added),
        TEST(replays_the_later_over_the_earlier),
        TEST(replays_nothing_that_has_expired),
        TEST(cuts_a_torn_tail_off),
        TEST(takes_back_what_was_written_of_a_record),
        TEST(skips_a_damaged_record_alone),
        TEST(refuses_a_newer_version),
        TEST(begins_anew_over_a_foreign_file),
        TEST(follows_no_link),
        TEST(tells_when_it_is_mostly_out_of_date),
        TEST(compacts_to_what_counts),
        TEST(loses_nothing_to_compaction),
    };
    return RUN_TESTS(tests);
}
