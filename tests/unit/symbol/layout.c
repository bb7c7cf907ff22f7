// SPDX-License-Identifier: MIT
#include "symbol/layout.h"

#include <string.h>

#include "base/text.h"
#include "unit/base/check.h"

#define GUID "94AD5C4B9A1E4420AB047F672A23E48A"
#define ID GUID "1"

static enum path_meaning parse(const char *path, struct symbol_path *out) {
    struct error err = {0};
    enum path_meaning meaning = layout_parse_path(path, strlen(path), out, &err);
    assert_int_equal(err.kind, meaning == PATH_INVALID ? ERROR_INVALID : ERROR_NONE);
    return meaning;
}

static void paths_that_name_a_symbol(void **state) {
    (void)state;
    static const struct named {
        const char *path;
        const char *name;
        const char *id;
    } named[] = {
        {"app.pdb/" ID "/app.pdb", "app.pdb", ID},
        {"/app.pdb/" ID "/app.pdb", "app.pdb", ID},
        {"app.pdb//" ID "///app.pdb", "app.pdb", ID},
        {"app.pdb/" ID "/APP.PDB", "app.pdb", ID},
        {"App.pdb/" ID "/app.pdb", "App.pdb", ID},
        {"app.pdb%2F" ID "%2Fapp.pdb", "app.pdb", ID},
        {"app.pdb%2f" ID "/%2fapp.pdb", "app.pdb", ID},
        {"c%3A%5Cx%5Capp.pdb/" ID "/app.pdb", "app.pdb", ID},
        {"c%3A%5Cx%5Capp.pdb/" ID "/C%3A%5Cx%5Capp.pdb", "app.pdb", ID},
        {"C:app.pdb/" ID "/x%5Capp.pdb", "app.pdb", ID},
        {"ap/app.pdb/" ID "/app.pdb", "app.pdb", ID},
        {"AP/app.pdb/" ID "/app.pdb", "app.pdb", ID},
        {"_/_.debug/elf-buildid-sym-00/_.debug", "_.debug", "elf-buildid-sym-00"},
        {"_./_.debug/elf-buildid-sym-00/_.debug", "_.debug", "elf-buildid-sym-00"},
        {"%C3%A9a/%C3%A9app.pdb/1/%C3%A9app.pdb",
         "\xc3\xa9"
         "app.pdb",
         "1"},
        {"Electron%20Framework/" ID "/Electron%20Framework", "Electron Framework", ID},
        {"libstdc%2B%2B.so.6/1/libstdc++.so.6", "libstdc++.so.6", "1"},
        {"100%/1/100%", "100%", "1"},
        {"%zz%4/1/%zz%4", "%zz%4", "1"},
        {"%252e%252e/1/%252e%252e", "%2e%2e", "1"},
        {"x_/1/x_", "x_", "1"},
        {"file.ptr/1/file.ptr", "file.ptr", "1"},
        {"a/b/a", "a", "b"},
        {"index2.txt/1/index2.txt", "index2.txt", "1"},
        {"con/1/con", "con", "1"},
        {"...a/1/...a", NULL, NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(named); i++) {
        struct symbol_path path;
        if (!named[i].name) {
            assert_int_equal(parse(named[i].path, &path), PATH_UNKNOWN);
            continue;
        }
        assert_int_equal(parse(named[i].path, &path), PATH_SYMBOL);
        assert_int_equal(path.form, FORM_PLAIN);
        assert_string_equal(path.spelling.name, named[i].name);
        assert_string_equal(path.spelling.id, named[i].id);
        struct symbol_key key;
        assert_true(symbol_key_make(&path.spelling, &key, NULL));
        assert_true(symbol_key_equal(&key, &path.key));
    }
}

static void breakpad_files_are_symbols_of_their_own(void **state) {
    (void)state;
    struct symbol_path text, itself;
    assert_int_equal(parse("App.pdb/" ID "/App.sym", &text), PATH_SYMBOL);
    assert_int_equal(text.key.kind, KIND_SYM);
    assert_int_equal(parse("App.pdb/" ID "/App.pdb", &itself), PATH_SYMBOL);
    assert_false(symbol_key_equal(&text.key, &itself.key));
    assert_false(spelling_equal(&text.spelling, &itself.spelling));
    char path[LAYOUT_PATH_BYTES];
    layout_shelf_path(&text.key, path);
    assert_string_equal(path, "app.pdb/" ID "/app.sym");
    assert_true(layout_spelled_path(&text.spelling, FORM_PLAIN, path));
    assert_string_equal(path, "App.pdb/" ID "/App.sym");
    assert_int_equal(parse("libx.so/" ID "/LIBX.so.sym", &text), PATH_SYMBOL);
    layout_shelf_path(&text.key, path);
    assert_string_equal(path, "libx.so/" ID "/libx.so.sym");
}

static void the_file_is_kept_as_it_was_written(void **state) {
    (void)state;
    struct symbol_path path;
    assert_int_equal(parse("app.pdb/1/App.PDB", &path), PATH_SYMBOL);
    assert_string_equal(path.spelling.name, "app.pdb");
}

static void other_forms_are_follow_ups(void **state) {
    (void)state;
    struct symbol_path path;
    assert_int_equal(parse("app.pdb/" ID "/app.pd_", &path), PATH_FOLLOW_UP);
    assert_int_equal(path.form, FORM_COMPRESSED);
    assert_string_equal(path.spelling.name, "app.pdb");
    assert_int_equal(parse("App.pdb/" ID "/APP.PD_", &path), PATH_FOLLOW_UP);
    assert_int_equal(path.form, FORM_COMPRESSED);
    assert_int_equal(parse("app.pdb/" ID "/File.ptr", &path), PATH_FOLLOW_UP);
    assert_int_equal(path.form, FORM_POINTER);
    assert_int_equal(parse("ap/app.pdb/" ID "/file.ptr", &path), PATH_FOLLOW_UP);
    assert_int_equal(parse("a/1/_", &path), PATH_FOLLOW_UP);
}

static void paths_that_name_nothing(void **state) {
    (void)state;
    static const struct meaning {
        const char *path;
        enum path_meaning meaning;
    } meanings[] = {
        {"", PATH_ROOT},
        {"/", PATH_ROOT},
        {"%2f//", PATH_ROOT},
        {"index2.txt", PATH_TIER_MARK},
        {"/Index2.TXT", PATH_TIER_MARK},
        {"%69ndex2.txt", PATH_TIER_MARK},
        {"pingme.txt", PATH_PING},
        {"PINGME.txt/", PATH_PING},
        {"flat.txt", PATH_UNKNOWN},
        {"app.pdb/" ID, PATH_UNKNOWN},
        {"app.pdb/" ID "/refs.ptr", PATH_UNKNOWN},
        {"app.pdb/" ID "/app.sy_", PATH_UNKNOWN},
        {"app.pdb/" ID "/app.pdb.sym", PATH_UNKNOWN},
        {"app.pdb/" ID "/app.pdb.exe", PATH_UNKNOWN},
        {"app.pdb/" ID "/msfz0/app.pdb", PATH_UNKNOWN},
        {"xx/app.pdb/" ID "/app.pdb", PATH_UNKNOWN},
        {"app/app.pdb/" ID "/app.pdb", PATH_UNKNOWN},
        {"a/b/c/d/e/f", PATH_UNKNOWN},
        {".git/1/.git", PATH_UNKNOWN},
        {".symgate/x/.symgate", PATH_UNKNOWN},
        {"app.pdb/.x/app.pdb", PATH_UNKNOWN},
        {"%2egit/1/%2egit", PATH_UNKNOWN},
    };
    for (size_t i = 0; i < LENGTH_OF(meanings); i++) {
        struct symbol_path path;
        assert_int_equal(parse(meanings[i].path, &path), meanings[i].meaning);
    }
}

static void paths_that_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        ".",
        "..",
        "a/../b",
        "a/./a",
        "%2e%2e",
        "%2e%2e/%2e%2e/etc/passwd",
        "a%2f..%2fb",
        "a/b/c/d/e/f/..",
        "app.pdb/1/..",
        "x%5C../1/a",
        "a%5C..%5C..%5Cb%5C../1/b",
        "a%00/1/a",
        "a%0d%0aX:y/1/a",
        "a%7f/1/a",
        "a\x01",
        "a%5C/1/a",
        "c:/1/a",
        "app.pdb/a%5Cb/app.pdb",
        "app.pdb/c:1/app.pdb",
        "a/b/a/%1f",
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        struct symbol_path path;
        assert_int_equal(parse(bad[i], &path), PATH_INVALID);
    }
}

static void lengths_have_ceilings(void **state) {
    (void)state;
    struct symbol_path path;
    char text[3 * NAME_BYTES_MAX + 16];
    char name[NAME_BYTES_MAX + 2];
    memset(name, 'n', sizeof name);
    name[NAME_BYTES_MAX] = '\0';
    text_format(text, sizeof text, "%s/1/%s", name, name);
    assert_int_equal(parse(text, &path), PATH_SYMBOL);
    name[NAME_BYTES_MAX] = 'n';
    name[NAME_BYTES_MAX + 1] = '\0';
    text_format(text, sizeof text, "%s/1/a", name);
    assert_int_equal(parse(text, &path), PATH_INVALID);
    text_format(text, sizeof text, "a/%.*s/a", ID_BYTES_MAX, name);
    assert_int_equal(parse(text, &path), PATH_SYMBOL);
    text_format(text, sizeof text, "a/%.*s/a", ID_BYTES_MAX + 1, name);
    assert_int_equal(parse(text, &path), PATH_INVALID);
}

static void long_paths_are_refused_unread(void **state) {
    (void)state;
    static char slashes[64 * 1024];
    struct symbol_path path;
    struct error err;
    memset(slashes, '/', sizeof slashes);
    assert_int_equal(layout_parse_path(slashes, sizeof slashes, &path, &err), PATH_INVALID);
    assert_int_equal(layout_parse_path(slashes, 8192, &path, &err), PATH_ROOT);
    memset(slashes, '%', sizeof slashes);
    assert_int_equal(layout_parse_path(slashes, 8192, &path, &err), PATH_INVALID);
}

static void a_long_windows_path_stands_for_its_end(void **state) {
    (void)state;
    char text[1024];
    struct symbol_path path;
    memset(text, 'd', sizeof text);
    memcpy(text, "C:\\", 3);
    strncpy(text + 600, "\\app.pdb/1/app.pdb", sizeof text - 600);
    assert_int_equal(parse(text, &path), PATH_SYMBOL);
    assert_string_equal(path.spelling.name, "app.pdb");
}

static struct spelling spell(const char *name, const char *id) {
    struct spelling spelling = {0};
    text_copy(spelling.name, sizeof spelling.name, name);
    text_copy(spelling.id, sizeof spelling.id, id);
    return spelling;
}

static void shelves_hold_canonical_paths(void **state) {
    (void)state;
    struct spelling spelling = spell("App.PDB", "94ad5c4b9a1e4420ab047f672a23e48a0001");
    struct symbol_key key;
    char out[LAYOUT_PATH_BYTES];
    assert_true(symbol_key_make(&spelling, &key, NULL));
    layout_shelf_path(&key, out);
    assert_string_equal(out, "app.pdb/" GUID "1/app.pdb");
    assert_true(layout_spelled_path(&spelling, FORM_PLAIN, out));
    assert_string_equal(out, "App.PDB/94ad5c4b9a1e4420ab047f672a23e48a0001/App.PDB");
}

static void the_longest_path_fits(void **state) {
    (void)state;
    struct spelling spelling = {0};
    char out[LAYOUT_PATH_BYTES];
    memset(spelling.name, 'n', NAME_BYTES_MAX);
    memset(spelling.id, 'i', ID_BYTES_MAX);
    assert_true(layout_spelled_path(&spelling, FORM_PLAIN, out));
    assert_int_equal(strlen(out), 2 * NAME_BYTES_MAX + ID_BYTES_MAX + 2);
}

static void compressed_names_lose_their_last_character(void **state) {
    (void)state;
    char out[NAME_BYTES_MAX + 1];
    layout_compressed_name("app.pdb", out);
    assert_string_equal(out, "app.pd_");
    layout_compressed_name("x", out);
    assert_string_equal(out, "_");
    layout_compressed_name("caf\xc3\xa9", out);
    assert_string_equal(out, "caf_");
    layout_compressed_name("\x80", out);
    assert_string_equal(out, "_");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_that_name_a_symbol),
        cmocka_unit_test(breakpad_files_are_symbols_of_their_own),
        cmocka_unit_test(the_file_is_kept_as_it_was_written),
        cmocka_unit_test(other_forms_are_follow_ups),
        cmocka_unit_test(paths_that_name_nothing),
        cmocka_unit_test(paths_that_are_refused),
        cmocka_unit_test(lengths_have_ceilings),
        cmocka_unit_test(long_paths_are_refused_unread),
        cmocka_unit_test(a_long_windows_path_stands_for_its_end),
        cmocka_unit_test(shelves_hold_canonical_paths),
        cmocka_unit_test(the_longest_path_fits),
        cmocka_unit_test(compressed_names_lose_their_last_character),
    };
    return RUN_TESTS(tests);
}
