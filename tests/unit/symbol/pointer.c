// SPDX-License-Identifier: MIT
#include "symbol/pointer.h"

#include <string.h>

#include "unit/base/check.h"

static void what_stands_in_it(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        enum pointer_kind kind;
        const char *text;
    } wanted[] = {
        {"\\\\build\\syms\\app.pdb", POINTER_PATH, "//build/syms/app.pdb"},
        {"PATH:\\\\build\\syms\\app.pdb \r\n", POINTER_PATH, "//build/syms/app.pdb"},
        {"path: D:\\syms\\app.pdb", POINTER_PATH, "D:/syms/app.pdb"},
        {"\xef\xbb\xbf/srv/app.pdb", POINTER_PATH, "/srv/app.pdb"},
        {"..\\..\\x\\app.pdb\n", POINTER_NEAR, "../../x/app.pdb"},
        {"app.pdb", POINTER_NEAR, "app.pdb"},
        {"MSG: Ask \\\\Ann\\.\n", POINTER_MESSAGE, "Ask \\\\Ann\\."},
        {"MSG:NoLongerIndexed", POINTER_MESSAGE, "NoLongerIndexed"},
        {"", POINTER_INVALID, ""},
        {" \r\n", POINTER_INVALID, ""},
        {"PATH:", POINTER_INVALID, ""},
        {"a\nb", POINTER_INVALID, ""},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        struct pointer pointer;
        pointer_parse(wanted[i].bytes, strlen(wanted[i].bytes), &pointer);
        assert_int_equal(pointer.kind, wanted[i].kind);
        assert_string_equal(pointer.text, wanted[i].text);
    }
    struct pointer pointer;
    pointer_parse("a\0b", 3, &pointer);
    assert_int_equal(pointer.kind, POINTER_INVALID);
    char large[POINTER_BYTES_MAX + 2];
    memset(large, 'x', sizeof large);
    pointer_parse(large, sizeof large, &pointer);
    assert_int_equal(pointer.kind, POINTER_INVALID);
}

static void which_message_counts_for_all(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        bool unindexed;
    } wanted[] = {
        {"MSG: NoLongerIndexed\r\n", true},
        {"msg:nolongerINDEXED", true},
        {"MSG: NoLongerIndexed: moved to the archive", true},
        {"MSG: NoLongerIndexedFiles", false},
        {"MSG: NoLongerIndexed2", false},
        {"MSG: NoLonger", false},
        {"MSG: Ask Ann", false},
        {"NoLongerIndexed", false},
        {"PATH:NoLongerIndexed", false},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        struct pointer pointer;
        pointer_parse(wanted[i].bytes, strlen(wanted[i].bytes), &pointer);
        assert_int_equal(pointer_unindexed(&pointer), wanted[i].unindexed);
    }
}

static void targets_below_a_root(void **state) {
    (void)state;
    static const struct {
        const char *target;
        const char *prefix;
        const char *path; /* NULL: elsewhere */
    } wanted[] = {
        {"//Build/Syms/a/b.pdb", "\\\\build\\syms", "a/b.pdb"},
        {"//build/syms/a/b.pdb", "//build/syms/", "a/b.pdb"},
        {"D:/x//y/./b.pdb", "d:\\", "x/y/b.pdb"},
        {"/srv/x/b.pdb", "/", "srv/x/b.pdb"},
        {"//build/symsecret/b.pdb", "//build/syms", NULL},
        {"//build/syms/../secret/b.pdb", "//build/syms", NULL},
        {"//build/syms/a/../../secret", "//build/syms", NULL},
        {"//build/syms/a/../b.pdb", "//build/syms", "b.pdb"},
        {"//build/syms", "//build/syms", NULL},
        {"//build/syms/", "//build/syms", NULL},
        {"//other/syms/b.pdb", "//build/syms", NULL},
        {"/s", "/srv/x", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        char path[LAYOUT_PATH_BYTES];
        bool below = pointer_below(wanted[i].target, wanted[i].prefix, path);
        if (below != (wanted[i].path != NULL))
            fail_msg("%s below %s: %d", wanted[i].target, wanted[i].prefix, below);
        if (below)
            assert_string_equal(path, wanted[i].path);
    }
}

static void targets_near_the_pointer(void **state) {
    (void)state;
    char path[LAYOUT_PATH_BYTES];
    assert_true(pointer_near("../../x/app.pdb", "app.pdb/1/file.ptr", path));
    assert_string_equal(path, "x/app.pdb");
    assert_true(pointer_near("app.pdb", "app.pdb/1/file.ptr", path));
    assert_string_equal(path, "app.pdb/1/app.pdb");
    assert_false(pointer_near("../../../x", "app.pdb/1/file.ptr", path));
    assert_false(pointer_near("../..", "app.pdb/1/file.ptr", path));
    char large[2 * LAYOUT_PATH_BYTES];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    assert_false(pointer_near(large, "a/b/c", path));
}

static void where_a_way_out_of_the_tree_leads(void **state) {
    (void)state;
    static const struct {
        const char *prefix, *pointer, *target, *wanted; /* NULL: nowhere */
    } cases[] = {
        {"/srv/store", "a.pdb/1/file.ptr", "../../../out/a.pdb", "/srv/out/a.pdb"},
        {"\\\\build\\syms\\store\\", "a.pdb/1/file.ptr", "../../../out/a.pdb",
         "//build/syms/out/a.pdb"},
        {"D:\\syms", "a.pdb/1/file.ptr", "../../../out/./a.pdb", "D:/out/a.pdb"},
        {"/srv/store", "a.pdb/1/file.ptr", "../../../../../../a.pdb", NULL},
        {"/srv", "file.ptr", "../../etc/passwd", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char out[POINTER_BYTES_MAX + 1];
        bool found = pointer_from(cases[i].prefix, cases[i].pointer, cases[i].target, out);
        assert_int_equal(found, cases[i].wanted != NULL);
        if (found)
            assert_string_equal(out, cases[i].wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_it),
        cmocka_unit_test(which_message_counts_for_all),
        cmocka_unit_test(targets_below_a_root),
        cmocka_unit_test(targets_near_the_pointer),
        cmocka_unit_test(where_a_way_out_of_the_tree_leads),
    };
    return RUN_TESTS(tests);
}
