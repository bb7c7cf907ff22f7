// SPDX-License-Identifier: MIT
#include "app/paths.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "unit/base/check.h"

static void kinds_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum path_kind kind;
    } cases[] = {
        {"http://x", PATH_URL},
        {"HTTPS://x/y", PATH_URL},
        {"https:/x", PATH_LOCAL},
        {"httpx://", PATH_LOCAL},
        {"/x", PATH_LOCAL},
        {"x", PATH_LOCAL},
        {"", PATH_LOCAL},
        {"./C:/x", PATH_LOCAL},
        {"C:", PATH_WINDOWS},
        {"C:\\", PATH_WINDOWS},
        {"c:/x", PATH_WINDOWS},
        {"C:x", PATH_LOCAL},
        {"1:\\x", PATH_LOCAL},
        {"ab:\\x", PATH_LOCAL},
        {"\\\\server\\share", PATH_SHARE},
        {"//server/share", PATH_SHARE},
        {"SMB://server/share", PATH_SHARE},
        {"\\x", PATH_LOCAL},
        {"x\\y", PATH_LOCAL},
        {"\\\\?\\C:\\x", PATH_WINDOWS},
        {"\\\\.\\pipe\\x", PATH_WINDOWS},
        {"\\\\?\\UNC\\server\\share", PATH_WINDOWS},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        if (path_kind(cases[i].text) != cases[i].kind)
            fail_msg("\"%s\" is taken for kind %d", cases[i].text, (int)path_kind(cases[i].text));
}

static char *from[] = {
    "\\\\build\\symbols", "\\\\build\\symbols\\deep", "D:\\", "smb://h/s", "/old/", "", "E:"};
static char *to[] = {"/mnt/symbols", "/mnt/deep/", "/srv/d", "/mnt/s", "/new", "/never", "/srv/e"};
static const struct config_map map = {from, to, LENGTH_OF(from)};

static void the_longest_beginning_is_mapped(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *mapped;
    } cases[] = {
        {"\\\\build\\symbols", "/mnt/symbols"},
        {"\\\\build\\symbols\\", "/mnt/symbols"},
        {"\\\\BUILD\\Symbols\\a\\B c", "/mnt/symbols/a/B c"},
        {"//build/symbols/a\\b/c", "/mnt/symbols/a/b/c"},
        {"\\\\build\\symbols\\\\a", "/mnt/symbols/a"},
        {"\\\\build\\symbolsx", NULL},
        {"\\\\build\\symbol", NULL},
        {"\\\\build", NULL},
        {"\\\\build\\symbols\\DEEP\\x", "/mnt/deep/x"},
        {"\\\\build\\symbols\\deeper\\x", "/mnt/symbols/deeper/x"},
        {"d:/x", "/srv/d/x"},
        {"D:\\", "/srv/d"},
        {"D:", NULL},
        {"\\\\?\\d:\\x", "/srv/d/x"},
        {"\\\\?\\x", NULL},
        {"E:\\x", "/srv/e/x"},
        {"E:x", NULL},
        {"SMB://H/S/x", "/mnt/s/x"},
        {"/old/x", "/new/x"},
        {"/old", NULL},
        {"/other", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        CLEANUP(free_block) char *mapped = path_mapped(&map, cases[i].text);
        const char *expected = cases[i].mapped;
        if (expected ? !mapped || strcmp(mapped, expected) != 0 : mapped != NULL)
            fail_msg("\"%s\" becomes \"%s\"", cases[i].text, mapped ? mapped : "(nothing)");
    }
}

static void the_line_to_write_is_shown(void **state) {
    (void)state;
    char line[200], cut[16];
    path_map_example("\\\\build\\sym\"bols", line, sizeof line);
    assert_string_equal(line,
                        "Mount it, then write \"pathMap\": {\"\\\\\\\\build\\\\sym\\\"bols\": "
                        "\"/mnt/symbols\"} in general.");
    path_map_example("smb://user:s3cr3t@h/s", line, sizeof line);
    assert_null(strstr(line, "s3cr3t"));
    path_map_example("//build/symbols", line, sizeof line);
    assert_non_null(strstr(line, "{\"\\\\\\\\build\\\\symbols\": "));
    path_map_example("D:\\", cut, sizeof cut);
    assert_int_equal(strlen(cut), sizeof cut - 1);
}

static void paths_have_one_form(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *form;
    } absolute[] = {
        {"/", "/"},
        {"//", "/"},
        {"/.", "/"},
        {"/./", "/"},
        {"/a", "/a"},
        {"/a/", "/a"},
        {"//a///b//", "/a/b"},
        {"/a/./b/.", "/a/b"},
        {"/a/../b", "/a/../b"},
        {"/.a/..b", "/.a/..b"},
        {"/a/...", "/a/..."},
    };
    for (size_t i = 0; i < LENGTH_OF(absolute); i++) {
        CLEANUP(free_block) char *path = path_absolute(absolute[i].text);
        assert_string_equal(path, absolute[i].form);
    }
}

static void relative_paths_count_from_the_working_directory(void **state) {
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir("/usr"), 0);
    static const struct {
        const char *text;
        const char *form;
    } relative[] = {
        {"a", "/usr/a"}, {"./a//b/", "/usr/a/b"}, {"", "/usr"},
        {".", "/usr"},   {"../a", "/usr/../a"},
    };
    for (size_t i = 0; i < LENGTH_OF(relative); i++) {
        CLEANUP(free_block) char *path = path_absolute(relative[i].text);
        assert_string_equal(path, relative[i].form);
    }
    assert_int_equal(chdir("/"), 0);
    CLEANUP(free_block) char *at_root = path_absolute("a/b");
    assert_string_equal(at_root, "/a/b");
    assert_int_equal(chdir(before), 0);
}

static void names_are_joined_by_one_slash(void **state) {
    (void)state;
    CLEANUP(free_block) char *plain = path_below("/a", "b");
    CLEANUP(free_block) char *slash = path_below("/a/", "b/c");
    CLEANUP(free_block) char *root = path_below("/", "b");
    assert_string_equal(plain, "/a/b");
    assert_string_equal(slash, "/a/b/c");
    assert_string_equal(root, "/b");
}

static void data_lies_in_a_place_of_its_own(void **state) {
    (void)state;
    CLEANUP(free_block) char *state_before = memory_text(getenv("XDG_STATE_HOME"));
    CLEANUP(free_block) char *home_before = memory_text(getenv("HOME"));
    char of_the_user[512];
    const struct passwd *user = getpwuid(geteuid());
    assert_non_null(user);
    snprintf(of_the_user, sizeof of_the_user, "%s/.local/state/symgate", user->pw_dir);
    const struct {
        const char *state;
        const char *home;
        const char *user_place;
    } cases[] = {
        {"/state", "/home/u", "/state/symgate"},
        {"relative", "/home/u", "/home/u/.local/state/symgate"},
        {NULL, "/home/u", "/home/u/.local/state/symgate"},
        {NULL, "", of_the_user},
        {NULL, NULL, of_the_user},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        unsetenv("XDG_STATE_HOME");
        unsetenv("HOME");
        if (cases[i].state)
            setenv("XDG_STATE_HOME", cases[i].state, 1);
        if (cases[i].home)
            setenv("HOME", cases[i].home, 1);
        CLEANUP(free_block) char *place = path_default_data();
        assert_string_equal(place, geteuid() == 0 ? "/var/lib/symgate" : cases[i].user_place);
    }
    unsetenv("XDG_STATE_HOME");
    if (state_before)
        setenv("XDG_STATE_HOME", state_before, 1);
    if (home_before)
        setenv("HOME", home_before, 1);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(the_longest_beginning_is_mapped),
        cmocka_unit_test(the_line_to_write_is_shown),
        cmocka_unit_test(paths_have_one_form),
        cmocka_unit_test(relative_paths_count_from_the_working_directory),
        cmocka_unit_test(names_are_joined_by_one_slash),
        cmocka_unit_test(data_lies_in_a_place_of_its_own),
    };
    return RUN_TESTS(tests);
}
