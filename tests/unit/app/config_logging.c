// SPDX-License-Identifier: MIT
//
// The logging section: where lines go, and what is told of all that has no effect.
#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "unit/app/parse.h"
#include "unit/base/check.h"

#define CONSOLE "\"c\": {\"class\": \"logging.StreamHandler\", \"level\": \"ERROR\"}"
#define LOGGING(inside) "{\"servers\": [], \"logging\": {" inside "}}"

static const struct config_logging *logging(const struct parsed *parsed) {
    assert_non_null(parsed->config);
    return &parsed->config->logging;
}

/* One sink, standard error, from INFO up. */
static void assert_standard(const struct parsed *parsed) {
    assert_int_equal(logging(parsed)->count, 1);
    assert_null(logging(parsed)->sinks[0].path);
    assert_int_equal(logging(parsed)->sinks[0].level, LOG_INFO);
    assert_int_equal(logging(parsed)->level, LOG_INFO);
}

static void without_a_word_lines_go_to_standard_error(void **state) {
    (void)state;
    PARSED none = parse_good("{\"servers\": []}");
    assert_standard(&none);
    PARSED empty = parse_good(LOGGING(""));
    assert_standard(&empty);
    PARSED no_handlers = parse_good(LOGGING("\"version\": 1"));
    assert_standard(&no_handlers);
    problem_about(&no_handlers, PROBLEM_NOTE, "logging");
}

static void root_wins_over_the_nameless_logger(void **state) {
    (void)state;
    PARSED parsed = parse_good(
        LOGGING("\"root\": {\"handlers\": [\"c\"], \"level\": \"WARNING\"},"
                " \"loggers\": {\"\": {\"handlers\": [\"d\"], \"level\": \"DEBUG\"}, \"a.b\": {}},"
                " \"handlers\": {" CONSOLE "}"));
    assert_int_equal(logging(&parsed)->count, 1);
    assert_int_equal(logging(&parsed)->level, LOG_WARNING);
    assert_int_equal(logging(&parsed)->sinks[0].level, LOG_ERROR);
    problem_about(&parsed, PROBLEM_NOTE, "logging.loggers[\"\"]");
    problem_about(&parsed, PROBLEM_NOTE, "logging.loggers[\"a.b\"]");
}

static void files_rotate_as_with_python(void **state) {
    (void)state;
    PARSED parsed = parse_good(
        "{\"servers\": [], \"general\": {\"pathMap\": {\"L:\\\\\": \"/var/log\"}}, \"logging\": {"
        " \"root\": {\"handlers\": [\"a\", \"b\"]}, \"handlers\": {"
        " \"a\": {\"class\": \"logging.FileHandler\", \"filename\": \"L:\\\\x\\\\a.log\"},"
        " \"b\": {\"class\": \"logging.handlers.RotatingFileHandler\", \"filename\": \"/b.log\","
        "  \"maxBytes\": 1000, \"backupCount\": 3, \"level\": \"critical\", \"mode\": \"a\"}}}}");
    const struct config_logging *all = logging(&parsed);
    assert_int_equal(all->count, 2);
    assert_string_equal(all->sinks[0].path, "/var/log/x/a.log");
    assert_int_equal(all->sinks[0].level, LOG_DEBUG);
    assert_int_equal(all->sinks[0].bytes_max, 0);
    assert_string_equal(all->sinks[1].path, "/b.log");
    assert_int_equal(all->sinks[1].level, LOG_ERROR);
    assert_int_equal(all->sinks[1].bytes_max, 1000);
    assert_int_equal(all->sinks[1].backups_max, 3);
    problem_about(&parsed, PROBLEM_NOTE, "logging.handlers.b.mode");
}

static void what_writes_nothing_is_warned_of(void **state) {
    (void)state;
    warns(LOGGING("\"root\": {\"handlers\": [\"m\"]}, \"handlers\":\n{\"m\": {\"class\": "
                  "\"logging.handlers.SMTPHandler\"}}"),
          "logging.handlers.m", 2, 7,
          "Known are logging.StreamHandler, logging.FileHandler and "
          "logging.handlers.RotatingFileHandler.");
    PARSED parsed = parse(LOGGING("\"root\": {\"handlers\": [\"f\"]}, \"handlers\": {\"f\":"
                                  " {\"class\": \"logging.FileHandler\",\n"
                                  "\"filename\": \"C:\\\\log.txt\"}}"));
    const struct config_problem *problem =
        problem_about(&parsed, PROBLEM_WARNING, "logging.handlers.f.filename");
    assert_int_equal(problem->line, 2);
    assert_non_null(strstr(problem->hint, "pathMap"));
    assert_int_equal(logging(&parsed)->count, 0);
    warns(LOGGING("\"colour\": 1, \"root\": {\"handlers\": [\"c\"]}, \"handlers\": {" CONSOLE "}"),
          "logging.colour", 1, 39, "");
}

#define FILE_WITH(more)                                                                            \
    "\"root\": {\"handlers\": [\"f\"]}, \"handlers\": {\"f\": {\"class\": "                        \
    "\"logging.FileHandler\", \"filename\": \"/f\",\n" more "}}"

static void what_is_wrong_is_told_at_its_place(void **state) {
    (void)state;
    refuses(LOGGING("\"root\":\n5"), "logging.root", 2, 1, "must be an object");
    refuses(LOGGING("\"loggers\": {\"\":\n[]}"), "logging.loggers[\"\"]", 2, 1,
            "must be an object");
    refuses(LOGGING("\"root\": {\n\"handlers\": \"c\"}, \"handlers\": {" CONSOLE "}"),
            "logging.root.handlers", 2, 13, "must be a list of names");
    refuses(LOGGING("\"root\":\n{\"handlers\": [\"x\"]}"), "logging.root", 2, 1,
            "the handler \"x\" is not defined");
    refuses(LOGGING("\"root\":\n{\"handlers\": [5]}"), "logging.root", 2, 1, "is not defined");
    refuses(LOGGING("\"root\": {\n\"level\": \"LOUD\"}"), "logging.root.level", 2, 10,
            "must be DEBUG");
    refuses(LOGGING("\"root\": {\"handlers\": [\"c\"]}, \"handlers\": {\"c\":\n5}"),
            "logging.handlers.c", 2, 1, "must be an object");
    refuses(LOGGING(FILE_WITH("\"level\": 10")), "logging.handlers.f.level", 2, 10,
            "must be DEBUG");
    refuses(LOGGING(FILE_WITH("\"maxBytes\": -1")), "logging.handlers.f.maxBytes", 2, 13,
            "must be a whole number");
    refuses(LOGGING(FILE_WITH("\"maxBytes\": \"1 MiB\"")), "logging.handlers.f.maxBytes", 2, 13,
            "must be a whole number");
    refuses(LOGGING(FILE_WITH("\"backupCount\": 1001")), "logging.handlers.f.backupCount", 2, 16,
            "at most 1000");
    refuses(LOGGING(FILE_WITH("\"filename\": 5")), "logging.handlers.f", 1, 76, "\"filename\"");
}

static void too_many_handlers_are_refused(void **state) {
    (void)state;
    char names[17 * 5 + 1] = "";
    size_t used = 0;
    for (unsigned i = 0; i < 17; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s\"c\"", i ? "," : "");
    PARSED parsed =
        parse_with(LOGGING("\"root\": {\"handlers\": [%s]}, \"handlers\": {" CONSOLE "}"), names);
    const struct config_problem *problem =
        problem_about(&parsed, PROBLEM_ERROR, "logging.handlers.c");
    assert_non_null(strstr(problem->what, "too many"));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_word_lines_go_to_standard_error),
        cmocka_unit_test(root_wins_over_the_nameless_logger),
        cmocka_unit_test(files_rotate_as_with_python),
        cmocka_unit_test(what_writes_nothing_is_warned_of),
        cmocka_unit_test(what_is_wrong_is_told_at_its_place),
        cmocka_unit_test(too_many_handlers_are_refused),
    };
    return RUN_TESTS(tests);
}
