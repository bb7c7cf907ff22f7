// SPDX-License-Identifier: MIT
#include "symbol/store_path.h"

#include <stdio.h>
#include <string.h>

#include "unit/base/check.h"

#define GUID "94AD5C4B9A1E4420AB047F672A23E48A"
#define LOWER "94ad5c4b9a1e4420ab047f672a23e48a"
#define BUILD "180a373d6afbabf0eb1f09be1bc45bd796a71085"

static struct question ask_for(const char *name, const char *id, enum part part) {
    struct question question = {.spelling.part = part};
    snprintf(question.spelling.name, sizeof question.spelling.name, "%s", name);
    snprintf(question.spelling.id, sizeof question.spelling.id, "%s", id);
    assert_true(symbol_key_make(&question.spelling, &question.key, NULL));
    return question;
}

static const struct wanted {
    enum layout layout;
    enum form form;
    enum part part;
    const char *name;
    const char *id;
    const char *paths[STORE_PATHS_MAX];
} wanted[] = {
    {LAYOUT_SYMSTORE, FORM_PLAIN, 0, "App.pdb", GUID "a", {"App.pdb/" GUID "a/App.pdb"}},
    {LAYOUT_AUTO, FORM_COMPRESSED, 0, "App.pdb", GUID "A", {"App.pdb/" GUID "A/App.pd_"}},
    {LAYOUT_SYMSTORE, FORM_POINTER, 0, "App.pdb", GUID "A", {"App.pdb/" GUID "A/file.ptr"}},
    {LAYOUT_SYMSTORE, FORM_PLAIN, PART_SYM, "App.pdb", GUID "A", {"App.pdb/" GUID "A/App.sym"}},
    {LAYOUT_TWO_TIER, FORM_PLAIN, 0, "ntdll.pdb", GUID "1", {"nt/ntdll.pdb/" GUID "1/ntdll.pdb"}},
    {LAYOUT_TWO_TIER, FORM_COMPRESSED, 0, "a", "1", {"a/a/1/_"}},
    {LAYOUT_TWO_TIER,
     FORM_PLAIN,
     0,
     "\xc3\xa9x.pdb",
     "1",
     {"\xc3\xa9x/\xc3\xa9x.pdb/1/\xc3\xa9x.pdb"}},
    {LAYOUT_TWO_TIER,
     FORM_PLAIN,
     0,
     "_.debug",
     "elf-buildid-sym-" BUILD,
     {"_/_.debug/elf-buildid-sym-" BUILD "/_.debug"}},
    {LAYOUT_SSQP, FORM_PLAIN, 0, "App.PDB", GUID "1", {"app.pdb/" LOWER "1/app.pdb"}},
    {LAYOUT_SSQP,
     FORM_PLAIN,
     0,
     "App.PDB",
     GUID "1f",
     {"app.pdb/" LOWER "1f/app.pdb", "app.pdb/" LOWER "1F/app.pdb"}},
    {LAYOUT_SSQP, FORM_PLAIN, 0, "App.PDB", GUID "ffffffff", {"app.pdb/" LOWER "FFFFFFFF/app.pdb"}},
    {LAYOUT_SSQP,
     FORM_PLAIN,
     0,
     "App.DLL",
     "5a1bc03e00012000",
     {"app.dll/5A1BC03E12000/app.dll", "app.dll/5a1bc03e12000/app.dll"}},
    {LAYOUT_SSQP,
     FORM_PLAIN,
     0,
     "libX.so",
     "elf-buildid-ABCD",
     {"libx.so/elf-buildid-abcd000000000000000000000000000000000000/libx.so",
      "libx.so/elf-buildid-abcd/libx.so"}},
    {LAYOUT_SSQP,
     FORM_PLAIN,
     0,
     "libX.so",
     "elf-buildid-" BUILD,
     {"libx.so/elf-buildid-" BUILD "/libx.so"}},
    {LAYOUT_BREAKPAD,
     FORM_PLAIN,
     PART_SYM,
     "App.pdb",
     LOWER "a",
     {"App.pdb/" GUID "A/App.sym", "App.pdb/" LOWER "a/App.sym"}},
    {LAYOUT_BREAKPAD, FORM_PLAIN, PART_SYM, "libx.so", GUID "0", {"libx.so/" GUID "0/libx.so.sym"}},
    {LAYOUT_BREAKPAD, FORM_PLAIN, 0, "App.pdb", GUID "a", {NULL}},
    {LAYOUT_DEBUGINFOD,
     FORM_PLAIN,
     0,
     "_.debug",
     "elf-buildid-sym-" BUILD,
     {"buildid/" BUILD "/debuginfo"}},
    {LAYOUT_DEBUGINFOD,
     FORM_PLAIN,
     0,
     "ls",
     "elf-buildid-" BUILD,
     {"buildid/" BUILD "/executable"}},
    {LAYOUT_DEBUGINFOD, FORM_PLAIN, 0, "App.pdb", GUID "1", {NULL}},
    {LAYOUT_DEBUGINFOD, FORM_PLAIN, 0, "ls", "elf-buildid-xyz", {NULL}},
    {LAYOUT_BUILD_ID,
     FORM_PLAIN,
     0,
     "_.debug",
     "elf-buildid-sym-abcdef",
     {".build-id/ab/cdef.debug"}},
    {LAYOUT_BUILD_ID, FORM_PLAIN, 0, "ls", "elf-buildid-abcdef", {".build-id/ab/cdef"}},
    {LAYOUT_BUILD_ID, FORM_COMPRESSED, 0, "ls", "elf-buildid-abcdef", {NULL}},
    {LAYOUT_UNIFIED, FORM_PLAIN, 0, "_.debug", "elf-buildid-sym-abcdef", {"ab/cdef/debuginfo"}},
    {LAYOUT_UNIFIED, FORM_PLAIN, 0, "ls", "elf-buildid-abcdef", {"ab/cdef/executable"}},
    {LAYOUT_UNIFIED,
     FORM_PLAIN,
     0,
     "a.pdb",
     GUID "1",
     {"94/ad5c4b9a1e4420ab047f672a23e48a1/debuginfo"}},
    {LAYOUT_UNIFIED,
     FORM_PLAIN,
     PART_SYM,
     "a.pdb",
     GUID "1",
     {"94/ad5c4b9a1e4420ab047f672a23e48a1/breakpad"}},
    {LAYOUT_UNIFIED, FORM_PLAIN, 0, "a.dll", "5a1bc03e12000", {NULL}},
    {LAYOUT_SLASHSYMBOLS,
     FORM_PLAIN,
     0,
     "eboot.bin",
     "ABcd",
     {"eboot.bin/abcd/symbols", "eboot.bin/ABCD/symbols"}},
    {LAYOUT_SLASHSYMBOLS, FORM_PLAIN, 0, "ls", "elf-buildid-12", {"ls/12/symbols"}},
    {LAYOUT_SLASHSYMBOLS, FORM_POINTER, 0, "ls", "elf-buildid-12", {NULL}},
};

static void every_layout_has_its_paths(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        struct question question = ask_for(wanted[i].name, wanted[i].id, wanted[i].part);
        struct store_path paths[STORE_PATHS_MAX];
        unsigned count =
            store_paths(wanted[i].layout, CASING_PRESERVE, &question, wanted[i].form, paths);
        unsigned expected = !wanted[i].paths[0] ? 0 : !wanted[i].paths[1] ? 1 : 2;
        if (count != expected)
            fail_msg("%s/%s: %u paths", wanted[i].name, wanted[i].id, count);
        for (unsigned n = 0; n < count; n++)
            assert_string_equal(paths[n].path, wanted[i].paths[n]);
    }
}

static void the_whole_path_is_folded_or_raised(void **state) {
    (void)state;
    struct question question = ask_for("App.pdb", GUID "a", PART_ITSELF);
    struct store_path paths[STORE_PATHS_MAX];
    assert_int_equal(store_paths(LAYOUT_TWO_TIER, CASING_LOWER, &question, FORM_PLAIN, paths), 1);
    assert_string_equal(paths[0].path, "ap/app.pdb/" LOWER "a/app.pdb");
    assert_int_equal(store_paths(LAYOUT_SYMSTORE, CASING_UPPER, &question, FORM_POINTER, paths), 1);
    assert_string_equal(paths[0].path, "APP.PDB/" GUID "A/FILE.PTR");
    question = ask_for("App.pdb", GUID "1f", PART_ITSELF);
    assert_int_equal(store_paths(LAYOUT_SSQP, CASING_LOWER, &question, FORM_PLAIN, paths), 1);
}

static void the_longest_names_fit(void **state) {
    (void)state;
    char name[NAME_BYTES_MAX + 1], id[ID_BYTES_MAX + 1];
    memset(name, 'n', NAME_BYTES_MAX);
    memset(id, 'd', ID_BYTES_MAX);
    name[NAME_BYTES_MAX] = id[ID_BYTES_MAX] = '\0';
    struct question question = ask_for(name, id, PART_ITSELF);
    struct store_path paths[STORE_PATHS_MAX];
    for (enum layout layout = 0; layout < LAYOUT_COUNT; layout++)
        for (enum form form = FORM_PLAIN; form <= FORM_POINTER; form <<= 1)
            for (unsigned n = store_paths(layout, CASING_UPPER, &question, form, paths); n-- > 0;)
                assert_true(strlen(paths[n].path) < LAYOUT_PATH_BYTES - 1);
}

static void names_of_layouts_and_casings(void **state) {
    (void)state;
    enum layout layout;
    enum casing casing;
    for (enum layout each = 0; each < LAYOUT_COUNT; each++) {
        assert_true(layout_parse(layout_name(each), &layout));
        assert_int_equal(layout, each);
    }
    for (enum casing each = 0; each < CASING_COUNT; each++) {
        assert_true(casing_parse(casing_name(each), &casing));
        assert_int_equal(casing, each);
    }
    assert_false(layout_parse("Symstore", &layout));
    assert_false(casing_parse("", &casing));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout_has_its_paths),
        cmocka_unit_test(the_whole_path_is_folded_or_raised),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(names_of_layouts_and_casings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
