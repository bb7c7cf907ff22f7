// SPDX-License-Identifier: MIT
#include "proxy/provenance.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "unit/store/bench.h"

enum { SIZE = 100, ROTATED_FROM = 32 << 20 };

static void add(struct bench *bench, const struct question *question) {
    struct provenance *provenance = provenance_new(&bench->shelf, 1);
    struct attempt_note note = {.source = "one", .url = "http://one/\"x"};
    cache_release_complete(bench->cache);
    struct copy *copy = bench_keep(bench, question, SIZE);
    provenance_add(provenance, copy, &note);
    provenance_free(provenance); /* what waits is written */
    copy_unref(copy);
}

static char *find(struct bench *bench, const struct question *question) {
    struct provenance *provenance = provenance_new(&bench->shelf, 1);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    provenance_find(provenance, &question->key, &out);
    assert_int_equal(provenance_lost(provenance), 0);
    provenance_free(provenance);
    assert_true(buffer_append(&out, "", 1));
    return out.bytes;
}

static unsigned count_of(const char *text, const char *what) {
    unsigned times = 0;
    for (; (text = strstr(text, what)); text++)
        times++;
    return times;
}

static unsigned found(struct bench *bench, const struct question *question) {
    char *text = find(bench, question);
    unsigned times = count_of(text, "\"server\": \"one\"");
    free(text);
    return times;
}

static int open_log(const struct bench *bench) {
    char *path = scratch_path(bench->root, ".symgate/provenance");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    free(path);
    assert_true(fd >= 0);
    return fd;
}

static off_t size_of(const struct bench *bench, const char *name) {
    char *path = scratch_path(bench->root, name);
    struct stat file;
    int failed = stat(path, &file);
    free(path);
    return failed ? -1 : file.st_size;
}

static void what_was_kept_is_found_again(void **state) {
    struct bench *bench = *state;
    struct question other = bench_question("other.pdb", bench_id);
    assert_int_equal(found(bench, &bench->question), 0);
    add(bench, &bench->question);
    add(bench, &other);
    char *text = find(bench, &bench->question);
    assert_int_equal(count_of(text, "\"key\": "), 1);
    assert_non_null(strstr(text, "\"key\": \"app.pdb/0123456789ABCDEF0123456789ABCDEF1\""));
    assert_non_null(strstr(text, "\"url\": \"http://one/\\\"x\""));
    assert_non_null(strstr(text, "\"size\": 100, "));
    free(text);
    assert_int_equal(found(bench, &other), 1);
}

static void a_copy_that_was_not_kept_is_passed_over(void **state) {
    struct bench *bench = *state;
    struct provenance *provenance = provenance_new(&bench->shelf, 1);
    struct attempt_note note = {.source = "one"};
    struct copy *copy = bench_arriving(bench, &bench->question, SIZE);
    provenance_add(provenance, copy, &note);
    provenance_add(NULL, copy, &note);
    provenance_free(provenance);
    bench_give_up(bench, copy);
    assert_int_equal(found(bench, &bench->question), 0);
    assert_int_equal(size_of(bench, ".symgate/provenance"), -1);
}

/* A kill in the middle of a line costs that line. */
static void a_torn_line_is_passed_over(void **state) {
    struct bench *bench = *state;
    struct question other = bench_question("other.pdb", bench_id);
    add(bench, &bench->question);
    off_t whole = size_of(bench, ".symgate/provenance");
    for (off_t cut = 2; cut < 60; cut += 7) {
        int fd = open_log(bench);
        assert_int_equal(ftruncate(fd, whole - cut), 0);
        close(fd);
        assert_int_equal(found(bench, &bench->question), 0);
        add(bench, &other);
        assert_int_equal(found(bench, &other), 1);
        assert_int_equal(found(bench, &bench->question), 0);
        fd = open_log(bench);
        assert_int_equal(ftruncate(fd, 0), 0);
        close(fd);
        add(bench, &bench->question);
        whole = size_of(bench, ".symgate/provenance"); /* the end may have left out the sum */
    }
}

static void a_full_file_is_put_aside(void **state) {
    struct bench *bench = *state;
    add(bench, &bench->question);
    int fd = open_log(bench);
    assert_int_equal(ftruncate(fd, ROTATED_FROM), 0);
    close(fd);
    struct question other = bench_question("other.pdb", bench_id);
    add(bench, &other);
    assert_int_equal(size_of(bench, ".symgate/provenance.old"), ROTATED_FROM);
    assert_true(size_of(bench, ".symgate/provenance") < 1000);
    assert_int_equal(found(bench, &bench->question), 1);
    assert_int_equal(found(bench, &other), 1);
}

static void another_version_is_put_aside(void **state) {
    struct bench *bench = *state;
    scratch_write(bench->root, ".symgate/provenance", "{\"version\": 2}\n");
    add(bench, &bench->question);
    assert_int_equal(found(bench, &bench->question), 1);
    assert_int_equal(size_of(bench, ".symgate/provenance.old"), 15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_is_found_again, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(a_copy_that_was_not_kept_is_passed_over, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(a_torn_line_is_passed_over, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(a_full_file_is_put_aside, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(another_version_is_put_aside, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
