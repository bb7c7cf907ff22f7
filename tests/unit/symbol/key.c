// SPDX-License-Identifier: MIT
#include "symbol/key.h"

#include <string.h>

#include "base/text.h"
#include "unit/base/check.h"

#define GUID "94AD5C4B9A1E4420AB047F672A23E48A"
#define GUID_FOLDED "94ad5c4b9a1e4420ab047f672a23e48a"
#define BUILD_ID "0123456789abcdef0123456789abcdef01234567"
#define BUILD_ID_RAISED "0123456789ABCDEF0123456789ABCDEF01234567"

static struct spelling spell(const char *name, const char *id) {
    struct spelling spelling = {0};
    assert_true(text_copy(spelling.name, sizeof spelling.name, name));
    assert_true(text_copy(spelling.id, sizeof spelling.id, id));
    return spelling;
}

static struct symbol_key make(const char *name, const char *id) {
    struct spelling spelling = spell(name, id);
    struct symbol_key key;
    assert_true(symbol_key_make(&spelling, &key, NULL));
    return key;
}

static const struct canonical {
    const char *name;
    const char *id;
    const char *canonical_name;
    const char *canonical_id;
    enum identifier identifier;
    enum symbol_kind kind;
} canonicals[] = {
    {"PTY.pdb", GUID_FOLDED "1", "pty.pdb", GUID "1", IDENTIFIER_PDB70, KIND_PDB},
    {"pty.pdb", GUID "0000000A", "pty.pdb", GUID "a", IDENTIFIER_PDB70, KIND_PDB},
    {"pty.pdb", GUID "0", "pty.pdb", GUID "0", IDENTIFIER_PDB70, KIND_PDB},
    {"pty.pdb", GUID "00", "pty.pdb", GUID "0", IDENTIFIER_PDB70, KIND_PDB},
    {"A.pdb", GUID_FOLDED "ffffffff", "a.pdb", GUID "FFFFFFFF", IDENTIFIER_PORTABLE, KIND_PDB},
    {"a.dll", GUID "FFFFFFFF", "a.dll", GUID "FFFFFFFF", IDENTIFIER_PORTABLE, KIND_PDB},
    {"old.PDB", "37a8f40e02", "old.pdb", "37A8F40E2", IDENTIFIER_PDB20, KIND_PDB},
    {"pty.node", "69485ea1051000", "pty.node", "69485EA151000", IDENTIFIER_PE, KIND_PE},
    {"x.dll", "0000abcdF0", "x.dll", "0000ABCDf0", IDENTIFIER_PE, KIND_PE},
    {"x.sym", "69485ea151000", "x.sym", "69485EA151000", IDENTIFIER_PE, KIND_SYM},
    {"x.sym", GUID "1", "x.sym", GUID "1", IDENTIFIER_PDB70, KIND_SYM},
    {"Hello", "ELF-BuildId-" BUILD_ID_RAISED, "hello", "elf-buildid-" BUILD_ID, IDENTIFIER_ELF,
     KIND_ELF},
    {"_.debug", "elf-buildid-sym-" BUILD_ID, "_.debug", "elf-buildid-sym-" BUILD_ID, IDENTIFIER_ELF,
     KIND_ELF},
    {"_.dwarf", "mach-uuid-sym-" GUID, "_.dwarf", "mach-uuid-sym-" GUID_FOLDED, IDENTIFIER_MACHO,
     KIND_MACHO},
    {"A.cs", "SHA1-" BUILD_ID_RAISED, "a.cs", "sha1-" BUILD_ID, IDENTIFIER_SHA1, KIND_OTHER},
    {"x.dll", "sha1-" BUILD_ID, "x.dll", "sha1-" BUILD_ID, IDENTIFIER_SHA1, KIND_OTHER},
    /* As long as a GUID with a full age, but not a PDB's. */
    {"app.wasm", BUILD_ID_RAISED, "app.wasm", BUILD_ID, IDENTIFIER_OTHER, KIND_OTHER},
    {"lib.so", BUILD_ID, "lib.so", BUILD_ID, IDENTIFIER_OTHER, KIND_ELF},
    {"pty.pdb", GUID, "pty.pdb", GUID_FOLDED, IDENTIFIER_OTHER, KIND_PDB},
    {"pty.pdb", "37A8F40E", "pty.pdb", "37a8f40e", IDENTIFIER_OTHER, KIND_PDB},
    {"x.exe", "12345678123456789", "x.exe", "12345678123456789", IDENTIFIER_OTHER, KIND_PE},
    {"a.dylib", "Any-Thing", "a.dylib", "any-thing", IDENTIFIER_OTHER, KIND_MACHO},
    {"con.pdb", "X", "con.pdb", "x", IDENTIFIER_OTHER, KIND_PDB},
    {"my app+~{1}#%.txt", "V1", "my app+~{1}#%.txt", "v1", IDENTIFIER_OTHER, KIND_OTHER},
    {"\xc3\x89.pdb", GUID "1", "\xc3\x89.pdb", GUID "1", IDENTIFIER_PDB70, KIND_PDB},
};

static void ids_become_canonical(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(canonicals); i++) {
        const struct canonical *wanted = &canonicals[i];
        struct symbol_key key = make(wanted->name, wanted->id);
        assert_string_equal(key.name, wanted->canonical_name);
        assert_string_equal(key.id, wanted->canonical_id);
        assert_int_equal(key.identifier, wanted->identifier);
        assert_int_equal(key.kind, wanted->kind);
    }
}

static void a_canonical_key_stays_as_it_is(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(canonicals); i++) {
        struct symbol_key once = make(canonicals[i].name, canonicals[i].id);
        struct symbol_key twice = make(once.name, once.id);
        assert_true(symbol_key_equal(&once, &twice));
        assert_int_equal(once.hash, twice.hash);
    }
}

static void spellings_of_one_symbol_are_one_key(void **state) {
    (void)state;
    struct symbol_key a = make("Pty.PDB", GUID "1");
    struct symbol_key b = make("pty.pdb", GUID_FOLDED "00000001");
    struct symbol_key other_age = make("pty.pdb", GUID "2");
    struct symbol_key other_name = make("pty2.pdb", GUID "1");
    assert_true(symbol_key_equal(&a, &b));
    assert_int_equal(a.hash, b.hash);
    assert_false(symbol_key_equal(&a, &other_age));
    assert_false(symbol_key_equal(&a, &other_name));
    assert_int_not_equal(a.hash, other_age.hash);
    assert_int_not_equal(a.hash, other_name.hash);
}

static void the_hash_knows_where_the_name_ends(void **state) {
    (void)state;
    struct symbol_key a = make("ab", "cd");
    struct symbol_key b = make("abc", "d");
    assert_int_not_equal(a.hash, b.hash);
}

static void spellings_are_compared_byte_for_byte(void **state) {
    (void)state;
    struct spelling a = spell("a.pdb", "X1");
    struct spelling same = spell("a.pdb", "X1");
    struct spelling other_name = spell("A.pdb", "X1");
    struct spelling other_id = spell("a.pdb", "x1");
    assert_true(spelling_equal(&a, &same));
    assert_false(spelling_equal(&a, &other_name));
    assert_false(spelling_equal(&a, &other_id));
}

static void a_name_and_an_id_are_read_as_one_text(void **state) {
    (void)state;
    struct spelling read, wanted = spell("a.pdb", "X1");
    char long_id[ID_BYTES_MAX + 8] = "a.pdb/";
    assert_true(spelling_read("a.pdb/X1", &read));
    assert_true(spelling_equal(&read, &wanted));
    memset(long_id + 6, 'A', ID_BYTES_MAX + 1);
    const char *const others[] = {"",    "/",         "a.pdb",          "a.pdb/",
                                  "/X1", "a.pdb/X1/", "a.pdb/X1/a.pdb", long_id};
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        assert_false(spelling_read(others[i], &read));
}

static void what_is_no_component_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",    ".",    "..",    ".hidden", "a/b",    "a\\b",
                                      "c:a", "a\nb", "a\x7f", "\x01",    "a\r\nb", "/"};
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        struct symbol_key key;
        struct error err = {0};
        struct spelling in_name = spell(bad[i], "1");
        struct spelling in_id = spell("a", bad[i]);
        assert_false(symbol_key_make(&in_name, &key, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_non_null(strstr(err.what, "name"));
        assert_false(symbol_key_make(&in_id, &key, &err));
        assert_non_null(strstr(err.what, "the id"));
    }
}

static void text_without_end_is_refused(void **state) {
    (void)state;
    struct spelling spelling = spell("a", "1");
    struct symbol_key key;
    memset(spelling.name, 'a', sizeof spelling.name);
    assert_false(symbol_key_make(&spelling, &key, NULL));
    spelling = spell("a", "1");
    memset(spelling.id, '1', sizeof spelling.id);
    assert_false(symbol_key_make(&spelling, &key, NULL));
}

static void the_longest_fit(void **state) {
    (void)state;
    struct spelling spelling = {0};
    struct symbol_key key;
    memset(spelling.name, 'N', NAME_BYTES_MAX);
    memset(spelling.id, 'I', ID_BYTES_MAX);
    assert_true(symbol_key_make(&spelling, &key, NULL));
    assert_int_equal(strlen(key.name), NAME_BYTES_MAX);
    assert_int_equal(strlen(key.id), ID_BYTES_MAX);
}

static void kinds_have_names(void **state) {
    (void)state;
    static const char *const names[] = {"other", "pdb", "pe", "elf", "macho", "sym"};
    assert_int_equal(LENGTH_OF(names), KIND_COUNT);
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        enum symbol_kind kind;
        assert_true(symbol_kind_parse(names[i], &kind));
        assert_string_equal(symbol_kind_name(kind), names[i]);
    }
    enum symbol_kind kind = KIND_ELF;
    assert_false(symbol_kind_parse("PDB", &kind));
    assert_false(symbol_kind_parse("", &kind));
    assert_int_equal(kind, KIND_ELF);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_become_canonical),
        cmocka_unit_test(a_canonical_key_stays_as_it_is),
        cmocka_unit_test(spellings_of_one_symbol_are_one_key),
        cmocka_unit_test(the_hash_knows_where_the_name_ends),
        cmocka_unit_test(spellings_are_compared_byte_for_byte),
        cmocka_unit_test(a_name_and_an_id_are_read_as_one_text),
        cmocka_unit_test(what_is_no_component_is_refused),
        cmocka_unit_test(text_without_end_is_refused),
        cmocka_unit_test(the_longest_fit),
        cmocka_unit_test(kinds_have_names),
    };
    return RUN_TESTS(tests);
}
