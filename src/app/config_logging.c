// SPDX-License-Identifier: MIT
#include "app/config_logging.h"

#include <string.h>

#include "app/paths.h"
#include "base/memory.h"
#include "base/text.h"

enum { SINKS_MAX = 16, KEY_BYTES = 1024, BACKUPS_MAX = 1000 };

/* What counts of each part, and what Python knows besides: accepted, told, without effect. */
struct vocabulary {
    const char *const *used;
    const char *const *idle;
};

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct vocabulary whole_section = {
    NAMES("handlers", "root", "loggers"),
    NAMES("version", "disable_existing_loggers", "incremental", "formatters", "filters"),
};
static const struct vocabulary of_handler = {
    NAMES("class", "level", "filename", "maxBytes", "backupCount"),
    NAMES("formatter", "stream", "encoding", "mode", "delay", "filters", "errors"),
};
static const struct vocabulary of_logger = {
    NAMES("level", "handlers"),
    NAMES("propagate", "filters"),
};
static const char *const file_classes[] = {
    "logging.FileHandler",
    "logging.handlers.RotatingFileHandler",
    "logging.handlers.WatchedFileHandler",
    NULL,
};

static bool is_one_of(const char *const *names, const char *name) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool is_object(struct config_reading *reading, const json_t *json, const char *key) {
    if (!json_is_object(json))
        config_complain(reading, PROBLEM_ERROR, key, "", "must be an object");
    return json_is_object(json);
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
                           const char *name, json_int_t most) {
    const json_t *json = json_object_get(object, name);
    char key[KEY_BYTES];
    config_key(key, sizeof key, prefix, name);
    if (!json)
        return 0;
    json_int_t number = json_is_integer(json) ? json_integer_value(json) : -1;
    if (number >= 0 && number <= most)
        return (uint64_t)number;
    config_complain(reading, PROBLEM_ERROR, key, "", "must be a whole number of at most %lld",
                    (long long)most);
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
    if (!mapped && path_kind(expanded) != PATH_LOCAL) {
        char hint[200];
        path_map_example(expanded, hint, sizeof hint);
        config_complain(reading, PROBLEM_WARNING, key, hint,
                        "\"%.120s\" is a Windows path: this handler writes nothing", expanded);
        return NULL;
    }
    return path_absolute(mapped ? mapped : expanded);
}

static void check_keys(struct config_reading *reading, const json_t *object, const char *prefix,
                       const struct vocabulary *part) {
    const char *name;
    json_t *ignored;
    json_object_foreach((json_t *)(uintptr_t)object, name, ignored) {
        char key[KEY_BYTES];
        config_key(key, sizeof key, prefix, name);
        if (json_is_comment(name) || is_one_of(part->used, name))
            continue;
        if (is_one_of(part->idle, name))
            config_complain(reading, PROBLEM_NOTE, key, "", "has no effect here");
        else
            config_complain(reading, PROBLEM_WARNING, key, "", "unknown key \"%.100s\"", name);
    }
}

static void add_sink(struct config_reading *reading, const json_t *handler, const char *prefix) {
    struct config_logging *logging = &reading->config->logging;
    if (!is_object(reading, handler, prefix))
        return;
    const char *class = json_string_value(json_object_get(handler, "class"));
    struct log_sink sink = {.level = read_level(reading, handler, prefix, LOG_DEBUG)};
    check_keys(reading, handler, prefix, &of_handler);
    if (class && is_one_of(file_classes, class)) {
        sink.path = read_file_name(reading, handler, prefix);
        sink.bytes_max = read_count(reading, handler, prefix, "maxBytes", INT64_MAX);
        sink.backups_max =
            (unsigned)read_count(reading, handler, prefix, "backupCount", BACKUPS_MAX);
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
    if (logging->count < SINKS_MAX) {
        logging->sinks[logging->count++] = sink;
        return;
    }
    config_complain(reading, PROBLEM_ERROR, prefix, "", "more than %d handlers are too many",
                    SINKS_MAX);
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

static void tell_other_loggers(struct config_reading *reading, const json_t *section) {
    const bool has_root = json_object_get(section, "root") != NULL;
    const char *name;
    json_t *ignored;
    json_object_foreach(json_object_get(section, "loggers"), name, ignored) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "logging.loggers[\"%s\"]", name);
        if (has_root || name[0])
            config_complain(reading, PROBLEM_NOTE, key, "",
                            "has no effect here: all lines go through the root logger");
    }
}

static void add_standard_sink(struct config_logging *logging) {
    logging->sinks[logging->count++] = (struct log_sink){.level = LOG_INFO};
}

static void add_handlers(struct config_reading *reading, const json_t *section,
                         const json_t *handlers, const char *prefix) {
    if (!json_is_array(handlers)) {
        char key[KEY_BYTES];
        config_key(key, sizeof key, prefix, "handlers");
        config_complain(reading, PROBLEM_ERROR, key, "", "must be a list of names");
    }
    size_t index;
    const json_t *name;
    json_array_foreach(handlers, index, name) {
        const char *text = json_string_value(name);
        char key[KEY_BYTES];
        config_key(key, sizeof key, "logging.handlers", text ? text : "");
        const json_t *handler =
            json_object_get(json_object_get(section, "handlers"), text ? text : "");
        if (handler)
            add_sink(reading, handler, key);
        else
            config_complain(reading, PROBLEM_ERROR, prefix, "",
                            "the handler \"%.80s\" is not defined", text ? text : "");
    }
}

static void add_sinks(struct config_reading *reading, const json_t *section) {
    char prefix[KEY_BYTES];
    const json_t *logger = find_root_logger(section, prefix, sizeof prefix);
    struct config_logging *logging = &reading->config->logging;
    if (logger && !is_object(reading, logger, prefix))
        return;
    const json_t *handlers = json_object_get(logger, "handlers");
    logging->level = read_level(reading, logger, prefix, LOG_INFO);
    check_keys(reading, logger, prefix, &of_logger);
    if (handlers) {
        add_handlers(reading, section, handlers, prefix);
        return;
    }
    config_complain(reading, PROBLEM_NOTE, "logging",
                    "Name them in the list \"handlers\" of \"root\".",
                    "no handlers are named: lines go to the standard error stream");
    add_standard_sink(logging);
}

void config_read_logging(struct config_reading *reading, const json_t *section) {
    struct config_logging *logging = &reading->config->logging;
    logging->sinks = NEW_ARRAY(struct log_sink, SINKS_MAX);
    logging->level = LOG_INFO;
    if (section && !is_object(reading, section, "logging"))
        return;
    if (section && json_object_size(section) > 0) {
        check_keys(reading, section, "logging", &whole_section);
        tell_other_loggers(reading, section);
        add_sinks(reading, section);
        return;
    }
    add_standard_sink(logging);
}

void config_logging_release(struct config_logging *logging) {
    for (unsigned i = 0; i < logging->count; i++)
        free(logging->sinks[i].path);
    free(logging->sinks);
    *logging = (struct config_logging){0};
}
