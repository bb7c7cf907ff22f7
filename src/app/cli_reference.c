// SPDX-License-Identifier: MIT
//
// The configuration's reference and JSON schema, from the table of parameters.
#include <stdio.h>
#include <string.h>

#include "app/cli.h"
#include "app/parameter.h"
#include "base/json.h"

struct section {
    enum parameter_section section;
    const char *title;
    const char *told;
};

static const struct section sections[] = {
    {SECTION_IDENTITY, "identity", "What this server says of itself."},
    {SECTION_GENERAL, "general", "What counts for all servers."},
    {SECTION_SERVER, "servers[]",
     "One entry a symbol server, in the order in which they are asked."},
    {SECTION_TIMEOUTS, "servers[].timeouts", "Times as seconds or texts."},
    {SECTION_BREAKER, "servers[].breaker",
     "Times as seconds or texts; [sources.md](sources.md#rests) has symgate's own rules."},
};

enum { SECTIONS = sizeof sections / sizeof *sections };

static const char *type_told(enum parameter_type type) {
    switch (type) {
    case PARAMETER_TEXT:
        return "text";
    case PARAMETER_SECRET:
        return "text, or `{\"file\": …}`";
    case PARAMETER_PATH:
        return "path";
    case PARAMETER_BOOLEAN:
        return "true or false";
    case PARAMETER_NUMBER:
        return "number";
    case PARAMETER_SIZE:
        return "size";
    case PARAMETER_TIME:
        return "time";
    case PARAMETER_TIME_NULL:
        return "time or null";
    case PARAMETER_LIST:
        return "list of texts";
    case PARAMETER_PATTERNS:
        return "list of patterns";
    case PARAMETER_NUMBERS:
        return "list of numbers";
    case PARAMETER_MAP:
        return "object of texts";
    case PARAMETER_SECRETS:
        return "object of texts, or of `{\"file\": …}`";
    case PARAMETER_TIMEOUTS:
    case PARAMETER_BREAKER:
        break;
    }
    return "object";
}

static void print_row(const struct parameter *parameter) {
    printf("| `%s` | %s | ", parameter->key, type_told(parameter->type));
    if (parameter->standard_told)
        printf("%s", parameter->standard_told);
    else if (parameter->standard)
        printf("`%s`", parameter->standard);
    printf(" | %s |\n", parameter->help);
}

static void print_markdown(void) {
    size_t count;
    const struct parameter *all = parameters(&count);
    puts("# Configuration reference\n\nMade from the program's own table by `symgate reference "
         "--markdown`. What is said here in one line, [configuration.md](configuration.md) "
         "explains.\n\nSizes are bytes or texts as `\"200 GiB\"`; times are seconds or texts as "
         "`\"10m\"`, `\"250ms\"`. `${NAME}` in a value\nstands for a variable of the environment, "
         "`$${` for the characters themselves. Keys that begin with `_` or `//` are\ncomments, and "
         "so is `$schema`. The "
         "section `logging` is pySymProxy's: [logging.md](logging.md).");
    for (unsigned s = 0; s < SECTIONS; s++) {
        printf("\n## %s\n\n%s\n\n| key | type | default | meaning |\n|---|---|---|---|\n",
               sections[s].title, sections[s].told);
        for (size_t i = 0; i < count; i++)
            if (all[i].section == sections[s].section)
                print_row(&all[i]);
    }
}

static json_t *types(const char *first, const char *second) {
    return second ? json_pack("{s:[s,s]}", "type", first, second)
                  : json_pack("{s:s}", "type", first);
}

static json_t *list_of(const char *type) {
    return json_pack("{s:s,s:{s:s}}", "type", "array", "items", "type", type);
}

static json_t *section_schema(enum parameter_section section);

static json_t *type_schema(enum parameter_type type) {
    switch (type) {
    case PARAMETER_TEXT:
    case PARAMETER_PATH:
    case PARAMETER_SECRET: /* {"file": …} */
        return json_pack("{s:[s,s,s]}", "type", "string", "object", "null");
    case PARAMETER_BOOLEAN:
        return types("boolean", NULL);
    case PARAMETER_NUMBER:
        return types("integer", NULL);
    case PARAMETER_SIZE:
        return types("integer", "string");
    case PARAMETER_TIME:
        return types("number", "string");
    case PARAMETER_TIME_NULL:
        return json_pack("{s:[s,s,s]}", "type", "number", "string", "null");
    case PARAMETER_LIST:
        return list_of("string");
    case PARAMETER_PATTERNS:
        return json_pack("{s:[s,s],s:{s:s}}", "type", "array", "null", "items", "type", "string");
    case PARAMETER_NUMBERS:
        return list_of("integer");
    case PARAMETER_MAP:
        return json_pack("{s:s,s:{s:s}}", "type", "object", "additionalProperties", "type",
                         "string");
    case PARAMETER_SECRETS:
        return json_pack("{s:s,s:{s:[s,s]}}", "type", "object", "additionalProperties", "type",
                         "string", "object");
    case PARAMETER_TIMEOUTS:
        return section_schema(SECTION_TIMEOUTS);
    case PARAMETER_BREAKER:
        break;
    }
    return section_schema(SECTION_BREAKER);
}

static json_t *parameter_schema(const struct parameter *parameter) {
    json_t *one = type_schema(parameter->type);
    json_object_set_new(one, "description", json_string(parameter->help));
    if (parameter->standard)
        json_object_set_new(one, "default", json_loads(parameter->standard, JSON_DECODE_ANY, NULL));
    if (parameter->type == PARAMETER_NUMBER && parameter->least)
        json_object_set_new(one, "minimum", json_integer((json_int_t)parameter->least));
    if (parameter->type == PARAMETER_NUMBER && parameter->most)
        json_object_set_new(one, "maximum", json_integer((json_int_t)parameter->most));
    return one;
}

/* An object with these keys, comments, and nothing else. */
static json_t *object_of(json_t *properties) {
    return json_pack("{s:s,s:o,s:b,s:{s:{}}}", "type", "object", "properties", properties,
                     "additionalProperties", 0, "patternProperties", "^(_|//|\\$schema$)");
}

static json_t *section_schema(enum parameter_section section) {
    size_t count;
    const struct parameter *all = parameters(&count);
    json_t *properties = json_object();
    for (size_t i = 0; i < count; i++)
        if (all[i].section == section)
            json_object_set_new(properties, all[i].key, parameter_schema(&all[i]));
    json_t *schema = object_of(properties);
    if (section == SECTION_SERVER)
        json_object_set_new(schema, "required", json_pack("[s]", "remote"));
    return schema;
}

static void print_schema(void) {
    json_t *sections_told =
        json_pack("{s:o,s:o,s:{s:s,s:o},s:{s:s}}", "identity", section_schema(SECTION_IDENTITY),
                  "general", section_schema(SECTION_GENERAL), "servers", "type", "array", "items",
                  section_schema(SECTION_SERVER), "logging", "type", "object");
    CLEANUP(json_unref) json_t *schema = object_of(sections_told);
    json_object_set_new(schema, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", json_string("symgate configuration"));
    json_dumpf(schema, stdout, JSON_INDENT(2));
    puts("");
}

int cli_reference(int argc, char **argv) {
    bool markdown = false, schema = false;
    unsigned operands = 0;
    const struct cli_option options[] = {
        {.name = "--markdown", .flag = &markdown},
        {.name = "--schema", .flag = &schema},
        {0},
    };
    if (!cli_options(argc, argv, options, NULL, 0, &operands))
        return 2;
    if (markdown == schema) {
        fputs("symgate: say --markdown or --schema\n", stderr);
        return 2;
    }
    if (markdown)
        print_markdown();
    else
        print_schema();
    return 0;
}
