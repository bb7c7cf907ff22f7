// SPDX-License-Identifier: MIT
#include "store/absence.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/threads.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/base/scratch.h"

enum { ENTRIES_MAX = 100000, RETRY_S = 3600, SOURCE = 11, OTHER_SOURCE = 12, READY_WITHIN_S = 20 };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";

struct setting {
    char *folder;
    struct absences *absences;
    uint64_t entries_max;
};

static struct absences *open_absences(const struct setting *setting, struct error *err) {
    struct absences_options options = {
        .directory = setting->folder, .key = {{1, 2}}, .entries_max = setting->entries_max};
    return absences_open(&options, err);
}

/* The replay is a thread's; its end is a flag, as the loops see it. */
static void wait_until_ready(const struct absences *absences) {
    time_t until = time(NULL) + READY_WITHIN_S;
    while (!absences_ready(absences)) {
        assert_true(time(NULL) < until);
        sched_yield();
    }
}

static void restart(struct setting *setting) {
    struct error err;
    absences_close(setting->absences);
    setting->absences = open_absences(setting, &err);
    assert_non_null(setting->absences);
    wait_until_ready(setting->absences);
}

static int set_up(void **state) {
    struct setting *setting = calloc(1, sizeof *setting);
    assert_non_null(setting);
    setting->folder = scratch_new();
    setting->entries_max = ENTRIES_MAX;
    restart(setting);
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    absences_close(setting->absences);
    scratch_free(setting->folder);
    free(setting);
    return 0;
}

static struct question ask(const char *name, const char *of) {
    struct question question = {0};
    struct error err;
    strncpy(question.spelling.name, name, sizeof question.spelling.name - 1);
    strncpy(question.spelling.id, of, sizeof question.spelling.id - 1);
    assert_true(symbol_key_make(&question.spelling, &question.key, &err));
    return question;
}

static struct absence_mark mark_of(const struct setting *setting, const char *name) {
    struct question question = ask(name, id);
    return absence_mark(setting->absences, &question);
}

static void add(struct setting *setting, const char *name) {
    struct absence_mark mark = mark_of(setting, name);
    absence_add(setting->absences, &mark, SOURCE, FORM_PLAIN, RETRY_S);
}

static bool there(struct setting *setting, const char *name) {
    int64_t when_s;
    struct absence_mark mark = mark_of(setting, name);
    return absence_find(setting->absences, &mark, SOURCE, FORM_PLAIN, &when_s);
}

static const struct absences_counters *counters(const struct setting *setting) {
    return absences_counters(setting->absences);
}

static void remembers_who_said_no_and_when(void **state) {
    struct setting *setting = *state;
    int64_t when_s = -1;
    struct absence_mark mark = mark_of(setting, "app.pdb");
    assert_false(absence_find(setting->absences, &mark, SOURCE, FORM_PLAIN, &when_s));
    assert_int_equal(when_s, -1);
    clock_fake_set_wall(1800000000);
    add(setting, "app.pdb");
    clock_fake_advance(5000);
    assert_true(absence_find(setting->absences, &mark, SOURCE, FORM_PLAIN, &when_s));
    assert_int_equal(when_s, 1800000000);
    assert_false(absence_find(setting->absences, &mark, OTHER_SOURCE, FORM_PLAIN, &when_s));
    add(setting, "app.pdb"); /* remembered anew */
    assert_true(absence_find(setting->absences, &mark, SOURCE, FORM_PLAIN, &when_s));
    assert_int_equal(when_s, 1800000005);
    assert_int_equal(counted(&counters(setting)->entries), 1);
    assert_int_equal(counted(&counters(setting)->remembered), 2);
    assert_int_equal(counted(&counters(setting)->found), 2);
}

/* What was asked counts: another spelling or other forms may be there. */
static void belongs_to_spelling_and_forms(void **state) {
    struct setting *setting = *state;
    int64_t when_s;
    struct absence_mark mark = mark_of(setting, "app.pdb");
    add(setting, "app.pdb");
    assert_false(there(setting, "App.pdb"));
    assert_false(there(setting, "app2.pdb"));
    struct question lower = ask("app.pdb", "0123456789abcdef0123456789abcdef1");
    struct absence_mark other_id = absence_mark(setting->absences, &lower);
    assert_int_equal(other_id.key, mark.key);
    assert_false(absence_find(setting->absences, &other_id, SOURCE, FORM_PLAIN, &when_s));
    assert_false(
        absence_find(setting->absences, &mark, SOURCE, FORM_PLAIN | FORM_COMPRESSED, &when_s));
    assert_true(absence_find(setting->absences, &mark, SOURCE, FORM_PLAIN, &when_s));
}

static void forgets_every_spelling_of_a_key(void **state) {
    struct setting *setting = *state;
    struct absence_mark mark = mark_of(setting, "app.pdb");
    struct question question = ask("app.pdb", id);
    int64_t when_s;
    add(setting, "app.pdb");
    add(setting, "App.PDB");
    add(setting, "other.pdb");
    absence_add(setting->absences, &mark, OTHER_SOURCE, FORM_PLAIN, RETRY_S);
    absence_add(setting->absences, &mark, SOURCE, FORM_POINTER, RETRY_S);
    assert_int_equal(counted(&counters(setting)->entries), 5);
    assert_int_equal(absence_forget(setting->absences, &question.key), 4);
    assert_int_equal(absence_forget(setting->absences, &question.key), 0);
    assert_int_equal(counted(&counters(setting)->entries), 1);
    for (unsigned round = 0; round < 2; round++) {
        assert_false(there(setting, "app.pdb"));
        assert_false(there(setting, "App.PDB"));
        assert_false(absence_find(setting->absences, &mark, OTHER_SOURCE, FORM_PLAIN, &when_s));
        assert_true(there(setting, "other.pdb"));
        restart(setting);
    }
}

static void survives_a_restart(void **state) {
    struct setting *setting = *state;
    for (unsigned n = 0; n < 5000; n++) {
        char name[32];
        snprintf(name, sizeof name, "app%u.pdb", n);
        add(setting, name);
    }
    restart(setting);
    assert_int_equal(counted(&counters(setting)->entries), 5000);
    assert_int_equal(counted(&counters(setting)->remembered), 0);
    for (unsigned n = 0; n < 5000; n += 7) {
        char name[32];
        snprintf(name, sizeof name, "app%u.pdb", n);
        assert_true(there(setting, name));
    }
    assert_false(there(setting, "app5000.pdb"));
    clock_fake_advance((RETRY_S + 1) * INT64_C(1000));
    restart(setting); /* and what has expired is not read again */
    assert_int_equal(counted(&counters(setting)->entries), 0);
}

/* Under another key of the data folder nothing is found: hashes cannot be made to collide by
 * strangers. */
static void is_hashed_under_the_folders_key(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct absence_mark mark = mark_of(setting, "app.pdb");
    absences_close(setting->absences);
    struct absences_options options = {
        .directory = setting->folder, .key = {{1, 3}}, .entries_max = ENTRIES_MAX};
    setting->absences = absences_open(&options, &err);
    assert_non_null(setting->absences);
    struct absence_mark other = mark_of(setting, "app.pdb");
    assert_true(other.key != mark.key && other.spelling != mark.spelling);
}

/* Written before the client is told: a kill loses none that was added. */
static void loses_none_to_a_kill(void **state) {
    struct setting *setting = *state;
    struct error err;
    absences_close(TAKE(setting->absences));
    pid_t child = fork();
    if (child == 0) {
        setting->absences = open_absences(setting, &err);
        if (!setting->absences)
            _exit(1);
        add(setting, "app.pdb");
        add(setting, "app2.pdb");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    restart(setting);
    assert_true(there(setting, "app.pdb"));
    assert_true(there(setting, "app2.pdb"));
}

static void has_a_ceiling(void **state) {
    struct setting *setting = *state;
    setting->entries_max = 640;
    restart(setting);
    for (unsigned n = 0; n < 5000; n++) {
        char name[32];
        snprintf(name, sizeof name, "app%u.pdb", n);
        add(setting, name);
        assert_true(there(setting, name));
    }
    uint64_t entries = counted(&counters(setting)->entries);
    assert_true(entries <= 640 + 64);
    assert_int_equal(entries + counted(&counters(setting)->displaced), 5000);
    restart(setting); /* the log has them all, the memory keeps its ceiling */
    assert_true(counted(&counters(setting)->entries) <= 640 + 64);
}

static void refuses_a_newer_log(void **state) {
    struct setting *setting = *state;
    struct error err;
    absences_close(TAKE(setting->absences));
    scratch_write(setting->folder, "absences", "symgate absences\x09 and whatever a later one has");
    assert_null(open_absences(setting, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.what, "newer"));
}

enum { ADDERS = 4, ADDED = 5000 };

struct adder {
    pthread_t thread;
    struct setting *setting;
    unsigned n;
    bool right;
};

static void *add_and_find(void *context) {
    struct adder *adder = context;
    adder->right = true;
    for (unsigned i = 0; i < ADDED; i++) {
        char name[32];
        snprintf(name, sizeof name, "app%u-%u.pdb", adder->n, i);
        add(adder->setting, name);
        adder->right = adder->right && there(adder->setting, name);
    }
    return NULL;
}

/* From many threads, while the log is still replayed. */
static void learns_from_many_threads_at_once(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct adder adders[ADDERS];
    for (unsigned n = 0; n < 3000; n++) {
        char name[32];
        snprintf(name, sizeof name, "before%u.pdb", n);
        add(setting, name);
    }
    absences_close(setting->absences);
    setting->absences = open_absences(setting, &err);
    for (unsigned n = 0; n < ADDERS; n++) {
        adders[n] = (struct adder){.setting = setting, .n = n};
        assert_true(thread_start(&adders[n].thread, "adder", add_and_find, &adders[n], NULL));
    }
    struct question question = ask("before7.pdb", id);
    assert_int_equal(absence_forget(setting->absences, &question.key),
                     1); /* waits for the replay */
    assert_true(absences_ready(setting->absences));
    for (unsigned n = 0; n < ADDERS; n++) {
        pthread_join(adders[n].thread, NULL);
        assert_true(adders[n].right);
    }
    restart(setting);
    assert_int_equal(counted(&counters(setting)->entries), 3000 - 1 + ADDERS * ADDED);
    assert_false(there(setting, "before7.pdb"));
    assert_true(there(setting, "before8.pdb"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(loses_none_to_a_kill),
        TEST(remembers_who_said_no_and_when),
        TEST(belongs_to_spelling_and_forms),
        TEST(forgets_every_spelling_of_a_key),
        TEST(survives_a_restart),
        TEST(is_hashed_under_the_folders_key),
        TEST(has_a_ceiling),
        TEST(refuses_a_newer_log),
        TEST(learns_from_many_threads_at_once),
    };
    return RUN_TESTS(tests);
}
