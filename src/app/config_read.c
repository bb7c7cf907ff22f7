// SPDX-License-Identifier: MIT
#include "app/config_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/config_show.h"
#include "app/paths.h"
#include "base/buffer.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"

enum { KEY_BYTES = 1024, PROBLEMS_MAX = 200, VALUE_BYTES_MAX = 64 * 1024, LIST_MAX = 10000 };

/* One value on its way into a struct. */
struct value {
    struct config_reading *reading;
    const struct parameter *parameter;
    const json_t *json;
    const char *key;
    void *field;
};

void config_complain(struct config_reading *reading, enum problem_severity severity,
                     const char *key, const char *hint, const char *format, ...) {
    struct config_problems *problems = reading->problems;
    problems->errors += severity == PROBLEM_ERROR;
    problems->warnings += severity == PROBLEM_WARNING;
    if (problems->count >= PROBLEMS_MAX) {
        problems->dropped++;
        return;
    }
    if (!problems->list)
        problems->list = NEW_ARRAY(struct config_problem, PROBLEMS_MAX);
    struct config_problem *problem = &problems->list[problems->count++];
    problem->severity = severity;
    text_copy(problem->key, sizeof problem->key, key);
    text_copy(problem->hint, sizeof problem->hint, hint);
    va_list args;
    va_start(args, format);
    vsnprintf(problem->what, sizeof problem->what, format, args);
    va_end(args);
    if (reading->text &&
        !json_locate(reading->text, reading->length, key, &problem->line, &problem->column))
        problem->line = 0;
}

bool config_complained(const struct config_reading *reading, const char *key) {
    const struct config_problems *problems = reading->problems;
    for (unsigned i = 0; i < problems->count; i++)
        if (strcmp(problems->list[i].key, key) == 0)
            return true;
    return false;
}

void config_key(char *out, size_t size, const char *prefix, const char *name) {
    if (!name[0] || strpbrk(name, ".[]\""))
        text_format(out, size, "%s[\"%s\"]", prefix, name);
    else
        text_format(out, size, "%s%s%s", prefix, prefix[0] ? "." : "", name);
}

static void wrong_type(const struct value *value, const char *wanted) {
    config_complain(value->reading, PROBLEM_ERROR, value->key, "", "must be %s", wanted);
}

/* Is what comes next in the path of a URL? */
static bool is_in_path(const struct buffer *url) {
    const char *authority = url->bytes ? strstr(url->bytes, "://") : NULL;
    return authority && strchr(authority + 3, '/');
}

/* Appends the value of a variable whose name is between braces; false when it is not defined. */
static bool append_variable(struct buffer *out, const char *name, size_t length) {
    char variable[256];
    const char *found =
        text_copy_n(variable, sizeof variable, name, length) ? getenv(variable) : NULL;
    if (found && is_in_path(out))
        text_keep_secret(found);
    if (found)
        buffer_append_text(out, found);
    return found != NULL;
}

char *config_expand(struct config_reading *reading, const char *key, const char *text) {
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, VALUE_BYTES_MAX);
    while (*text && !out.failed) {
        const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
        if (strncmp(text, "${", 2) == 0 && !end) {
            config_complain(reading, PROBLEM_WARNING, key,
                            "Write } behind a variable's name, or $${ for the characters.",
                            "the text from ${ on is taken as it stands, for it has no }");
            buffer_append_text(&out, text);
            break;
        }
        if (strncmp(text, "$${", 3) == 0) {
            buffer_append_text(&out, "${");
            text += 3;
        } else if (end) {
            if (!append_variable(&out, text + 2, (size_t)(end - text - 2))) {
                config_complain(reading, PROBLEM_ERROR, key,
                                "Set it, or write $${ for the characters themselves.",
                                "the variable %.*s is not defined", (int)(end + 1 - text), text);
                return NULL;
            }
            text = end + 1;
        } else {
            buffer_append(&out, text++, 1);
        }
    }
    if (out.failed) {
        config_complain(reading, PROBLEM_ERROR, key, "", "is longer than %d bytes",
                        VALUE_BYTES_MAX);
        return NULL;
    }
    return memory_text(out.bytes ? out.bytes : "");
}

/* A secret may lie in a file of its own; its last line end does not count. */
static char *read_secret_file(const struct value *value) {
    const char *path = json_string_value(json_object_get(value->json, "file"));
    if (!path || json_object_size(value->json) != 1) {
        wrong_type(value, "a text or {\"file\": \"path\"}");
        return NULL;
    }
    CLEANUP(free_block) char *expanded = config_expand(value->reading, value->key, path);
    if (!expanded)
        return NULL;
    char *text = NULL;
    size_t length = 0;
    struct error err;
    if (!files_read_whole(expanded, VALUE_BYTES_MAX, &text, &length, &err)) {
        config_complain(value->reading, PROBLEM_ERROR, value->key, "", "%s", err.what);
        return NULL;
    }
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    return text;
}

static void read_text(const struct value *value) {
    char **field = value->field;
    char *text = NULL;
    bool secret =
        value->parameter->type == PARAMETER_SECRET || value->parameter->type == PARAMETER_SECRETS;
    if (json_is_string(value->json) && config_is_mask(json_string_value(value->json), secret))
        config_complain(value->reading, PROBLEM_ERROR, value->key, CONFIG_MASK_HINT,
                        "holds \"***\", which stands for a secret that is not shown");
    else if (json_is_object(value->json))
        text = read_secret_file(value);
    else if (json_is_string(value->json))
        text = config_expand(value->reading, value->key, json_string_value(value->json));
    else if (!json_is_null(value->json))
        wrong_type(value, "a text");
    free(*field);
    *field = text;
}

static void read_boolean(const struct value *value) {
    if (json_is_boolean(value->json))
        *(bool *)value->field = json_is_true(value->json);
    else
        wrong_type(value, "true or false");
}

static bool within(const struct value *value, uint64_t number) {
    const struct parameter *parameter = value->parameter;
    if (number >= parameter->least && (parameter->most == 0 || number <= parameter->most))
        return true;
    if (parameter->most)
        config_complain(value->reading, PROBLEM_ERROR, value->key, "", "must be from %lu to %lu",
                        parameter->least, parameter->most);
    else
        config_complain(value->reading, PROBLEM_ERROR, value->key, "", "must be at least %lu",
                        parameter->least);
    return false;
}

static void read_number(const struct value *value) {
    if (!json_is_integer(value->json))
        wrong_type(value, "a whole number");
    else if (json_integer_value(value->json) < 0)
        config_complain(value->reading, PROBLEM_ERROR, value->key, "", "must not be negative");
    else if (within(value, (uint64_t)json_integer_value(value->json)))
        *(uint64_t *)value->field = (uint64_t)json_integer_value(value->json);
}

static void read_size(const struct value *value) {
    uint64_t bytes = 0;
    bool good = json_is_integer(value->json) && json_integer_value(value->json) >= 0;
    if (good)
        bytes = (uint64_t)json_integer_value(value->json);
    else if (json_is_string(value->json))
        good = number_parse_size(json_string_value(value->json), &bytes);
    if (good)
        *(uint64_t *)value->field = bytes;
    else
        wrong_type(value, "a number of bytes, or a text as \"200 GiB\"");
}

static void read_time(const struct value *value) {
    int64_t ms = 0;
    bool good = json_is_number(value->json) && json_number_value(value->json) >= 0 &&
                json_number_value(value->json) <= (double)(number_time_ms_max / 1000);
    if (good)
        ms = (int64_t)(json_number_value(value->json) * 1000);
    else if (json_is_string(value->json))
        good = number_parse_time(json_string_value(value->json), &ms);
    if (!good)
        wrong_type(value, "a number of seconds, or a text as \"10m\"");
    else if (ms < (int64_t)value->parameter->least)
        config_complain(value->reading, PROBLEM_ERROR, value->key, "", "must not be 0");
    else
        *(int64_t *)value->field = ms;
}

static void read_time_or_never(const struct value *value) {
    if (json_is_null(value->json))
        *(int64_t *)value->field = HEDGE_NEVER;
    else
        read_time(value);
}

static bool is_list(const struct value *value) {
    if (!json_is_array(value->json) || json_array_size(value->json) > LIST_MAX) {
        wrong_type(value, "a list");
        return false;
    }
    return true;
}

static void release_list(struct config_text_list *list) {
    for (unsigned i = 0; i < list->count; i++)
        free(list->texts[i]);
    free(list->texts);
    *list = (struct config_text_list){0};
}

void config_listen_on(struct config *config, const struct config_text_list *addresses) {
    struct config_text_list *list = &config->general.listen;
    if (addresses->count == 0)
        return;
    release_list(list);
    list->texts = NEW_ARRAY(char *, addresses->count);
    for (; list->count < addresses->count; list->count++)
        list->texts[list->count] = memory_text(addresses->texts[list->count]);
}

static void read_list(const struct value *value) {
    struct config_text_list *list = value->field;
    if (!is_list(value))
        return;
    release_list(list);
    list->texts = NEW_ARRAY(char *, json_array_size(value->json));
    size_t index;
    const json_t *element;
    json_array_foreach(value->json, index, element) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s[%zu]", value->key, index);
        struct value inner = {value->reading, value->parameter, element, key,
                              &list->texts[list->count]};
        read_text(&inner);
        list->count += list->texts[list->count] != NULL;
    }
}

static void read_pattern(struct config_pattern_list *list, const struct value *value) {
    if (!json_is_string(value->json)) {
        wrong_type(value, "a regular expression");
        return;
    }
    if (json_string_length(value->json) == 0)
        config_complain(value->reading, PROBLEM_WARNING, value->key,
                        "Take it out; who means every name writes \".*\".",
                        "an empty pattern fits every name");
    size_t offset = 0;
    struct error err = {0};
    struct pattern *pattern = pattern_new(json_string_value(value->json), &offset, &err);
    if (pattern)
        list->patterns[list->count++] = pattern;
    else
        config_complain(value->reading, PROBLEM_ERROR, value->key, err.hint,
                        "bad pattern at character %zu: %s", offset + 1, err.what);
}

static void release_patterns(struct config_pattern_list *list) {
    for (unsigned i = 0; i < list->count; i++)
        pattern_free(list->patterns[i]);
    free(list->patterns);
    *list = (struct config_pattern_list){0};
}

static void read_patterns(const struct value *value) {
    struct config_pattern_list *list = value->field;
    release_patterns(list);
    if (json_is_null(value->json) || !is_list(value))
        return;
    list->given = true;
    list->patterns = NEW_ARRAY(struct pattern *, json_array_size(value->json));
    size_t index;
    const json_t *element;
    json_array_foreach(value->json, index, element) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s[%zu]", value->key, index);
        struct value inner = {value->reading, value->parameter, element, key, NULL};
        read_pattern(list, &inner);
    }
}

static void read_numbers(const struct value *value) {
    struct config_numbers *list = value->field;
    if (!is_list(value))
        return;
    *list = (struct config_numbers){0};
    size_t index;
    const json_t *element;
    json_array_foreach(value->json, index, element) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s[%zu]", value->key, index);
        struct value inner = {value->reading, value->parameter, element, key, NULL};
        if (list->count == STATUSES_MAX) {
            config_complain(value->reading, PROBLEM_ERROR, key, "", "more than %d are too many",
                            STATUSES_MAX);
            return;
        }
        inner.field = &list->numbers[list->count++];
        read_number(&inner);
    }
}

static void release_map(struct config_map *map) {
    for (unsigned i = 0; i < map->count; i++) {
        free(map->from[i]);
        secret_free(map->to[i]);
    }
    free(map->from);
    free(map->to);
    *map = (struct config_map){0};
}

static void read_map(const struct value *value) {
    struct config_map *map = value->field;
    if (!json_is_object(value->json)) {
        wrong_type(value, "an object of texts");
        return;
    }
    release_map(map);
    map->from = NEW_ARRAY(char *, json_object_size(value->json));
    map->to = NEW_ARRAY(char *, json_object_size(value->json));
    const char *name;
    json_t *element;
    json_object_foreach((json_t *)(uintptr_t)value->json, name, element) {
        char key[KEY_BYTES], hint[200], *to = NULL;
        text_format(key, sizeof key, "%s[\"%s\"]", value->key, name);
        if (path_map_misspelt(name, json_string_value(element), hint, sizeof hint))
            config_complain(value->reading, PROBLEM_WARNING, key, hint,
                            "counts as a comment, as every key that begins with //");
        if (json_is_comment(name))
            continue;
        struct value inner = {value->reading, value->parameter, element, key, &to};
        read_text(&inner);
        if (!to)
            continue;
        map->from[map->count] = memory_text(name);
        map->to[map->count++] = to;
    }
}

static void read_value(const struct value *value) {
    switch (value->parameter->type) {
    case PARAMETER_TEXT:
    case PARAMETER_SECRET:
    case PARAMETER_PATH:
        read_text(value);
        return;
    case PARAMETER_BOOLEAN:
        read_boolean(value);
        return;
    case PARAMETER_NUMBER:
        read_number(value);
        return;
    case PARAMETER_SIZE:
        read_size(value);
        return;
    case PARAMETER_TIME:
        read_time(value);
        return;
    case PARAMETER_TIME_NULL:
        read_time_or_never(value);
        return;
    case PARAMETER_LIST:
        read_list(value);
        return;
    case PARAMETER_PATTERNS:
        read_patterns(value);
        return;
    case PARAMETER_NUMBERS:
        read_numbers(value);
        return;
    case PARAMETER_MAP:
    case PARAMETER_SECRETS:
        read_map(value);
        return;
    case PARAMETER_TIMEOUTS:
        config_read_section(value->reading, SECTION_TIMEOUTS, value->json, value->key,
                            value->field);
        return;
    case PARAMETER_BREAKER:
        config_read_section(value->reading, SECTION_BREAKER, value->json, value->key, value->field);
        return;
    }
}

static void unknown_key(struct config_reading *reading, enum parameter_section section,
                        const char *key, const char *name) {
    char hint[160] = "";
    const char *suggestion = parameter_suggest(section, name);
    if (suggestion)
        text_format(hint, sizeof hint, "Did you mean \"%s\"?", suggestion);
    config_complain(reading, PROBLEM_WARNING, key, hint, "unknown key \"%.100s\"", name);
}

void config_defaults(struct config_reading *reading, enum parameter_section section, void *target) {
    size_t count;
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].section != section || !all[i].standard)
            continue;
        CLEANUP(json_unref)
        json_t *json = json_loads(all[i].standard, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        struct value value = {reading, &all[i], json, all[i].key, (char *)target + all[i].offset};
        read_value(&value);
    }
}

void config_read_section(struct config_reading *reading, enum parameter_section section,
                         const json_t *object, const char *prefix, void *target) {
    if (!json_is_object(object)) {
        config_complain(reading, PROBLEM_ERROR, prefix, "", "must be an object");
        return;
    }
    const char *name;
    json_t *element;
    json_object_foreach((json_t *)(uintptr_t)object, name, element) {
        if (json_is_comment(name))
            continue;
        char key[KEY_BYTES];
        config_key(key, sizeof key, prefix, name);
        const struct parameter *parameter = parameter_find(section, name);
        if (!parameter) {
            unknown_key(reading, section, key, name);
            continue;
        }
        struct value value = {reading, parameter, element, key, (char *)target + parameter->offset};
        read_value(&value);
    }
}

static void release_value(enum parameter_type type, void *field) {
    switch (type) {
    case PARAMETER_TEXT:
    case PARAMETER_SECRET:
    case PARAMETER_PATH: /* of a remote, with user-info */
        secret_free(*(char **)field);
        return;
    case PARAMETER_LIST:
        release_list(field);
        return;
    case PARAMETER_PATTERNS:
        release_patterns(field);
        return;
    case PARAMETER_MAP:
    case PARAMETER_SECRETS:
        release_map(field);
        return;
    case PARAMETER_BOOLEAN:
    case PARAMETER_NUMBER:
    case PARAMETER_SIZE:
    case PARAMETER_TIME:
    case PARAMETER_TIME_NULL:
    case PARAMETER_NUMBERS:
    case PARAMETER_TIMEOUTS:
    case PARAMETER_BREAKER:
        return;
    }
}

void config_release_section(enum parameter_section section, void *target) {
    size_t count;
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++)
        if (all[i].section == section)
            release_value(all[i].type, (char *)target + all[i].offset);
}
