// SPDX-License-Identifier: MIT
#include "app/config_logging.h"

#include <string.h>

#include "app/paths.h"
#include "base/memory.h"
#include "base/text.h"

enum { SINKS_MAX = 16, KEY_BYTES = 160 };

/* Python's defaults and what shapes lines only: accepted, without effect. */
static const char *const silent[] = {"version", "disable_existing_loggers", "incremental", NULL};
static const char *const told[] = {"formatters", "filters", NULL};
static const char *const of_handlers[] = {"class",       "level",     "filename", "maxBytes",
                                          "backupCount", "formatter", "stream",   "encoding",
                                          "mode",        "delay",     "filters",  NULL};

static bool is_one_of(const char *const *names, const char *name) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static enum log_level read_level(struct config_reading *reading, const json_t *object,
                                 const char *prefix, enum log_level standard) {
    const json_t *json = json_object_get(object, "level");
    if (!json || (json_is_string(json) && strcmp(json_string_value(json), "NOTSET") == 0))
        return standard;
    enum log_level level = standard;
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.level", prefix);
    if (!json_is_string(json) || !log_level_parse(json_string_value(json), &level))
        config_complain(reading, PROBLEM_ERROR, key, "",
                        "must be DEBUG, INFO, WARNING, ERROR or CRITICAL");
    return level;
}

static uint64_t read_count(struct config_reading *reading, const json_t *object, const char *prefix,
                           const char *name) {
    const json_t *json = json_object_get(object, name);
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.%s", prefix, name);
    if (!json)
        return 0;
    if (json_is_integer(json) && json_integer_value(json) >= 0)
        return (uint64_t)json_integer_value(json);
    config_complain(reading, PROBLEM_ERROR, key, "", "must be a whole number");
    return 0;
}

static char *read_file_name(struct config_reading *reading, const json_t *handler,
                            const char *prefix) {
    const char *name = json_string_value(json_object_get(handler, "filename"));
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.filename", prefix);
    if (!name) {
        config_complain(reading, PROBLEM_ERROR, prefix, "", "needs a \"filename\"");
        return NULL;
    }
    CLEANUP(free_block) char *expanded = config_expand(reading, key, name);
    if (!expanded)
        return NULL;
    CLEANUP(free_block) char *mapped = path_mapped(&reading->config->general.path_map, expanded);
    if (!mapped && path_kind(expanded) == PATH_WINDOWS) {
        char hint[200];
        path_map_example(expanded, hint, sizeof hint);
        config_complain(reading, PROBLEM_WARNING, key, hint,
                        "\"%.120s\" is a Windows path: this handler writes nothing", expanded);
        return NULL;
    }
    return path_absolute(mapped ? mapped : expanded);
}

static void check_handler_keys(struct config_reading *reading, const json_t *handler,
                               const char *prefix) {
    const char *name;
    json_t *ignored;
    json_object_foreach((json_t *)(uintptr_t)handler, name, ignored) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s.%s", prefix, name);
        if (!json_is_comment(name) && !is_one_of(of_handlers, name))
            config_complain(reading, PROBLEM_WARNING, key, "", "unknown key \"%.100s\"", name);
    }
}

static void add_sink(struct config_reading *reading, const json_t *handler, const char *prefix) {
    struct config_logging *logging = &reading->config->logging;
    const char *class = json_string_value(json_object_get(handler, "class"));
    struct log_sink sink = {.level = read_level(reading, handler, prefix, LOG_DEBUG)};
    check_handler_keys(reading, handler, prefix);
    if (class && text_ends_folded(class, "FileHandler")) {
        sink.path = read_file_name(reading, handler, prefix);
        sink.bytes_max = read_count(reading, handler, prefix, "maxBytes");
        sink.backups_max = (unsigned)read_count(reading, handler, prefix, "backupCount");
        if (!sink.path)
            return;
    } else if (!class || strcmp(class, "logging.StreamHandler") != 0) {
        config_complain(reading, PROBLEM_WARNING, prefix,
                        "Known are logging.StreamHandler, logging.FileHandler and "
                        "logging.handlers.RotatingFileHandler.",
                        "the class \"%.80s\" is not known: this handler writes nothing",
                        class ? class : "");
        return;
    }
    if (logging->count < SINKS_MAX)
        logging->sinks[logging->count++] = sink;
    else
        free(sink.path);
}

/* The logger that everything goes through: `root`, else the one with the empty name. */
static const json_t *find_root_logger(const json_t *section, char *out_prefix, size_t size) {
    const json_t *root = json_object_get(section, "root");
    text_copy(out_prefix, size, "logging.root");
    if (root)
        return root;
    text_copy(out_prefix, size, "logging.loggers[\"\"]");
    return json_object_get(json_object_get(section, "loggers"), "");
}

static void add_sinks(struct config_reading *reading, const json_t *section) {
    char prefix[KEY_BYTES];
    const json_t *logger = find_root_logger(section, prefix, sizeof prefix);
    struct config_logging *logging = &reading->config->logging;
    logging->level = read_level(reading, logger, prefix, LOG_INFO);
    size_t index;
    const json_t *name;
    json_array_foreach(json_object_get(logger, "handlers"), index, name) {
        const char *text = json_string_value(name);
        char key[KEY_BYTES];
        text_format(key, sizeof key, "logging.handlers.%s", text ? text : "");
        const json_t *handler =
            json_object_get(json_object_get(section, "handlers"), text ? text : "");
        if (handler)
            add_sink(reading, handler, key);
        else
            config_complain(reading, PROBLEM_ERROR, prefix, "",
                            "the handler \"%.80s\" is not defined", text ? text : "");
    }
}

static void tell_without_effect(struct config_reading *reading, const json_t *section) {
    const char *name;
    json_t *ignored;
    json_object_foreach((json_t *)(uintptr_t)section, name, ignored) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "logging.%s", name);
        bool used = is_one_of((const char *const[]){"handlers", "root", "loggers", NULL}, name);
        if (used || json_is_comment(name) || is_one_of(silent, name))
            continue;
        if (is_one_of(told, name))
            config_complain(reading, PROBLEM_NOTE, key, "", "has no effect: lines have one format");
        else
            config_complain(reading, PROBLEM_WARNING, key, "", "unknown key \"%.100s\"", name);
    }
}

void config_read_logging(struct config_reading *reading, const json_t *section) {
    struct config_logging *logging = &reading->config->logging;
    logging->sinks = NEW_ARRAY(struct log_sink, SINKS_MAX);
    logging->level = LOG_INFO;
    if (section && !json_is_object(section)) {
        config_complain(reading, PROBLEM_ERROR, "logging", "", "must be an object");
        return;
    }
    if (section && json_object_size(section) > 0) {
        tell_without_effect(reading, section);
        add_sinks(reading, section);
        return;
    }
    logging->sinks[logging->count++] = (struct log_sink){.level = LOG_INFO};
}

void config_logging_release(struct config_logging *logging) {
    for (unsigned i = 0; i < logging->count; i++)
        free(logging->sinks[i].path);
    free(logging->sinks);
    *logging = (struct config_logging){0};
}
