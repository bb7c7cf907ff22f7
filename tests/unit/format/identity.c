// SPDX-License-Identifier: MIT
//
// What is common to all families: which files are whose, what a look may cost, and views.
#include "format/identity.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format/probe.h"
#include "unit/base/check.h"
#include "unit/format/made.h"

static void test_unknown(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "M",
        "<!DOCTYPE html><html></html>",
        "Microsoft C/C++ MSF 8.00\r\n\x1a\x44S",
        "Microsoft MSFZ Container\r\n\x1b\x41LD",
        "MODULES of ours",
        "module Linux x86 0 a\n",
        "\x7f\x65lf",
        "\xfe\xed\xfa\xcd",
        "BSJ",
    };
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        CLEANUP(made_free) struct made made = made_new(100);
        put_bytes(&made, 0, texts[i], strlen(texts[i]));
        must_be_unknown(&made);
        made_resize(&made, strlen(texts[i]));
        must_be_unknown(&made);
    }
}

static void test_names(void **state) {
    (void)state;
    for (int format = 0; format < FORMAT_COUNT; format++)
        assert_true(format_name((enum format)format)[0] != '\0');
    struct identity identity = {.format = FORMAT_UNKNOWN};
    char text[8] = "before";
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, "");
    identity = (struct identity){.format = FORMAT_PE, .stamp = 0xABCDEF01, .image_size = 0x1000};
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, "ABCDEF0");
}

static void test_cost(void **state) {
    (void)state;
    unsigned char byte = 0;
    struct memory_view view = memory_view_of(&byte, 1);
    struct error err = {0};
    struct probe probe = probe_of(&view.view, &err);
    for (unsigned i = 0; i < PROBE_READS_MAX; i++)
        assert_true(probe_read(&probe, &byte, 1, 0));
    assert_false(probe_read(&probe, &byte, 1, 0));
    assert_int_equal(err.kind, ERROR_IDENTITY);
    assert_false(probe.failed);

    probe = probe_of(&view.view, NULL);
    assert_true(probe_spend(&probe, PROBE_BYTES_MAX - 1));
    assert_true(probe_read(&probe, &byte, 1, 0));
    assert_true(probe_read(&probe, &byte, 0, 1));
    assert_false(probe_spend(&probe, 1));
    assert_false(probe_spend(&probe, SIZE_MAX));
    assert_false(probe_read(&probe, &byte, 1, 0));
}

static void test_ranges(void **state) {
    (void)state;
    unsigned char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    unsigned char out[8];
    struct memory_view view = memory_view_of(bytes, sizeof bytes);
    static const struct {
        uint64_t offset;
        uint64_t length;
        bool holds;
    } ranges[] = {
        {0, 0, true},           {0, 8, true},           {8, 0, true},  {7, 1, true},
        {0, 9, false},          {8, 1, false},          {9, 0, false}, {UINT64_MAX, 0, false},
        {1, UINT64_MAX, false}, {UINT64_MAX, 2, false},
    };
    for (size_t i = 0; i < LENGTH_OF(ranges); i++) {
        struct error err = {0};
        struct probe probe = probe_of(&view.view, &err);
        assert_int_equal(view_holds(&view.view, ranges[i].offset, ranges[i].length),
                         ranges[i].holds);
        if (ranges[i].length > sizeof out)
            continue;
        assert_int_equal(probe_read(&probe, out, (size_t)ranges[i].length, ranges[i].offset),
                         ranges[i].holds);
        assert_int_equal(err.kind, ranges[i].holds ? ERROR_NONE : ERROR_LENGTH);
    }
    assert_true(view_read(&view.view, out, 3, 5, NULL));
    assert_memory_equal(out, bytes + 5, 3);
}

static void test_file(void **state) {
    (void)state;
    int fd = memfd_create("view", MFD_CLOEXEC);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    struct file_view view = file_view_of(fd, 10);
    char out[10];
    struct error err = {0};
    assert_true(view_read(&view.view, out, 4, 6, &err));
    assert_memory_equal(out, "6789", 4);
    /* A file that was cut behind our back is no damage. */
    assert_int_equal(ftruncate(fd, 8), 0);
    assert_false(view_read(&view.view, out, 4, 6, &err));
    assert_int_equal(err.kind, ERROR_CHANGED);
    struct identity identity;
    assert_int_equal(identify(&view.view, &identity, &err), IDENTIFY_FAILED);
    close(fd);
    assert_false(view_read(&view.view, out, 4, 0, &err));
    assert_int_equal(err.kind, ERROR_DISK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown), cmocka_unit_test(test_names), cmocka_unit_test(test_cost),
        cmocka_unit_test(test_ranges),  cmocka_unit_test(test_file),
    };
    return RUN_TESTS(tests);
}
