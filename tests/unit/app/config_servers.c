// SPDX-License-Identifier: MIT
//
// What follows from several values of a configuration together: retry times, identifiers, order,
// paths and what maps them, and where log lines go.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "unit/app/parse.h"
#include "unit/base/check.h"

static const struct config_server *server(const struct parsed *parsed, unsigned index) {
    assert_non_null(parsed->config);
    assert_true(index < parsed->config->server_count);
    return &parsed->config->servers[index];
}

static void both_spellings_of_the_retry_time_count(void **state) {
    (void)state;
    static const struct {
        const char *keys;
        int64_t ms;
        unsigned warnings;
    } cases[] = {
        {"\"retryTimout\": 600", 600000, 0},
        {"\"retryTimeout\": 600", 600000, 0},
        {"\"retryTimout\": \"10m\", \"retryTimeout\": 600", 600000, 0},
        {"\"retryTimout\": 600, \"retryTimeout\": 5", 5000, 1},
        {"\"retryTimeout\": 5, \"retryTimout\": 600", 5000, 1},
        {"\"retryTimeout\": 60, \"retryTimout\": 0", 60000, 1},
        {"\"retryTimout\": 0", 0, 0},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        PARSED parsed = parse_with("{\"servers\": [{\"remote\": \"/x\", %s}]}", cases[i].keys);
        assert_true(server(&parsed, 0)->retry_ms == cases[i].ms);
        assert_int_equal(parsed.problems.warnings, cases[i].warnings);
    }
    warns("{\"servers\": [{\"remote\": \"/x\", \"retryTimeout\": 5,\n\"retryTimout\": 6}]}",
          "servers[0].retryTimout", 2, 16, "Delete this line.");
}

static void priorities_are_positions_where_not_given(void **state) {
    (void)state;
    PARSED parsed = parse_good("{\"servers\": [{\"remote\": \"/a\"}, {\"remote\": \"/b\"},"
                               " {\"remote\": \"/c\", \"priority\": 2}, {\"remote\": \"/d\"}]}");
    static const uint64_t expected[] = {1, 2, 2, 4};
    for (unsigned i = 0; i < LENGTH_OF(expected); i++)
        assert_int_equal(server(&parsed, i)->priority, expected[i]);
}

static void identifiers_are_found_and_made_unique(void **state) {
    (void)state;
    PARSED parsed =
        parse_good("{\"servers\": ["
                   " {\"remote\": \"http://x/\", \"name\": \"n\", \"identifier\": \"i\"},"
                   " {\"remote\": \"http://x/\", \"name\": \"n\"},"
                   " {\"remote\": \"https://u:p@h.example:81/p?q\"},"
                   " {\"remote\": \"https://a%40b@c.example/\"},"
                   " {\"remote\": \"http://h.example\", \"name\": \"\", \"identifier\": \"\"},"
                   " {\"remote\": \"/srv/symbols/\"},"
                   " {\"remote\": \"/other\", \"identifier\": \"symbols\"},"
                   " {\"remote\": \"/\"},"
                   " {\"remote\": \"http://x/\", \"identifier\": \"i\"},"
                   " {\"remote\": \"http://x/\", \"identifier\": \"i\"},"
                   " {\"remote\": \"http://x/?token=s3cr3t\"},"
                   " {\"remote\": \"http://[::1]:80/x\"}]}");
    static const char *const expected[] = {
        "i",         "n",      "h.example", "c.example", "h.example-2", "symbols",
        "symbols-2", "server", "i-2",       "i-3",       "x",           "[::1]",
    };
    for (unsigned i = 0; i < LENGTH_OF(expected); i++)
        assert_string_equal(server(&parsed, i)->identifier, expected[i]);
    assert_string_equal(server(&parsed, 0)->name, "n");
    assert_string_equal(server(&parsed, 2)->name, "h.example");
    for (unsigned i = 0; i < LENGTH_OF(expected); i++)
        for (unsigned n = 0; n < i; n++)
            assert_string_not_equal(server(&parsed, i)->identifier, server(&parsed, n)->identifier);
}

static void long_identifiers_stay_unique(void **state) {
    (void)state;
    char text[1024];
    char name[101];
    memset(name, 'x', 100);
    name[100] = '\0';
    snprintf(
        text, sizeof text,
        "{\"servers\": [{\"remote\": \"/a\", \"identifier\": \"%s1\"},"
        " {\"remote\": \"/b\", \"identifier\": \"%s2\"}, {\"remote\": \"/c\", \"name\": \"%s\"}]}",
        name, name, name);
    PARSED parsed = parse_good(text);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(strlen(server(&parsed, i)->identifier) < 64);
        for (unsigned n = 0; n < i; n++)
            assert_string_not_equal(server(&parsed, i)->identifier, server(&parsed, n)->identifier);
    }
}

static const char mapped[] =
    "{\"general\": {\"pathMap\": {\"\\\\\\\\build\\\\symbols\": \"/mnt/symbols\","
    "  \"\\\\\\\\BUILD\\\\symbols\\\\deep\": \"/mnt/deep\", \"D:\\\\\": \"/srv/d\", \"/old\": "
    "\"rel\"},"
    "  \"cacheLocation\": \"d:/cache\", \"dataLocation\": \"D:\\\\data\"},"
    " \"servers\": [{\"remote\": \"\\\\\\\\Build\\\\Symbols\\\\a\\\\b\"},"
    "  {\"remote\": \"//build/symbols/DEEP/x\", \"cacheLocation\": \"D:\\\\own\"},"
    "  {\"remote\": \"/old/way\"}, {\"remote\": \"D:\\\\\"}, {\"remote\": "
    "\"/elsewhere/./x//y/\"}]}";

static void mapped_paths_become_local_ones(void **state) {
    (void)state;
    char here[4096], old[4200];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(old, sizeof old, "%s/rel/way", strcmp(here, "/") == 0 ? "" : here);
    PARSED parsed;
    parsed.config = config_parse("it.json", mapped, sizeof mapped - 1, NULL, &parsed.problems);
    const struct config *config = parsed.config;
    assert_non_null(config);
    assert_int_equal(parsed.problems.count, 0);
    assert_string_equal(config->general.data_location, "/srv/d/data");
    assert_string_equal(config->general.cache_location, "/srv/d/cache");
    assert_string_equal(config->servers[0].remote, "/mnt/symbols/a/b");
    assert_string_equal(config->servers[1].remote, "/mnt/deep/x");
    assert_string_equal(config->servers[1].cache_location, "/srv/d/own");
    assert_string_equal(config->servers[2].remote, old);
    assert_string_equal(config->servers[3].remote, "/srv/d");
    assert_string_equal(config->servers[4].remote, "/elsewhere/x/y");
    for (unsigned i = 0; i < config->server_count; i++)
        assert_true(config->servers[i].directory && !config->servers[i].unaskable);
    /* --data wins over what the file says. */
    PARSED with_data = parse(mapped);
    assert_string_equal(with_data.config->general.data_location, "/data");
}

/* Each is warned of with the line to write, and nothing takes its place on the disk. */
static void unmapped_windows_paths_are_told_and_never_made(void **state) {
    (void)state;
    PARSED parsed = parse(
        "{\"general\": {\"cacheLocation\":\n \"C:\\\\cache\"}, \"servers\": ["
        " {\"remote\": \"\\\\\\\\build\\\\symbols\"}, {\"remote\": \"smb://u:s3cr3t@h/share\"},"
        " {\"remote\": \"/x\", \"cacheLocation\": \"E:\\\\own\"}, {\"remote\": \"D:\\\\x\"}]}");
    assert_non_null(parsed.config);
    assert_int_equal(parsed.problems.warnings, 5);
    const struct config_problem *cache =
        problem_about(&parsed, PROBLEM_WARNING, "general.cacheLocation");
    assert_int_equal(cache->line, 2);
    assert_int_equal(cache->column, 2);
    assert_non_null(strstr(cache->hint, "\"pathMap\": {\"C:\\\\cache\": \"/mnt/symbols\"}"));
    assert_string_equal(parsed.config->general.cache_location, "/data/cache");
    const struct config_problem *share =
        problem_about(&parsed, PROBLEM_WARNING, "servers[0].remote");
    assert_non_null(strstr(share->hint, "{\"\\\\\\\\build\\\\symbols\": \"/mnt/symbols\"}"));
    assert_non_null(strstr(share->what, "symgate-smb"));
    assert_true(server(&parsed, 0)->share);
    const struct config_problem *smb = problem_about(&parsed, PROBLEM_WARNING, "servers[1].remote");
    assert_null(strstr(smb->what, "s3cr3t"));
    assert_null(strstr(smb->hint, "s3cr3t"));
    assert_true(server(&parsed, 1)->share);
    problem_about(&parsed, PROBLEM_WARNING, "servers[2].cacheLocation");
    assert_false(server(&parsed, 2)->unaskable);
    problem_about(&parsed, PROBLEM_WARNING, "servers[3].remote");
    assert_true(server(&parsed, 3)->unaskable);
}

static void shares_are_told_who_asks(void **state) {
    (void)state;
    PARSED parsed = parse(
        "{\"servers\": [{\"remote\": \"//h/share\", \"user\": \"u\", \"password\": \"s3cr3t\","
        " \"domain\": \"D\", \"keytab\": \"/etc/k\", \"principal\": \"p@R\"},"
        " {\"remote\": \"/x\", \"keytab\": \"/etc/k\"},"
        " {\"remote\": \"smb://u:s3cr3t@h/share\"}]}");
    const struct config_server *share = server(&parsed, 0);
    assert_true(share->share && !share->directory && !share->unaskable);
    assert_string_equal(share->user, "u");
    assert_string_equal(share->password, "s3cr3t");
    assert_string_equal(share->domain, "D");
    assert_string_equal(share->keytab, "/etc/k");
    assert_string_equal(share->principal, "p@R");
    problem_about(&parsed, PROBLEM_WARNING, "servers[1].keytab");
    for (unsigned i = 0; i < parsed.problems.count; i++) {
        assert_null(strstr(parsed.problems.list[i].what, "s3cr3t"));
        assert_null(strstr(parsed.problems.list[i].hint, "s3cr3t"));
    }
}

static void a_share_that_is_none_is_an_error(void **state) {
    (void)state;
    PARSED parsed = parse("{\"servers\": [{\"remote\": \"smb://u:s3cr3t@h\"}]}");
    assert_null(parsed.config);
    const struct config_problem *problem =
        problem_about(&parsed, PROBLEM_ERROR, "servers[0].remote");
    assert_non_null(strstr(problem->hint, "smb://server/share"));
    assert_null(strstr(problem->what, "s3cr3t"));
}

static void a_cache_beside_the_global_one_is_its_own(void **state) {
    (void)state;
    PARSED parsed = parse_good("{\"general\": {\"cacheLocation\": \"/c\"}, \"servers\": ["
                               " {\"remote\": \"http://a/\", \"cacheLocation\": \"/c/./\"},"
                               " {\"remote\": \"http://b/\", \"cacheLocation\": \"/d\"},"
                               " {\"remote\": \"http://c/\", \"cacheLocation\": \"\"}]}");
    assert_null(server(&parsed, 0)->cache_location); /* the global one */
    assert_string_equal(server(&parsed, 1)->cache_location, "/d");
    assert_null(server(&parsed, 2)->cache_location);
}

static void kinds_are_bits(void **state) {
    (void)state;
    PARSED parsed = parse_good("{\"servers\": [{\"remote\": \"/a\"},"
                               " {\"remote\": \"/b\", \"kinds\": [\"pe\", \"pe\"]},"
                               " {\"remote\": \"/c\", \"kinds\": []}]}");
    assert_int_equal(server(&parsed, 0)->kind_bits, (1U << KIND_COUNT) - 1);
    assert_int_equal(server(&parsed, 1)->kind_bits, 1U << KIND_PE);
    assert_int_equal(server(&parsed, 2)->kind_bits, 0);
}

static void a_pointer_that_is_not_read_ends_nothing(void **state) {
    (void)state;
    warns("{\"servers\": [{\"remote\": \"/a\", \"forms\": [\"plain\"],\n"
          "\"noLongerIndexedAuthoritative\": true}]}",
          "servers[0].noLongerIndexedAuthoritative", 2, 33,
          "Add \"pointer\" to this server's forms.");
    PARSED parsed = parse_good("{\"servers\": [{\"remote\": \"/a\"},"
                               " {\"remote\": \"/b\", \"noLongerIndexedAuthoritative\": true}]}");
    assert_false(server(&parsed, 0)->unindexed_ends);
    assert_true(server(&parsed, 1)->unindexed_ends);
}

static void indexes_are_for_symbol_stores(void **state) {
    (void)state;
    PARSED parsed = parse_good(
        "{\"servers\": [{\"remote\": \"/a\"},"
        " {\"remote\": \"/b\", \"index\": \"000Admin\", \"layout\": \"two-tier\"},"
        " {\"remote\": \"http://c/\", \"index\": \"000Admin\", \"indexRefresh\": \"1h\"},"
        " {\"remote\": \"/d\", \"index\": \"none\"}]}");
    assert_false(server(&parsed, 0)->published_index);
    assert_true(server(&parsed, 1)->published_index);
    assert_int_equal(server(&parsed, 1)->index_refresh_ms, 24 * 60 * 60 * 1000);
    assert_true(server(&parsed, 2)->published_index);
    assert_int_equal(server(&parsed, 2)->index_refresh_ms, 60 * 60 * 1000);
    assert_false(server(&parsed, 3)->published_index);
    refuses("{\"servers\": [{\"remote\": \"/a\",\n\"index\": \"000admin\"}]}", "servers[0].index",
            2, 10, "no index");
    warns(
        "{\"servers\": [{\"remote\": \"/a\", \"layout\": \"build-id\",\n\"index\": \"000Admin\"}]}",
        "servers[0].index", 2, 10, "Delete it, or change the layout.");
    warns("{\"servers\": [{\"remote\": \"/a\",\n\"indexRefresh\": 60}]}", "servers[0].indexRefresh",
          2, 17, "It counts for servers with an index.");
}

static void no_servers_is_a_warning(void **state) {
    (void)state;
    warns("\n{}", "", 2, 1, "Add a list \"servers\".");
    PARSED parsed = parse_good("{\"servers\": []}");
    assert_int_equal(parsed.config->server_count, 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_spellings_of_the_retry_time_count),
        cmocka_unit_test(priorities_are_positions_where_not_given),
        cmocka_unit_test(identifiers_are_found_and_made_unique),
        cmocka_unit_test(long_identifiers_stay_unique),
        cmocka_unit_test(mapped_paths_become_local_ones),
        cmocka_unit_test(unmapped_windows_paths_are_told_and_never_made),
        cmocka_unit_test(shares_are_told_who_asks),
        cmocka_unit_test(a_share_that_is_none_is_an_error),
        cmocka_unit_test(a_cache_beside_the_global_one_is_its_own),
        cmocka_unit_test(kinds_are_bits),
        cmocka_unit_test(a_pointer_that_is_not_read_ends_nothing),
        cmocka_unit_test(indexes_are_for_symbol_stores),
        cmocka_unit_test(no_servers_is_a_warning),
    };
    return RUN_TESTS(tests);
}
