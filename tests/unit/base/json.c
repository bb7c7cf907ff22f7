// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <string.h>

#include "unit/base/check.h"

static json_t *parse(const char *text) {
    json_t *root = NULL;
    struct error err = {0};
    assert_true(json_parse(text, strlen(text), &root, NULL, NULL, &err));
    assert_non_null(root);
    return root;
}

static void refuses_at(const char *text, int line, int column, const char *what, const char *hint) {
    json_t *root = NULL;
    struct error err = {0};
    int got_line = 0;
    int got_column = 0;
    assert_false(json_parse(text, strlen(text), &root, &got_line, &got_column, &err));
    assert_null(root);
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_int_equal(got_line, line);
    assert_int_equal(got_column, column);
    if (!strstr(err.what, what) || strcmp(err.hint, hint) != 0)
        fail_msg("what \"%s\", hint \"%s\"", err.what, err.hint);
}

static void accepts_bom_and_crlf(void **state) {
    (void)state;
    CLEANUP(json_unref) json_t *root = parse("\xEF\xBB\xBF{\r\n  \"a\": 1\r\n}\r\n");
    assert_int_equal(json_integer_value(json_object_get(root, "a")), 1);
}

static void doubled_keys_are_as_in_python(void **state) {
    (void)state;
    CLEANUP(json_unref) json_t *root = parse("{\"//\": 1, \"a\": 1, \"//\": 2, \"a\": 2}");
    assert_int_equal(json_integer_value(json_object_get(root, "a")), 2);
}

static void the_missing_comma_is_told_at_its_line(void **state) {
    (void)state;
    const char *shipped = "{\n"
                          "  \"servers\": [\n"
                          "    {\n"
                          "      \"identifier\": \"mss\"\n"
                          "      \"name\": \"Microsoft \\\"quoted\\\"\"\n"
                          "    }\n"
                          "  ]\n"
                          "}\n";
    refuses_at(shipped, 4, 26, "a comma is missing", "Write a comma at the end of line 4.");
    refuses_at("\xEF\xBB\xBF{\"a\": \"x\"\r\n\"b\": 1}", 1, 10, "a comma is missing",
               "Write a comma at the end of line 1.");
    refuses_at("{\"a\": 17\n\n\n\"b\": 1}", 1, 9, "a comma is missing",
               "Write a comma at the end of line 1.");
    refuses_at("[{}\n {}]", 1, 4, "a comma is missing", "Write a comma at the end of line 1.");
    refuses_at("{\"a\": [1]\n \"b\\\\\": 2}", 1, 10, "a comma is missing",
               "Write a comma at the end of line 1.");
}

static void other_errors_have_no_such_hint(void **state) {
    (void)state;
    refuses_at("{\n  \"a\" 1}", 2, 7, "':' expected", "");
    refuses_at("{\"a\": 1]", 1, 8, "'}' expected", "");
    refuses_at("{\"a\": 1,}", 1, 9, "expected", "");
    refuses_at("{\n\"a\": tru\n}", 2, 8, "invalid token", "");
    refuses_at("", 1, 1, "expected", "");
    refuses_at("\xEF\xBB\xBF", 1, 1, "expected", "");
    refuses_at("\xFF\xFE{", 1, 1, "unable to decode", "Save it as UTF-8.");
    refuses_at("{\"path\": \"C:\\Users\"}", 1, 14, "invalid escape",
               "In JSON a backslash is written twice.");
}

static void errors_do_not_quote_values(void **state) {
    (void)state;
    json_t *root = NULL;
    struct error err = {0};
    const char *text = "{\"adminToken\" \"hunter2\"}";
    assert_false(json_parse(text, strlen(text), &root, NULL, NULL, &err));
    assert_null(strstr(err.what, "hunter2"));
}

static const char located[] =
    "\xEF\xBB\xBF{\r\n"
    "  \"general\": {\"a\": {}, \"b\\u0063\": [1, 2, 3]},\r\n"
    "  \"\xC3\xA4\": 1, \"after\": 2,\r\n"
    "  \"servers\": [\r\n"
    "    {\"name\": \"x, ] } \\\" y\", \"remote\": \"r0\"},\r\n"
    "    {\"name\": \"z\",\r\n"
    "     \"remote\": 5}\r\n"
    "  ],\r\n"
    "  \"loggers\": {\"a.b\": {\"level\": true}, \"\": {\"level\": null}},\r\n"
    "  \"twice\": 1,\r\n"
    "  \"twice\": 2\r\n"
    "}\r\n";

static void values_are_located(void **state) {
    (void)state;
    static const struct {
        const char *path;
        int line;
        int column;
    } cases[] = {
        {"", 1, 1},
        {"general", 2, 14},
        {"general.a", 2, 20},
        {"general.bc", 2, 35},
        {"general.bc[2]", 2, 42},
        {"after", 3, 20},
        {"servers[0].remote", 5, 39},
        {"servers[1].remote", 7, 16},
        {"servers[1]", 6, 5},
        {"loggers[\"a.b\"].level", 9, 32},
        {"loggers[\"\"].level", 9, 53},
        {"twice", 11, 12},
    };
    json_decref(parse(located));
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        int line = 0;
        int column = 0;
        assert_true(json_locate(located, sizeof located - 1, cases[i].path, &line, &column));
        if (line != cases[i].line || column != cases[i].column)
            fail_msg("\"%s\" at %d:%d", cases[i].path, line, column);
    }
}

static void absent_values_are_not_located(void **state) {
    (void)state;
    static const char *const paths[] = {
        "nothing",    "general.x",   "servers[2]", "servers[0].x", "servers.name",
        "general[0]", "general.a.b", "loggers[",   "loggers[\"a",  "servers[x]",
        "servers[",   ".",           "general..a", "after.x",      "[99999999999]",
    };
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        int line = 7;
        int column = 7;
        if (json_locate(located, sizeof located - 1, paths[i], &line, &column))
            fail_msg("\"%s\" found", paths[i]);
        assert_int_equal(line, 7);
    }
}

/* Every beginning of a text, in a block of just that size, for the sanitizers. */
static void cut_text_is_not_read_past_its_end(void **state) {
    (void)state;
    size_t value_at = (size_t)(strstr(located, "true") - located);
    for (size_t length = 0; length < sizeof located; length++) {
        char *cut = malloc(length ? length : 1);
        memcpy(cut, located, length);
        json_t *root = NULL;
        int line = 0;
        int column = 0;
        bool ok = json_parse(cut, length, &root, NULL, NULL, NULL);
        assert_int_equal(ok, length >= sizeof located - 3);
        bool found = json_locate(cut, length, "loggers[\"a.b\"].level", &line, &column);
        assert_int_equal(found, length > value_at);
        if (ok)
            json_decref(root);
        free(cut);
    }
}

static void comments_are_keys(void **state) {
    (void)state;
    assert_true(json_is_comment("_note"));
    assert_true(json_is_comment("$schema"));
    assert_true(json_is_comment("//"));
    assert_true(json_is_comment("// note"));
    assert_false(json_is_comment("/"));
    assert_false(json_is_comment(""));
    assert_false(json_is_comment("name"));
}

static void members_are_read_by_type(void **state) {
    (void)state;
    static const char text[] = "{\"name\": \"a\", \"count\": 7}";
    struct error err;
    json_t *root;
    assert_true(json_parse(text, strlen(text), &root, NULL, NULL, &err));
    assert_string_equal(json_text_of(root, "name"), "a");
    assert_string_equal(json_text_of(root, "count"), "");
    assert_string_equal(json_text_of(root, "none"), "");
    assert_int_equal(json_integer_of(root, "count"), 7);
    assert_int_equal(json_integer_of(root, "name"), 0);
    assert_int_equal(json_integer_of(NULL, "count"), 0);
    json_decref(root);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_bom_and_crlf),
        cmocka_unit_test(doubled_keys_are_as_in_python),
        cmocka_unit_test(the_missing_comma_is_told_at_its_line),
        cmocka_unit_test(other_errors_have_no_such_hint),
        cmocka_unit_test(errors_do_not_quote_values),
        cmocka_unit_test(values_are_located),
        cmocka_unit_test(absent_values_are_not_located),
        cmocka_unit_test(cut_text_is_not_read_past_its_end),
        cmocka_unit_test(comments_are_keys),
        cmocka_unit_test(members_are_read_by_type),
    };
    return RUN_TESTS(tests);
}
