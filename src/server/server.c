// SPDX-License-Identifier: MIT
#include "server/server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "server/internal.h"
#include "server/listener.h"

enum { API_THREADS = 4, API_WAITING = 256 };

struct settings *settings_new(void) {
    struct settings *settings = NEW(struct settings);
    settings->refs = 1;
    settings->failure_status = 404;
    return settings;
}

struct settings *settings_ref(struct settings *settings) {
    settings->refs++;
    return settings;
}

void settings_unref(struct settings *settings) {
    if (!settings || --settings->refs > 0)
        return;
    roster_unref(settings->roster);
    free(settings->identity_name);
    free(settings->identity_host);
    free(settings->administrator);
    free(settings->default_sympath);
    free(settings->admin_token);
    free(settings->configuration_path);
    free(settings->configuration);
    for (unsigned i = 0; i < settings->log_count; i++)
        free(settings->log_paths[i]);
    free(settings->log_paths);
    for (unsigned i = 0; i < settings->watched.count; i++)
        pattern_free(settings->watched.patterns[i]);
    free(settings->watched.patterns);
    free(settings);
}

/* IPv6 may be switched off in the kernel: that is no reason not to serve the addresses that there
   are, as long as nobody asked for it by name. */
static bool claim_all(const struct server_options *options, struct listener *listeners,
                      unsigned *out_count, struct error *err) {
    unsigned count = 0;
    for (unsigned i = 0; i < options->listen_count && count < LISTENERS_MAX; i++) {
        struct listener *listener = &listeners[count];
        if (listener_parse(options->listen[i], listener, err) &&
            listener_claim(listener, options->listen[i], err)) {
            count++;
            continue;
        }
        bool no_ipv6 = options->listen_by_default && count > 0 && err->os != EADDRINUSE;
        if (!no_ipv6)
            return false;
        log_failure(LOG_WARNING, "no IPv6 here", err);
    }
    *out_count = count;
    return true;
}

static bool make_loop(struct server *server, const struct listener *listeners, unsigned count,
                      struct error *err) {
    int fds[LISTENERS_MAX];
    for (unsigned i = 0; i < count; i++) {
        fds[i] = listener_open(&listeners[i], err);
        if (fds[i] < 0) {
            while (i-- > 0)
                close(fds[i]);
            return false;
        }
    }
    struct loop *loop = loop_new(server, fds, count, server->settings, err);
    if (!loop)
        return false;
    server->loops[server->loop_count++] = loop;
    return true;
}

static void release(struct server *server) {
    for (unsigned i = 0; i < server->loop_count; i++)
        loop_free(server->loops[i]);
    pool_free(server->pool);
    if (!events_free(server->events))
        return;
    settings_unref(server->settings);
    pthread_mutex_destroy(&server->settings_lock);
    advice_release(&server->advice);
    free(server->loops);
    free(server->urls);
    free(server);
}

static bool start_loops(struct server *server, struct error *err) {
    for (unsigned i = 0; i < server->loop_count; i++) {
        if (thread_start(&server->loops[i]->thread, "loop", loop_run, server->loops[i], err))
            continue;
        server->stop_at_ms = 1;
        while (i-- > 0) {
            loop_wake(server->loops[i]);
            pthread_join(server->loops[i]->thread, NULL);
        }
        return false;
    }
    return true;
}

struct server *server_start(const struct server_options *options, struct error *err) {
    struct listener listeners[LISTENERS_MAX];
    unsigned count = 0;
    if (!claim_all(options, listeners, &count, err))
        return NULL;
    struct server *server = NEW(struct server);
    server->options = *options;
    server->settings = settings_ref(options->settings);
    pthread_mutex_init(&server->settings_lock, NULL);
    advice_init(&server->advice);
    server->started_ms = clock_ms();
    server->loops = NEW_ARRAY(struct loop *, options->workers);
    server->urls = memory_array(count, sizeof *server->urls);
    server->url_count = count;
    for (unsigned i = 0; i < count; i++)
        listener_url(&listeners[i], server->urls[i], sizeof server->urls[i]);
    server->events = events_new(server);
    server->pool = pool_new("api", API_THREADS, API_WAITING);
    for (unsigned i = 0; i < options->workers; i++) {
        if (!make_loop(server, listeners, count, err)) {
            release(server);
            return NULL;
        }
    }
    if (!start_loops(server, err)) {
        release(server);
        return NULL;
    }
    return server;
}

const char *server_url(const struct server *server, unsigned index) {
    return index < server->url_count ? server->urls[index] : NULL;
}

void server_use(struct server *server, struct settings *settings) {
    SCOPED_LOCK(&server->settings_lock);
    settings_unref(server->settings);
    server->settings = settings_ref(settings);
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct settings *unread =
            atomic_exchange(&server->loops[i]->settings_next, settings_ref(settings));
        settings_unref(unread);
        loop_wake(server->loops[i]);
    }
}

void server_stop(struct server *server, int64_t drain_ms) {
    if (!server)
        return;
    server->stop_at_ms = clock_ms() + drain_ms;
    for (unsigned i = 0; i < server->loop_count; i++)
        loop_wake(server->loops[i]);
    for (unsigned i = 0; i < server->loop_count; i++)
        pthread_join(server->loops[i]->thread, NULL);
    release(server);
}
