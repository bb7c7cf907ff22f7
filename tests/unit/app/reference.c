// SPDX-License-Identifier: MIT
//
// The table of parameters, and the reference and the schema that are made from it.
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/parameter.h"
#include "base/memory.h"
#include "unit/base/check.h"

/* What a command writes to standard output. */
static char *output_of(const char *option) {
    char *argv[] = {(char *)(uintptr_t)option, NULL};
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    int status = cli_reference(1, argv);
    fflush(stdout);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
    assert_int_equal(status, 0);
    char *text = NULL;
    size_t size = 0;
    rewind(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    return text;
}

static void the_table_is_sound(void **state) {
    (void)state;
    size_t count;
    const struct parameter *all = parameters(&count);
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        /* Each key once a section, helped in whole sentences, with a default that is JSON. */
        assert_ptr_equal(parameter_find(all[i].section, all[i].key), &all[i]);
        size_t length = strlen(all[i].help);
        assert_true(length > 10 && all[i].help[length - 1] == '.');
        assert_null(strpbrk(all[i].help, "|\n"));
        if (all[i].alias_of)
            assert_non_null(parameter_find(all[i].section, all[i].alias_of));
        if (all[i].standard) {
            json_t *json = json_loads(all[i].standard, JSON_DECODE_ANY, NULL);
            assert_non_null(json);
            json_decref(json);
        }
    }
    assert_null(parameter_find(SECTION_GENERAL, "remote"));
    assert_null(parameter_find(SECTION_GENERAL, ""));
}

static void near_misses_are_suggested(void **state) {
    (void)state;
    static const struct {
        enum parameter_section section;
        const char *key;
        const char *nearest;
    } cases[] = {
        {SECTION_GENERAL, "cachelocation", "cacheLocation"},
        {SECTION_GENERAL, "cacheLocations", "cacheLocation"},
        {SECTION_GENERAL, "balcklist", "blacklist"},
        {SECTION_SERVER, "retryTimeot", "retryTimeout"},
        {SECTION_SERVER, "remoet", "remote"},
        {SECTION_TIMEOUTS, "stal", "stall"},
        {SECTION_IDENTITY, "zzz", NULL},
        {SECTION_GENERAL, "beverages", NULL},
        {SECTION_TIMEOUTS, "", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *nearest = parameter_suggest(cases[i].section, cases[i].key);
        if (cases[i].nearest ? !nearest || strcmp(nearest, cases[i].nearest) != 0 : !!nearest)
            fail_msg("\"%s\": %s", cases[i].key, nearest ? nearest : "(none)");
    }
    /* The misspelling is understood and never proposed. */
    size_t count;
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++)
        if (all[i].alias_of)
            assert_string_equal(parameter_suggest(all[i].section, all[i].key), all[i].alias_of);
}

/* The part of the reference about one section. */
static char *section_of(const char *markdown, enum parameter_section section) {
    static const char *const titles[] = {
        [SECTION_IDENTITY] = "\n## identity\n",
        [SECTION_GENERAL] = "\n## general\n",
        [SECTION_SERVER] = "\n## servers[]\n",
        [SECTION_TIMEOUTS] = "\n## servers[].timeouts\n",
        [SECTION_BREAKER] = "\n## servers[].breaker\n",
    };
    const char *begin = strstr(markdown, titles[section]);
    assert_non_null(begin);
    const char *end = strstr(begin + 1, "\n## ");
    char *part = strndup(begin, end ? (size_t)(end - begin) : strlen(begin));
    assert_non_null(part);
    return part;
}

static void the_reference_has_every_parameter(void **state) {
    (void)state;
    CLEANUP(free_block) char *markdown = output_of("--markdown");
    size_t count, rows = 0;
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++) {
        CLEANUP(free_block) char *part = section_of(markdown, all[i].section);
        char row[64];
        snprintf(row, sizeof row, "\n| `%s` | ", all[i].key);
        const char *line = strstr(part, row);
        if (!line || strstr(line + 1, row))
            fail_msg("%s does not stand once in its section", all[i].key);
        CLEANUP(free_block) char *whole = strndup(line + 1, strcspn(line + 1, "\n"));
        assert_non_null(strstr(whole, all[i].help));
        const char *standard = all[i].standard_told ? all[i].standard_told : all[i].standard;
        if (standard)
            assert_non_null(strstr(whole, standard));
    }
    for (const char *at = markdown; (at = strstr(at, "\n| `")) != NULL; at++)
        rows++;
    assert_int_equal(rows, count);
}

static json_t *properties_of(const json_t *schema, enum parameter_section section) {
    json_t *root = json_object_get(schema, "properties");
    json_t *server = json_object_get(json_object_get(root, "servers"), "items");
    json_t *in_server = json_object_get(server, "properties");
    switch (section) {
    case SECTION_IDENTITY:
        return json_object_get(json_object_get(root, "identity"), "properties");
    case SECTION_GENERAL:
        return json_object_get(json_object_get(root, "general"), "properties");
    case SECTION_SERVER:
        return in_server;
    case SECTION_TIMEOUTS:
        return json_object_get(json_object_get(in_server, "timeouts"), "properties");
    case SECTION_BREAKER:
        break;
    }
    return json_object_get(json_object_get(in_server, "breaker"), "properties");
}

static const char *name_of_type(const json_t *json) {
    return json_is_integer(json)   ? "integer"
           : json_is_real(json)    ? "number"
           : json_is_string(json)  ? "string"
           : json_is_boolean(json) ? "boolean"
           : json_is_array(json)   ? "array"
                                   : "object";
}

/* Does the "type" of a schema allow values like this one? */
static bool allows(const json_t *schema, const json_t *value) {
    const json_t *type = json_object_get(schema, "type");
    const char *own = name_of_type(value);
    size_t index;
    const json_t *one;
    if (json_is_string(type))
        return strcmp(json_string_value(type), own) == 0 ||
               (json_is_integer(value) && strcmp(json_string_value(type), "number") == 0);
    json_array_foreach(type, index, one) {
        if (strcmp(json_string_value(one), own) == 0 ||
            (json_is_integer(value) && strcmp(json_string_value(one), "number") == 0))
            return true;
    }
    return false;
}

static void the_schema_has_every_parameter(void **state) {
    (void)state;
    CLEANUP(free_block) char *text = output_of("--schema");
    json_t *schema = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(schema);
    size_t count;
    size_t found[SECTION_COUNT] = {0};
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_object_get(properties_of(schema, all[i].section), all[i].key);
        if (!one)
            fail_msg("%s is missing", all[i].key);
        assert_string_equal(json_string_value(json_object_get(one, "description")), all[i].help);
        const json_t *standard = json_object_get(one, "default");
        assert_int_equal(standard != NULL, all[i].standard != NULL);
        if (standard && !allows(one, standard))
            fail_msg("%s: its own default is not allowed", all[i].key);
        found[all[i].section]++;
    }
    for (unsigned i = 0; i < SECTION_COUNT; i++)
        assert_int_equal(json_object_size(properties_of(schema, (enum parameter_section)i)),
                         found[i]);
    json_decref(schema);
}

static void one_form_must_be_said(void **state) {
    (void)state;
    char *both[] = {"--markdown", "--schema"}, *unknown[] = {"--html"}, *operand[] = {"x"};
    assert_int_equal(cli_reference(0, NULL), 2);
    assert_int_equal(cli_reference(2, both), 2);
    assert_int_equal(cli_reference(1, unknown), 2);
    assert_int_equal(cli_reference(1, operand), 2);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(near_misses_are_suggested),
        cmocka_unit_test(the_reference_has_every_parameter),
        cmocka_unit_test(the_schema_has_every_parameter),
        cmocka_unit_test(one_form_must_be_said),
    };
    return RUN_TESTS(tests);
}
