// SPDX-License-Identifier: MIT
#include "proxy/verify.h"

#include <stdio.h>
#include <string.h>

#include "unit/base/check.h"

#define GUID "94AD5C4B9A1E4420AB047F672A23E48A"
#define OTHER_GUID "84AD5C4B9A1E4420AB047F672A23E48A"
#define BUILD "180a373d6afbabf0eb1f09be1bc45bd796a71085"

struct file {
    unsigned char bytes[7 * 4096];
    size_t length;
};

static void put_32(unsigned char *at, unsigned value) {
    for (unsigned i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static void put_hex(unsigned char *at, const char *digits) {
    for (size_t i = 0; digits[2 * i]; i++) {
        unsigned byte;
        assert_int_equal(sscanf(digits + 2 * i, "%2x", &byte), 1);
        at[i] = (unsigned char)byte;
    }
}

static bool verify(const struct file *file, const char *name, const char *id, enum part part,
                   bool announced, struct error *err) {
    struct spelling spelling = {.part = part};
    snprintf(spelling.name, sizeof spelling.name, "%s", name);
    snprintf(spelling.id, sizeof spelling.id, "%s", id);
    struct symbol_key key;
    assert_true(symbol_key_make(&spelling, &key, NULL));
    struct spill *spill = spill_new(NULL, 1 << 20);
    struct staging *staging = NULL;
    assert_true(staging_new(NULL, spill, SIZE_UNKNOWN, &staging, err));
    assert_true(staging_append(staging, file->bytes, file->length, err));
    bool good = verify_whole(&key, staging, announced, err);
    staging_free(staging);
    spill_free(spill);
    return good;
}

static void assert_good(const struct file *file, const char *name, const char *id) {
    struct error err = {0};
    if (!verify(file, name, id, PART_ITSELF, true, &err))
        fail_msg("%s/%s: %s", name, id, err.what);
}

static void assert_bad(const struct file *file, const char *name, const char *id,
                       enum error_kind kind) {
    struct error err = {0};
    if (verify(file, name, id, PART_ITSELF, true, &err))
        fail_msg("%s/%s was taken", name, id);
    assert_int_equal(err.kind, kind);
}

/* --- files ---------------------------------------------------------------------------------- */

static struct file text(const char *words) {
    struct file file = {.length = strlen(words)};
    memcpy(file.bytes, words, file.length);
    return file;
}

/* Blocks of 4096: head, two maps, block map, directory, info stream, DBI stream. */
static struct file pdb(const char *guid_as_stored, unsigned info_age, unsigned dbi_age) {
    enum { BLOCK = 4096 };
    static const unsigned sizes[] = {0, 28, 0, 64};
    struct file file = {.length = 7 * BLOCK};
    memcpy(file.bytes,
           "Microsoft C/C++ MSF 7.00\r\n\x1a"
           "DS\0\0\0",
           32);
    const unsigned head[] = {BLOCK, 1, 7, 4 * (5 + 2), 0, 3};
    for (unsigned i = 0; i < 6; i++)
        put_32(file.bytes + 32 + 4 * i, head[i]);
    put_32(file.bytes + 3 * BLOCK, 4);
    unsigned char *directory = file.bytes + 4 * BLOCK;
    put_32(directory, 4);
    for (unsigned i = 0; i < 4; i++)
        put_32(directory + 4 + 4 * i, sizes[i]);
    put_32(directory + 20, 5);
    put_32(directory + 24, 6);
    unsigned char *info = file.bytes + 5 * BLOCK;
    put_32(info, 20000404);
    put_32(info + 4, 0x12345678);
    put_32(info + 8, info_age);
    put_hex(info + 12, guid_as_stored);
    unsigned char *debug = file.bytes + 6 * BLOCK;
    put_32(debug, 0xffffffff);
    put_32(debug + 4, 19990903);
    put_32(debug + 8, dbi_age);
    return file;
}

/* The GUID's first three fields are little-endian on disk. */
#define STORED "4B5CAD941E9A2044AB047F672A23E48A"

static struct file image(unsigned stamp, unsigned size, unsigned section_bytes) {
    struct file file = {.length = 2048};
    unsigned char *pe = file.bytes + 0x80;
    file.bytes[0] = 'M';
    file.bytes[1] = 'Z';
    put_32(file.bytes + 0x3c, 0x80);
    memcpy(pe, "PE\0\0\x64\x86\1", 7);
    put_32(pe + 8, stamp);
    pe[20] = 240;
    pe[24] = 0x0b;
    pe[25] = 2;
    put_32(pe + 24 + 56, size);
    put_32(pe + 24 + 60, 512);
    put_32(pe + 24 + 108, 16);
    put_32(pe + 24 + 240 + 16, section_bytes);
    put_32(pe + 24 + 240 + 20, 512);
    return file;
}

/* A head, one note segment, one note. */
static struct file elf(const char *build_id) {
    struct file file = {.length = 256};
    memcpy(file.bytes,
           "\x7f"
           "ELF\2\1\1",
           7);
    file.bytes[16] = 3;
    file.bytes[18] = 62;
    file.bytes[20] = 1;
    file.bytes[32] = 64;
    file.bytes[52] = 64;
    file.bytes[54] = 56;
    file.bytes[56] = 1;
    unsigned char *segment = file.bytes + 64;
    segment[0] = 4;
    segment[8] = 128;
    segment[32] = segment[40] = (unsigned char)(16 + strlen(build_id) / 2);
    segment[48] = 4;
    unsigned char *note = file.bytes + 128;
    note[0] = 4;
    note[4] = (unsigned char)(strlen(build_id) / 2);
    note[8] = 3;
    memcpy(note + 12, "GNU", 4);
    put_hex(note + 16, build_id);
    return file;
}

static struct file macho(const char *uuid) {
    struct file file = {.length = 128};
    put_32(file.bytes, 0xfeedfacf);
    put_32(file.bytes + 4, 0x01000007);
    put_32(file.bytes + 12, 10);
    put_32(file.bytes + 16, 1);
    put_32(file.bytes + 20, 24);
    put_32(file.bytes + 32, 0x1b);
    put_32(file.bytes + 36, 24);
    put_hex(file.bytes + 40, uuid);
    return file;
}

/* --- tests ---------------------------------------------------------------------------------- */

static void test_pdb(void **state) {
    (void)state;
    struct file file = pdb(STORED, 1, 3);
    assert_good(&file, "app.pdb", GUID "3");
    /* Stores serve updated PDBs for lower ages; the one of the DBI stream counts. */
    assert_good(&file, "app.pdb", GUID "1");
    assert_bad(&file, "app.pdb", GUID "4", ERROR_IDENTITY);
    assert_bad(&file, "app.pdb", OTHER_GUID "1", ERROR_IDENTITY);
    assert_good(&file, "app.pdb", GUID "ffffffff");
    assert_bad(&file, "app.dll", "5A1BC03E12000", ERROR_IDENTITY);
    file.length -= 4096;
    assert_bad(&file, "app.pdb", GUID "1", ERROR_LENGTH);
    file = text("nothing of the kind\1\2\3");
    assert_bad(&file, "app.pdb", GUID "1", ERROR_IDENTITY);
    assert_good(&file, "app.other", GUID "1");
}

static void test_image(void **state) {
    (void)state;
    struct file file = image(0x5a1bc03e, 0x12000, 512);
    assert_good(&file, "app.dll", "5A1BC03E12000");
    assert_bad(&file, "app.dll", "5A1BC03E13000", ERROR_IDENTITY);
    assert_bad(&file, "app.dll", "5A1BC03F12000", ERROR_IDENTITY);
    assert_bad(&file, "app.pdb", GUID "1", ERROR_IDENTITY);
    /* The runtime's debugging libraries are found under the runtime's id. */
    assert_good(&file, "mscordaccore.dll", "1122334455000");
    assert_good(&file, "mscordbi.dll", "1122334455000");
    assert_bad(&file, "sosfan.dll", "1122334455000", ERROR_IDENTITY);
    file = text("no image\1\2");
    assert_bad(&file, "mscordaccore.dll", "1122334455000", ERROR_IDENTITY);
    assert_bad(&file, "old.drv", "5A1BC03E12000", ERROR_IDENTITY);
    assert_bad(&file, "app.dll", "5A1BC03E12000", ERROR_IDENTITY);
    assert_good(&file, "app.map", "5A1BC03E12000");
}

static void test_image_that_is_cut(void **state) {
    (void)state;
    struct error err = {0};
    struct file file = image(0x5a1bc03e, 0x12000, 4096);
    assert_false(verify(&file, "app.dll", "5A1BC03E12000", PART_ITSELF, false, &err));
    assert_int_equal(err.kind, ERROR_LENGTH);
    /* Its announced length came: it was stored so. */
    assert_true(verify(&file, "app.dll", "5A1BC03E12000", PART_ITSELF, true, &err));
}

static void test_elf(void **state) {
    (void)state;
    struct file file = elf(BUILD);
    assert_good(&file, "libx.so", "elf-buildid-" BUILD);
    assert_good(&file, "_.debug", "elf-buildid-sym-" BUILD);
    assert_bad(&file, "libx.so", "elf-buildid-280a373d6afbabf0eb1f09be1bc45bd796a71085",
               ERROR_IDENTITY);
    assert_bad(&file, "libx.so", "elf-buildid-180a", ERROR_IDENTITY);
    assert_good(&file, "libmscordaccore.so", "elf-buildid-coreclr-0011");
    assert_bad(&file, "libmscordaccore.dylib", "mach-uuid-coreclr-0011", ERROR_IDENTITY);
    file = elf("abcdef01");
    assert_good(&file, "libx.so", "elf-buildid-abcdef01");
    assert_good(&file, "libx.so",
                "elf-buildid-abcdef01"
                "00000000000000000000000000000000");
    file = pdb(STORED, 1, 1);
    assert_bad(&file, "libx.so", "elf-buildid-" BUILD, ERROR_IDENTITY);
}

static void test_macho(void **state) {
    (void)state;
    struct file file = macho(GUID);
    assert_good(&file, "libx.dylib", "mach-uuid-" GUID);
    assert_good(&file, "_.dwarf", "mach-uuid-sym-" GUID);
    assert_bad(&file, "libx.dylib", "mach-uuid-" OTHER_GUID, ERROR_IDENTITY);
}

static void test_breakpad(void **state) {
    (void)state;
    struct error err = {0};
    struct file file = text("MODULE windows x86_64 " GUID "a App.pdb\nFILE 0 a.c\n");
    assert_true(verify(&file, "App.pdb", GUID "a", PART_SYM, true, &err));
    assert_false(verify(&file, "App.pdb", GUID "b", PART_SYM, true, &err));
    assert_int_equal(err.kind, ERROR_IDENTITY);
    file = text("no module at all\n");
    assert_false(verify(&file, "App.pdb", GUID "a", PART_SYM, true, &err));
}

static void test_unknown_kinds_are_taken(void **state) {
    (void)state;
    struct file file = text("whatever\1");
    assert_good(&file, "app.js", "sha1-" BUILD);
    assert_good(&file, "app.wasm", "0011223344");
    assert_good(&file, "x", "y");
    file = pdb(STORED, 1, 1);
    file.length = 100;
    assert_good(&file, "x", "y");
}

static void test_first_bytes(void **state) {
    (void)state;
    struct error err = {0};
    struct symbol_key key = {.kind = KIND_PDB};
    struct content content = {.size = SIZE_UNKNOWN};
    assert_true(verify_first(&key, &content, "Microsoft C/C++\x1a", 16, &err));
    assert_false(verify_first(&key, &content, "<html>", 6, &err));
    assert_int_equal(err.kind, ERROR_HTML);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pdb),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_image_that_is_cut),
        cmocka_unit_test(test_elf),
        cmocka_unit_test(test_macho),
        cmocka_unit_test(test_breakpad),
        cmocka_unit_test(test_unknown_kinds_are_taken),
        cmocka_unit_test(test_first_bytes),
    };
    return RUN_TESTS(tests);
}
