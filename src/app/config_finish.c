// SPDX-License-Identifier: MIT
#include "app/config_finish.h"

#include <stdio.h>
#include <string.h>

#include "app/config_access.h"
#include "app/config_needless.h"
#include "app/paths.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "source/smb_helper.h"
#include "source/smb_remote.h"

enum {
    TOKEN_BYTES_MAX = 400,
    KEY_BYTES = 64,
    PORT_MAX = 65535,
    PROGRAM_BYTES = 4096,
    REVALIDATE_MS = 5 * 60 * 1000,
    INDEX_REFRESH_MS = 24 * 60 * 60 * 1000,
};

static void replace(char **field, char *with) {
    free(*field);
    *field = with;
}

static bool is_given(const char *text) {
    return text && text[0];
}

/* A local path of this machine, or NULL (complained of) for a Windows path that no entry maps. */
static char *local_path(struct config_reading *reading, const char *key, const char *text,
                        const char *consequence) {
    const struct config_map *map = &reading->config->general.path_map;
    CLEANUP(free_block) char *mapped = path_mapped(map, text);
    if (mapped)
        return path_absolute(mapped);
    if (path_kind(text) == PATH_LOCAL)
        return path_absolute(text);
    char hint[200], masked[128];
    if (path_kind(text) == PATH_URL) {
        text_mask_url(masked, sizeof masked, text);
        config_complain(reading, PROBLEM_WARNING, key, "Name a folder of this machine.",
                        "\"%s\" is a URL, where a folder is wanted: %s", masked, consequence);
        return NULL;
    }
    path_map_example(text, hint, sizeof hint);
    text_mask_url(masked, sizeof masked, text);
    config_complain(reading, PROBLEM_WARNING, key, hint, "\"%s\" is a Windows path or share: %s",
                    masked, consequence);
    return NULL;
}

/* Can symgate-smb read it? */
static bool is_readable_share(const struct config_reading *reading, const char *text) {
    struct smb_remote remote;
    char program[PROGRAM_BYTES];
    CLEANUP(free_block) char *mapped = path_mapped(&reading->config->general.path_map, text);
    return !mapped && path_kind(text) == PATH_SHARE && smb_remote_parse(text, &remote, NULL) &&
           smb_helper_find(program, sizeof program, NULL);
}

/* The same for a cache. A share that can be read is noted, for a server to be made of it. */
static char *cache_path(struct config_reading *reading, const char *key, const char *text,
                        char **share, const char *consequence) {
    if (is_readable_share(reading, text)) {
        *share = memory_text(text);
        consequence = "what lies there is read, new files go to \"cache\" in the data folder";
    }
    return local_path(reading, key, text, consequence);
}

static bool is_choice(const char *text, const char *const *choices) {
    for (; text && *choices; choices++)
        if (strcmp(text, *choices) == 0)
            return true;
    return false;
}

/* The shape only: nobody is asked for a host's address here. */
static bool is_listen_address(const char *text) {
    uint64_t port = 0;
    const char *colon = strrchr(text, ':');
    return colon && number_parse(colon + 1, &port) && port <= PORT_MAX;
}

static void check_listen(struct config_reading *reading) {
    const struct config_text_list *listen = &reading->config->general.listen;
    if (listen->count == 0)
        config_complain(reading, PROBLEM_ERROR, "general.listen", "", "names no address");
    for (unsigned i = 0; i < listen->count; i++) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "general.listen[%u]", i);
        if (!is_listen_address(listen->texts[i]))
            config_complain(reading, PROBLEM_ERROR, key,
                            "Write 0.0.0.0:8080, 127.0.0.1:8080 or [::]:8080.",
                            "\"%.80s\" is not ADDRESS:PORT", listen->texts[i]);
    }
}

void config_finish_general(struct config_reading *reading, const char *data_override) {
    static const char *const log_clients[] = {"full", "shortened", "none", NULL};
    struct config_general *general = &reading->config->general;
    char *data = NULL;
    if (data_override)
        data = path_absolute(data_override);
    else if (is_given(general->data_location))
        data = local_path(reading, "general.dataLocation", general->data_location,
                          "the default data folder is used");
    replace(&general->data_location, data ? data : path_default_data());
    char *cache = NULL;
    if (is_given(general->cache_location))
        cache = cache_path(reading, "general.cacheLocation", general->cache_location,
                           &general->cache_share, "\"cache\" in the data folder is used");
    replace(&general->cache_location, cache ? cache : path_below(general->data_location, "cache"));
    if (!is_choice(general->log_clients, log_clients))
        config_complain(reading, PROBLEM_ERROR, "general.logClients", "",
                        "must be \"full\", \"shortened\" or \"none\"");
    if (general->admin_token && strlen(general->admin_token) > TOKEN_BYTES_MAX)
        config_complain(reading, PROBLEM_ERROR, "general.adminToken", "", "is longer than %d bytes",
                        TOKEN_BYTES_MAX);
    check_listen(reading);
}

static void finish_retry(struct config_reading *reading, struct config_server *server,
                         const char *prefix, bool spelled) {
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.retryTimout", prefix);
    if (server->retry_misspelled_ms == TIME_ABSENT)
        return;
    if (!spelled)
        server->retry_ms = server->retry_misspelled_ms;
    else if (server->retry_misspelled_ms != server->retry_ms)
        config_complain(reading, PROBLEM_WARNING, key, "Delete this line.",
                        "differs from retryTimeout, which counts");
}

/* Stores of objects that were put there plain: to ask them for other forms only costs. */
static bool holds_plain_files(const char *remote) {
    static const char *const endings[] = {
        "msdl.microsoft.com",        ".amazonaws.com",
        ".blob.core.windows.net",    ".googleapis.com",
        ".r2.cloudflarestorage.com", ".digitaloceanspaces.com",
    };
    const char *host = strstr(remote, "://");
    char name[256];
    if (!host)
        return false;
    host += strlen("://");
    const char *user_end = strchr(host, '@');
    if (user_end && user_end < host + strcspn(host, "/"))
        host = user_end + 1;
    text_copy_n(name, sizeof name, host, strcspn(host, ":/?"));
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends_folded(name, endings[i]))
            return true;
    return false;
}

static bool form_parse(const char *name, enum form *out_form) {
    static const struct {
        const char *name;
        enum form form;
    } forms[] = {{"plain", FORM_PLAIN}, {"compressed", FORM_COMPRESSED}, {"pointer", FORM_POINTER}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(name, forms[i].name) == 0) {
            *out_form = forms[i].form;
            return true;
        }
    return false;
}

static void default_forms(struct config_server *server) {
    static const enum form all[] = {FORM_PLAIN, FORM_COMPRESSED, FORM_POINTER};
    server->form_count = is_given(server->remote) && holds_plain_files(server->remote) ? 1 : 3;
    memcpy(server->forms, all, server->form_count * sizeof *all);
}

static bool form_is_listed(const struct config_server *server, enum form form) {
    for (unsigned i = 0; i < server->form_count; i++)
        if (server->forms[i] == form)
            return true;
    return false;
}

static void finish_forms(struct config_reading *reading, struct config_server *server,
                         const char *prefix) {
    const struct config_text_list *names = &server->form_names;
    if (names->count == 0)
        default_forms(server);
    for (unsigned i = 0; i < names->count; i++) {
        enum form form;
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s.forms[%u]", prefix, i);
        if (!form_parse(names->texts[i], &form))
            config_complain(reading, PROBLEM_ERROR, key, "Write plain, compressed or pointer.",
                            "\"%.40s\" is no form", names->texts[i]);
        else if (form_is_listed(server, form))
            config_complain(reading, PROBLEM_ERROR, key, "", "\"%s\" stands there twice",
                            names->texts[i]);
        else
            server->forms[server->form_count++] = form;
    }
}

/* Is <name>/<id> where a file lies there? */
static bool is_symbol_store(enum layout layout) {
    return layout == LAYOUT_AUTO || layout == LAYOUT_SYMSTORE || layout == LAYOUT_TWO_TIER ||
           layout == LAYOUT_SSQP;
}

static void finish_index_refresh(struct config_reading *reading, struct config_server *server,
                                 const char *prefix) {
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.indexRefresh", prefix);
    if (server->index_refresh_ms == TIME_ABSENT && server->published_index)
        server->index_refresh_ms = INDEX_REFRESH_MS;
    else if (server->index_refresh_ms != TIME_ABSENT && !server->published_index)
        config_complain(reading, PROBLEM_WARNING, key, "It counts for servers with an index.",
                        "has no effect here");
}

static void finish_index(struct config_reading *reading, struct config_server *server,
                         const char *prefix) {
    static const char *const choices[] = {"none", "000Admin", NULL};
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.index", prefix);
    if (server->index_name && !is_choice(server->index_name, choices))
        config_complain(reading, PROBLEM_ERROR, key, "Write 000Admin or none.",
                        "\"%.40s\" is no index that is known", server->index_name);
    server->published_index = server->index_name && strcmp(server->index_name, "000Admin") == 0;
    if (!server->published_index || is_symbol_store(server->layout))
        return;
    server->published_index = false;
    config_complain(reading, PROBLEM_WARNING, key, "Delete it, or change the layout.",
                    "has no effect: only symbol stores have such an index");
}

/* What a pointer may say counts only where pointers are read. */
static void finish_unindexed(struct config_reading *reading, const struct config_server *server,
                             const char *prefix) {
    char key[KEY_BYTES];
    if (!server->unindexed_ends || form_is_listed(server, FORM_POINTER))
        return;
    text_format(key, sizeof key, "%s.noLongerIndexedAuthoritative", prefix);
    config_complain(reading, PROBLEM_WARNING, key, "Add \"pointer\" to this server's forms.",
                    "has no effect: pointer files are not asked for");
}

/* A share that nothing maps is read through symgate-smb. */
static void judge_share(struct config_reading *reading, const char *key, const char *share,
                        const char *consequence) {
    struct smb_remote remote;
    struct error err = {0};
    char program[PROGRAM_BYTES], hint[200];
    if (!smb_remote_parse(share, &remote, &err)) {
        config_complain(reading, PROBLEM_ERROR, key, err.hint, "%s", err.what);
    } else if (!smb_helper_find(program, sizeof program, &err)) {
        path_map_example(share, hint, sizeof hint);
        config_complain(reading, PROBLEM_WARNING, key, hint, "%s: %s", err.what, consequence);
    }
}

static void finish_pointer_root(struct config_reading *reading, struct config_server *server,
                                const char *key, const char *root) {
    CLEANUP(free_block) char *mapped = path_mapped(&reading->config->general.path_map, root);
    char hint[200];
    switch (path_kind(mapped ? mapped : root)) {
    case PATH_URL:
        config_complain(reading, PROBLEM_ERROR, key, "Write a directory or a share.",
                        "pointers do not lead to URLs");
        break;
    case PATH_WINDOWS:
        path_map_example(root, hint, sizeof hint);
        config_complain(reading, PROBLEM_WARNING, key, hint,
                        "\"%.100s\" is a Windows path: pointers into it are not followed", root);
        break;
    case PATH_SHARE:
        server->points_to_share = true;
        judge_share(reading, key, mapped ? mapped : root, "pointers into it are not followed");
        break;
    case PATH_LOCAL:
        break;
    }
}

static void finish_pointer_roots(struct config_reading *reading, struct config_server *server,
                                 const char *prefix) {
    const struct config_text_list *roots = &server->pointer_roots;
    for (unsigned i = 0; i < roots->count; i++) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s.pointerRoots[%u]", prefix, i);
        finish_pointer_root(reading, server, key, roots->texts[i]);
    }
}

static void finish_layout(struct config_reading *reading, struct config_server *server,
                          const char *prefix) {
    char key[KEY_BYTES];
    if (server->layout_name && !layout_parse(server->layout_name, &server->layout)) {
        text_format(key, sizeof key, "%s.layout", prefix);
        config_complain(reading, PROBLEM_ERROR, key,
                        "Write auto, symstore, two-tier, ssqp, breakpad, debuginfod, build-id, "
                        "unified or slashsymbols.",
                        "\"%.40s\" is no layout", server->layout_name);
    }
    if (server->casing_name && !casing_parse(server->casing_name, &server->casing)) {
        text_format(key, sizeof key, "%s.casing", prefix);
        config_complain(reading, PROBLEM_ERROR, key, "Write preserve, lower or upper.",
                        "\"%.40s\" is no casing", server->casing_name);
    }
}

static void finish_kinds(struct config_reading *reading, struct config_server *server,
                         const char *prefix) {
    for (unsigned i = 0; i < server->kinds.count; i++) {
        enum symbol_kind kind;
        char key[KEY_BYTES];
        text_format(key, sizeof key, "%s.kinds[%u]", prefix, i);
        if (symbol_kind_parse(server->kinds.texts[i], &kind))
            server->kind_bits |= 1U << kind;
        else
            config_complain(reading, PROBLEM_ERROR, key, "",
                            "must be one of pdb, pe, elf, macho, sym, other");
    }
}

static void finish_keytab(struct config_reading *reading, struct config_server *server,
                          const char *prefix) {
    char key[KEY_BYTES];
    if (!is_given(server->keytab))
        return;
    text_format(key, sizeof key, "%s.keytab", prefix);
    replace(&server->keytab, local_path(reading, key, server->keytab, "it is not used"));
}

/* Does a URL have a host? */
static bool names_host(const char *url) {
    const char *host = strstr(url, "://") + strlen("://");
    return *host && !strchr("/?#:", *host);
}

/* "msdl.microsoft.com/download/symbols", where somebody forgot the scheme. */
static bool begins_with_host(const char *path) {
    size_t length = strcspn(path, "/");
    size_t host = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:");
    return length > 0 && host == length && path[0] != '.' && memchr(path, '.', length) &&
           path[length - 1] != '.';
}

static void finish_remote(struct config_reading *reading, struct config_server *server,
                          const char *prefix) {
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.remote", prefix);
    if (!is_given(server->remote)) {
        if (config_complained(reading, key))
            return;
        config_complain(reading, PROBLEM_ERROR, prefix, "Add \"remote\": a URL or a directory.",
                        "has no remote");
        return;
    }
    replace(&server->remote_told, memory_text(server->remote));
    server->directory = path_kind(server->remote) != PATH_URL;
    if (!server->directory && !names_host(server->remote))
        config_complain(reading, PROBLEM_ERROR, key, "Write https://host/path.", "names no host");
    if (!server->directory)
        return;
    if (path_kind(server->remote) == PATH_LOCAL && strstr(server->remote, "://")) {
        config_complain(reading, PROBLEM_ERROR, key,
                        "Write http://, https://, smb:// or a directory.",
                        "is a URL of a kind that cannot be asked");
        return;
    }
    CLEANUP(free_block)
    char *mapped = path_mapped(&reading->config->general.path_map, server->remote);
    if (!mapped && path_kind(server->remote) == PATH_SHARE) {
        server->directory = false;
        server->share = true;
        judge_share(reading, key, server->remote, "this server cannot be asked");
        return;
    }
    if (!mapped && begins_with_host(server->remote))
        config_complain(reading, PROBLEM_WARNING, key,
                        "Write https:// before it if a server is meant, else the whole path.",
                        "\"%.100s\" is taken for a directory below the working directory",
                        server->remote);
    char *path = local_path(reading, key, server->remote, "this server cannot be asked");
    server->unaskable = !path;
    if (path)
        replace(&server->remote, path);
}

static void finish_cache(struct config_reading *reading, struct config_server *server,
                         const char *prefix) {
    char key[KEY_BYTES];
    if (!is_given(server->cache_location)) {
        replace(&server->cache_location, NULL);
        return;
    }
    text_format(key, sizeof key, "%s.cacheLocation", prefix);
    char *path = cache_path(reading, key, server->cache_location, &server->cache_share,
                            "its files go to \"cache\" in the data folder");
    if (!path)
        path = path_below(reading->config->general.data_location, "cache");
    replace(&server->cache_location, path);
    if (strcmp(path, reading->config->general.cache_location) == 0)
        replace(&server->cache_location, NULL); /* no cache of its own, then */
}

static void finish_revalidate(struct config_server *server) {
    bool compared = server->directory || server->share;
    if (server->revalidate_ms == TIME_ABSENT)
        server->revalidate_ms = REVALIDATE_MS;
    if (!compared || server->revalidate_ms < 0)
        server->revalidate_ms = 0;
}

void config_finish_server(struct config_reading *reading, struct config_server *server,
                          const char *prefix, unsigned index, json_t *json) {
    finish_retry(reading, server, prefix, json_object_get(json, "retryTimeout") != NULL);
    finish_kinds(reading, server, prefix);
    finish_layout(reading, server, prefix);
    finish_forms(reading, server, prefix);
    finish_unindexed(reading, server, prefix);
    finish_index(reading, server, prefix);
    finish_index_refresh(reading, server, prefix);
    finish_pointer_roots(reading, server, prefix);
    finish_remote(reading, server, prefix);
    finish_keytab(reading, server, prefix);
    config_finish_access(reading, server, prefix);
    finish_cache(reading, server, prefix);
    finish_revalidate(server);
    if (is_given(server->remote))
        config_warn_of_needless(reading, server, prefix, json);
    if (server->priority == 0)
        server->priority = index + 1;
    if (server->hedge_after_ms == TIME_ABSENT)
        server->hedge_after_ms = reading->config->general.hedge_after_ms;
}

/* The host of a URL without user-info and port, or the last component of a path. */
static void name_of_remote(const char *remote, char *out, size_t size) {
    const char *begin = strstr(remote, "://");
    if (begin) {
        begin += 3;
        size_t authority = strcspn(begin, "/?#");
        for (const char *at; (at = memchr(begin, '@', authority));) {
            authority -= (size_t)(at + 1 - begin);
            begin = at + 1;
        }
        size_t host = *begin == '[' ? strcspn(begin, "]") + 1 : strcspn(begin, ":/?#");
        text_copy_n(out, size, begin, host < authority ? host : authority);
        return;
    }
    size_t length = strlen(remote);
    while (length > 1 && strchr("/\\", remote[length - 1]))
        length--;
    size_t start = length;
    while (start > 0 && !strchr("/\\", remote[start - 1]))
        start--;
    text_copy_n(out, size, remote + start, length - start);
}

static bool is_taken(const struct config *config, unsigned before, const char *identifier) {
    for (unsigned i = 0; i < before; i++)
        if (strcmp(config->servers[i].identifier, identifier) == 0)
            return true;
    return false;
}

void config_finish_servers(struct config_reading *reading) {
    struct config *config = reading->config;
    for (unsigned i = 0; i < config->server_count; i++) {
        struct config_server *server = &config->servers[i];
        char name[60], unique[64];
        if (is_given(server->identifier))
            text_copy(name, sizeof name, server->identifier);
        else if (is_given(server->name))
            text_copy(name, sizeof name, server->name);
        else
            name_of_remote(server->remote ? server->remote : "", name, sizeof name);
        if (!name[0])
            text_copy(name, sizeof name, "server");
        text_copy(unique, sizeof unique, name);
        for (unsigned n = 2; is_taken(config, i, unique); n++)
            text_format(unique, sizeof unique, "%.56s-%u", name, n);
        replace(&server->identifier, memory_text(unique));
        if (!is_given(server->name))
            replace(&server->name, memory_text(unique));
    }
}
