// SPDX-License-Identifier: MIT
#include "format/portable_pdb.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/format/made.h"

enum {
    STREAMS = 32,         /* the first stream's header, behind the version "PDB v1.0" */
    PDB_HEADER = STREAMS, /* "#Pdb" */
    TEXT_HEADER = 48,     /* "#Strings" */
    BLOB_HEADER = 68,     /* "#Blob" */
    ID = 84,
    LENGTH = ID + 32 + 20 + 4,
};

static struct made portable(void) {
    struct made made = made_new(LENGTH);
    put_bytes(&made, 0, "BSJB", 4);
    put_16(&made, 4, 1);
    put_16(&made, 6, 1);
    put_32(&made, 12, 12);
    put_bytes(&made, 16, "PDB v1.0", 8);
    put_16(&made, 30, 3);
    put_32(&made, PDB_HEADER, ID);
    put_32(&made, PDB_HEADER + 4, 32);
    put_bytes(&made, PDB_HEADER + 8, "#Pdb", 4);
    put_32(&made, TEXT_HEADER, ID + 32);
    put_32(&made, TEXT_HEADER + 4, 20);
    put_bytes(&made, TEXT_HEADER + 8, "#Strings", 8);
    put_32(&made, BLOB_HEADER, ID + 52);
    put_32(&made, BLOB_HEADER + 4, 4);
    put_bytes(&made, BLOB_HEADER + 8, "#Blob", 5);
    for (unsigned i = 0; i < 20; i++)
        made.bytes[ID + i] = (unsigned char)(i + 1);
    return made;
}

static void test_good(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = portable();
    struct identity identity = must_read(&made, FORMAT_PORTABLE_PDB);
    char text[64];
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, "0403020106050807090A0B0C0D0E0F10FFFFFFFF");
    assert_memory_equal(identity.portable_id, made.bytes + ID, PORTABLE_ID_BYTES);
    assert_int_equal(identity.portable_id_at, ID);
    must_notice_cuts(&made);
    must_survive_flips(&made);
    must_tell_failures(&made);
}

static void test_version_text(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = portable();
    put_32(&made, 12, 9); /* padded to twelve */
    (void)must_read(&made, FORMAT_PORTABLE_PDB);
    put_32(&made, 12, 257);
    (void)must_damage(&made, "version has 257 bytes");
    put_32(&made, 12, UINT32_MAX);
    (void)must_damage(&made, "version has 4294967295 bytes");
    put_32(&made, 12, 256);
    (void)must_damage(&made, "cut");
}

static void test_streams(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = portable();
    put_bytes(&made, PDB_HEADER + 8, "#pdb", 4);
    (void)must_damage(&made, "no stream \"#Pdb\"");
    put_bytes(&made, PDB_HEADER + 8, "#Pdb", 4);
    put_32(&made, PDB_HEADER + 4, 19);
    (void)must_damage(&made, "id has 19 bytes");
    put_32(&made, PDB_HEADER + 4, 32);
    put_16(&made, 30, 0);
    (void)must_damage(&made, "no stream \"#Pdb\"");
    put_16(&made, 30, 65);
    (void)must_damage(&made, "65 streams");
    put_16(&made, 30, 64);
    (void)must_damage(&made, "");
    put_16(&made, 30, 3);
    memset(made.bytes + TEXT_HEADER + 8, 'x', 32);
    (void)must_damage(&made, "name does not end");
}

static void test_stated_length(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = portable();
    put_32(&made, TEXT_HEADER, UINT32_MAX);
    put_32(&made, TEXT_HEADER + 4, UINT32_MAX);
    assert_int_equal(must_read(&made, FORMAT_PORTABLE_PDB).stated_length, 2 * (uint64_t)UINT32_MAX);
    put_32(&made, PDB_HEADER, UINT32_MAX);
    (void)must_damage(&made, "cut");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_version_text),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_stated_length),
    };
    return RUN_TESTS(tests);
}
