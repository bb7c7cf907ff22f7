// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/gateway.h"
#include "base/log.h"
#include "base/memory.h"
#include "proxy/checkup.h"
#include "source/source_http.h"

enum { DRAIN_MS = 30000 };

/* What the command line says. */
struct serve {
    struct cli_meant meant;
    struct config_text_list listen;
    char *name; /* of the configuration; NULL: the built-in default */
};

static const char test_symbol[] =
    "symbols/" CHECKUP_MICROSOFT_NAME "/" CHECKUP_MICROSOFT_ID "/" CHECKUP_MICROSOFT_NAME;

/* A file that was found once is the one that is read again. */
static struct config *load(struct serve *serve, struct config_problems *problems) {
    struct cli_meant meant = serve->meant;
    char *name = TAKE(serve->name);
    if (name && !meant.sympath)
        meant.path = name;
    struct config *config = cli_load(&meant, &serve->name, problems);
    free(name);
    return config;
}

static void print_start(const struct serve *serve, const struct gateway *gateway) {
    fputs("symgate serves on", stdout);
    for (unsigned i = 0; server_url(gateway->server, i); i++)
        printf(" %s", server_url(gateway->server, i));
    printf(" (configuration: %s, data: %s); test: %s%s\n",
           serve->name ? serve->name : "the built-in default", gateway->data.path,
           server_url(gateway->server, 0), test_symbol);
    fflush(stdout);
}

static void warn(const struct config_problems *problems, const char *path) {
    for (unsigned i = 0; i < problems->count; i++) {
        char line[1024];
        if (problems->list[i].severity == PROBLEM_NOTE)
            continue;
        config_problem_format(&problems->list[i], path, line, sizeof line);
        log_warning("%s", line);
    }
}

static void reload(struct serve *serve, struct gateway *gateway) {
    struct config_problems problems;
    struct config *config = load(serve, &problems);
    warn(&problems, serve->name);
    config_problems_release(&problems);
    struct error err;
    if (!config) {
        log_error("reload: the old configuration stays in force");
        return;
    }
    if (!log_use(config->logging.sinks, config->logging.count, config->logging.level, &err))
        log_failure(LOG_ERROR, "reload: logging stays as it was", &err);
    log_reopen();
    gateway_reload(gateway, config);
}

static void wait_for_signals(struct serve *serve, struct gateway *gateway,
                             const sigset_t *signals) {
    for (;;) {
        int signal_number = 0;
        if (sigwait(signals, &signal_number) != 0)
            continue;
        if (signal_number != SIGHUP)
            return;
        reload(serve, gateway);
    }
}

static void block_signals(sigset_t *out_signals) {
    sigemptyset(out_signals);
    sigaddset(out_signals, SIGHUP);
    sigaddset(out_signals, SIGINT);
    sigaddset(out_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, out_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int serve_config(struct serve *serve, struct config *config,
                        const struct config_problems *problems) {
    sigset_t signals;
    struct error err = {0};
    block_signals(&signals);
    source_http_start();
    if (!log_start(config->logging.sinks, config->logging.count, config->logging.level, &err)) {
        config_free(config);
        return cli_failed(&err);
    }
    warn(problems, serve->name);
    if (geteuid() == 0)
        log_warning("running as root; a user of its own is enough");
    struct gateway *gateway = gateway_start(config, &serve->listen, &err);
    if (!gateway) {
        log_stop();
        return cli_failed(&err);
    }
    print_start(serve, gateway);
    wait_for_signals(serve, gateway, &signals);
    log_info("stopping");
    gateway_stop(gateway, DRAIN_MS);
    log_stop();
    return 0;
}

static void release(struct serve *serve) {
    for (unsigned i = 0; i < serve->listen.count; i++)
        free(serve->listen.texts[i]);
    free(serve->listen.texts);
    free(serve->name);
}

int cli_serve(int argc, char **argv) {
    struct serve serve = {0};
    unsigned operands = 0;
    const struct cli_option options[] = {
        {.name = "--config", .value = &serve.meant.path},
        {.name = "--sympath", .value = &serve.meant.sympath},
        {.name = "--data", .value = &serve.meant.data},
        {.name = "--listen", .list = &serve.listen},
        {0},
    };
    if (!cli_options(argc, argv, options, NULL, 0, &operands) || !cli_mean(&serve.meant, NULL))
        return 2;
    struct config_problems problems;
    struct config *config = load(&serve, &problems);
    int status = 1;
    if (config)
        status = serve_config(&serve, config, &problems);
    else
        cli_problems(&problems, serve.name, false);
    config_problems_release(&problems);
    release(&serve);
    return status;
}
