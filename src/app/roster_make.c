// SPDX-License-Identifier: MIT
#include "app/roster_make.h"

#include <stdlib.h>
#include <string.h>

#include "app/paths.h"
#include "base/memory.h"
#include "base/text.h"
#include "source/source_directory.h"
#include "source/source_http.h"
#include "source/source_smb.h"

static struct source_access access_of(const struct config_server *server) {
    const struct config_access *access = &server->access;
    return (struct source_access){
        .authentication = access->authentication,
        .user = server->user,
        .password = server->password,
        .token = access->token,
        .header_names = {(const char *const *)access->headers.from, access->headers.count},
        .header_values = {(const char *const *)access->headers.to, access->headers.count},
        .client_certificate = access->client_certificate,
        .client_key = access->client_key,
        .client_key_password = access->client_key_password,
    };
}

/* "a,b,c" in a new block; NULL for none. */
static char *joined(const struct config_text_list *list) {
    size_t size = 1;
    for (unsigned i = 0; i < list->count; i++)
        size += strlen(list->texts[i]) + 1;
    char *text = list->count ? memory_new(size) : NULL;
    for (unsigned i = 0, at = 0; i < list->count; i++, at = (unsigned)strlen(text))
        text_format(text + at, size - at, "%s%s", i ? "," : "", list->texts[i]);
    return text;
}

static struct source_route route_of(const struct config_access *access, const char *no_proxy) {
    return (struct source_route){
        .proxy = access->proxy,
        .proxy_authentication = access->proxy_authentication,
        .proxy_user = access->proxy_user,
        .proxy_password = access->proxy_password,
        .no_proxy = no_proxy,
        .ca_file = access->ca_file,
        .tls_version = access->tls_version,
        .accept_bad_certificate = access->accept_bad_certificate,
    };
}

enum { READERS = 10, PREFIX_BYTES = 4096 };

enum { TRIGGER_MS = 10 * 60 * 1000, FAILURES = 5, BLACKOUT_MS = 15 * 60 * 1000 };

/* What is not said is what Microsoft recommends for its own; any 0 is never. */
static struct breaker breaker_of(const struct config_breaker *told) {
    bool trigger = told->trigger_ms != TIME_ABSENT;
    bool count = told->count != COUNT_ABSENT;
    bool blackout = told->blackout_ms != TIME_ABSENT;
    if (!trigger && !count && !blackout)
        return (struct breaker){0};
    struct breaker breaker = {.configured = true,
                              .failures = count ? (unsigned)told->count : FAILURES,
                              .within_ms = trigger ? told->trigger_ms : TRIGGER_MS,
                              .blackout_ms = blackout ? told->blackout_ms : BLACKOUT_MS};
    if (breaker.within_ms == 0 || breaker.blackout_ms == 0)
        breaker.failures = 0;
    return breaker;
}

static struct source_options options_of(const struct config_server *server,
                                        const char *state_directory) {
    struct source_options options = {
        .identifier = server->identifier,
        .name = server->name,
        .remote = server->remote,
        .enabled = server->enabled,
        .is_cache = server->is_cache,
        .unaskable = server->unaskable,
        .kinds = server->kind_bits,
        .priority = (int)server->priority,
        .retry_ms = server->retry_ms,
        .requests_max = (unsigned)server->requests_max,
        .hedge_after_ms = server->hedge_after_ms,
        .parallel_ranges = (unsigned)server->parallel_ranges,
        .revalidate_ms = server->revalidate_ms,
        .connect_ms = server->timeouts.connect_ms,
        .first_byte_ms = server->timeouts.first_byte_ms,
        .stall_ms = server->timeouts.stall_ms,
        .breaker = breaker_of(&server->breaker),
        .user_agent = server->user_agent,
        .follow_links = server->follow_links,
        .forward_checksum = server->forward_checksum,
        .unindexed_ends = server->unindexed_ends,
        .published_index = server->published_index,
        .index_refresh_ms = server->index_refresh_ms,
        .layout = server->layout,
        .casing = server->casing,
        .form_count = server->form_count,
        .state_directory = state_directory,
    };
    memcpy(options.forms, server->forms, sizeof options.forms);
    for (unsigned i = 0; i < server->absent_statuses.count; i++)
        options.absent_statuses[i] = (int)server->absent_statuses.numbers[i];
    return options;
}

static struct source *make_share(const struct config_server *server,
                                 const struct source_options *options, const struct hash_key *key,
                                 struct error *err) {
    struct smb_credentials credentials = {.user = server->user,
                                          .password = server->password,
                                          .domain = server->domain,
                                          .keytab = server->keytab,
                                          .principal = server->principal};
    return source_smb_new(options, &credentials, key, err);
}

static struct source *make_source(const struct config_server *server, const struct hash_key *key,
                                  const char *state_directory, struct error *err) {
    struct source_options options = options_of(server, state_directory);
    if (server->share)
        return make_share(server, &options, key, err);
    if (server->directory)
        return source_directory_new(&options, key, err);
    CLEANUP(free_block) char *no_proxy = joined(&server->access.no_proxy);
    options.access = access_of(server);
    options.route = route_of(&server->access, no_proxy);
    return source_http_new(&options, key, err);
}

/* Lets pointers lead into the tree at `path`, which `other` reads, by its path and by whatever
   pathMap leads there from. */
static void add_tree(struct source *source, const struct config_map *map, const char *path,
                     struct source *other) {
    source_add_pointer_root(source, path, other);
    CLEANUP(free_block) char *tree = path_absolute(path);
    for (unsigned i = 0; i < map->count; i++) {
        CLEANUP(free_block) char *to = path_absolute(map->to[i]);
        size_t length = to[1] ? strlen(to) : 0;
        if (strncmp(tree, to, length) != 0 || (tree[length] && tree[length] != '/'))
            continue;
        char from[PREFIX_BYTES], told[PREFIX_BYTES];
        if (!text_copy(from, sizeof from, map->from[i]))
            continue;
        for (size_t end = strlen(from); end > 0 && strchr("/\\", from[end - 1]); end--)
            from[end - 1] = '\0';
        if (text_format(told, sizeof told, "%s%s", from, tree + length))
            source_add_pointer_root(source, told, other);
    }
}

/* What reads the tree that pointers write as `root`; NULL without err: nothing can. */
static struct source *make_pointed(const struct config *config, const struct config_server *server,
                                   const char *root, const struct hash_key *key,
                                   struct error *err) {
    CLEANUP(free_block) char *mapped = path_mapped(&config->general.path_map, root);
    struct source_options options = options_of(server, NULL);
    options.remote = mapped ? mapped : root;
    options.published_index = false; /* of the server's own tree */
    switch (path_kind(options.remote)) {
    case PATH_LOCAL:
        return source_directory_new(&options, key, err);
    case PATH_SHARE:
        return make_share(server, &options, key, err);
    case PATH_URL:
    case PATH_WINDOWS:
        break;
    }
    return NULL;
}

static bool add_pointer_roots(struct source *source, const struct config *config,
                              const struct config_server *server, const struct hash_key *key,
                              struct error *err) {
    for (unsigned i = 0; i < server->pointer_roots.count; i++) {
        const char *root = server->pointer_roots.texts[i];
        struct error why = {0};
        struct source *pointed = make_pointed(config, server, root, key, &why);
        CLEANUP(free_block) char *mapped = path_mapped(&config->general.path_map, root);
        if (pointed)
            add_tree(source, &config->general.path_map, root, pointed);
        if (pointed && mapped)
            add_tree(source, &config->general.path_map, mapped, pointed);
        else if (why.kind != ERROR_NONE) {
            *err = why;
            return false;
        }
    }
    return true;
}

/* The servers whose cache this is: all those whose files would be put there. */
static uint64_t followed(const struct config *config, const struct config_server *cache) {
    const char *of_all = config->general.cache_share;
    bool global = of_all && strcmp(of_all, cache->remote_told) == 0;
    uint64_t servers = 0;
    for (unsigned i = 0; i < config->server_count; i++) {
        const struct config_server *server = &config->servers[i];
        bool own = server->cache_share && strcmp(server->cache_share, cache->remote_told) == 0;
        if (!server->is_cache && (global || own))
            servers |= UINT64_C(1) << i;
    }
    return servers;
}

static struct policy *make_policy(struct config *config) {
    struct policy_source rules[SOURCES_MAX];
    for (unsigned i = 0; i < config->server_count; i++) {
        struct config_server *server = &config->servers[i];
        rules[i] = (struct policy_source){
            .identifier = server->identifier,
            .follows = server->is_cache ? followed(config, server) : 0,
            .enabled = server->enabled,
            .kinds = server->kind_bits,
            .has_whitelist = server->whitelist.given,
            .whitelist = server->whitelist.patterns,
            .whitelist_count = server->whitelist.count,
            .blacklist = server->blacklist.patterns,
            .blacklist_count = server->blacklist.count,
        };
    }
    struct policy *policy =
        policy_new(config->general.blacklist.patterns, config->general.blacklist.count, rules,
                   config->server_count);
    /* The patterns are the policy's now; the arrays stay ours. */
    config->general.blacklist.count = 0;
    for (unsigned i = 0; i < config->server_count; i++) {
        config->servers[i].whitelist.count = 0;
        config->servers[i].blacklist.count = 0;
    }
    return policy;
}

struct roster *roster_make(struct config *config, const struct hash_key *key,
                           const char *state_directory, struct error *err) {
    struct source **sources = NEW_ARRAY(struct source *, config->server_count);
    bool own_shelf[SOURCES_MAX] = {false};
    for (unsigned i = 0; i < config->server_count; i++) {
        const struct config_server *server = &config->servers[i];
        sources[i] = make_source(server, key, state_directory, err);
        if (sources[i] && (server->directory || server->share)) {
            add_tree(sources[i], &config->general.path_map, server->remote, NULL);
            source_add_pointer_root(sources[i], server->remote_told, NULL);
        }
        own_shelf[i] = server->cache_location != NULL;
        if (sources[i] && add_pointer_roots(sources[i], config, server, key, err))
            continue;
        for (unsigned n = 0; n <= i; n++)
            source_free(sources[n]);
        free(sources);
        return NULL;
    }
    struct roster *roster =
        roster_new(make_policy(config), sources, config->server_count, own_shelf);
    free(sources);
    return roster;
}

/* --- what lies on shelves -------------------------------------------------------------------- */

/* Whose own shelf it is; NULL: nobody's. */
static const struct config_server *server_of(const struct config *config, const char *path) {
    for (unsigned i = 0; i < config->server_count; i++) {
        const char *own = config->servers[i].cache_location;
        if (own && strcmp(own, path) == 0)
            return &config->servers[i];
    }
    return NULL;
}

static struct source *make_reader(const struct config *config, const char *path,
                                  const struct hash_key *key, struct error *err) {
    const struct source_options options = {
        .identifier = "cache",
        .name = "cache",
        .remote = path,
        .enabled = true,
        .is_cache = true,
        .requests_max = READERS,
        .hedge_after_ms = config->general.hedge_after_ms,
        .layout = LAYOUT_SYMSTORE,
        .casing = CASING_PRESERVE,
    };
    struct source *reader = source_directory_new(&options, key, err);
    if (reader)
        add_tree(reader, &config->general.path_map, path, NULL);
    return reader;
}

bool roster_make_readers(struct roster *roster, const struct config *config,
                         struct shelf *const *shelves, unsigned count, const struct hash_key *key,
                         struct error *err) {
    for (unsigned i = 0; i < count; i++) {
        if (!shelves[i])
            continue;
        const char *path = shelf_path(shelves[i]);
        struct source *reader = make_reader(config, path, key, err);
        if (!reader)
            return false;
        roster_read_shelf(roster, i, reader);
        const struct config_server *server = i > 0 ? server_of(config, path) : NULL;
        if (server && !add_pointer_roots(reader, config, server, key, err))
            return false;
    }
    return true;
}
