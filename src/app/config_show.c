// SPDX-License-Identifier: MIT
#include "app/config_show.h"

#include <string.h>

#include "app/config_needless.h"
#include "app/parameter.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

static const char masked[] = "***";

bool config_is_mask(const char *text, bool secret) {
    static const char *const parts[] = {"://***@", "?***", "/***"};
    if (secret)
        return strcmp(text, masked) == 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(text, "://") && strstr(text, parts[i]))
            return true;
    return false;
}

/* A text that may be a URL, or a symbol path with some in it. */
static char *masked_text(const char *text) {
    size_t length = strlen(text), room = 2 * length + 8;
    char *shown = memory_new(room);
    text_mask_secrets(shown, room, text, length, false);
    return shown;
}

static json_t *show_masked(const char *text) {
    CLEANUP(free_block) char *shown = masked_text(text);
    return json_string(shown);
}

static json_t *show_text(const char *text, bool secret) {
    if (!text)
        return NULL;
    return secret ? json_string(text[0] ? masked : "") : show_masked(text);
}

static json_t *show_list(const struct config_text_list *list) {
    if (list->count == 0)
        return NULL;
    json_t *array = json_array();
    for (unsigned i = 0; i < list->count; i++)
        json_array_append_new(array, show_masked(list->texts[i]));
    return array;
}

static json_t *show_patterns(const struct config_pattern_list *list) {
    if (!list->given)
        return NULL;
    json_t *array = json_array();
    for (unsigned i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(pattern_text(list->patterns[i])));
    return array;
}

static json_t *show_map(const struct config_map *map, bool secret) {
    json_t *object = json_object();
    for (unsigned i = 0; i < map->count; i++) {
        CLEANUP(free_block) char *from = masked_text(map->from[i]);
        json_object_set_new(object, from, show_text(map->to[i], secret));
    }
    return object;
}

static json_t *show_numbers(const struct config_numbers *numbers) {
    json_t *array = json_array();
    for (unsigned i = 0; i < numbers->count; i++)
        json_array_append_new(array, json_integer((json_int_t)numbers->numbers[i]));
    return array;
}

static json_t *show_time(int64_t ms) {
    if (ms == TIME_ABSENT)
        return NULL;
    if (ms < 0)
        return json_null();
    return ms % 1000 ? json_real((double)ms / 1000) : json_integer(ms / 1000);
}

static json_t *show_number(uint64_t number) {
    /* COUNT_ABSENT and FREE_MIN_DEFAULT: the default has no number of its own. */
    return number == UINT64_MAX ? NULL : json_integer((json_int_t)number);
}

static json_t *show_section(enum parameter_section section, const void *values, unsigned remote);

/* NULL: nothing is to be said, the default counts. */
static json_t *show_value(const struct parameter *parameter, const void *field) {
    switch (parameter->type) {
    case PARAMETER_TEXT:
    case PARAMETER_PATH:
        return show_text(*(char *const *)field, false);
    case PARAMETER_SECRET:
        return show_text(*(char *const *)field, true);
    case PARAMETER_BOOLEAN:
        return json_boolean(*(const bool *)field);
    case PARAMETER_NUMBER:
    case PARAMETER_SIZE:
        return show_number(*(const uint64_t *)field);
    case PARAMETER_TIME:
    case PARAMETER_TIME_NULL:
        return show_time(*(const int64_t *)field);
    case PARAMETER_LIST:
        return show_list(field);
    case PARAMETER_PATTERNS:
        return show_patterns(field);
    case PARAMETER_NUMBERS:
        return show_numbers(field);
    case PARAMETER_MAP:
        return show_map(field, false);
    case PARAMETER_SECRETS:
        return show_map(field, true);
    case PARAMETER_TIMEOUTS:
        return show_section(SECTION_TIMEOUTS, field, 0);
    case PARAMETER_BREAKER:
        return show_section(SECTION_BREAKER, field, 0);
    }
    return NULL;
}

/* Without what does nothing for a server whose remote is of this kind; 0: it is no server. */
static json_t *show_section(enum parameter_section section, const void *values, unsigned remote) {
    size_t count;
    const struct parameter *all = parameters(&count);
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        const struct parameter *parameter = &all[i];
        if (parameter->section != section || parameter->alias_of ||
            (remote && parameter->remotes && !(parameter->remotes & remote)))
            continue;
        json_t *value = show_value(parameter, (const char *)values + parameter->offset);
        if (value)
            json_object_set_new(object, parameter->key, value);
    }
    return object;
}

static json_t *show_sink(const struct log_sink *sink) {
    json_t *handler = json_object();
    json_object_set_new(
        handler, "class",
        json_string(sink->path ? "logging.handlers.RotatingFileHandler" : "logging.StreamHandler"));
    json_object_set_new(handler, "level", json_string(log_level_name(sink->level)));
    if (!sink->path)
        return handler;
    json_object_set_new(handler, "filename", json_string(sink->path));
    json_object_set_new(handler, "maxBytes", json_integer((json_int_t)sink->bytes_max));
    json_object_set_new(handler, "backupCount", json_integer(sink->backups_max));
    return handler;
}

static json_t *show_logging(const struct config_logging *logging) {
    json_t *handlers = json_object(), *names = json_array();
    for (unsigned i = 0; i < logging->count; i++) {
        char name[32];
        text_format(name, sizeof name, "handler%u", i + 1);
        json_object_set_new(handlers, name, show_sink(&logging->sinks[i]));
        json_array_append_new(names, json_string(name));
    }
    json_t *root = json_object();
    json_object_set_new(root, "handlers", names);
    json_object_set_new(root, "level", json_string(log_level_name(logging->level)));
    json_t *section = json_object();
    json_object_set_new(section, "handlers", handlers);
    json_object_set_new(section, "root", root);
    return section;
}

char *config_show(const struct config *config) {
    CLEANUP(json_unref) json_t *all = json_object();
    json_object_set_new(all, "identity", show_section(SECTION_IDENTITY, &config->identity, 0));
    json_object_set_new(all, "general", show_section(SECTION_GENERAL, &config->general, 0));
    json_t *servers = json_array();
    for (unsigned i = 0; i < config->server_count; i++)
        json_array_append_new(servers, show_section(SECTION_SERVER, &config->servers[i],
                                                    config_remote_of(&config->servers[i])));
    json_object_set_new(all, "servers", servers);
    if (config->logging.count > 0)
        json_object_set_new(all, "logging", show_logging(&config->logging));
    return json_dumps(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
}
