// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "app/cli.h"
#include "base/numbers.h"
#include "base/text.h"

static void print_server(const struct config_server *server, unsigned index) {
    char remote[512], retry[32];
    text_mask_url(remote, sizeof remote, server->remote);
    number_format_time(retry, sizeof retry, server->retry_ms);
    printf("  %u. %s [%s]%s%s\n     remote %s\n     asks again after %s, at most %llu at once\n",
           index + 1, server->name, server->identifier, server->enabled ? "" : " (switched off)",
           server->unaskable ? " (cannot be asked)" : "", remote, retry,
           (unsigned long long)server->requests_max);
    if (server->cache_location)
        printf("     cache %s\n", server->cache_location);
    else if (server->directory)
        puts("     served in place");
}

static void print_config(const struct config *config) {
    const struct config_general *general = &config->general;
    printf("configuration: %s\ndata: %s\ncache: %s\nlisten:",
           config->path ? config->path : "the built-in default", general->data_location,
           general->cache_location);
    for (unsigned i = 0; i < general->listen.count; i++)
        printf(" %s", general->listen.texts[i]);
    printf("\nservers, in the order in which they are asked:\n");
    for (unsigned i = 0; i < config->server_count; i++)
        print_server(&config->servers[i], i);
}

int cli_check(int argc, char **argv) {
    const char *path = NULL, *operand = NULL, *data = NULL, *sympath = NULL;
    bool strict = false;
    unsigned operands = 0;
    const struct cli_option options[] = {
        {.name = "--config", .value = &path},
        {.name = "--sympath", .value = &sympath},
        {.name = "--data", .value = &data},
        {.name = "--strict", .flag = &strict},
        {0},
    };
    if (!cli_options(argc, argv, options, &operand, 1, &operands))
        return 2;
    if (operand)
        path = operand;
    CLEANUP(free_block) char *found = path || sympath ? NULL : config_find_file();
    const char *name = path ? path : found;
    struct config_problems problems;
    struct config *config = sympath ? config_from_sympath(sympath, data, &problems)
                                    : config_load(name, data, &problems);
    cli_problems(&problems, sympath ? "--sympath" : name, true);
    bool good = config && !(strict && problems.warnings > 0);
    if (config)
        print_config(config);
    printf("%s: %u errors, %u warnings\n", good ? "good" : "not good", problems.errors,
           problems.warnings);
    config_free(config);
    config_problems_release(&problems);
    return good ? 0 : 1;
}
