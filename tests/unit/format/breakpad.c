// SPDX-License-Identifier: MIT
#include "format/breakpad.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/format/made.h"

static struct made text(const char *words) {
    struct made made = made_new(strlen(words));
    put_bytes(&made, 0, words, made.length);
    return made;
}

static void test_good(void **state) {
    (void)state;
    CLEANUP(made_free)
    struct made made =
        text("MODULE windows x86_64 5D57F4F3F6CD4B9CBDB8C7B7D7A1F0A31 xul name.pdb\r\n"
             "INFO CODE_ID 5D57F4F3 xul.dll\n");
    struct identity identity = must_read(&made, FORMAT_BREAKPAD);
    assert_string_equal(identity.module.os, "windows");
    assert_string_equal(identity.module.arch, "x86_64");
    assert_string_equal(identity.module.id, "5D57F4F3F6CD4B9CBDB8C7B7D7A1F0A31");
    assert_string_equal(identity.module.name, "xul name.pdb");
    assert_int_equal(identity.stated_length, 0);
    char id[64];
    identity_format(&identity, id, sizeof id);
    assert_string_equal(id, identity.module.id);
    must_survive_flips(&made);
    must_tell_failures(&made);
}

static void test_cut_line(void **state) {
    (void)state;
    static const char line[] = "MODULE Linux x86 0123 a\n";
    for (size_t length = 0; length + 1 < sizeof line; length++) {
        CLEANUP(made_free) struct made made = made_new(length);
        put_bytes(&made, 0, line, length);
        if (length < strlen("MODULE "))
            must_be_unknown(&made);
        else if (length < strlen(line))
            (void)must_damage(&made, "does not end");
        else
            (void)must_read(&made, FORMAT_BREAKPAD);
    }
}

static void test_words(void **state) {
    (void)state;
    static const char *const broken[] = {
        "MODULE \n",
        "MODULE Linux\n",
        "MODULE Linux x86\n",
        "MODULE Linux x86 0123\n",
        "MODULE Linux x86 0123 \n",
        "MODULE a-system-with-a-name-of-more-than-31-bytes x86 0123 a\n",
        "MODULE Linux x86 00000000000000000000000000000000000000000000000000000000000000001 a\n",
    };
    for (size_t i = 0; i < LENGTH_OF(broken); i++) {
        CLEANUP(made_free) struct made made = text(broken[i]);
        (void)must_damage(&made, "does not name");
    }
    CLEANUP(made_free) struct made blanks = text("MODULE   mac  arm64   0123   a b \n");
    assert_string_equal(must_read(&blanks, FORMAT_BREAKPAD).module.name, "a b ");
}

static void test_long_line(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = text("MODULE Linux x86 0123 a");
    size_t begin = made.length;
    made_resize(&made, 2000);
    memset(made.bytes + begin, 'a', made.length - begin);
    made.bytes[1900] = '\n';
    (void)must_damage(&made, "does not end");
    made.bytes[1000] = '\n';
    (void)must_damage(&made, "does not name"); /* a file name of 978 bytes */
    made.bytes[begin + 200] = '\n';
    assert_int_equal(strlen(must_read(&made, FORMAT_BREAKPAD).module.name), 201);
    made.bytes[begin + 3] = '\0'; /* a NUL is the end, too */
    assert_int_equal(strlen(must_read(&made, FORMAT_BREAKPAD).module.name), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_cut_line),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_long_line),
    };
    return RUN_TESTS(tests);
}
