// SPDX-License-Identifier: MIT
//
// The gateway: everything that `symgate serve` runs, put together from a configuration. Made and
// ended by the main thread.
//
//   data folder ─ shelves ─ cache ─┐
//   absences, alarms, spill ───────┼─ symbols ─ server (loops)
//   sources, policy ─ roster ──────┘
#pragma once

#include "app/config.h"
#include "app/data_folder.h"
#include "base/alarm.h"
#include "base/lock.h"
#include "proxy/rules.h"
#include "server/server.h"

struct gateway {
    struct config *config;
    const struct config_text_list *listen; /* of the command line; the caller's */
    struct data_folder data;
    struct shelf
        *shelves[CACHE_SHELVES_MAX]; /* [0] the global one; [n + 1] server n's own, or NULL */
    unsigned shelf_count;
    struct vetting *vetting;
    struct provenance *provenance;
    struct quarantine *quarantine;
    struct usage *usage;
    struct spill *spill;
    struct cache *cache;
    struct absences *absences;
    struct absences *owed; /* who may have a better file than the kept one */
    struct alarm_clock *alarms;
    struct symbols *symbols;
    struct ledger *ledger;
    struct recorder *recorder;
    struct settings *settings;
    struct server *server;
    struct rules *rules;
    pthread_mutex_t reload_lock; /* held by whoever puts a configuration in force: the main thread,
                                    or a thread of the API that has changed the rules */
};

/* Opens everything and starts to serve. Takes the configuration over. listen: of the command line,
   which wins over the configuration's, or empty; it must outlive the gateway. NULL with err; then
   nothing is left running. */
struct gateway *gateway_start(struct config *config, const struct config_text_list *listen,
                              struct error *err) MUST_CHECK;

/* Takes a new configuration over (SIGHUP): sources, filters, settings, logging. What needs a
   restart keeps its value and is named in the log. */
void gateway_reload(struct gateway *gateway, struct config *config);

/* Ends the gateway; bodies under way are finished for up to drain_ms. */
void gateway_stop(struct gateway *gateway, int64_t drain_ms);
