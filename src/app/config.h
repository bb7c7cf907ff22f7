// SPDX-License-Identifier: MIT
//
// The configuration: one JSON file, pySymProxy's read unchanged. Parsing turns text into this
// struct and a list of problems, each with file, line and column; it opens no source, takes no lock
// and creates nothing, so `symgate check` is the same code. The struct is read-only after loading.
#pragma once

#include <stdint.h>

#include "base/log.h"
#include "source/source.h"
#include "symbol/pattern.h"

struct config_text_list {
    char **texts;
    unsigned count;
};

struct config_pattern_list {
    struct pattern **patterns;
    unsigned count;
    bool given; /* false: absent or null */
};

struct config_numbers {
    uint64_t numbers[STATUSES_MAX];
    unsigned count;
};

struct config_map {
    char **from;
    char **to;
    unsigned count;
};

struct config_identity {
    char *name;
    char *host;
    char *administrator;
    char *default_sympath;
};

#define FREE_MIN_DEFAULT UINT64_MAX
#define TIME_ABSENT INT64_MIN

struct config_statistics {
    uint64_t names_max;
    uint64_t ids_max;
    uint64_t bytes_max;
    int64_t retention_ms; /* 0: for ever */
    uint64_t requests_max;
    uint64_t failures_max;
};

struct config_general {
    struct config_text_list listen;
    char *data_location;
    char *cache_location; /* NULL: <data>/cache */
    char *cache_share;    /* what it was before, where that is a share that nothing maps and that
                             symgate-smb can read; else NULL */
    uint64_t workers;
    bool enable_statistics;
    struct config_statistics statistics;
    struct config_pattern_list blacklist;
    struct config_pattern_list watch_list;
    struct config_map path_map;
    uint64_t failure_status;
    int64_t request_timeout_ms;
    uint64_t free_min_bytes; /* FREE_MIN_DEFAULT: 5 % of the disk, at most 10 GiB */
    uint64_t spill_limit;
    uint64_t absences_max;
    int64_t hedge_after_ms;
    char *log_clients;
    char *admin_token;
};

struct config_timeouts {
    int64_t connect_ms;
    int64_t first_byte_ms;
    int64_t stall_ms;
};

#define COUNT_ABSENT UINT64_MAX

/* TIME_ABSENT and COUNT_ABSENT where nothing is said. */
struct config_breaker {
    int64_t trigger_ms;
    uint64_t count;
    int64_t blackout_ms;
};

/* How a server on HTTP is reached; user and password stand beside it, shares have them too. */
struct config_access {
    char *authentication_name; /* NULL: as what is given wants it */
    enum authentication authentication;
    char *token;
    struct config_map headers;
    char *client_certificate;
    char *client_key;
    char *client_key_password;
    char *proxy; /* NULL: the environment's; "": none */
    char *proxy_authentication_name;
    enum authentication proxy_authentication;
    char *proxy_user;
    char *proxy_password;
    struct config_text_list no_proxy;
    char *ca_file;
    char *tls_version_name;
    enum tls_version tls_version;
    bool accept_bad_certificate;
};

struct config_server {
    char *name;
    char *identifier; /* unique: given, or the name, or the remote's host */
    char *remote;     /* as mapped; URL, directory or share */
    bool directory;
    bool share;           /* one that no pathMap entry maps: symgate-smb reads it */
    bool points_to_share; /* one of its pointerRoots is such a share */
    bool unaskable;       /* a Windows path that no pathMap entry maps */
    char *user;
    char *password;
    char *domain;
    char *keytab;
    char *principal;
    struct config_access access;
    char *cache_location;
    char *cache_share; /* as the general one */
    bool is_cache; /* not of the file: the share is a cacheLocation, and read before all others */
    bool enabled;
    struct config_text_list kinds;
    unsigned kind_bits;
    int64_t retry_ms;
    int64_t retry_misspelled_ms; /* "retryTimout"; TIME_ABSENT where it is */
    uint64_t requests_max;
    uint64_t parallel_ranges;
    uint64_t priority; /* set after parsing: the position where not given */
    int64_t hedge_after_ms;
    int64_t revalidate_ms;
    char *user_agent;
    bool follow_links;
    bool forward_checksum;
    bool unindexed_ends;
    char *index_name;
    bool published_index;
    int64_t index_refresh_ms;
    char *layout_name;
    enum layout layout;
    char *casing_name;
    enum casing casing;
    struct config_text_list form_names;
    enum form forms[FORMS_MAX];
    unsigned form_count;
    char *remote_told; /* before pathMap: as pointer files may write it */
    struct config_text_list pointer_roots;
    struct config_numbers absent_statuses;
    struct config_pattern_list whitelist;
    struct config_pattern_list blacklist;
    struct config_timeouts timeouts;
    struct config_breaker breaker;
};

struct config_logging {
    struct log_sink *sinks;
    unsigned count;
    enum log_level level;
};

/* What a configuration was read from, so that it can be read again without looking at files that
   may have been edited since. */
struct config_origin {
    char *text;    /* NULL: a symbol path */
    size_t length; /* of the text */
    char *sympath; /* or NULL */
    char *data;    /* --data, or NULL */
};

struct config {
    char *path; /* the file in force; NULL: the built-in default */
    struct config_origin origin;
    struct config_identity identity;
    struct config_general general;
    struct config_server *servers;
    unsigned server_count;
    struct config_logging logging;
};

/* Something wrong or doubtful, to be shown to the administrator. */
enum problem_severity {
    PROBLEM_NOTE,    /* accepted and without effect, as pySymProxy's formatters */
    PROBLEM_WARNING, /* check --strict fails on it */
    PROBLEM_ERROR,
};

struct config_problem {
    enum problem_severity severity;
    int line; /* 0: not about a place */
    int column;
    char key[160]; /* "servers[1].remote" */
    char what[256];
    char hint[200];
};

struct config_problems {
    struct config_problem *list;
    unsigned count;
    unsigned errors;
    unsigned warnings;
    unsigned dropped; /* more than 200 */
};

/* The file that is in force when none is named: pySymProxy's three places, then
   /etc/symgate/symgate.json; NULL: none, the built-in default. The caller frees. */
char *config_find_file(void);

/* Loads a file (NULL: the built-in default). NULL when there are errors; problems are filled in
   either case, and are the caller's to release. data_override: the --data option, or NULL. */
struct config *config_load(const char *path, const char *data_override,
                           struct config_problems *out_problems) MUST_CHECK;

/* The same from a text in memory, named `path` in messages. */
struct config *config_parse(const char *path, const char *text, size_t length,
                            const char *data_override,
                            struct config_problems *out_problems) MUST_CHECK;

/* Starts from a symbol path alone (app/sympath.h): the servers are its elements, everything else
 * the default. */
struct config *config_from_sympath(const char *sympath, const char *data_override,
                                   struct config_problems *out_problems) MUST_CHECK;

/* Reads a configuration once more from what it was read from: the patterns of one that is in force
   are its roster's. */
struct config *config_again(const struct config *config,
                            struct config_problems *out_problems) MUST_CHECK;

/* Puts addresses in the place of general.listen: those of the command line. They are copied; none:
   nothing changes. */
void config_listen_on(struct config *config, const struct config_text_list *addresses);

/* Frees a configuration with all that it owns. NULL is allowed. */
void config_free(struct config *config);

/* Frees the list; the struct is empty then, and may be released again. */
void config_problems_release(struct config_problems *problems);

/* One line for people: "FILE:3:12: error: servers[0].remote: … (hint)". */
void config_problem_format(const struct config_problem *problem, const char *path, char *out,
                           size_t size);
