// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "app/cli.h"
#include "base/numbers.h"
#include "base/text.h"

/* Who it is shown to be; never with what. */
static void print_access(const struct config_server *server) {
    const struct config_access *access = &server->access;
    if (access->authentication != AUTHENTICATION_NONE)
        printf("     authentication %s\n", authentication_name(access->authentication));
    for (unsigned i = 0; i < access->headers.count; i++)
        printf("%s%s%s", i ? ", " : "     headers ", access->headers.from[i],
               i + 1 == access->headers.count ? "\n" : "");
    if (access->client_certificate)
        printf("     client certificate %s\n", access->client_certificate);
}

/* The variable that libcurl takes a proxy from, or NULL. */
static const char *proxy_variable(const char *remote) {
    static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const secure[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                         NULL};
    const char *const *names = text_starts_folded(remote, "https:") ? secure : plain;
    for (; *names; names++) {
        const char *value = getenv(*names);
        if (value && value[0])
            return *names;
    }
    return NULL;
}

static void print_proxy(const struct config_server *server) {
    const struct config_access *access = &server->access;
    const char *variable = access->proxy ? NULL : proxy_variable(server->remote);
    char masked[512];
    if (access->proxy && access->proxy[0]) {
        text_mask_url(masked, sizeof masked, access->proxy);
        printf("     proxy %s", masked);
    } else if (variable) {
        printf("     proxy as %s of the environment says", variable);
    } else {
        return;
    }
    if (access->proxy_authentication != AUTHENTICATION_NONE)
        printf(", authentication %s", authentication_name(access->proxy_authentication));
    for (unsigned i = 0; i < access->no_proxy.count; i++)
        printf("%s%s", i ? ", " : ", not for ", access->no_proxy.texts[i]);
    puts("");
}

static void print_way(const struct config_server *server) {
    const struct config_access *access = &server->access;
    if (server->directory || server->share)
        return;
    print_access(server);
    print_proxy(server);
    if (access->ca_file)
        printf("     authorities %s\n", access->ca_file);
    if (access->tls_version != TLS_VERSION_ANY)
        printf("     TLS %s only\n", access->tls_version_name);
    if (access->accept_bad_certificate)
        puts("     ACCEPTS ANY CERTIFICATE");
}

static void print_server(const struct config_server *server, unsigned index) {
    char remote[512], retry[32];
    text_mask_url(remote, sizeof remote, server->remote);
    number_format_time(retry, sizeof retry, server->retry_ms);
    printf("  %u. %s [%s]%s%s\n     remote %s\n     asks again after %s, at most %llu at once\n",
           index + 1, server->name, server->identifier, server->enabled ? "" : " (switched off)",
           server->unaskable ? " (cannot be asked)" : "", remote, retry,
           (unsigned long long)server->requests_max);
    print_way(server);
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
    struct cli_meant meant = {0};
    const char *operand = NULL;
    bool strict = false;
    unsigned operands = 0;
    const struct cli_option options[] = {
        {.name = "--config", .value = &meant.path},
        {.name = "--sympath", .value = &meant.sympath},
        {.name = "--data", .value = &meant.data},
        {.name = "--strict", .flag = &strict},
        {0},
    };
    if (!cli_options(argc, argv, options, &operand, 1, &operands) || !cli_mean(&meant, operand))
        return 2;
    CLEANUP(free_block) char *name = NULL;
    struct config_problems problems;
    struct config *config = cli_load(&meant, &name, &problems);
    cli_problems(&problems, name, true);
    bool good = config && !(strict && problems.warnings > 0);
    if (config)
        print_config(config);
    printf("%s: %u errors, %u warnings\n", good ? "good" : "not good", problems.errors,
           problems.warnings);
    config_free(config);
    config_problems_release(&problems);
    return good ? 0 : 1;
}
