// SPDX-License-Identifier: MIT
//
// The fault loop of this floor: what it does is done over and over, with the first, the second, …
// call of each system call failing, until a run gets by without meeting the fault. Whatever fails:
// no crash, no descriptor left, no charge left, nothing false on the shelf or in the log, and the
// same thing works afterwards.
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "fault/fault.h"
#include "store/absence.h"
#include "store/absence_log.h"
#include "unit/base/clock_fake.h"
#include "unit/store/bench.h"

enum { PART = 25000, PARTS = 5, BODY = PART * PARTS, RUNS_MAX = 2000, LEARNED = 10 };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";
static const char shelf_file[] = "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb";

/* Something to be done; false when it failed politely. It asserts what holds in any case. */
struct scene {
    bool (*run)(const char *folder);
    void (*afterwards)(const char *folder, bool good); /* with no fault armed */
};

/* --- the loop ------------------------------------------------------------------------------- */

struct fault_kind {
    int error;
    bool persistent;
};

static const struct fault_kind kinds[] = {
    {EIO, false},   {EIO, true},    {ENOSPC, false},
    {ENOSPC, true}, {EINTR, false}, {FAULT_SHORT, false},
};

static bool is_memory(const char *call) {
    return strstr(call, "alloc") && !strstr(call, "fallocate");
}

static void begin_anew(const char *folder) {
    scratch_free(strdup(folder));
    assert_int_equal(mkdir(folder, 0700), 0);
}

static bool run_once(const struct scene *scene, const char *folder, bool *out_fired) {
    unsigned before = bench_descriptors();
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
        fault_arm(call, nth, kind->error, kind->persistent);
        bool good = run_once(scene, folder, &fired);
        if (!good && !fired)
            fail_msg("failed without a fault (%s, %lu)", call, nth);
        clock_fake_advance(60000);
        if (!run_once(scene, folder, &unarmed))
            fail_msg("does not work after %s %lu (%s)", call, nth, strerror(kind->error));
    }
    return (unsigned)nth - 1;
}

static void loop_all(const struct scene *scene, const char *folder) {
    unsigned struck = 0;
    fault_disarm();
    for (const char *const *call = fault_calls(); *call; call++)
        for (size_t i = 0; i < LENGTH_OF(kinds) && !is_memory(*call); i++)
            struck += loop(scene, folder, *call, &kinds[i]);
    assert_true(struck > 20); /* the scene does call what is armed */
}

/* --- no memory: small allocations end the program, and leave nothing false behind ------------- */

static void loop_memory(const struct scene *scene, const char *folder) {
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
                _exit(good && !fault_fired() ? 0 : 7);
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

/* --- the scene of a symbol: staged, read back, kept ------------------------------------------ */

static bool append_part(struct staging *staging, struct error *err) {
    char part[PART];
    uint64_t length = staging_length(staging);
    bench_fill(part, PART, length);
    bool good = staging_append(staging, part, PART, err);
    assert_int_equal(staging_length(staging), good ? length + PART : length);
    return good;
}

/* What can be read back is right, whatever else failed. */
static bool read_back(const struct staging *staging, struct error *err) {
    char there[PART];
    char wanted[PART];
    for (uint64_t offset = 0; offset < staging_length(staging); offset += PART) {
        if (!staging_read(staging, there, PART, offset, err))
            return false;
        bench_fill(wanted, PART, offset);
        assert_memory_equal(there, wanted, PART);
    }
    return true;
}

static bool stage(struct shelf *shelf, struct spill *spill, bool *out_kept, struct error *err) {
    struct staging *staging;
    struct error why;
    if (!staging_new(shelf, spill, BODY, &staging, err))
        return false;
    bool good = true;
    for (unsigned i = 0; good && i < PARTS; i++)
        good = append_part(staging, err);
    good = read_back(staging, err) && good;
    *out_kept = good && shelf && staging_commit(staging, shelf_file, 1500000000123456789, &why);
    if (good && shelf && !*out_kept)
        assert_int_equal(why.kind, ERROR_DISK);
    if (good)
        good = read_back(staging, err);
    staging_free(staging);
    return good;
}

static bool keeps_a_symbol(const char *folder) {
    CLEANUP(free_block) char *root = scratch_path(folder, "shelf");
    struct error err = {0};
    bool kept = false;
    struct shelf_options options = {.path = root};
    struct shelf *shelf = shelf_new(&options, &err);
    assert_non_null(shelf);
    struct spill *spill = spill_new(folder, BODY);
    bool good = stage(shelf, spill, &kept, &err);
    assert_true(good || err.kind == ERROR_DISK);
    assert_int_equal(spill_charged(spill), 0);
    spill_free(spill);
    shelf_free(shelf);
    return good && kept;
}

static unsigned strange;

static int see(const char *path, const struct stat *found, int type, struct FTW *level) {
    (void)level;
    const char *below = strstr(path, "/shelf/");
    if (type != FTW_F || !below || strcmp(below, "/shelf/.symgate/lock") == 0)
        return 0;
    if (strcmp(below + strlen("/shelf/"), shelf_file) != 0 || found->st_size != BODY)
        strange++;
    return 0;
}

/* Nothing lies on the shelf but the whole file. */
static void shelf_is_right(const char *folder, bool good) {
    CLEANUP(free_block) char *root = scratch_path(folder, "shelf");
    struct error err;
    struct shelf_options options = {.path = root};
    struct shelf *shelf = shelf_new(&options, &err); /* empties the staging room */
    assert_non_null(shelf);
    shelf_free(shelf);
    strange = 0;
    assert_int_equal(nftw(root, see, 16, FTW_PHYS), 0);
    assert_int_equal(strange, 0);
    CLEANUP(free_block) char *path = scratch_path(root, shelf_file);
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 || !good);
    CLEANUP(free_block) char *there = NEW_ARRAY(char, BODY);
    CLEANUP(free_block) char *wanted = NEW_ARRAY(char, BODY);
    if (fd < 0)
        return;
    assert_int_equal(pread(fd, there, BODY, 0), BODY);
    bench_fill(wanted, BODY, 0);
    assert_memory_equal(there, wanted, BODY);
}

static const struct scene symbol_scene = {keeps_a_symbol, shelf_is_right};

/* --- the scene of a spilled symbol ---------------------------------------------------------- */

static bool spills_a_symbol(const char *folder) {
    struct error err = {0};
    bool kept;
    struct spill *spill = spill_new(folder, BODY);
    bool good = stage(NULL, spill, &kept, &err);
    assert_true(good || err.kind == ERROR_DISK);
    assert_int_equal(spill_charged(spill), 0);
    spill_free(spill);
    return good;
}

static void folder_is_empty(const char *folder, bool good) {
    (void)good;
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
}

static const struct scene spill_scene = {spills_a_symbol, folder_is_empty};

/* --- the scene of a look: a file in another case, found by way of the indexes ----------------- */

static void told(void *context, bool found) {
    (void)found;
    gate_raise(context);
}

static bool finds_a_symbol(const char *folder) {
    struct bench bench = {.folder = strdup(folder), .root = scratch_path(folder, "shelf")};
    struct gate done = GATE_CLOSED;
    struct question question = bench_question("app.pdb", id);
    struct copy_state now;
    struct error err;
    bool leading;
    bench_open(&bench, 10);
    bench_put(&bench, "App.PDB/0123456789abcdef0123456789ABCDEF1/App.PDB", "symbols");
    struct copy *copy = cache_claim(bench.cache, &question.key, &leading, &err);
    cache_look_cold(bench.cache, copy, &question, 1, told, &done);
    gate_wait(&done, 1);
    copy_look(copy, &now);
    bool good = now.phase == COPY_COMPLETE;
    if (good) {
        assert_int_equal(now.size, 7);
        const char *small = copy_small(copy);
        assert_true(!small || memcmp(small, "symbols", 7) == 0);
    } else {
        cache_end(bench.cache, copy, COPY_FAILED, NULL);
    }
    copy_unref(copy);
    cache_free(bench.cache);
    shelf_free(bench.shelf);
    spill_free(bench.spill);
    free(bench.root);
    free(bench.folder);
    return good;
}

static void nothing_more(const char *folder, bool good) {
    (void)folder;
    (void)good;
}

static const struct scene look_scene = {finds_a_symbol, nothing_more};

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

/* --- tests ---------------------------------------------------------------------------------- */

static int set_up(void **state) {
    char *folder = scratch_new();
    *state = scratch_path(folder, "scene");
    free(folder);
    assert_int_equal(mkdir(*state, 0700), 0);
    return 0;
}

static int tear_down(void **state) {
    char *folder = *state;
    *strrchr(folder, '/') = '\0';
    scratch_free(folder);
    return 0;
}

static void memory_fails_while_a_symbol_is_kept(void **state) {
    loop_memory(&symbol_scene, *state);
}

static void memory_fails_while_absences_are_learned(void **state) {
    loop_memory(&absence_scene, *state);
}

/* From here on there are threads: those that fork come before. */
static void a_call_fails_while_a_symbol_is_kept(void **state) {
    loop_all(&symbol_scene, *state);
}

static void a_call_fails_while_a_symbol_is_spilled(void **state) {
    loop_all(&spill_scene, *state);
}

static void a_call_fails_while_absences_are_learned(void **state) {
    loop_all(&absence_scene, *state);
}

static void a_call_fails_while_absences_are_compacted(void **state) {
    loop_all(&compaction_scene, *state);
}

static void a_call_fails_while_a_symbol_is_looked_for(void **state) {
    static const char *const calls[] = {"openat2", "openat", "pread", "preadv2", "pwrite"};
    unsigned struck = 0;
    for (size_t call = 0; call < LENGTH_OF(calls); call++)
        for (size_t i = 0; i < LENGTH_OF(kinds); i++)
            struck += loop(&look_scene, *state, calls[call], &kinds[i]);
    assert_true(struck > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest forking[] = {
        TEST(memory_fails_while_a_symbol_is_kept),
        TEST(memory_fails_while_absences_are_learned),
    };
    const struct CMUnitTest threaded[] = {
        TEST(a_call_fails_while_a_symbol_is_kept),
        TEST(a_call_fails_while_a_symbol_is_spilled),
        TEST(a_call_fails_while_absences_are_learned),
        TEST(a_call_fails_while_absences_are_compacted),
        TEST(a_call_fails_while_a_symbol_is_looked_for),
    };
    int failed = cmocka_run_group_tests(forking, NULL, NULL);
    /* A thousand warnings of disks that said no would tell nobody anything. */
    struct error err;
    if (!log_start(NULL, 0, LOG_ERROR, &err))
        return 1;
    failed += cmocka_run_group_tests(threaded, NULL, NULL);
    log_stop();
    return failed;
}
