// SPDX-License-Identifier: MIT
#include "app/config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/config_default.h"
#include "app/config_finish.h"
#include "app/config_logging.h"
#include "app/config_read.h"
#include "app/paths.h"
#include "app/sympath.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

enum { FILE_BYTES_MAX = 16 * 1024 * 1024 };

static const char *const places[] = {
    "../config/pysymproxy.json",
    "./config/pysymproxy.json",
    "./config/default.pysymproxy.json",
    "/etc/symgate/symgate.json",
};

char *config_find_file(void) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], F_OK) == 0)
            return memory_text(places[i]);
    return NULL;
}

void config_free(struct config *config) {
    if (!config)
        return;
    for (unsigned i = 0; i < config->server_count; i++) {
        free(config->servers[i].remote_told);
        secret_free(config->servers[i].cache_share);
        config_release_section(SECTION_SERVER, &config->servers[i]);
    }
    free(config->servers);
    secret_free(config->general.cache_share);
    config_release_section(SECTION_GENERAL, &config->general);
    config_release_section(SECTION_IDENTITY, &config->identity);
    config_logging_release(&config->logging);
    secret_free(config->origin.text);
    free(config->origin.sympath);
    free(config->origin.data);
    free(config->path);
    free(config);
}

void config_problems_release(struct config_problems *problems) {
    free(problems->list);
    *problems = (struct config_problems){0};
}

static struct config_server *new_server(struct config_reading *reading) {
    struct config_server *server = &reading->config->servers[reading->config->server_count++];
    server->retry_misspelled_ms = TIME_ABSENT;
    server->hedge_after_ms = TIME_ABSENT;
    server->revalidate_ms = TIME_ABSENT;
    server->index_refresh_ms = TIME_ABSENT;
    server->breaker = (struct config_breaker){TIME_ABSENT, COUNT_ABSENT, TIME_ABSENT};
    config_defaults(reading, SECTION_SERVER, server);
    config_defaults(reading, SECTION_TIMEOUTS, &server->timeouts);
    return server;
}

static void read_server(struct config_reading *reading, json_t *json, unsigned index) {
    struct config_server *server = new_server(reading);
    char prefix[32];
    text_format(prefix, sizeof prefix, "servers[%u]", index);
    config_read_section(reading, SECTION_SERVER, json, prefix, server);
    config_finish_server(reading, server, prefix, index, json);
}

static bool is_read_already(const struct config *config, const char *share) {
    for (unsigned i = 0; i < config->server_count; i++)
        if (config->servers[i].is_cache && strcmp(config->servers[i].remote_told, share) == 0)
            return true;
    return false;
}

/* A share that a cache lies on is a server that is asked before all others. */
static void read_cache(struct config_reading *reading, const char *share, const char *key) {
    struct config *config = reading->config;
    if (!share || is_read_already(config, share))
        return;
    if (config->server_count == SOURCES_MAX) {
        config_complain(reading, PROBLEM_WARNING, key, "",
                        "is not read: beside %d servers there is no room for it", SOURCES_MAX);
        return;
    }
    struct config_server *server = new_server(reading);
    server->name = memory_text("cache");
    server->remote = memory_text(share);
    config_finish_server(reading, server, key, 0, NULL);
    server->is_cache = true;
    server->priority = 0;
}

/* They come to stand in front of the servers. */
static void read_caches(struct config_reading *reading) {
    struct config *config = reading->config;
    unsigned own = config->server_count;
    read_cache(reading, config->general.cache_share, "general.cacheLocation");
    for (unsigned i = 0; i < own; i++) {
        char key[48];
        text_format(key, sizeof key, "servers[%u].cacheLocation", i);
        read_cache(reading, config->servers[i].cache_share, key);
    }
    unsigned caches = config->server_count - own;
    struct config_server *all = NEW_ARRAY(struct config_server, SOURCES_MAX);
    memcpy(all, config->servers + own, caches * sizeof *all);
    memcpy(all + caches, config->servers, own * sizeof *all);
    free(config->servers);
    config->servers = all;
}

static void read_servers(struct config_reading *reading, const json_t *json) {
    if (!json_is_array(json)) {
        config_complain(reading, PROBLEM_ERROR, "servers", "", "must be a list of servers");
        return;
    }
    if (json_array_size(json) > SOURCES_MAX) {
        config_complain(reading, PROBLEM_ERROR, "servers", "", "more than %d servers are too many",
                        SOURCES_MAX);
        return;
    }
    size_t index;
    json_t *element;
    json_array_foreach(json, index, element) {
        read_server(reading, element, (unsigned)index);
    }
}

static void unknown_section(struct config_reading *reading, const char *name) {
    char key[1024];
    config_key(key, sizeof key, "", name);
    config_complain(reading, PROBLEM_WARNING, key,
                    "The sections are identity, general, servers and logging.",
                    "unknown section \"%.100s\"", name);
}

static void read_root(struct config_reading *reading, const json_t *root,
                      const char *data_override) {
    struct config *config = reading->config;
    config->general.free_min_bytes = FREE_MIN_DEFAULT;
    config_defaults(reading, SECTION_IDENTITY, &config->identity);
    config_defaults(reading, SECTION_GENERAL, &config->general);
    const json_t *servers = NULL, *logging = NULL, *element;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)root, name, element) {
        if (json_is_comment(name))
            continue;
        if (strcmp(name, "identity") == 0)
            config_read_section(reading, SECTION_IDENTITY, element, name, &config->identity);
        else if (strcmp(name, "general") == 0)
            config_read_section(reading, SECTION_GENERAL, element, name, &config->general);
        else if (strcmp(name, "servers") == 0)
            servers = element;
        else if (strcmp(name, "logging") == 0)
            logging = element;
        else
            unknown_section(reading, name);
    }
    config_finish_general(reading, data_override);
    config->servers = NEW_ARRAY(struct config_server, SOURCES_MAX);
    if (servers)
        read_servers(reading, servers);
    else
        config_complain(reading, PROBLEM_WARNING, "", "Add a list \"servers\".",
                        "no servers are configured: only what lies in the cache is served");
    read_caches(reading);
    config_finish_servers(reading);
    config_read_logging(reading, logging);
}

static struct config *read_json(struct config_reading *reading, const json_t *root,
                                const char *data_override) {
    reading->config = NEW(struct config);
    reading->config->path = memory_text(reading->path);
    if (json_is_object(root))
        read_root(reading, root, data_override);
    else
        config_complain(reading, PROBLEM_ERROR, "", "", "must be an object");
    if (reading->problems->errors == 0)
        return reading->config;
    config_free(reading->config);
    return NULL;
}

static char *copy_text(const char *text, size_t length) {
    char *copy = memory_new(length + 1);
    memcpy(copy, text, length);
    return copy;
}

struct config *config_parse(const char *path, const char *text, size_t length,
                            const char *data_override, struct config_problems *out_problems) {
    *out_problems = (struct config_problems){0};
    struct config_reading reading = {path, text, length, NULL, out_problems};
    CLEANUP(json_unref) json_t *root = NULL;
    int line = 0, column = 0;
    struct error err = {0};
    if (!json_parse(text, length, &root, &line, &column, &err)) {
        config_complain(&reading, PROBLEM_ERROR, "", err.hint, "%s", err.what);
        out_problems->list[out_problems->count - 1].line = line;
        out_problems->list[out_problems->count - 1].column = column;
        return NULL;
    }
    if (json_has_duplicate(text, length, &line, &column, &err)) {
        config_complain(&reading, PROBLEM_WARNING, "", "Of both the last one counts; leave one.",
                        "%s", err.what);
        out_problems->list[out_problems->count - 1].line = line;
        out_problems->list[out_problems->count - 1].column = column;
    }
    struct config *config = read_json(&reading, root, data_override);
    if (config)
        config->origin = (struct config_origin){
            .text = copy_text(text, length), .length = length, .data = memory_text(data_override)};
    return config;
}

static struct config *load_built_in(const char *data_override,
                                    struct config_problems *out_problems) {
    CLEANUP(free_block) char *standard = path_default_data();
    CLEANUP(free_block) char *data = path_absolute(data_override ? data_override : standard);
    CLEANUP(free_block) char *text = config_default_text(data);
    return config_parse(NULL, text, strlen(text), data_override, out_problems);
}

static bool is_open_to_all(const char *path, char *out_what, size_t size) {
    struct stat stat_buffer;
    text_copy(out_what, size, path);
    return stat(path, &stat_buffer) == 0 && (stat_buffer.st_mode & S_IWOTH);
}

static bool lies_open_to_all(const char *path, char *out_what, size_t size) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash)
        text_copy_n(folder, sizeof folder, path, slash == path ? 1 : (size_t)(slash - path));
    else
        text_copy(folder, sizeof folder, ".");
    return is_open_to_all(folder, out_what, size);
}

/* A file that others may write would let them choose where root writes. Of a link, both the folder
   that it lies in and the one that it leads to count. */
static bool others_may_write(const char *path, char *out_what, size_t size) {
    char real[PATH_MAX];
    if (geteuid() != 0)
        return false;
    return is_open_to_all(path, out_what, size) || lies_open_to_all(path, out_what, size) ||
           (realpath(path, real) && lies_open_to_all(real, out_what, size));
}

struct config *config_load(const char *path, const char *data_override,
                           struct config_problems *out_problems) {
    *out_problems = (struct config_problems){0};
    if (!path)
        return load_built_in(data_override, out_problems);
    struct config_reading reading = {path, NULL, 0, NULL, out_problems};
    char open_to_all[PATH_MAX];
    if (others_may_write(path, open_to_all, sizeof open_to_all)) {
        config_complain(&reading, PROBLEM_ERROR, "",
                        "As root, such a file is not used. Take that right away: chmod o-w.",
                        "\"%.150s\" is writable by everybody", open_to_all);
        return NULL;
    }
    CLEANUP(free_block) char *text = NULL;
    size_t length = 0;
    struct error err = {0};
    if (!files_read_whole(path, FILE_BYTES_MAX, &text, &length, &err)) {
        config_complain(&reading, PROBLEM_ERROR, "", err.hint, "%s", err.what);
        return NULL;
    }
    return config_parse(path, text, length, data_override, out_problems);
}

struct config *config_from_sympath(const char *sympath, const char *data_override,
                                   struct config_problems *out_problems) {
    *out_problems = (struct config_problems){0};
    struct config_reading reading = {"--sympath", NULL, 0, NULL, out_problems};
    CLEANUP(json_unref) json_t *root = sympath_to_json(&reading, sympath);
    struct config *config = read_json(&reading, root, data_override);
    if (config)
        config->origin = (struct config_origin){.sympath = memory_text(sympath),
                                                .data = memory_text(data_override)};
    return config;
}

struct config *config_again(const struct config *config, struct config_problems *out_problems) {
    const struct config_origin *origin = &config->origin;
    if (origin->sympath)
        return config_from_sympath(origin->sympath, origin->data, out_problems);
    return config_parse(config->path, origin->text, origin->length, origin->data, out_problems);
}

static const char *severity_name(enum problem_severity severity) {
    switch (severity) {
    case PROBLEM_NOTE:
        return "note";
    case PROBLEM_WARNING:
        return "warning";
    case PROBLEM_ERROR:
        break;
    }
    return "error";
}

void config_problem_format(const struct config_problem *problem, const char *path, char *out,
                           size_t size) {
    char place[64] = "";
    if (problem->line)
        text_format(place, sizeof place, "%d:%d:", problem->line, problem->column);
    text_format(out, size, "%s:%s %s: %s%s%s%s%s", path ? path : "the built-in default", place,
                severity_name(problem->severity), problem->key, problem->key[0] ? ": " : "",
                problem->what, problem->hint[0] ? ". " : "", problem->hint);
}
