// SPDX-License-Identifier: MIT
#include "unit/app/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/base/check.h"

struct parsed parse(const char *text) {
    struct parsed parsed;
    /* A block of just that size: a read past the end is seen by the sanitizers. */
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    parsed.config = config_parse("it.json", copy, length, "/data", &parsed.problems);
    free(copy);
    assert_int_equal(parsed.config == NULL, parsed.problems.errors > 0);
    return parsed;
}

struct parsed parse_with(const char *format, const char *text) {
    size_t size = strlen(format) + strlen(text) + 1;
    const char *hole = strstr(format, "%s");
    char *whole = malloc(size);
    assert_non_null(hole);
    assert_non_null(whole);
    snprintf(whole, size, "%.*s%s%s", (int)(hole - format), format, text, hole + 2);
    struct parsed parsed = parse(whole);
    free(whole);
    return parsed;
}

static void tell(const struct config_problems *problems) {
    for (unsigned i = 0; i < problems->count; i++) {
        char line[1024];
        config_problem_format(&problems->list[i], "it.json", line, sizeof line);
        printf("%s\n", line);
    }
}

struct parsed parse_good(const char *text) {
    struct parsed parsed = parse(text);
    if (parsed.problems.errors || parsed.problems.warnings) {
        tell(&parsed.problems);
        fail_msg("not good: %s", text);
    }
    return parsed;
}

void parsed_release(struct parsed *parsed) {
    config_free(parsed->config);
    config_problems_release(&parsed->problems);
}

const struct config_problem *problem_about(const struct parsed *parsed,
                                           enum problem_severity severity, const char *key) {
    for (unsigned i = 0; i < parsed->problems.count; i++) {
        const struct config_problem *problem = &parsed->problems.list[i];
        if (problem->severity == severity && strcmp(problem->key, key) == 0)
            return problem;
    }
    tell(&parsed->problems);
    fail_msg("nothing of severity %d about \"%s\"", (int)severity, key);
    return NULL;
}

unsigned problems_of(const struct parsed *parsed, enum problem_severity severity) {
    unsigned count = 0;
    for (unsigned i = 0; i < parsed->problems.count; i++)
        count += parsed->problems.list[i].severity == severity;
    return count;
}

static void stands_at(const struct parsed *parsed, const char *text,
                      const struct config_problem *problem, int line, int column) {
    if (problem->line == line && problem->column == column)
        return;
    tell(&parsed->problems);
    fail_msg("at %d:%d, not %d:%d: %s", problem->line, problem->column, line, column, text);
}

void refuses(const char *text, const char *key, int line, int column, const char *what) {
    PARSED parsed = parse(text);
    if (parsed.config)
        fail_msg("taken: %s", text);
    const struct config_problem *problem = problem_about(&parsed, PROBLEM_ERROR, key);
    stands_at(&parsed, text, problem, line, column);
    if (!strstr(problem->what, what))
        fail_msg("says \"%s\", not \"%s\": %s", problem->what, what, text);
}

void warns(const char *text, const char *key, int line, int column, const char *hint) {
    PARSED parsed = parse(text);
    const struct config_problem *problem = problem_about(&parsed, PROBLEM_WARNING, key);
    stands_at(&parsed, text, problem, line, column);
    assert_string_equal(problem->hint, hint);
    assert_int_equal(parsed.problems.warnings, 1);
    assert_non_null(parsed.config);
}
