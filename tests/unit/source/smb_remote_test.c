// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "source/smb_remote.h"

static void assert_remote(const char *text, const char *shown) {
    struct smb_remote remote;
    struct error err = {0};
    char got[256];
    assert_true(smb_remote_is_one(text));
    if (!smb_remote_parse(text, &remote, &err))
        fail_msg("%s: %s", text, err.what);
    smb_remote_show(&remote, got, sizeof got);
    assert_string_equal(got, shown);
}

static void assert_refused(const char *text) {
    struct smb_remote remote;
    struct error err = {0};
    if (smb_remote_parse(text, &remote, &err))
        fail_msg("%s was taken", text);
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.hint, "smb://"));
    assert_null(strstr(err.what, "s3cret"));
}

static void test_ways_to_write_a_share(void **state) {
    (void)state;
    assert_remote("\\\\build\\symbols", "//build/symbols");
    assert_remote("\\\\build\\symbols\\", "//build/symbols");
    assert_remote("\\\\build\\symbols\\a\\b c", "//build/symbols/a/b c");
    assert_remote("\\\\?\\UNC\\build\\symbols\\a", "//build/symbols/a");
    assert_remote("//build/symbols//a/./b/", "//build/symbols/a/b");
    assert_remote("\\\\build/symbols\\a/b", "//build/symbols/a/b");
    assert_remote("\\\\build\\hidden$\\50%25", "//build/hidden$/50%25");
    assert_remote("smb://build/symbols", "//build/symbols");
    assert_remote("SMB://build/symbols/a%20b/c%25", "//build/symbols/a b/c%");
    assert_remote("smb://[::1]:1445/symbols", "//::1/symbols");
    assert_remote("smb://alice@build/symbols", "//build/symbols");
}

static void test_what_a_url_says(void **state) {
    (void)state;
    struct smb_remote remote;
    assert_true(smb_remote_parse("smb://HOUSE;al%40ice:p%3aw@build:1445/s%20x/d", &remote, NULL));
    assert_string_equal(remote.domain, "HOUSE");
    assert_string_equal(remote.user, "al@ice");
    assert_string_equal(remote.password, "p:w");
    assert_string_equal(remote.host, "build");
    assert_int_equal(remote.port, 1445);
    assert_string_equal(remote.share, "s x");
    assert_string_equal(remote.directory, "d");
    assert_true(smb_remote_parse("smb://alice@build/s", &remote, NULL));
    assert_string_equal(remote.user, "alice");
    assert_string_equal(remote.password, "");
    assert_string_equal(remote.domain, "");
    assert_int_equal(remote.port, 445);
    assert_true(smb_remote_parse("//build/s", &remote, NULL));
    assert_string_equal(remote.user, "");
    assert_int_equal(remote.port, 445);
}

static void test_what_is_no_share(void **state) {
    (void)state;
    assert_refused("//build");
    assert_refused("//build/");
    assert_refused("\\\\\\symbols");
    assert_refused("///symbols");
    assert_refused("smb://build");
    assert_refused("smb://u:s3cret@/symbols");
    assert_refused("smb://u:s3cret@build:0/symbols");
    assert_refused("smb://u:s3cret@build:70000/symbols");
    assert_refused("smb://build:x/symbols");
    assert_refused("smb://[::1/symbols");
    assert_refused("smb://[::1]x/symbols");
    assert_refused("smb://build/symbols?query=s3cret");
    assert_refused("smb://build/symbols#part");
    assert_refused("smb://build/sym%zz");
    assert_refused("smb://build/sym%00");
    assert_refused("//build/symbols/../other");
    assert_refused("smb://build/symbols/%2e%2e");
    assert_refused("smb://build/symbols/a%2fb");
    assert_refused("smb://build/a%5cb");
    assert_refused("//build/..");
    assert_refused("/mnt/symbols");
    assert_refused("http://build/symbols");
    char text[4200] = "//build/symbols/";
    memset(text + strlen(text), 'x', SMB_PATH_BYTES);
    assert_refused(text);
    memset(text + 16, 'x', sizeof text - 17);
    assert_refused(text);
    assert_false(smb_remote_is_one("/mnt"));
    assert_false(smb_remote_is_one("C:\\x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_to_write_a_share),
        cmocka_unit_test(test_what_a_url_says),
        cmocka_unit_test(test_what_is_no_share),
    };
    return cmocka_run_group_tests_name("source/smb_remote", tests, NULL, NULL);
}
