// SPDX-License-Identifier: MIT
//
// What stands where in a configuration's text: pySymProxy's own shape, marks and comments, unknown
// keys, errors with their places, variables and secret files.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "base/memory.h"
#include "unit/app/parse.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

/* The shape in which pySymProxy's default is shipped, with other names. %s: what follows
   "identifier": "mss". */
static const char shipped[] =
    "{\n"
    "    \"identity\": {\n"
    "        \"name\": \"A studio's symbols\",\n"
    "        \"host\": \"localhost:8080\",\n"
    "        \"administrator\": \"someone@localhost\",\n"
    "        \"default_sympath\": \"srv*C:\\\\Symbols*http://localhost:8080/symbols\"\n"
    "    },\n"
    "\n"
    "    \"general\": {\n"
    "        \"enableStatistics\": true,\n"
    "        \"cacheLocation\": \"./data/symbols\",\n"
    "        \"blacklist\": [\n"
    "            \"never\",\n"
    "            \".*\\\\.nobody$\"\n"
    "        ]\n"
    "    },\n"
    "\n"
    "    \"servers\": [\n"
    "        {\n"
    "            \"name\": \"My builds\",\n"
    "            \"identifier\": \"mb\",\n"
    "            \"remote\": \"\\\\\\\\build\\\\symbols\",\n"
    "            \"maxRequests\": 10\n"
    "        },\n"
    "        {\n"
    "            \"name\": \"Somebody's symbol server\",\n"
    "            \"identifier\": \"mss\"%s\n"
    "            \"remote\": \"https://symbols.example.com/store\",\n"
    "            \"cacheLocation\": \"\\\\\\\\server\\\\cache\\\\symbols\",\n"
    "            \"retryTimout\": 600,\n"
    "            \"maxRequests\": 10\n"
    "        }\n"
    "    ],\n"
    "\n"
    "    \"logging\": {\n"
    "        \"version\": 1,\n"
    "        \"disable_existing_loggers\": false,\n"
    "        \"formatters\": {\n"
    "            \"default\": {\n"
    "                \"level\": \"DEBUG\",\n"
    "                \"format\": \"%(asctime)s ${levelname}\",\n"
    "                \"datefmt\": \"%Y-%m-%d %H:%M:%S\"\n"
    "            }\n"
    "        },\n"
    "        \"handlers\": {\n"
    "            \"console\": {\n"
    "                \"class\": \"logging.StreamHandler\",\n"
    "                \"level\": \"INFO\",\n"
    "                \"formatter\": \"default\",\n"
    "                \"stream\": \"ext://sys.stdout\"\n"
    "            },\n"
    "            \"file\": {\n"
    "                \"class\": \"logging.handlers.RotatingFileHandler\",\n"
    "                \"level\": \"DEBUG\",\n"
    "                \"formatter\": \"default\",\n"
    "                \"filename\": \"/logs/log.txt\",\n"
    "                \"maxBytes\": 524288,\n"
    "                \"backupCount\": 10\n"
    "            }\n"
    "        },\n"
    "        \"loggers\": {\n"
    "            \"\": {\n"
    "                \"handlers\": [\"console\", \"file\"],\n"
    "                \"level\": \"DEBUG\"\n"
    "            }\n"
    "        }\n"
    "    }\n"
    "}\n";

static void the_comma_that_the_shipped_file_lacks_is_told(void **state) {
    (void)state;
    PARSED parsed = parse_with(shipped, "");
    assert_null(parsed.config);
    assert_int_equal(parsed.problems.count, 1);
    const struct config_problem *problem = &parsed.problems.list[0];
    assert_int_equal(problem->severity, PROBLEM_ERROR);
    assert_int_equal(problem->line, 27);
    assert_int_equal(problem->column, strlen("            \"identifier\": \"mss\"") + 1);
    assert_non_null(strstr(problem->what, "a comma is missing"));
    char line[512];
    config_problem_format(problem, "it.json", line, sizeof line);
    assert_ptr_equal(strstr(line, "it.json:27:32: error: "), line);
}

static void assert_shipped(const struct parsed *parsed) {
    const struct config *config = parsed->config;
    assert_non_null(config);
    assert_string_equal(config->identity.name, "A studio's symbols");
    assert_string_equal(config->identity.default_sympath,
                        "srv*C:\\Symbols*http://localhost:8080/symbols");
    assert_int_equal(config->general.blacklist.count, 2);
    assert_int_equal(pattern_try(config->general.blacklist.patterns[1], "a.nobody"), PATTERN_YES);
    assert_int_equal(config->server_count, 2);
    assert_string_equal(config->servers[0].identifier, "mb");
    assert_true(config->servers[0].share);
    const struct config_server *server = &config->servers[1];
    assert_string_equal(server->identifier, "mss");
    assert_true(server->retry_ms == 600000);
    assert_int_equal(server->requests_max, 10);
    assert_string_equal(server->cache_location, "/data/cache");
    assert_int_equal(config->logging.count, 2);
    assert_int_equal(config->logging.level, LOG_DEBUG);
    assert_null(config->logging.sinks[0].path);
    assert_int_equal(config->logging.sinks[0].level, LOG_INFO);
    assert_string_equal(config->logging.sinks[1].path, "/logs/log.txt");
    assert_int_equal(config->logging.sinks[1].bytes_max, 524288);
    assert_int_equal(config->logging.sinks[1].backups_max, 10);
    /* Only the two shares are warned of; what of logging has no effect is a note. */
    assert_int_equal(parsed->problems.warnings, 2);
    assert_int_equal(problem_about(parsed, PROBLEM_WARNING, "servers[0].remote")->line, 22);
    assert_int_equal(problem_about(parsed, PROBLEM_WARNING, "servers[1].cacheLocation")->line, 29);
    static const char *const idle[] = {
        "logging.version",
        "logging.disable_existing_loggers",
        "logging.formatters",
        "logging.handlers.console.formatter",
        "logging.handlers.console.stream",
        "logging.handlers.file.formatter",
    };
    for (size_t i = 0; i < LENGTH_OF(idle); i++)
        problem_about(parsed, PROBLEM_NOTE, idle[i]);
    assert_int_equal(problems_of(parsed, PROBLEM_NOTE), LENGTH_OF(idle));
}

static void the_shipped_shape_is_taken(void **state) {
    (void)state;
    PARSED parsed = parse_with(shipped, ",");
    assert_shipped(&parsed);
}

static void a_mark_and_other_line_ends_change_nothing(void **state) {
    (void)state;
    CLEANUP(free_block) char *text = memory_new(2 * sizeof shipped);
    size_t used = (size_t)snprintf(text, 4, "\xEF\xBB\xBF");
    for (const char *at = shipped; *at; at++) {
        if (*at == '\n')
            text[used++] = '\r';
        text[used++] = *at;
    }
    text[used] = '\0';
    PARSED parsed = parse_with(text, ",");
    assert_shipped(&parsed);
    PARSED broken = parse_with(text, "");
    assert_int_equal(broken.problems.list[0].line, 27);
    assert_int_equal(broken.problems.list[0].column, 32);
}

static void comments_are_passed_over_everywhere(void **state) {
    (void)state;
    PARSED parsed = parse_good(
        "{\"_a\": 1, \"// b\": {}, \"//\": [], \"//\": 2,"
        " \"identity\": {\"_a\": 5}, \"general\": {\"//\": [], \"pathMap\": {\"_x\": 5}},"
        " \"servers\": [{\"_\": 1, \"remote\": \"http://x/\", \"timeouts\": {\"//t\": null}}],"
        " \"logging\": {\"_\": 1, \"//\": 1, \"root\": {\"_l\": 1, \"handlers\": [\"c\"]},"
        "  \"handlers\": {\"c\": {\"class\": \"logging.StreamHandler\", \"//\": 1}}}}");
    assert_int_equal(parsed.problems.count, 0);
    assert_int_equal(parsed.config->general.path_map.count, 0);
    assert_int_equal(parsed.config->logging.count, 1);
}

static void a_share_that_became_a_comment_is_told(void **state) {
    (void)state;
    warns("{\"servers\": [], \"general\": {\"pathMap\":\n {\"//build/out\": \"/mnt/out\"}}}",
          "general.pathMap[\"//build/out\"]", 2, 18,
          "Write it with backslashes: \"\\\\\\\\build\\\\out\".");
    PARSED parsed = parse_good(
        "{\"servers\": [], \"general\": {\"pathMap\": {\"//\": \"shares/all\", \"// a/b\": \"c/d\","
        " \"//build/out\": \"shares\", \"//build\": \"/mnt\", \"//D:\\\\\": \"/srv/d\"}}}");
    assert_int_equal(parsed.config->general.path_map.count, 0);
}

static void unknown_keys_get_a_suggestion(void **state) {
    (void)state;
    warns("{\"servers\": [], \"general\":\n {\"cacheLocaton\": \"/x\"}}", "general.cacheLocaton", 2,
          19, "Did you mean \"cacheLocation\"?");
    warns("{\"servers\": [{\n\"remote\": \"/srv/${HOME\"}]}", "servers[0].remote", 2, 11,
          "Write } behind a variable's name, or $${ for the characters.");
    warns("{\"servers\": [], \"identity\": {\n\n\"Name\": 5}}", "identity.Name", 3, 9,
          "Did you mean \"name\"?");
    warns("{\"servers\": [{\"remote\": \"http://x/\",\n\"whitlist\": []}]}", "servers[0].whitlist",
          2, 13, "Did you mean \"whitelist\"?");
    warns("{\"servers\": [{\"remote\": \"http://x/\",\n\"retryTimeot\": 5}]}",
          "servers[0].retryTimeot", 2, 16, "Did you mean \"retryTimeout\"?");
    warns("{\"servers\": [{\"remote\": \"http://x/\", \"timeouts\":\n{\"conect\": 5}}]}",
          "servers[0].timeouts.conect", 2, 12, "Did you mean \"connect\"?");
    warns("{\"servers\": [], \"general\":\n {\"beverages\": {}}}", "general.beverages", 2, 16, "");
    warns("{\"servers\": [],\n\"sevrers\": []}", "sevrers", 2, 12,
          "The sections are identity, general, servers and logging.");
    /* Names that would be something else in the path of a key. */
    warns("{\"servers\": [], \"general\":\n {\"a.b[0]\": 1}}", "general[\"a.b[0]\"]", 2, 13, "");
    warns("{\"servers\": [], \"general\":\n {\"a\\\"b\": 1}}", "general[\"a\"b\"]", 2, 11, "");
    warns("{\"servers\": [], \"general\":\n {\"\": 1}}", "general[\"\"]", 2, 7, "");
}

static void a_key_too_long_to_be_shown_is_found_all_the_same(void **state) {
    (void)state;
    CLEANUP(free_block) char *name = memory_new(401);
    memset(name, 'x', 400);
    PARSED parsed = parse_with("{\"servers\": [], \"general\": {\n\"%s\": 1}}", name);
    assert_int_equal(parsed.problems.warnings, 1);
    assert_int_equal(parsed.problems.list[0].line, 2);
    assert_int_equal(parsed.problems.list[0].column, 405);
}

static void every_error_has_a_place(void **state) {
    (void)state;
    refuses("", "", 1, 1, "expected");
    refuses("{", "", 1, 1, "expected");
    refuses("{\"a\": }", "", 1, 7, "unexpected token");
    refuses("[]", "", 1, 1, "must be an object");
    refuses("\xEF\xBB\xBF\r\n  []", "", 2, 3, "must be an object");
    refuses("{\"general\":\n []}", "general", 2, 2, "must be an object");
    refuses("{\"identity\": 5}", "identity", 1, 14, "must be an object");
    refuses("{\"servers\":\n\n  {}}", "servers", 3, 3, "must be a list");
    refuses("{\"servers\": [\n5]}", "servers[0]", 2, 1, "must be an object");
    refuses("{\"servers\": [{\"remote\": \"/a\"},\n {\"name\": \"x\"}]}", "servers[1]", 2, 2,
            "has no remote");
    refuses("{\"servers\": [{\n\"remote\": 5}]}", "servers[0].remote", 2, 11, "must be a text");
    refuses("{\"servers\": [{\"remote\": \"/a\",\n\"maxRequests\": -3}]}", "servers[0].maxRequests",
            2, 16, "must not be negative");
    refuses("{\"servers\": [{\n\"remote\": \"ftp://x/\"}]}", "servers[0].remote", 2, 11,
            "a URL of a kind that cannot be asked");
    refuses("{\"servers\": [{\"remote\": \"/a\",\n\"kinds\": [\"pdb\", \"pdf\"]}]}",
            "servers[0].kinds[1]", 2, 18, "must be one of");
    refuses("{\"general\": {\n\"logClients\": \"some\"}}", "general.logClients", 2, 15,
            "must be \"full\"");
    refuses("{\"general\": {\n\"listen\": []}}", "general.listen", 2, 11, "names no address");
    refuses("{\"general\": {\n\"listen\": [\"x:1\", \"x:y\"]}}", "general.listen[1]", 2, 19,
            "is not ADDRESS:PORT");
    refuses("{\"general\": {\n\"listen\": [\"x:65536\"]}}", "general.listen[0]", 2, 12,
            "is not ADDRESS:PORT");
    refuses("{\"logging\":\n5}", "logging", 2, 1, "must be an object");
}

static void bad_patterns_tell_where(void **state) {
    (void)state;
    static const struct {
        const char *pattern;
        const char *what;
    } bad[] = {
        {"abc(def", "bad pattern at character "},
        {"a**", "bad pattern at character 3: "},
        {"[z-a]", "bad pattern at character "},
        {"*", "bad pattern at character 1: "},
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        PARSED parsed =
            parse_with("{\"general\": {\"blacklist\": [\"a\",\n   \"%s\"]}}", bad[i].pattern);
        const struct config_problem *problem =
            problem_about(&parsed, PROBLEM_ERROR, "general.blacklist[1]");
        assert_int_equal(problem->line, 2);
        assert_int_equal(problem->column, 4);
        if (!strstr(problem->what, bad[i].what))
            fail_msg("\"%s\": %s", bad[i].pattern, problem->what);
    }
}

static void an_empty_pattern_is_warned_of(void **state) {
    (void)state;
    PARSED parsed = parse("{\"general\": {\"blacklist\": [\"a\",\n   \"\"]}}");
    assert_non_null(parsed.config);
    const struct config_problem *problem =
        problem_about(&parsed, PROBLEM_WARNING, "general.blacklist[1]");
    assert_int_equal(problem->line, 2);
    assert_string_equal(problem->what, "an empty pattern fits every name");
}

static void all_errors_are_told_at_once_up_to_a_limit(void **state) {
    (void)state;
    enum { KEYS = 300 };
    char text[KEYS * 24 + 64];
    size_t used = (size_t)snprintf(text, sizeof text, "{\"general\": 5, \"servers\": 5");
    for (unsigned i = 0; i < KEYS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ",\n\"s%u\": {}", i);
    snprintf(text + used, sizeof text - used, "}");
    PARSED parsed = parse(text);
    assert_null(parsed.config);
    assert_int_equal(parsed.problems.errors, 2);
    assert_int_equal(parsed.problems.warnings, KEYS);
    assert_int_equal(parsed.problems.count, 200);
    assert_int_equal(parsed.problems.dropped, KEYS + 2 - 200);
}

static void variables_are_put_in(void **state) {
    (void)state;
    setenv("SYMGATE_TEST_ONE", "one", 1);
    setenv("SYMGATE_TEST_EMPTY", "", 1);
    PARSED parsed = parse_good(
        "{\"identity\": {\"name\": \"a${SYMGATE_TEST_ONE}b${SYMGATE_TEST_ONE}\","
        "  \"host\": \"$${SYMGATE_TEST_ONE}$\", \"administrator\": \"$${\"},"
        " \"general\": {\"blacklist\": [\"a${SYMGATE_TEST_ONE\", \"${NOWHERE}\"],"
        "  \"listen\": [\"${SYMGATE_TEST_ONE}:1\"], \"cacheLocation\": \"/${SYMGATE_TEST_ONE}\","
        "  \"pathMap\": {\"D:\\\\\": \"/m/${SYMGATE_TEST_ONE}\"}},"
        " \"servers\": [{\"remote\": \"D:\\\\x\", \"name\": \"${SYMGATE_TEST_EMPTY}x$$\"}],"
        " \"logging\": {\"root\": {\"handlers\": [\"f\"]}, \"handlers\": {\"f\":"
        "  {\"class\": \"logging.FileHandler\", \"filename\": \"/l/${SYMGATE_TEST_ONE}\"}}}}");
    const struct config *config = parsed.config;
    assert_string_equal(config->identity.name, "aonebone");
    assert_string_equal(config->identity.host, "${SYMGATE_TEST_ONE}$");
    assert_string_equal(config->identity.administrator, "${");
    assert_string_equal(config->general.listen.texts[0], "one:1");
    assert_string_equal(config->general.cache_location, "/one");
    assert_string_equal(config->servers[0].remote, "/m/one/x");
    assert_string_equal(config->servers[0].name, "x$$");
    assert_string_equal(config->logging.sinks[0].path, "/l/one");
    /* Braces mean something else in patterns. */
    assert_string_equal(pattern_text(config->general.blacklist.patterns[0]), "a${SYMGATE_TEST_ONE");
    assert_string_equal(pattern_text(config->general.blacklist.patterns[1]), "${NOWHERE}");
    unsetenv("SYMGATE_TEST_ONE");
    unsetenv("SYMGATE_TEST_EMPTY");
}

static void undefined_variables_are_told(void **state) {
    (void)state;
    unsetenv("SYMGATE_TEST_NONE");
    refuses("{\"identity\": {\n\"name\": \"a${SYMGATE_TEST_NONE}\"}}", "identity.name", 2, 9,
            "the variable ${SYMGATE_TEST_NONE} is not defined");
    refuses("{\"identity\": {\n\"name\": \"${}\"}}", "identity.name", 2, 9, "${} is not defined");
    refuses("{\"general\": {\n\"pathMap\": {\"a\": \"${SYMGATE_TEST_NONE}\"}}}",
            "general.pathMap[\"a\"]", 2, 18, "is not defined");
    refuses("{\"general\": {\"adminToken\":\n{\"file\": \"${SYMGATE_TEST_NONE}\"}}}",
            "general.adminToken", 2, 1, "is not defined");
}

static void values_that_grow_without_bound_are_refused(void **state) {
    (void)state;
    CLEANUP(free_block) char *long_text = memory_new(40001);
    memset(long_text, 'x', 40000);
    setenv("SYMGATE_TEST_LONG", long_text, 1);
    refuses("{\"identity\": {\"name\": \"${SYMGATE_TEST_LONG}${SYMGATE_TEST_LONG}\"}}",
            "identity.name", 1, 23, "is longer than 65536 bytes");
    unsetenv("SYMGATE_TEST_LONG");
}

static void secrets_may_lie_in_files(void **state) {
    const char *folder = *state;
    scratch_write(folder, "token", "top secret\r\n\n");
    setenv("SYMGATE_TEST_FOLDER", folder, 1);
    PARSED parsed =
        parse_good("{\"servers\": [], \"general\": {\"adminToken\": {\"file\": "
                   "\"${SYMGATE_TEST_FOLDER}/token\"}},"
                   " \"identity\": {\"name\": {\"file\": \"${SYMGATE_TEST_FOLDER}/token\"}}}");
    assert_string_equal(parsed.config->general.admin_token, "top secret");
    assert_string_equal(parsed.config->identity.name, "top secret");
    refuses("{\"general\": {\n\"adminToken\": {\"file\": \"${SYMGATE_TEST_FOLDER}/none\"}}}",
            "general.adminToken", 2, 15, "/none\": No such file or directory");
    refuses("{\"general\": {\n\"adminToken\": {\"file\": \"${SYMGATE_TEST_FOLDER}\"}}}",
            "general.adminToken", 2, 15, folder);
    unsetenv("SYMGATE_TEST_FOLDER");
}

static void problems_are_lines_for_people(void **state) {
    (void)state;
    const struct config_problem with_all = {PROBLEM_ERROR, 3, 12, "a.b", "is wrong", "Write c."};
    const struct config_problem bare = {PROBLEM_NOTE, 0, 0, "", "something", ""};
    char line[256], cut[8];
    config_problem_format(&with_all, "it.json", line, sizeof line);
    assert_string_equal(line, "it.json:3:12: error: a.b: is wrong. Write c.");
    config_problem_format(&bare, NULL, line, sizeof line);
    assert_string_equal(line, "the built-in default: note: something");
    config_problem_format(&with_all, "it.json", cut, sizeof cut);
    assert_string_equal(cut, "it.json");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_comma_that_the_shipped_file_lacks_is_told),
        cmocka_unit_test(the_shipped_shape_is_taken),
        cmocka_unit_test(a_mark_and_other_line_ends_change_nothing),
        cmocka_unit_test(comments_are_passed_over_everywhere),
        cmocka_unit_test(a_share_that_became_a_comment_is_told),
        cmocka_unit_test(unknown_keys_get_a_suggestion),
        cmocka_unit_test(a_key_too_long_to_be_shown_is_found_all_the_same),
        cmocka_unit_test(every_error_has_a_place),
        cmocka_unit_test(bad_patterns_tell_where),
        cmocka_unit_test(an_empty_pattern_is_warned_of),
        cmocka_unit_test(all_errors_are_told_at_once_up_to_a_limit),
        cmocka_unit_test(variables_are_put_in),
        cmocka_unit_test(undefined_variables_are_told),
        cmocka_unit_test(values_that_grow_without_bound_are_refused),
        cmocka_unit_test_setup_teardown(secrets_may_lie_in_files, scratch_setup, scratch_teardown),
        cmocka_unit_test(problems_are_lines_for_people),
    };
    return RUN_TESTS(tests);
}
