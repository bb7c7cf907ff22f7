// SPDX-License-Identifier: MIT
//
// Any text as a configuration. Either it is refused, with an error that says where, or all that the
// program relies on is there.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool right) {
    if (!right)
        abort();
}

static void require_place(const struct config_problem *problem, const char *text, size_t length) {
    int lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    char line[1024];
    require(problem->line >= 0 && problem->line <= lines);
    require((problem->line == 0) == (problem->column == 0));
    config_problem_format(problem, "it.json", line, sizeof line);
    require(strlen(line) < sizeof line);
}

static void require_problems(const struct config_problems *problems, const char *text,
                             size_t length) {
    unsigned errors = 0, warnings = 0;
    for (unsigned i = 0; i < problems->count; i++) {
        require_place(&problems->list[i], text, length);
        errors += problems->list[i].severity == PROBLEM_ERROR;
        warnings += problems->list[i].severity == PROBLEM_WARNING;
    }
    require(errors <= problems->errors && warnings <= problems->warnings);
    require(problems->dropped > 0 ||
            (errors == problems->errors && warnings == problems->warnings));
}

static void require_server(const struct config *config, unsigned index) {
    const struct config_server *server = &config->servers[index];
    require(server->name && server->name[0] && server->identifier && server->identifier[0]);
    require(strlen(server->identifier) < 64);
    for (unsigned i = 0; i < index; i++)
        require(strcmp(server->identifier, config->servers[i].identifier) != 0);
    require(server->remote && server->remote[0]);
    require(!server->directory || server->unaskable || server->remote[0] == '/');
    require(!server->cache_location || server->cache_location[0] == '/');
    require(server->retry_ms >= 0 && server->hedge_after_ms >= HEDGE_NEVER);
    require(server->requests_max >= 1 && server->priority >= 1);
    require(server->timeouts.connect_ms > 0 && server->timeouts.first_byte_ms > 0);
    require(server->timeouts.stall_ms > 0);
}

static void require_usable(const struct config *config) {
    const struct config_general *general = &config->general;
    require(general->data_location[0] == '/' && general->cache_location[0] == '/');
    require(general->listen.count > 0 && general->log_clients != NULL);
    require(general->failure_status >= 400 && general->failure_status <= 599);
    require(general->request_timeout_ms > 0);
    for (unsigned i = 0; i < general->blacklist.count; i++)
        require(pattern_text(general->blacklist.patterns[i]) != NULL);
    for (unsigned i = 0; i < config->server_count; i++)
        require_server(config, i);
    for (unsigned i = 0; i < config->logging.count; i++)
        require(!config->logging.sinks[i].path || config->logging.sinks[i].path[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    const char *text = (const char *)bytes;
    /* A secret's file could be any, one that never ends among them. */
    if (memmem(text, length, "\"file\"", 6))
        return 0;
    struct config_problems problems;
    struct config *config = config_parse("it.json", text, length, "/data", &problems);
    require((config == NULL) == (problems.errors > 0));
    require_problems(&problems, text, length);
    if (config)
        require_usable(config);
    config_free(config);
    config_problems_release(&problems);
    return 0;
}
