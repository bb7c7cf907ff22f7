// SPDX-License-Identifier: MIT
//
// The HTTP face: listeners, one epoll loop per worker, connections. A loop never blocks, not even
// on a cold disk. This header is all that `app` sees of it.
#pragma once

#include "proxy/adviser.h"
#include "proxy/roster.h"
#include "proxy/symbols.h"
#include "record/ledger.h"
#include "record/recorder.h"

struct rules;
struct server;
struct usage;
struct vetting;

/* What may change on reload: an immutable snapshot, reference-counted, handed to the loops by
 * message. */
struct settings {
    _Atomic unsigned refs;
    struct roster *roster; /* a reference */
    int failure_status;    /* what later, busy and failed answer: 404 by default */
    char *identity_name;   /* title of the page; never NULL */
    char *identity_host;
    char *administrator;
    char *default_sympath;    /* may be NULL */
    char *admin_token;        /* NULL: none */
    char *configuration_path; /* for the page: which file is in force */
    char *configuration;      /* all of it as text, secrets masked; may be NULL */
    char **log_paths;         /* of the log's files, without the rotated ones */
    unsigned log_count;
    struct watch_list watched; /* its patterns are the settings' */
    int64_t limit_ms;          /* how long a client waits: 25 s */
    enum { LOG_CLIENTS_FULL, LOG_CLIENTS_SHORTENED, LOG_CLIENTS_NONE } log_clients;
};

/* A snapshot with one reference; strings and roster are taken over by the caller filling it in. */
struct settings *settings_new(void);
struct settings *settings_ref(struct settings *settings);
void settings_unref(struct settings *settings);

struct server_options {
    const char *const *listen; /* "127.0.0.1:8080", "[::]:8080", "localhost:0" */
    unsigned listen_count;
    bool listen_by_default; /* no IPv6 is then a warning and no error */
    unsigned workers;
    unsigned connections_max;
    struct symbols *symbols; /* not owned, as all here */
    struct cache *cache;
    struct absences *absences;
    struct recorder *recorder;
    struct ledger *ledger;
    struct usage *usage;
    const char *data_path; /* answers too large for memory wait there, in files without a name */
    const struct vetting *vetting; /* may be NULL */
    struct settings *settings;     /* a reference is taken */
    struct rules *rules;           /* NULL: none, and none can be made */
    /* Puts the rules in force as they are now, before it returns. On a pool thread; may block. */
    bool (*rules_changed)(void *gateway, struct error *err);
    /* Appends what is wrong with a configuration, as JSON: {"errors": [line, …], "warnings": […]}.
       On a pool thread. */
    void (*judge)(void *gateway, const char *text, size_t length, struct buffer *out);
    void *gateway;
};

/* Binds all addresses, then starts the loops. A port that is taken is one error that names it and
 * --listen. */
struct server *server_start(const struct server_options *options, struct error *err) MUST_CHECK;

/* The addresses bound, as URLs ("http://127.0.0.1:40123/"): the index-th, or NULL. */
const char *server_url(const struct server *server, unsigned index);

/* Hands new settings to every loop; requests under way keep theirs. */
void server_use(struct server *server, struct settings *settings);

/* Stops accepting, tells waiting clients "later", finishes bodies under way for up to drain_ms,
 * then ends and frees. */
void server_stop(struct server *server, int64_t drain_ms);
