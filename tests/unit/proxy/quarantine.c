// SPDX-License-Identifier: MIT
#include "proxy/quarantine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { LONG_FILE = 9 << 20, WHOLE_LINE = 600 };

static const char head_line[] = "{\"format\": \"symgate quarantine\", \"version\": 1}\n";

static struct quarantine *reopen(const char *folder, struct quarantine *quarantine) {
    struct error err = {0};
    quarantine_close(quarantine);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    quarantine = quarantine_open(fd, &err);
    close(fd);
    assert_non_null(quarantine);
    return quarantine;
}

static void refuse(struct quarantine *quarantine, unsigned number, const char *server,
                   const void *first, size_t length) {
    struct symbol_key key = {.part = PART_ITSELF};
    struct error why = {0};
    error_set(&why, ERROR_HTML, "a web page came \"instead\"");
    text_format(key.name, sizeof key.name, "n%u.pdb", number);
    text_copy(key.id, sizeof key.id, "0123456789ABCDEF0123456789ABCDEF1");
    struct refusal refusal = {.key = &key,
                              .server = server,
                              .url = "http://one/x",
                              .why = &why,
                              .size = 70000,
                              .first = first,
                              .first_length = length};
    quarantine_add(quarantine, &refusal);
}

static void refuse_text(struct quarantine *quarantine, unsigned number, const char *text) {
    refuse(quarantine, number, "one", text, strlen(text));
}

struct seen {
    unsigned count;
    struct quarantined first; /* the newest */
    struct quarantined last;
};

static void see(const struct quarantined *record, void *context) {
    struct seen *seen = context;
    if (seen->count++ == 0)
        seen->first = *record;
    seen->last = *record;
}

static struct seen look(struct quarantine *quarantine, const char *name) {
    struct seen seen = {0};
    quarantine_list(quarantine, name, NULL, QUARANTINE_RECORDS_MAX, see, &seen);
    return seen;
}

static off_t size_of(const char *folder) {
    char *path = scratch_path(folder, "quarantine");
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    free(path);
    return file.st_size;
}

static void cut(const char *folder, off_t size) {
    char *path = scratch_path(folder, "quarantine");
    assert_int_equal(truncate(path, size), 0);
    free(path);
}

static void what_was_refused_is_found_after_a_restart(void **state) {
    static const unsigned char bytes[] = {0x00, 0x7f, 0x80, 0xff, '"', '\\'};
    struct quarantine *quarantine = reopen(*state, NULL);
    refuse(quarantine, 1, "one", bytes, sizeof bytes);
    refuse(quarantine, 2, "two", "", 0);
    quarantine = reopen(*state, quarantine);
    struct seen seen = look(quarantine, NULL);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.first.name, "n2.pdb");
    assert_string_equal(seen.first.server, "two");
    assert_int_equal(seen.first.first_length, 0);
    assert_string_equal(seen.last.name, "n1.pdb");
    assert_string_equal(seen.last.id, "0123456789ABCDEF0123456789ABCDEF1");
    assert_string_equal(seen.last.url, "http://one/x");
    assert_string_equal(seen.last.cause, "html");
    assert_string_equal(seen.last.reason, "a web page came \"instead\"");
    assert_int_equal(seen.last.size, 70000);
    assert_int_equal(seen.last.times, 1);
    assert_true(seen.last.last_s > 0 && seen.last.first_s == seen.last.last_s);
    assert_int_equal(seen.last.first_length, sizeof bytes);
    assert_memory_equal(seen.last.first, bytes, sizeof bytes);
    assert_int_equal(look(quarantine, "N1.PDB").count, 1);
    assert_int_equal(look(quarantine, "n3.pdb").count, 0);
    quarantine_close(quarantine);
}

static void the_same_body_is_counted(void **state) {
    struct quarantine *quarantine = reopen(*state, NULL);
    for (unsigned i = 0; i < 3; i++)
        refuse_text(quarantine, 1, "<html>");
    refuse_text(quarantine, 2, "<html>");
    quarantine = reopen(*state, quarantine);
    refuse_text(quarantine, 1, "<html>");
    quarantine = reopen(*state, quarantine);
    struct seen seen = look(quarantine, NULL);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.first.name, "n1.pdb");
    assert_int_equal(seen.first.times, 4);
    assert_int_equal(seen.last.times, 1);
    refuse_text(quarantine, 1, "<html><p>");
    refuse(quarantine, 1, "two", "<html>", 6);
    quarantine = reopen(*state, quarantine);
    assert_int_equal(look(quarantine, "n1.pdb").count, 3);
    quarantine_close(quarantine);
}

static void only_the_first_bytes_are_kept(void **state) {
    unsigned char bytes[2 * QUARANTINE_FIRST_BYTES];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    struct quarantine *quarantine = reopen(*state, NULL);
    refuse(quarantine, 1, "one", bytes, sizeof bytes);
    quarantine = reopen(*state, quarantine);
    struct seen seen = look(quarantine, NULL);
    assert_int_equal(seen.first.first_length, QUARANTINE_FIRST_BYTES);
    assert_memory_equal(seen.first.first, bytes, QUARANTINE_FIRST_BYTES);
    quarantine_close(quarantine);
}

/* Waits for the thread: a full queue would lose some. */
static void refuse_many(const char *folder, struct quarantine **quarantine, unsigned from,
                        unsigned to) {
    for (unsigned i = from; i < to; i++) {
        refuse_text(*quarantine, i, "<html>");
        if (i % 100 == 99) {
            assert_int_equal(quarantine_counters(*quarantine)->lost, 0);
            *quarantine = reopen(folder, *quarantine);
        }
    }
    *quarantine = reopen(folder, *quarantine);
}

static void the_oldest_go_first(void **state) {
    struct quarantine *quarantine = reopen(*state, NULL);
    refuse_many(*state, &quarantine, 0, QUARANTINE_RECORDS_MAX);
    assert_int_equal(look(quarantine, NULL).count, QUARANTINE_RECORDS_MAX);
    assert_string_equal(look(quarantine, NULL).last.name, "n0.pdb");
    refuse_text(quarantine, 0, "<html>"); /* is the newest now */
    refuse_many(*state, &quarantine, 2000, 2050);
    struct seen seen = look(quarantine, NULL);
    assert_int_equal(seen.count, QUARANTINE_RECORDS_MAX);
    assert_string_equal(seen.first.name, "n2049.pdb");
    assert_string_equal(seen.last.name, "n51.pdb");
    assert_int_equal(look(quarantine, "n0.pdb").first.times, 2);
    assert_int_equal(quarantine_counters(quarantine)->records, QUARANTINE_RECORDS_MAX);
    assert_int_equal(quarantine_counters(quarantine)->displaced, 50);
    quarantine_close(quarantine);
}

/* A kill in the middle of a line costs that line. */
static void a_torn_line_is_passed_over(void **state) {
    struct quarantine *quarantine = reopen(*state, NULL);
    refuse_text(quarantine, 1, "<html>");
    refuse_text(quarantine, 2, "<html>");
    quarantine = reopen(*state, quarantine);
    off_t whole = size_of(*state);
    for (off_t off = 1; off < 100; off += 9) {
        cut(*state, whole - off - 1);
        quarantine = reopen(*state, quarantine);
        assert_int_equal(look(quarantine, NULL).count, 1);
        refuse_text(quarantine, 2, "<html>");
        quarantine = reopen(*state, quarantine);
        assert_int_equal(look(quarantine, NULL).count, 2);
        assert_int_equal(look(quarantine, "n2.pdb").first.times, 1);
        quarantine_close(quarantine);
        cut(*state, 0);
        quarantine = reopen(*state, NULL);
        refuse_text(quarantine, 1, "<html>");
        refuse_text(quarantine, 2, "<html>");
        quarantine = reopen(*state, quarantine);
        assert_int_equal(size_of(*state), whole);
    }
    quarantine_close(quarantine);
}

static void lines_that_say_nothing_are_passed_over(void **state) {
    static const char *const lines[] = {
        "null",
        "{}",
        "[1]",
        "{\"key\": 1}",
        "{\"key\": \"noslash\", \"server\": \"\", \"url\": \"\", \"cause\": \"\", \"reason\": "
        "\"\", "
        "\"first_bytes\": \"\"}",
        "{\"key\": \"a/1\", \"server\": \"\", \"url\": \"\", \"cause\": \"\", \"reason\": \"\"}",
        "{\"key\": \"a/1\", \"server\": \"\", \"url\": \"\", \"cause\": \"\", \"reason\": \"\", "
        "\"first_bytes\": \"0\"}",
        "{\"key\": \"a/1\", \"server\": \"\", \"url\": \"\", \"cause\": \"\", \"reason\": \"\", "
        "\"first_bytes\": \"0x\"}",
    };
    char text[4096];
    size_t length = strlen(head_line);
    memcpy(text, head_line, length);
    for (unsigned i = 0; i < LENGTH_OF(lines); i++, length = strlen(text))
        text_format(text + length, sizeof text - length, "%s\n", lines[i]);
    text_format(text + length, sizeof text - length,
                "{\"key\": \"a/1\", \"server\": \"\", \"url\": \"\", \"cause\": \"\", "
                "\"reason\": \"\", \"first_bytes\": \"4D5a\"}\n");
    scratch_write(*state, "quarantine", text);
    struct quarantine *quarantine = reopen(*state, NULL);
    struct seen seen = look(quarantine, NULL);
    assert_int_equal(seen.count, 1);
    assert_memory_equal(seen.first.first, "MZ", 2);
    quarantine_close(quarantine);
}

static void what_is_not_its_own_is_replaced(void **state) {
    scratch_write(*state, "quarantine", "something else\n");
    struct quarantine *quarantine = reopen(*state, NULL);
    assert_int_equal(look(quarantine, NULL).count, 0);
    refuse_text(quarantine, 1, "<html>");
    quarantine = reopen(*state, quarantine);
    assert_int_equal(look(quarantine, NULL).count, 1);
    quarantine_close(quarantine);
}

static void a_newer_format_is_refused(void **state) {
    struct error err = {0};
    scratch_write(*state, "quarantine", "{\"format\": \"symgate quarantine\", \"version\": 2}\n");
    int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_null(quarantine_open(fd, &err));
    close(fd);
    assert_non_null(strstr(err.what, "newer symgate (format 2, this one knows 1)"));
    assert_true(err.hint[0]);
}

static void a_file_that_is_too_long_is_replaced(void **state) {
    struct quarantine *quarantine = reopen(*state, NULL);
    refuse_text(quarantine, 1, "<html>");
    quarantine = reopen(*state, quarantine);
    cut(*state, LONG_FILE);
    refuse_text(quarantine, 2, "<html>"); /* sees that it is too long */
    refuse_text(quarantine, 3, "<html>");
    quarantine = reopen(*state, quarantine);
    assert_true(size_of(*state) < 3 * WHOLE_LINE);
    assert_int_equal(look(quarantine, NULL).count, 3);
    assert_string_equal(look(quarantine, NULL).last.name, "n1.pdb");
    quarantine_close(quarantine);
}

static void what_could_not_be_written_is_counted_and_written_later(void **state) {
    char *path = scratch_path(*state, "quarantine");
    assert_int_equal(mkdir(path, 0755), 0);
    struct quarantine *quarantine = reopen(*state, NULL);
    refuse_text(quarantine, 1, "<html>");
    while (quarantine_counters(quarantine)->lost == 0)
        usleep(1000);
    assert_int_equal(look(quarantine, NULL).count, 1);
    assert_int_equal(rmdir(path), 0);
    free(path);
    refuse_text(quarantine, 2, "<html>");
    quarantine = reopen(*state, quarantine);
    assert_int_equal(look(quarantine, NULL).count, 2);
    assert_int_equal(quarantine_counters(quarantine)->lost, 0);
    quarantine_close(quarantine);
}

static void urls_in_pages_are_masked(void **state) {
    static const char *const pairs[][2] = {
        {"<a href=\"https://h/x?sig=abc&amp;b\">?", "<a href=\"https://h/x?***\">?"},
        {"<html>http://user:pw@h/?a b?", "<html>http://***@h/?*** b?"},
        {"<html>http://h/x@y", "<html>http://h/x@y"},
        {"<html>http://user:p", "<html>http://***"},
        {"<html>http://a@b:c@h/", "<html>http://***@h/"},
        {"<html>\"https:\\/\\/u:p@h\\/x\"", "<html>\"https:\\/\\/***@h\\/x\""},
        {"<?xml version=\"1.0\"?><html>", "<?xml version=\"1.0\"?><html>"},
    };
    struct quarantine *quarantine = reopen(*state, NULL);
    for (unsigned i = 0; i < LENGTH_OF(pairs); i++) {
        refuse_text(quarantine, i, pairs[i][0]);
        quarantine = reopen(*state, quarantine);
        struct quarantined record = look(quarantine, NULL).first;
        assert_int_equal(record.first_length, strlen(pairs[i][1]));
        assert_memory_equal(record.first, pairs[i][1], record.first_length);
    }
    quarantine_close(quarantine);
}

static void urls_in_wide_text_are_masked(void **state) {
    static const char page[] = "<html>http://u:p@h/?q b", masked[] = "<html>http://***@h/?*** b";
    struct quarantine *quarantine = reopen(*state, NULL);
    for (unsigned low = 0; low < 2; low++) {
        char wide[2 * sizeof page] = {0};
        for (size_t i = 0; i + 1 < sizeof page; i++)
            wide[2 * i + low] = page[i];
        refuse(quarantine, 1 + low, "one", wide, 2 * (sizeof page - 1));
        quarantine = reopen(*state, quarantine);
        struct quarantined record = look(quarantine, NULL).first;
        assert_int_equal(record.first_length, 2 * (sizeof masked - 1));
        for (size_t i = 0; i + 1 < sizeof masked; i++)
            assert_int_equal(record.first[2 * i + low], masked[i]);
    }
    quarantine_close(quarantine);
}

static void it_may_be_missing(void **state) {
    (void)state;
    refuse(NULL, 1, "one", "", 0);
    assert_int_equal(look(NULL, NULL).count, 0);
    assert_int_equal(quarantine_counters(NULL)->refused, 0);
    quarantine_close(NULL);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_was_refused_is_found_after_a_restart),
        IN_SCRATCH(the_same_body_is_counted),
        IN_SCRATCH(only_the_first_bytes_are_kept),
        IN_SCRATCH(the_oldest_go_first),
        IN_SCRATCH(a_torn_line_is_passed_over),
        IN_SCRATCH(lines_that_say_nothing_are_passed_over),
        IN_SCRATCH(what_is_not_its_own_is_replaced),
        IN_SCRATCH(a_newer_format_is_refused),
        IN_SCRATCH(a_file_that_is_too_long_is_replaced),
        IN_SCRATCH(what_could_not_be_written_is_counted_and_written_later),
        IN_SCRATCH(urls_in_pages_are_masked),
        IN_SCRATCH(urls_in_wide_text_are_masked),
        cmocka_unit_test(it_may_be_missing),
    };
    return RUN_TESTS(tests);
}
