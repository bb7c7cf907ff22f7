// SPDX-License-Identifier: MIT
#include "format/checksum.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/format/made.h"

/* The id lies across the border between the pieces in which the file is read. */
enum { LENGTH = 150000, ID = 65530 };

/* Made with Python's hashlib. */
#define SHA1 "1c099030377a41dcb0d04d3b09031e1b0cce77cf"
#define SHA256 "968a56d77ee32091a59bb6b0002ac86f18a7429aa688f1d038a83485773edc26"
#define SHA384                                                                                     \
    "30853ccce0f4ac8f2a545873b1a91e0270cf0dbbe786bbc67c6d8dacf6299b73"                             \
    "5fd0fcd78aeb135b12a3e3040a8872bc"
#define SHA512                                                                                     \
    "4947df18b22250d70edba0e52f56d7927aa5e382e6ebde02aaff1f3d2b181e4c"                             \
    "ab3fb49952c9e51342925dbda4e38dbbef0b46d194c1f7d1eb945b209cfbe4a8"
#define OTHER "0000000000000000000000000000000000000000000000000000000000000000"

static enum checksum_outcome compare(const char *wanted) {
    CLEANUP(made_free) struct made made = made_new(LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        made.bytes[i] = (unsigned char)(i * 7 + i / 256);
    struct memory_view view = memory_view_of(made.bytes, made.length);
    struct identity identity = {.format = FORMAT_PORTABLE_PDB, .portable_id_at = ID};
    struct error err;
    return checksum_compare(&view.view, &identity, wanted, &err);
}

static void test_every_algorithm(void **state) {
    (void)state;
    assert_int_equal(compare("SHA1:" SHA1), CHECKSUM_EQUAL);
    assert_int_equal(compare("SHA256:" SHA256), CHECKSUM_EQUAL);
    assert_int_equal(compare("SHA384:" SHA384), CHECKSUM_EQUAL);
    assert_int_equal(compare("SHA512:" SHA512), CHECKSUM_EQUAL);
    assert_int_equal(compare("SHA256:" OTHER), CHECKSUM_DIFFERENT);
    assert_int_equal(compare("sha256:968A56D77EE32091A59BB6B0002AC86F"
                             "18A7429AA688F1D038A83485773EDC26"),
                     CHECKSUM_EQUAL);
}

static void test_several(void **state) {
    (void)state;
    assert_int_equal(compare("SHA256:" OTHER ";SHA1:" SHA1), CHECKSUM_EQUAL);
    assert_int_equal(compare("SHA1:" SHA1 " ; SHA256:" OTHER ";"), CHECKSUM_EQUAL);
    assert_int_equal(compare("MD5:00;SHA256:" SHA256), CHECKSUM_EQUAL);
    assert_int_equal(compare("SHA256:" OTHER ";SHA256:" OTHER ";SHA1:00"), CHECKSUM_DIFFERENT);
#define FOUR_OTHERS "SHA256:" OTHER ";SHA256:" OTHER ";SHA256:" OTHER ";SHA256:" OTHER
    assert_int_equal(compare(FOUR_OTHERS ";SHA256:" SHA256), CHECKSUM_EQUAL);
    assert_int_equal(compare(FOUR_OTHERS ";" FOUR_OTHERS ";SHA256:" SHA256),
                     CHECKSUM_DIFFERENT); /* the ninth is one too many */
}

static void test_unsaid(void **state) {
    (void)state;
    static const char *const words[] = {
        "",
        ";;",
        "SHA256",
        "SHA256:",
        ":" SHA256,
        "SHA256:" SHA1,
        "SHA1:" SHA256,
        "MD5:00112233445566778899aabbccddeeff",
        "SHA-256:" SHA256,
        "SHA1:1c099030377a41dcb0d04d3b09031e1b0cce77cg",
        "SHA256SHA256SHA256:" SHA256,
    };
    for (size_t i = 0; i < LENGTH_OF(words); i++)
        assert_int_equal(compare(words[i]), CHECKSUM_UNSAID);
}

static bool read_nothing(const struct view *view, void *out, size_t length, uint64_t offset,
                         struct error *err) {
    (void)view, (void)out, (void)length, (void)offset;
    return error_set(err, ERROR_DISK, "the test says no");
}

static void test_failure(void **state) {
    (void)state;
    static const struct view_ops ops = {.read = read_nothing};
    struct view view = {&ops, 100};
    struct identity identity = {.format = FORMAT_PORTABLE_PDB};
    struct error err = {0};
    assert_int_equal(checksum_compare(&view, &identity, "SHA1:" SHA1, &err), CHECKSUM_FAILED);
    assert_int_equal(err.kind, ERROR_DISK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_algorithm),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_unsaid),
        cmocka_unit_test(test_failure),
    };
    return RUN_TESTS(tests);
}
