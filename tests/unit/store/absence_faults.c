// SPDX-License-Identifier: MIT
//
// Absences are learned and their log is written anew, whatever call fails.
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "store/absence.h"
#include "store/absence_log.h"
#include "unit/store/bench.h"
#include "unit/store/fault_loop.h"

enum { LEARNED = 10 };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";

/* --- the scene of absences ------------------------------------------------------------------ */

static struct absences *open_absences(const char *folder, struct error *err) {
    struct absences_options options = {.directory = folder, .key = {{1, 2}}, .entries_max = 1000};
    return absences_open(&options, err);
}

static struct absence_mark mark_of(struct absences *absences, unsigned n) {
    char name[32];
    snprintf(name, sizeof name, "app%u.pdb", n);
    struct question question = bench_question(name, id);
    return absence_mark(absences, &question);
}

static bool known(struct absences *absences, unsigned n) {
    int64_t when_s;
    struct absence_mark mark = mark_of(absences, n);
    return absence_find(absences, &mark, 1, FORM_PLAIN, &when_s);
}

static bool learns_absences(const char *folder) {
    struct error err = {0};
    struct absences *absences = open_absences(folder, &err);
    if (!absences) {
        assert_int_not_equal(err.kind, ERROR_NONE);
        return false;
    }
    for (unsigned n = 0; n < LEARNED; n++) {
        struct absence_mark mark = mark_of(absences, n);
        absence_add(absences, &mark, 1, FORM_PLAIN, 3600);
        assert_true(known(absences, n)); /* in memory in any case */
    }
    struct question forgotten = bench_question("app3.pdb", id);
    assert_int_equal(absence_forget(absences, &forgotten.key), 1);
    assert_false(known(absences, 3));
    bool logged = counted(&absences_counters(absences)->unlogged) == 0;
    absences_close(absences);
    return logged;
}

static void log_is_right(const char *folder, bool good) {
    struct error err;
    struct absences *absences = open_absences(folder, &err);
    assert_non_null(absences);
    struct question none = bench_question("none.pdb", id);
    absence_forget(absences, &none.key); /* waits for the replay */
    for (unsigned n = 0; good && n < LEARNED; n++)
        assert_int_equal(known(absences, n), n != 3);
    assert_false(known(absences, LEARNED)); /* and nobody ever said no to that one */
    assert_true(counted(&absences_counters(absences)->entries) <= LEARNED);
    absences_close(absences);
}

static const struct scene absence_scene = {learns_absences, log_is_right};

/* --- the scene of compaction ---------------------------------------------------------------- */

static struct absence_slot slot_of(unsigned n) {
    return (struct absence_slot){n + 1, n, (uint32_t)clock_wall_s(), 3600};
}

/* Adds what is not in yet, twice each, and has it written anew. Whatever fails, a record that was
   accepted is not lost. */
static bool compacts(const char *folder) {
    pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t pause = PTHREAD_MUTEX_INITIALIZER;
    struct absence_log log;
    struct absence_table table;
    struct error err = {0};
    if (!absence_log_open(&log, folder, &err)) {
        assert_int_not_equal(err.kind, ERROR_NONE);
        return false;
    }
    absence_table_init(&table, 1000);
    absence_log_replay(&log, &table, (uint32_t)clock_wall_s());
    bool good = true;
    for (unsigned n = 0; n < 2 * LEARNED; n++) {
        struct absence_slot entry = slot_of(n % LEARNED);
        good = absence_log_add(&log, &entry) && good;
        absence_table_put(&table, &entry, entry.when_s);
    }
    bool compacted = absence_log_compact(&log, &table, &adding, &pause, &err);
    assert_true(compacted || err.kind == ERROR_DISK);
    absence_log_close(&log);
    absence_table_release(&table);
    return good || compacted;
}

static void nothing_was_lost(const char *folder, bool good) {
    struct absence_log log;
    struct absence_table table;
    struct error err;
    uint32_t when_s;
    assert_true(absence_log_open(&log, folder, &err));
    absence_table_init(&table, 1000);
    absence_log_replay(&log, &table, (uint32_t)clock_wall_s());
    for (unsigned n = 0; good && n < LEARNED; n++)
        assert_true(absence_table_find(&table, n + 1, n, &when_s));
    assert_true(absence_table_count(&table) <= LEARNED);
    absence_log_close(&log);
    absence_table_release(&table);
}

static const struct scene compaction_scene = {compacts, nothing_was_lost};

/* --- tests --- */

static void memory_fails_while_absences_are_learned(void **state) {
    fault_loop_memory(&absence_scene, *state);
}

static void a_call_fails_while_absences_are_learned(void **state) {
    fault_loop(&absence_scene, *state, NULL);
}

static void a_call_fails_while_absences_are_compacted(void **state) {
    fault_loop(&compaction_scene, *state, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fault_loop_setup, fault_loop_teardown)

static int forking(void) {
    const struct CMUnitTest tests[] = {TEST(memory_fails_while_absences_are_learned)};
    return RUN_TESTS(tests);
}

static int threaded(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_call_fails_while_absences_are_learned),
        TEST(a_call_fails_while_absences_are_compacted),
    };
    return RUN_TESTS(tests);
}

int main(void) {
    return fault_loop_main(forking, threaded);
}
