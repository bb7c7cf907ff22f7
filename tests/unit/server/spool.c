// SPDX-License-Identifier: MIT
#include "server/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

static void what_is_appended_lies_in_the_file(void **state) {
    struct spool spool = {0};
    struct error err = {0};
    char line[16], read[16];
    assert_true(spool_open(&spool, *state, &err));
    for (unsigned i = 0; i < 20000; i++) {
        buffer_format(spool_block(&spool), "line %05u\n", i);
        assert_true(spool_flow(&spool));
        assert_true(spool_block(&spool)->length < SPOOL_BLOCK_BYTES);
    }
    assert_true(spool_end(&spool));
    assert_int_equal(spool.at, 0);
    assert_int_equal(spool.end, 20000 * 11);
    for (unsigned i = 0; i < 20000; i += 999) {
        memset(read, 0, sizeof read);
        assert_int_equal(files_read_at(spool.fd, read, 11, (uint64_t)i * 11, &err), 11);
        snprintf(line, sizeof line, "line %05u\n", i);
        assert_string_equal(read, line);
    }
    spool_release(&spool);
    spool_release(&spool);
}

static void a_folder_that_is_not_there_is_named(void **state) {
    (void)state;
    struct spool spool = {0};
    struct error err = {0};
    assert_false(spool_open(&spool, "/nonexistent/folder", &err));
    assert_non_null(strstr(err.what, "/nonexistent/folder"));
    assert_false(spool.open);
}

static void a_piece_that_is_too_large_fails_it(void **state) {
    struct spool spool = {0};
    struct error err = {0};
    static char much[4 << 20];
    assert_true(spool_open(&spool, *state, &err));
    assert_false(buffer_append(spool_block(&spool), much, sizeof much));
    assert_false(spool_flow(&spool));
    buffer_append_text(spool_block(&spool), "and more");
    assert_false(spool_end(&spool));
    spool_release(&spool);
}

static void a_file_is_taken_as_long_as_it_is(void **state) {
    struct spool spool = {0};
    struct error err = {0};
    CLEANUP(free_block) char *path = scratch_path(*state, "log");
    scratch_write(*state, "log", "twelve bytes");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(spool_take(&spool, fd, &err));
    assert_int_equal(spool.end, 12);
    spool_release(&spool);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(what_is_appended_lies_in_the_file),
        WITH_FOLDER(a_folder_that_is_not_there_is_named),
        WITH_FOLDER(a_piece_that_is_too_large_fails_it),
        WITH_FOLDER(a_file_is_taken_as_long_as_it_is),
    };
    return RUN_TESTS(tests);
}
