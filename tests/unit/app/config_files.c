// SPDX-License-Identifier: MIT
//
// Which file is in force, what is read of it, and which files root does not trust.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config.h"
#include "base/memory.h"
#include "unit/app/parse.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

static const char system_file[] = "/etc/symgate/symgate.json";

static void make_folder(const char *folder, const char *name, mode_t mode) {
    CLEANUP(free_block) char *path = scratch_path(folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0); /* whatever the umask is */
}

static struct parsed load(const char *path) {
    struct parsed parsed;
    parsed.config = config_load(path, NULL, &parsed.problems);
    assert_int_equal(parsed.config == NULL, parsed.problems.errors > 0);
    return parsed;
}

static void assert_found(const char *expected) {
    CLEANUP(free_block) char *found = config_find_file();
    if (expected)
        assert_string_equal(found, expected);
    else if (access(system_file, F_OK) == 0)
        assert_string_equal(found, system_file);
    else
        assert_null(found);
}

static void the_places_of_pysymproxy_come_first(void **state) {
    const char *folder = *state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    make_folder(folder, "config", 0700);
    make_folder(folder, "here", 0700);
    make_folder(folder, "here/config", 0700);
    CLEANUP(free_block) char *here = scratch_path(folder, "here");
    assert_int_equal(chdir(here), 0);
    assert_found(NULL);
    scratch_write(here, "config/default.pysymproxy.json", "{}");
    assert_found("./config/default.pysymproxy.json");
    scratch_write(here, "config/pysymproxy.json", "{}");
    assert_found("./config/pysymproxy.json");
    scratch_write(folder, "config/pysymproxy.json", "{}");
    assert_found("../config/pysymproxy.json");
    assert_int_equal(chdir(before), 0);
}

static void a_file_is_read(void **state) {
    const char *folder = *state;
    scratch_write(folder, "it.json", "{\"servers\": [], \"identity\": {\"name\": \"mine\"}}");
    CLEANUP(free_block) char *path = scratch_path(folder, "it.json");
    PARSED parsed = load(path);
    assert_int_equal(parsed.problems.count, 0);
    assert_string_equal(parsed.config->path, path);
    assert_string_equal(parsed.config->identity.name, "mine");
}

static void assert_unread(const char *path, const char *what) {
    PARSED parsed = load(path);
    assert_null(parsed.config);
    assert_int_equal(parsed.problems.count, 1);
    assert_int_equal(parsed.problems.list[0].line, 0);
    if (!strstr(parsed.problems.list[0].what, what))
        fail_msg("says \"%s\"", parsed.problems.list[0].what);
    assert_non_null(strstr(parsed.problems.list[0].what, path));
}

static void files_that_cannot_be_read_are_told(void **state) {
    const char *folder = *state;
    CLEANUP(free_block) char *path = scratch_path(folder, "it.json");
    assert_unread(path, "No such file or directory");
    make_folder(folder, "folder", 0700);
    CLEANUP(free_block) char *below = scratch_path(folder, "folder");
    assert_unread(below, "Is a directory");
    scratch_write(folder, "it.json", "{");
    assert_int_equal(truncate(path, 16 * 1024 * 1024 + 1), 0);
    assert_unread(path, "is longer than");
}

static void the_built_in_default_asks_a_store_first_and_microsoft_last(void **state) {
    (void)state;
    PARSED parsed;
    parsed.config = config_load(NULL, "/tmp/a \"quoted\\\" ü\n", &parsed.problems);
    const struct config *config = parsed.config;
    assert_non_null(config);
    assert_int_equal(parsed.problems.count, 0);
    assert_null(config->path);
    assert_int_equal(config->server_count, 10);
    assert_string_equal(config->servers[0].identifier, "store");
    assert_string_equal(config->servers[0].remote, "/tmp/a \"quoted\\\" ü\n/store");
    assert_true(config->servers[0].directory);
    const struct config_server *last = &config->servers[9];
    assert_string_equal(last->identifier, "microsoft");
    assert_string_equal(last->remote, "https://msdl.microsoft.com/download/symbols");
    assert_true(last->retry_ms == 3600000);
    assert_false(last->whitelist.given);
    for (unsigned i = 1; i < 9; i++) {
        const struct config_server *vendor = &config->servers[i];
        bool encrypted = strncmp(vendor->remote, "https://", 8) == 0;
        assert_true(vendor->whitelist.given && vendor->whitelist.count > 0);
        assert_int_equal(vendor->enabled, encrypted);
    }
    assert_string_equal(config->general.cache_location, "/tmp/a \"quoted\\\" ü\n/cache");
}

static void data_lies_where_the_option_says(void **state) {
    (void)state;
    struct config_problems problems;
    static const char text[] = "{\"servers\": [], \"general\": {\"dataLocation\": \"/there\"}}";
    struct config *config = config_parse("it.json", text, sizeof text - 1, NULL, &problems);
    assert_string_equal(config->general.data_location, "/there");
    assert_string_equal(config->general.cache_location, "/there/cache");
    config_free(config);
    config = config_parse("it.json", text, sizeof text - 1, "/given//./by/", &problems);
    assert_string_equal(config->general.data_location, "/given/by");
    config_free(config);
    config_problems_release(&problems);
    config_problems_release(&problems);
}

/* A file in a folder, with these modes, named through a link where there is one. */
static const struct trust {
    mode_t folder;
    mode_t file;
    const char *named; /* below the scratch folder */
    const char *blamed;
} trusts[] = {
    {0755, 0644, "folder/it.json", NULL},
    {0755, 0664, "folder/it.json", NULL}, /* a group is not everybody */
    {0775, 0644, "folder/it.json", NULL},
    {0755, 0646, "folder/it.json", "folder/it.json"},
    {0757, 0644, "folder/it.json", "folder"},
    {01777, 0644, "folder/it.json", "folder"},
    {0755, 0644, "folder/../folder/it.json", NULL},
    {0755, 0644, "link", NULL},
    {0757, 0644, "link", "folder"},
    {0755, 0646, "link", "link"},
    {0755, 0644, "open/link", "open"},
    {0755, 0644, "open/closed/it.json", NULL}, /* folders above are not looked at */
};

static void root_does_not_trust_what_others_may_write(void **state) {
    static const char good[] = "{\"servers\": []}";
    const char *folder = *state;
    make_folder(folder, "folder", 0755);
    make_folder(folder, "open", 0777);
    make_folder(folder, "open/closed", 0755);
    scratch_write(folder, "folder/it.json", good);
    scratch_write(folder, "open/closed/it.json", good);
    CLEANUP(free_block) char *below = scratch_path(folder, "folder");
    CLEANUP(free_block) char *file = scratch_path(folder, "folder/it.json");
    CLEANUP(free_block) char *link = scratch_path(folder, "link");
    CLEANUP(free_block) char *open_link = scratch_path(folder, "open/link");
    assert_int_equal(symlink(file, link), 0);
    assert_int_equal(symlink(file, open_link), 0);
    for (size_t i = 0; i < LENGTH_OF(trusts); i++) {
        const struct trust *trust = &trusts[i];
        assert_int_equal(chmod(below, trust->folder), 0);
        assert_int_equal(chmod(file, trust->file), 0);
        CLEANUP(free_block) char *path = scratch_path(folder, trust->named);
        PARSED parsed = load(path);
        bool refused = trust->blamed && geteuid() == 0;
        if ((parsed.config == NULL) != refused)
            fail_msg("%s of %o in %o", trust->named, trust->file, trust->folder);
        if (!refused)
            continue;
        char told[4200];
        snprintf(told, sizeof told, "\"%s/%s\" is writable by everybody", folder, trust->blamed);
        assert_string_equal(parsed.problems.list[0].what, told);
        assert_non_null(strstr(parsed.problems.list[0].hint, "chmod o-w"));
    }
}

static void a_file_without_a_folder_lies_in_the_working_one(void **state) {
    const char *folder = *state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    scratch_write(folder, "it.json", "{\"servers\": []}");
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(chmod(".", 0777), 0);
    PARSED refused = load("it.json");
    assert_int_equal(refused.config == NULL, geteuid() == 0);
    assert_int_equal(chmod(".", 0700), 0);
    PARSED taken = load("it.json");
    assert_non_null(taken.config);
    assert_int_equal(chdir(before), 0);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        IN_SCRATCH(the_places_of_pysymproxy_come_first),
        IN_SCRATCH(a_file_is_read),
        IN_SCRATCH(files_that_cannot_be_read_are_told),
        cmocka_unit_test(the_built_in_default_asks_a_store_first_and_microsoft_last),
        cmocka_unit_test(data_lies_where_the_option_says),
        IN_SCRATCH(root_does_not_trust_what_others_may_write),
        IN_SCRATCH(a_file_without_a_folder_lies_in_the_working_one),
    };
    return RUN_TESTS(tests);
}
