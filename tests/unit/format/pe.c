// SPDX-License-Identifier: MIT
#include "format/pe.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/format/made.h"

enum {
    HEAD = 0x80, /* where "PE\0\0" stands */
    OPTIONAL = HEAD + 24,
    OPTIONAL_BYTES = 240,
    SECTIONS = OPTIONAL + OPTIONAL_BYTES,
    LENGTH = 0x600,
};

/* An image of 64 bits with two sections, of which one has no bytes in the file, and certificates up
 * to its end. */
static struct made image(void) {
    struct made made = made_new(LENGTH);
    put_bytes(&made, 0, "MZ", 2);
    put_32(&made, 0x3c, HEAD);
    put_bytes(&made, HEAD, "PE\0\0", 4);
    put_16(&made, HEAD + 4, 0x8664);
    put_16(&made, HEAD + 6, 2);
    put_32(&made, HEAD + 8, 0x0948EA15);
    put_16(&made, HEAD + 20, OPTIONAL_BYTES);
    put_16(&made, OPTIONAL, 0x20b);
    put_32(&made, OPTIONAL + 56, 0x5a000);
    put_32(&made, OPTIONAL + 60, 0x300);
    put_32(&made, OPTIONAL + 108, 16);
    put_32(&made, OPTIONAL + 112 + 32, 0x500);
    put_32(&made, OPTIONAL + 112 + 36, LENGTH - 0x500);
    put_32(&made, SECTIONS + 16, 0x200);
    put_32(&made, SECTIONS + 20, 0x300);
    put_32(&made, SECTIONS + 40 + 16, 0x7fffffff); /* of a section that has no place in the file */
    return made;
}

static void test_image(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = image();
    struct identity identity = must_read(&made, FORMAT_PE);
    char text[32];
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, "0948EA155a000");
    must_notice_cuts(&made);
    must_survive_flips(&made);
    must_tell_failures(&made);
}

static uint64_t stated(const struct made *made) {
    return must_read(made, FORMAT_PE).stated_length;
}

/* The longest of headers, sections and certificates is what counts. */
static void test_stated_length(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = image();
    put_32(&made, OPTIONAL + 108, 4); /* so few data directories that there are no certificates */
    assert_int_equal(stated(&made), 0x500);
    put_32(&made, SECTIONS + 16, 0); /* no bytes: their place does not matter */
    assert_int_equal(stated(&made), 0x300);
    put_32(&made, OPTIONAL + 60, 0);
    assert_int_equal(stated(&made), SECTIONS + 80);
    put_32(&made, SECTIONS + 16, UINT32_MAX);
    put_32(&made, SECTIONS + 20, UINT32_MAX);
    assert_int_equal(stated(&made), 2 * (uint64_t)UINT32_MAX);
}

static void test_image_of_32_bits(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = image();
    put_16(&made, OPTIONAL, 0x10b);
    put_32(&made, OPTIONAL + 92, 16);
    put_32(&made, OPTIONAL + 96 + 32, 0x5f0);
    put_32(&made, OPTIONAL + 96 + 36, 0x100);
    assert_int_equal(stated(&made), 0x6f0);
    assert_int_equal(must_read(&made, FORMAT_PE).image_size, 0x5a000);
    /* An optional header that ends before the data directories, as old linkers wrote it. */
    put_16(&made, HEAD + 20, 96);
    memset(made.bytes + OPTIONAL + 96, 0, 80);
    assert_int_equal(stated(&made), 0x300);
}

static void test_many_sections(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = image();
    put_16(&made, HEAD + 6, 65535);
    (void)must_damage(&made, "cut");
    made_resize(&made, SECTIONS + 65535 * 40);
    put_32(&made, SECTIONS + 65534 * 40 + 16, 5);
    put_32(&made, SECTIONS + 65534 * 40 + 20, 0x7fff0000);
    assert_int_equal(stated(&made), 0x7fff0005);
}

static void test_damaged(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = image();
    put_16(&made, HEAD + 20, 59);
    (void)must_damage(&made, "ends before the image's size");
    put_16(&made, HEAD + 20, 65535);
    struct identity identity = must_damage(&made, "cut");
    assert_int_equal(identity.stated_length, OPTIONAL + 65535 + 80);
    put_32(&made, 0x3c, UINT32_MAX);
    (void)must_damage(&made, "cut: it has 1536 bytes and its own structure wants 4294967319");
}

static void test_other_programs(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = image();
    put_bytes(&made, HEAD, "NE", 2);
    must_be_unknown(&made);
    put_bytes(&made, HEAD, "PE\0\1", 4);
    must_be_unknown(&made);
    put_32(&made, 0x3c, 0); /* only a DOS part */
    must_be_unknown(&made);
}

enum { DBG_ENTRIES = 48 + 40 + 7, DBG_LENGTH = DBG_ENTRIES + 28 + 64 };

/* A .dbg with a section header, names and one piece of debug information. */
static struct made debug(void) {
    struct made made = made_new(DBG_LENGTH);
    put_bytes(&made, 0, "DI", 2);
    put_16(&made, 4, 0x14c);
    put_32(&made, 8, 0x36DE7F2D);
    put_32(&made, 16, 0x400000);
    put_32(&made, 20, 0x1c000);
    put_32(&made, 24, 1);
    put_32(&made, 28, 7);
    put_32(&made, 32, 28);
    put_32(&made, 36, 0x1000);
    put_32(&made, DBG_ENTRIES + 16, 64);
    put_32(&made, DBG_ENTRIES + 24, DBG_ENTRIES + 28);
    return made;
}

static void test_debug(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = debug();
    struct identity identity = must_read(&made, FORMAT_DBG);
    char text[32];
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, "36DE7F2D1c000");
    must_notice_cuts(&made);
    must_survive_flips(&made);
    must_tell_failures(&made);
}

/* What only begins with the same two letters. */
static void test_no_debug(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
    } others[] = {{24, 97}, {32, 29}, {32, 28 * 257}, {40, 1}, {44, UINT32_MAX}};
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        CLEANUP(made_free) struct made made = debug();
        put_32(&made, others[i].at, others[i].value);
        must_be_unknown(&made);
    }
    CLEANUP(made_free) struct made text = made_new(48);
    put_bytes(&text, 0, "DIRECTORY of the things that are not symbols. End", 48);
    must_be_unknown(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_stated_length),
        cmocka_unit_test(test_image_of_32_bits),
        cmocka_unit_test(test_many_sections),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_other_programs),
        cmocka_unit_test(test_debug),
        cmocka_unit_test(test_no_debug),
    };
    return RUN_TESTS(tests);
}
