// SPDX-License-Identifier: MIT
//
// Symbols are staged, kept, spilled and looked for, whatever call fails.
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "unit/store/bench.h"
#include "unit/store/fault_loop.h"

enum { PART = 25000, PARTS = 5, BODY = PART * PARTS };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";
static const char shelf_file[] = "app.pdb/0123456789ABCDEF0123456789ABCDEF1/app.pdb";

/* --- staged, read back, kept --- */

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

static void told(void *context, bool found, const struct shelved_form *other) {
    (void)other;
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

/* --- tests --- */

static void memory_fails_while_a_symbol_is_kept(void **state) {
    fault_loop_memory(&symbol_scene, *state);
}

static void a_call_fails_while_a_symbol_is_kept(void **state) {
    fault_loop(&symbol_scene, *state, NULL);
}

static void a_call_fails_while_a_symbol_is_spilled(void **state) {
    fault_loop(&spill_scene, *state, NULL);
}

/* Not threads: a cache without its alarms ends the program, at the start. */
static void a_call_fails_while_a_symbol_is_looked_for(void **state) {
    static const char *const calls[] = {"openat2", "openat",  "pread", "preadv2",
                                        "pwrite",  "readdir", NULL};
    fault_loop(&look_scene, *state, calls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fault_loop_setup, fault_loop_teardown)

static int forking(void) {
    const struct CMUnitTest tests[] = {TEST(memory_fails_while_a_symbol_is_kept)};
    return RUN_TESTS(tests);
}

static int threaded(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_call_fails_while_a_symbol_is_kept),
        TEST(a_call_fails_while_a_symbol_is_spilled),
        TEST(a_call_fails_while_a_symbol_is_looked_for),
    };
    return RUN_TESTS(tests);
}

int main(void) {
    return fault_loop_main(forking, threaded);
}
