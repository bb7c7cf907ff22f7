// SPDX-License-Identifier: MIT
#include "unit/store/bench.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"

enum { SPILL_BYTES_MAX = 16 << 20 };

void bench_open(struct bench *bench, unsigned open_files_max) {
    struct error err;
    if (!bench->folder) {
        bench->folder = scratch_new();
        bench->root = scratch_path(bench->folder, "shelf");
    }
    struct shelf_options shelf = {.path = bench->root};
    bench->shelf = shelf_new(&shelf, &err);
    assert_non_null(bench->shelf);
    bench->spill = spill_new(bench->folder, SPILL_BYTES_MAX);
    struct cache_options options = {
        .shelves = &bench->shelf,
        .shelf_count = 1,
        .spill = bench->spill,
        .open_files_max = open_files_max,
        .small_bytes_max = 1 << 20,
        .searches_max = 100,
    };
    bench->cache = cache_new(&options);
    bench->question = bench_question("app.pdb", bench_id);
}

void bench_close(struct bench *bench) {
    cache_free(bench->cache);
    shelf_free(bench->shelf);
    spill_free(bench->spill);
    free(bench->root);
    scratch_free(bench->folder);
}

int bench_setup(void **state) {
    struct bench *bench = NEW(struct bench);
    bench_open(bench, BENCH_OPEN_FILES_MAX);
    *state = bench;
    return 0;
}

int bench_teardown(void **state) {
    bench_close(*state);
    free(*state);
    return 0;
}

void bench_put(const struct bench *bench, const char *path, const char *text) {
    CLEANUP(free_block) char *folder = scratch_path(bench->root, path);
    struct error err;
    *strrchr(folder, '/') = '\0';
    assert_true(files_make_path(folder, 0755, &err));
    scratch_write(bench->root, path, text);
}

struct question bench_question(const char *name, const char *id) {
    struct question question = {0};
    struct error err;
    strncpy(question.spelling.name, name, sizeof question.spelling.name - 1);
    strncpy(question.spelling.id, id, sizeof question.spelling.id - 1);
    assert_true(symbol_key_make(&question.spelling, &question.key, &err));
    return question;
}

struct content bench_content(uint64_t size) {
    return (struct content){.size = size, .last_modified = 1500000000};
}

void bench_fill(char *bytes, size_t length, uint64_t offset) {
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)((offset + i) * 31 + (offset + i) / 251);
}

struct copy *bench_searching(struct bench *bench) {
    struct error err;
    bool leading;
    struct copy *copy = cache_claim(bench->cache, &bench->question.key, &leading, &err);
    assert_non_null(copy);
    assert_true(leading);
    return copy;
}

void bench_give_up(struct bench *bench, struct copy *copy) {
    struct error why;
    error_set(&why, ERROR_RESET, "the test is over");
    cache_end(bench->cache, copy, COPY_FAILED, &why);
    copy_unref(copy);
}

void bench_begin(struct bench *bench, struct copy *copy, uint64_t size) {
    struct error err;
    struct staging *staging;
    struct content content = bench_content(size);
    assert_true(cache_stage(bench->cache, &bench->question.key, 0, size, &staging, &err));
    assert_int_equal(copy_begin(copy, &content, "source", staging), COPY_LEAD);
}

struct copy *bench_arriving(struct bench *bench, const struct question *question, uint64_t size) {
    struct error err;
    bool leading;
    struct copy *copy = cache_claim(bench->cache, &question->key, &leading, &err);
    assert_non_null(copy);
    assert_true(leading);
    bench_begin(bench, copy, size);
    return copy;
}

void bench_append(struct copy *copy, size_t length) {
    struct error err;
    struct copy_state state;
    CLEANUP(free_block) char *bytes = NEW_ARRAY(char, length);
    copy_look(copy, &state);
    bench_fill(bytes, length, state.written);
    assert_true(copy_append(copy, bytes, length, &err));
}

enum copy_phase bench_phase(struct copy *copy) {
    struct copy_state state;
    copy_look(copy, &state);
    return state.phase;
}

struct copy *bench_keep(struct bench *bench, const struct question *question, size_t size) {
    struct copy *copy = bench_arriving(bench, question, size);
    bench_append(copy, size);
    copy_whole(copy, true);
    cache_complete(bench->cache, copy, true);
    copy_leave(copy, COPY_LEFT_SERVED);
    return copy;
}

void bench_check(struct copy *copy, uint64_t length) {
    char there[4096];
    char wanted[4096];
    for (uint64_t offset = 0; offset < length;) {
        int fd;
        uint64_t at;
        uint64_t bytes;
        copy_file(copy, offset, &fd, &at, &bytes);
        size_t part = bytes < sizeof there ? (size_t)bytes : sizeof there;
        if (part > length - offset)
            part = (size_t)(length - offset);
        assert_int_equal(pread(fd, there, part, (off_t)at), part);
        bench_fill(wanted, part, offset);
        assert_memory_equal(there, wanted, part);
        offset += part;
    }
}

/* The names in a directory, but for "." and "..". */
static unsigned names_in(const char *path) {
    DIR *directory = opendir(path);
    unsigned names = 0;
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        names += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return names;
}

unsigned bench_descriptors(void) {
    return names_in("/proc/self/fd") - 1; /* the one that is open to look */
}

unsigned bench_staged(const struct bench *bench) {
    CLEANUP(free_block) char *path = scratch_path(bench->root, ".symgate/staging");
    return names_in(path);
}
