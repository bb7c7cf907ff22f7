// SPDX-License-Identifier: MIT
#include "proxy/verify.h"

#include <string.h>

#include "unit/base/check.h"

struct file {
    unsigned char bytes[8192];
    size_t length;
};

static void put_16(unsigned char *at, unsigned value) {
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

static void put_32(unsigned char *at, unsigned value) {
    put_16(at, value & 0xffff);
    put_16(at + 2, value >> 16);
}

static bool whole(const struct file *file, enum symbol_kind kind, bool announced,
                  struct error *err) {
    struct spill *spill = spill_new(NULL, 1 << 20);
    struct staging *staging = NULL;
    assert_true(staging_new(NULL, spill, SIZE_UNKNOWN, &staging, err));
    assert_true(staging_append(staging, file->bytes, file->length, err));
    struct symbol_key key = {.kind = kind};
    bool good = verify_whole(&key, staging, announced, err);
    staging_free(staging);
    spill_free(spill);
    return good;
}

static struct file msf(unsigned blocks) {
    struct file file = {.length = 4096};
    memcpy(file.bytes,
           "Microsoft C/C++ MSF 7.00\r\n\x1a"
           "DS\0\0\0",
           32);
    put_32(file.bytes + 32, 1024);
    put_32(file.bytes + 40, blocks);
    return file;
}

static void test_msf(void **state) {
    (void)state;
    struct error err = {0};
    struct file file = msf(4);
    assert_true(whole(&file, KIND_PDB, true, &err));
    assert_true(whole(&file, KIND_PDB, false, &err));
    file = msf(3);
    assert_true(whole(&file, KIND_PDB, false, &err));
    file = msf(5);
    assert_false(whole(&file, KIND_PDB, false, &err));
    assert_int_equal(err.kind, ERROR_LENGTH);
    /* Met its announced length, and is cut all the same. */
    assert_false(whole(&file, KIND_PDB, true, &err));
    /* Only where a PDB was asked for. */
    assert_true(whole(&file, KIND_OTHER, false, &err));
    file = msf(0xffffffff);
    assert_false(whole(&file, KIND_PDB, false, &err));
    file = msf(5);
    file.length = 40; /* too short to say anything */
    assert_true(whole(&file, KIND_PDB, false, &err));
}

static void test_msf_2(void **state) {
    (void)state;
    struct error err = {0};
    struct file file = {.length = 2048};
    memcpy(file.bytes, "Microsoft C/C++ program database 2.00\r\n\x1aJG\0", 44);
    put_32(file.bytes + 44, 1024);
    put_16(file.bytes + 50, 2);
    assert_true(whole(&file, KIND_PDB, false, &err));
    put_16(file.bytes + 50, 3);
    assert_false(whole(&file, KIND_PDB, false, &err));
}

static struct file pe(unsigned section_end) {
    struct file file = {.length = 4096};
    unsigned char *head = file.bytes + 0x80;
    memcpy(file.bytes, "MZ", 2);
    put_32(file.bytes + 0x3c, 0x80);
    memcpy(head, "PE\0\0", 4);
    put_16(head + 6, 1);    /* sections */
    put_16(head + 20, 240); /* optional header */
    put_16(head + 24, 0x20b);
    put_32(head + 24 + 60, 0x400); /* SizeOfHeaders */
    put_32(head + 24 + 108, 16);   /* data directories */
    unsigned char *section = head + 24 + 240;
    put_32(section + 16, section_end - 0x400);
    put_32(section + 20, 0x400);
    return file;
}

static void test_pe(void **state) {
    (void)state;
    struct error err = {0};
    struct file file = pe(4096);
    assert_true(whole(&file, KIND_PE, false, &err));
    file = pe(4097);
    assert_false(whole(&file, KIND_PE, false, &err));
    assert_int_equal(err.kind, ERROR_LENGTH);
    assert_true(whole(&file, KIND_PE, true, &err)); /* announced lengths are believed */
    file = pe(4096);
    put_32(file.bytes + 0x80 + 24 + 112 + 32, 4000); /* certificates */
    put_32(file.bytes + 0x80 + 24 + 112 + 36, 96);
    assert_true(whole(&file, KIND_PE, false, &err));
    put_32(file.bytes + 0x80 + 24 + 112 + 36, 97);
    assert_false(whole(&file, KIND_PE, false, &err));
    file = pe(1024);
    file.length = 0x90; /* cut in its own header */
    assert_false(whole(&file, KIND_PE, false, &err));
}

static void test_first(void **state) {
    (void)state;
    struct error err = {0};
    struct symbol_key key = {.kind = KIND_PDB};
    struct content content = {.size = SIZE_UNKNOWN};
    assert_true(verify_first(&key, &content, "\0\1\2", 3, &err));
    assert_false(verify_first(&key, &content, "<html></html>", 13, &err));
    assert_int_equal(err.kind, ERROR_HTML);
    assert_false(verify_first(&key, &content, "", 0, &err));
    assert_int_equal(err.kind, ERROR_EMPTY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_msf),
        cmocka_unit_test(test_msf_2),
        cmocka_unit_test(test_pe),
        cmocka_unit_test(test_first),
    };
    return RUN_TESTS(tests);
}
