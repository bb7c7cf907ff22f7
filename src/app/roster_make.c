// SPDX-License-Identifier: MIT
#include "app/roster_make.h"

#include <stdlib.h>

#include "base/memory.h"
#include "source/source_directory.h"
#include "source/source_http.h"
#include "source/source_smb.h"

static struct source *make_source(const struct config_server *server, const struct hash_key *key,
                                  const char *state_directory, struct error *err) {
    struct source_options options = {
        .identifier = server->identifier,
        .name = server->name,
        .remote = server->remote,
        .enabled = server->enabled,
        .unaskable = server->unaskable,
        .kinds = server->kind_bits,
        .priority = (int)server->priority,
        .retry_ms = server->retry_ms,
        .requests_max = (unsigned)server->requests_max,
        .hedge_after_ms = server->hedge_after_ms,
        .connect_ms = server->timeouts.connect_ms,
        .first_byte_ms = server->timeouts.first_byte_ms,
        .stall_ms = server->timeouts.stall_ms,
        .user_agent = server->user_agent,
        .follow_links = server->follow_links,
        .layout = server->layout,
        .casing = server->casing,
        .state_directory = state_directory,
    };
    for (unsigned i = 0; i < server->absent_statuses.count; i++)
        options.absent_statuses[i] = (int)server->absent_statuses.numbers[i];
    if (server->share) {
        struct smb_credentials credentials = {.user = server->user,
                                              .password = server->password,
                                              .domain = server->domain,
                                              .keytab = server->keytab,
                                              .principal = server->principal};
        return source_smb_new(&options, &credentials, key, err);
    }
    if (server->directory)
        return source_directory_new(&options, key, err);
    return source_http_new(&options, key, err);
}

static struct policy *make_policy(struct config *config) {
    struct policy_source rules[SOURCES_MAX];
    for (unsigned i = 0; i < config->server_count; i++) {
        struct config_server *server = &config->servers[i];
        rules[i] = (struct policy_source){
            .identifier = server->identifier,
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
        sources[i] = make_source(&config->servers[i], key, state_directory, err);
        own_shelf[i] = config->servers[i].cache_location != NULL;
        if (sources[i])
            continue;
        while (i-- > 0)
            source_free(sources[i]);
        free(sources);
        return NULL;
    }
    struct roster *roster =
        roster_new(make_policy(config), sources, config->server_count, own_shelf);
    free(sources);
    return roster;
}
