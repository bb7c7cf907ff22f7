// SPDX-License-Identifier: MIT
#include "app/gateway.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "app/config_judge.h"
#include "app/config_keep.h"
#include "app/config_show.h"
#include "app/roster_make.h"
#include "app/rules_apply.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include "proxy/provenance.h"
#include "proxy/quarantine.h"
#include "proxy/vetter.h"
#include "store/usage.h"
#include "store/vetting.h"

enum {
    DESCRIPTORS_WANTED = 65536,
    DESCRIPTORS_RESERVED = 1024, /* sources, staging files, logs */
    OPEN_FILES_MAX = 20000,
    CLIENTS_MIN = 64,     /* however few descriptors there are */
    CLIENTS_WARNED = 500, /* fewer are told */
    SMALL_BYTES_MAX = 64 * 1024 * 1024,
    SEARCHES_MAX = 10000,
    OWED_MAX = 100000,
    OUTCOMES_MAX = 10000,
    THREADS_END_MS = 1000,
    DAY_MS = 24 * 60 * 60 * 1000,
};

/* Raises the limit as far as the kernel lets us; what there is is shared between clients and open
 * files. */
static unsigned raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    struct rlimit wanted = {DESCRIPTORS_WANTED, DESCRIPTORS_WANTED};
    if (limit.rlim_max < DESCRIPTORS_WANTED && setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return DESCRIPTORS_WANTED;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 1000000 ? 1000000 : (unsigned)limit.rlim_cur;
}

static unsigned share_of_files(unsigned descriptors) {
    unsigned quarter = descriptors / 4;
    return quarter < OPEN_FILES_MAX ? quarter : OPEN_FILES_MAX;
}

static unsigned share_of_clients(unsigned descriptors) {
    unsigned taken = share_of_files(descriptors) + DESCRIPTORS_RESERVED;
    return descriptors > taken + CLIENTS_MIN ? descriptors - taken : CLIENTS_MIN;
}

/* Crash services and page viewers need more than a few hundred connections. */
static void warn_of_few(unsigned descriptors) {
    unsigned clients = share_of_clients(descriptors);
    if (clients < CLIENTS_WARNED)
        log_warning("the limit of open files is %u, which leaves %u clients at a time: raise it "
                    "(ulimit -n, or LimitNOFILE= in the systemd unit) to 65536",
                    descriptors, clients);
}

static struct shelf *find_open_shelf(const struct gateway *gateway, const char *path) {
    for (unsigned i = 0; i < gateway->shelf_count; i++)
        if (gateway->shelves[i] && strcmp(shelf_path(gateway->shelves[i]), path) == 0)
            return gateway->shelves[i];
    return NULL;
}

static bool open_shelf(struct gateway *gateway, const char *path, struct error *err) {
    const struct config_general *general = &gateway->config->general;
    struct shelf_options options = {
        .path = path,
        .free_min_bytes = general->free_min_bytes,
        .free_min_default = general->free_min_bytes == FREE_MIN_DEFAULT,
        .vetting = gateway->vetting,
    };
    struct shelf **shelf = &gateway->shelves[gateway->shelf_count];
    *shelf = path ? find_open_shelf(gateway, path) : NULL;
    if (path && !*shelf && !(*shelf = shelf_new(&options, err)))
        return false;
    gateway->shelf_count++;
    return true;
}

static bool open_shelves(struct gateway *gateway, struct error *err) {
    const struct config *config = gateway->config;
    if (!open_shelf(gateway, config->general.cache_location, err))
        return false;
    for (unsigned i = 0; i < config->server_count; i++)
        if (!open_shelf(gateway, config->servers[i].cache_location, err))
            return false;
    return true;
}

static void free_shelves(struct gateway *gateway) {
    for (unsigned i = 0; i < gateway->shelf_count; i++) {
        struct shelf *shelf = gateway->shelves[i];
        for (unsigned n = i + 1; shelf && n < gateway->shelf_count; n++)
            if (gateway->shelves[n] == shelf)
                shelf = NULL; /* the last of those that share it frees */
        shelf_free(shelf);
    }
}

static char *text_or_null(const char *text) {
    return text && text[0] ? memory_text(text) : NULL;
}

static void name_logs(struct settings *settings, const struct config_logging *logging) {
    settings->log_paths = NEW_ARRAY(char *, logging->count + 1);
    for (unsigned i = 0; i < logging->count; i++)
        if (logging->sinks[i].path)
            settings->log_paths[settings->log_count++] = memory_text(logging->sinks[i].path);
}

/* Patterns of their own: those of the configuration go with it. */
static void name_watched(struct settings *settings, const struct config_pattern_list *list) {
    settings->watched.patterns = NEW_ARRAY(struct pattern *, list->count + 1);
    for (unsigned i = 0; i < list->count; i++) {
        size_t offset;
        struct error ignored;
        struct pattern *copy = pattern_new(pattern_text(list->patterns[i]), &offset, &ignored);
        if (copy)
            settings->watched.patterns[settings->watched.count++] = copy;
    }
}

/* `shown`, the configuration as text, is taken over. */
static struct settings *make_settings(const struct config *config, struct roster *roster,
                                      char *shown) {
    struct settings *settings = settings_new();
    const struct config_general *general = &config->general;
    settings->roster = roster;
    settings->failure_status = (int)general->failure_status;
    settings->identity_name =
        memory_text(config->identity.name ? config->identity.name : "symgate");
    settings->identity_host = text_or_null(config->identity.host);
    settings->administrator = text_or_null(config->identity.administrator);
    settings->default_sympath = text_or_null(config->identity.default_sympath);
    settings->admin_token = text_or_null(general->admin_token);
    settings->configuration_path = text_or_null(config->path);
    settings->configuration = shown;
    name_logs(settings, &config->logging);
    name_watched(settings, &general->watch_list);
    settings->limit_ms = general->request_timeout_ms;
    settings->log_clients = LOG_CLIENTS_FULL;
    if (strcmp(general->log_clients, "shortened") == 0)
        settings->log_clients = LOG_CLIENTS_SHORTENED;
    if (strcmp(general->log_clients, "none") == 0)
        settings->log_clients = LOG_CLIENTS_NONE;
    return settings;
}

/* The directory of the built-in default, where anybody may drop files, has to be there. */
static void make_store(const struct gateway *gateway) {
    char store[4096];
    struct error err;
    if (gateway->config->path || !files_join(store, sizeof store, gateway->data.path, "store"))
        return;
    if (!files_make_path(store, 0755, &err))
        log_failure(LOG_WARNING, "no local store", &err);
}

/* Like absences, in a folder of their own (docs/decisions). */
static bool open_owed(struct gateway *gateway, struct error *err) {
    char folder[4096];
    if (!files_join(folder, sizeof folder, gateway->data.path, "owed"))
        return error_set(err, ERROR_CONFIG, "the data folder's path is too long");
    if (!files_make_path(folder, 0755, err))
        return false;
    struct absences_options owed = {
        .directory = folder,
        .key = gateway->data.key,
        .entries_max = OWED_MAX,
    };
    gateway->owed = absences_open(&owed, err);
    return gateway->owed != NULL;
}

static bool open_ledger(struct gateway *gateway, struct error *err) {
    const struct config_statistics *statistics = &gateway->config->general.statistics;
    char path[4096];
    if (!files_join(path, sizeof path, gateway->data.path, "statistics.db"))
        return error_set(err, ERROR_CONFIG, "the data folder's path is too long");
    struct ledger_options options = {
        .enabled = gateway->config->general.enable_statistics,
        .path = path,
        .book =
            {
                .names_max = statistics->names_max,
                .ids_max = statistics->ids_max,
                .bytes_max = statistics->bytes_max,
                .requests_max = statistics->requests_max,
                .failures_max = statistics->failures_max,
                .days_max = (statistics->retention_ms + DAY_MS - 1) / DAY_MS,
            },
    };
    gateway->ledger = ledger_new(&options, err);
    return gateway->ledger != NULL;
}

static void take_outcome(void *ledger, const struct outcome *outcome,
                         const struct attempt_note *notes) {
    ledger_take(ledger, outcome, notes);
}

static bool open_parts(struct gateway *gateway, struct error *err) {
    const struct config_general *general = &gateway->config->general;
    if (!data_folder_open(&gateway->data, general->data_location, err))
        return false;
    gateway->rules = rules_open(gateway->data.path, gateway->data.root_fd, err);
    if (!gateway->rules)
        return false;
    make_store(gateway);
    gateway->spill = spill_new(gateway->data.path, general->spill_limit);
    gateway->vetting = vetting_new(&(struct vetting_options){
        .verify = vetter_verify, .context = gateway->spill, .marks = VETTING_MARKS});
    if (!open_shelves(gateway, err))
        return false;
    gateway->usage = usage_new(gateway->shelves, gateway->shelf_count, err);
    if (!gateway->usage)
        return false;
    struct absences_options absences = {
        .directory = gateway->data.path,
        .key = gateway->data.key,
        .entries_max = general->absences_max,
    };
    gateway->absences = absences_open(&absences, err);
    if (!gateway->absences)
        return false;
    if (!open_owed(gateway, err) || !open_ledger(gateway, err))
        return false;
    gateway->quarantine = quarantine_open(gateway->data.root_fd, err);
    if (!gateway->quarantine)
        return false;
    gateway->alarms = alarm_clock_new(err);
    return gateway->alarms != NULL;
}

static bool use_rules(void *context, struct error *err);

/* A disk that is full is no reason not to serve what lies there. */
static void announce(struct gateway *gateway) {
    struct error err;
    if (data_folder_announce(&gateway->data, server_url(gateway->server, 0), &err))
        return;
    error_hint(&err, "Until the next start, commands find this server by --url alone.");
    log_failure(LOG_WARNING, "the address could not be written down", &err);
}

static bool start_server(struct gateway *gateway, unsigned descriptors, struct error *err) {
    const struct config_general *general = &gateway->config->general;
    struct server_options options = {
        .listen = (const char *const *)general->listen.texts,
        .listen_count = general->listen.count,
        .listen_by_default = gateway->listen->count == 0,
        .workers = general->workers ? (unsigned)general->workers : thread_processors(),
        .connections_max = share_of_clients(descriptors),
        .symbols = gateway->symbols,
        .cache = gateway->cache,
        .absences = gateway->absences,
        .recorder = gateway->recorder,
        .ledger = gateway->ledger,
        .usage = gateway->usage,
        .data_path = gateway->data.path,
        .vetting = gateway->vetting,
        .settings = gateway->settings,
        .rules = gateway->rules,
        .rules_changed = use_rules,
        .judge = config_judge,
        .gateway = gateway,
    };
    gateway->server = server_start(&options, err);
    if (gateway->server)
        announce(gateway);
    return gateway->server != NULL;
}

/* The sources of a configuration, with the rules put in; NULL with err. *out_shown is all of it as
   text, made while its patterns are there: the roster takes them. */
static struct roster *make_roster(const struct gateway *gateway, struct config *config,
                                  char **out_shown, struct error *err) {
    rules_apply(gateway->rules, config);
    *out_shown = config_show(config);
    struct roster *roster = roster_make(config, &gateway->data.key, gateway->data.path, err);
    if (roster && roster_make_readers(roster, config, gateway->shelves, gateway->shelf_count,
                                      &gateway->data.key, err))
        return roster;
    roster_unref(roster);
    free(TAKE(*out_shown));
    return NULL;
}

static bool start_parts(struct gateway *gateway, struct error *err) {
    unsigned descriptors = raise_descriptors();
    warn_of_few(descriptors);
    if (!open_parts(gateway, err))
        return false;
    struct cache_options cache = {
        .shelves = gateway->shelves,
        .shelf_count = gateway->shelf_count,
        .spill = gateway->spill,
        .open_files_max = share_of_files(descriptors),
        .small_bytes_max = SMALL_BYTES_MAX,
        .searches_max = SEARCHES_MAX,
    };
    gateway->cache = cache_new(&cache);
    gateway->provenance = provenance_new(gateway->shelves, gateway->shelf_count);
    struct symbols_options symbols = {
        .cache = gateway->cache,
        .absences = gateway->absences,
        .alarms = gateway->alarms,
        .searches_max = SEARCHES_MAX,
        .owed = gateway->owed,
        .provenance = gateway->provenance,
        .quarantine = gateway->quarantine,
        .ledger = gateway->ledger,
    };
    gateway->symbols = symbols_new(&symbols);
    struct recorder_options recorder = {
        .outcomes_max = gateway->config->general.enable_statistics ? OUTCOMES_MAX : 0,
        .log_requests = true,
        .take = take_outcome,
        .context = gateway->ledger,
    };
    gateway->recorder = recorder_new(&recorder, err);
    if (!gateway->recorder)
        return false;
    char *shown;
    struct roster *roster = make_roster(gateway, gateway->config, &shown, err);
    if (!roster)
        return false;
    gateway->settings = make_settings(gateway->config, roster, shown);
    return start_server(gateway, descriptors, err);
}

struct gateway *gateway_start(struct config *config, const struct config_text_list *listen,
                              struct error *err) {
    struct gateway *gateway = NEW(struct gateway);
    gateway->config = config;
    gateway->listen = listen;
    config_listen_on(config, listen);
    gateway->data.root_fd = -1;
    gateway->data.lock_fd = -1;
    pthread_mutex_init(&gateway->reload_lock, NULL);
    bool started;
    {
        SCOPED_LOCK(&gateway->reload_lock);
        started = start_parts(gateway, err);
    }
    if (started)
        return gateway;
    gateway_stop(gateway, 0);
    return NULL;
}

/* The shelves were opened at the start: a server goes on with the one that its cacheLocation names
 * among them. */
static void keep_shelves(const struct gateway *gateway, const struct config *config,
                         struct roster *roster) {
    for (unsigned i = 0; i < config->server_count; i++) {
        const char *path = config->servers[i].cache_location;
        roster->shelf[i] = 0;
        for (unsigned n = 1; path && n < gateway->shelf_count; n++)
            if (gateway->shelves[n] && strcmp(shelf_path(gateway->shelves[n]), path) == 0)
                roster->shelf[i] = n;
        config_keep_value("a server's cacheLocation", path && roster->shelf[i] == 0);
    }
}

/* Puts a configuration in force, or frees it. Under reload_lock. */
static bool use(struct gateway *gateway, struct config *config, struct error *err) {
    char *shown;
    struct roster *roster = make_roster(gateway, config, &shown, err);
    if (!roster) {
        config_free(config);
        return false;
    }
    roster_take_over(roster, gateway->settings->roster);
    keep_shelves(gateway, config, roster);
    for (unsigned i = 0; i < roster->count; i++) {
        rest_end(queue_rest(roster->sources[i]->queue));
        host_rests_end(queue_host_rests(roster->sources[i]->queue));
    }
    struct settings *settings = make_settings(config, roster, shown);
    server_use(gateway->server, settings);
    roster_close_gone(gateway->settings->roster, roster);
    cache_release_complete(gateway->cache);
    settings_unref(gateway->settings);
    gateway->settings = settings;
    config_free(gateway->config);
    gateway->config = config;
    return true;
}

void gateway_reload(struct gateway *gateway, struct config *config) {
    struct error err;
    SCOPED_LOCK(&gateway->reload_lock);
    config_listen_on(config, gateway->listen);
    config_keep(&gateway->config->general, &config->general);
    if (use(gateway, config, &err))
        log_info("reload: the configuration %s is in force",
                 gateway->config->path ? gateway->config->path : "(built-in)");
    else
        log_failure(LOG_ERROR, "reload: the old configuration stays in force", &err);
}

static bool use_rules(void *context, struct error *err) {
    struct gateway *gateway = context;
    struct config_problems problems;
    SCOPED_LOCK(&gateway->reload_lock);
    struct config *config = config_again(gateway->config, &problems);
    if (!config)
        error_set(err, ERROR_CONFIG, "the configuration cannot be read again: %.150s",
                  problems.count ? problems.list[0].what : "");
    config_problems_release(&problems);
    if (!config)
        return false;
    config_listen_on(config, gateway->listen);
    return use(gateway, config, err);
}

static void free_parts(struct gateway *gateway) {
    ledger_free(gateway->ledger);
    rules_free(gateway->rules);
    provenance_free(gateway->provenance);
    quarantine_close(gateway->quarantine);
    cache_free(gateway->cache);
    alarm_clock_free(gateway->alarms);
    absences_close(gateway->absences);
    absences_close(gateway->owed);
    usage_free(gateway->usage);
    free_shelves(gateway);
    vetting_free(gateway->vetting);
    spill_free(gateway->spill);
    data_folder_close(&gateway->data);
    config_free(gateway->config);
    pthread_mutex_destroy(&gateway->reload_lock);
    free(gateway);
}

void gateway_stop(struct gateway *gateway, int64_t drain_ms) {
    if (!gateway)
        return;
    server_stop(gateway->server, drain_ms);
    bool all_ended = symbols_free(gateway->symbols);
    settings_unref(gateway->settings);
    recorder_free(gateway->recorder);
    data_folder_withdraw(&gateway->data);
    /* What a thread that hangs still works with ends with the process. */
    if (all_ended) {
        free_parts(gateway);
    } else {
        ledger_settle(gateway->ledger, THREADS_END_MS);
        log_warning("a transfer hangs in its disk or its server; the end does not wait for it");
    }
    /* One that hangs in a dead server or disk is left to its fate. */
    if (!thread_wait_detached(clock_ms() + THREADS_END_MS))
        log_debug("not all threads have ended");
}
