// SPDX-License-Identifier: MIT
#include "app/config_access.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app/paths.h"
#include "base/memory.h"
#include "base/text.h"
#include "source/http_remote.h"

enum { KEY_BYTES = 300, HEADERS_MAX = 64 };

/* One server being finished. */
struct finishing {
    struct config_reading *reading;
    struct config_server *server;
    const char *prefix;
};

static bool is_given(const char *text) {
    return text && text[0];
}

/* Complains of one of the server's keys. */
static void complain(const struct finishing *it, enum problem_severity severity, const char *name,
                     const char *hint, const char *what) {
    char key[KEY_BYTES];
    text_format(key, sizeof key, "%s.%s", it->prefix, name);
    config_complain(it->reading, severity, key, hint, "%s", what);
}

static void refuse(const struct finishing *it, const char *name, const char *hint,
                   const char *what) {
    complain(it, PROBLEM_ERROR, name, hint, what);
}

/* The authority of a URL: between "://" and what follows. */
static const char *authority_of(const char *url, size_t *out_length) {
    const char *begin = strstr(url, "://");
    begin = begin ? begin + 3 : url;
    *out_length = strcspn(begin, "/?#");
    return begin;
}

static bool has_user_info(const char *url) {
    size_t length;
    const char *authority = authority_of(url, &length);
    return memchr(authority, '@', length) != NULL;
}

/* Is it this machine, as far as can be told without asking anybody for an address? */
static bool is_here(const char *url) {
    size_t length;
    const char *host = authority_of(url, &length);
    const char *at = memrchr(host, '@', length);
    if (at)
        host = at + 1;
    char name[64];
    text_copy_n(name, sizeof name, host, strcspn(host, host[0] == '[' ? "]/?#" : ":/?#"));
    return text_starts(name, "127.") || text_same(name, "localhost") || text_same(name, "[::1");
}

/* Reads a name of an authentication, else takes what is usual. False: complained of. */
static bool read_authentication(const struct finishing *it, const char *key, const char *name,
                                enum authentication usual, enum authentication *out) {
    *out = usual;
    if (!is_given(name) || authentication_parse(name, out))
        return true;
    refuse(it, key, "Write none, basic, digest, ntlm, negotiate or bearer.",
           "is no authentication");
    return false;
}

/* What is wrong with this way for somebody who is given so, or NULL. */
static const char *fault_of_way(enum authentication how, bool user, bool password, bool token) {
    switch (how) {
    case AUTHENTICATION_NONE:
        return user || password || token ? "is none, but it is said who asks" : NULL;
    case AUTHENTICATION_BASIC:
        return token ? "takes no token" : user || password ? NULL : "needs user and password";
    case AUTHENTICATION_DIGEST:
    case AUTHENTICATION_NTLM:
        return token ? "takes no token" : user ? NULL : "needs user and password";
    case AUTHENTICATION_NEGOTIATE:
        return user || password || token
                   ? "takes a Kerberos ticket, and neither user, password nor token"
                   : NULL;
    case AUTHENTICATION_BEARER:
        break;
    }
    return user || password ? "takes no user and password" : token ? NULL : "needs a token";
}

static bool has_control(const char *text) {
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static void check_secret(const struct finishing *it, const char *key, const char *text) {
    if (has_control(text))
        refuse(it, key, "Its file may hold more than one line.",
               "holds a line end or another control character");
}

static void finish_asker(const struct finishing *it) {
    struct config_server *server = it->server;
    struct config_access *access = &server->access;
    bool in_url = has_user_info(server->remote);
    bool user = is_given(server->user), password = is_given(server->password);
    bool token = is_given(access->token);
    if (in_url && (user || password || token)) {
        refuse(it,
               token  ? "token"
               : user ? "user"
                      : "password",
               "Take user and password out of the remote.",
               "is said twice: the remote says it too");
        return;
    }
    enum authentication usual = token                        ? AUTHENTICATION_BEARER
                                : user || password || in_url ? AUTHENTICATION_BASIC
                                                             : AUTHENTICATION_NONE;
    if (!read_authentication(it, "authentication", access->authentication_name, usual,
                             &access->authentication))
        return;
    const char *fault = fault_of_way(access->authentication, user || in_url, password, token);
    if (fault)
        refuse(it, access->authentication_name ? "authentication" : "token",
               "Give what this way needs, and nothing else.", fault);
    if (access->authentication == AUTHENTICATION_BASIC && user && strchr(server->user, ':'))
        refuse(it, "user", "", "holds a colon, which Basic cannot send");
    check_secret(it, "user", server->user);
    check_secret(it, "password", server->password);
    check_secret(it, "token", access->token);
    if (access->token && !token)
        refuse(it, "token", "Take it out, or fill the file or variable.", "is empty");
    bool readable = access->authentication == AUTHENTICATION_BASIC ||
                    access->authentication == AUTHENTICATION_BEARER;
    if (readable && !fault && text_starts_folded(server->remote, "http://") &&
        !is_here(server->remote))
        complain(it, PROBLEM_WARNING, "remote", "Write https:// if the server has it.",
                 "is not encrypted: whoever listens reads the password or token");
}

static bool named_before(const struct config_map *headers, unsigned index) {
    for (unsigned i = 0; i < index; i++)
        if (text_same(headers->from[i], headers->from[index]))
            return true;
    return false;
}

static void finish_headers(const struct finishing *it) {
    const struct config_map *headers = &it->server->access.headers;
    if (headers->count > HEADERS_MAX)
        refuse(it, "headers", "", "are more than 64");
    for (unsigned i = 0; i < headers->count; i++) {
        const char *fault = header_fault(headers->from[i], headers->to[i]);
        if (!fault && named_before(headers, i))
            fault = "is said twice";
        if (!fault && text_same(headers->from[i], "authorization") &&
            it->server->access.authentication != AUTHENTICATION_NONE)
            fault = "is made from user, password or token";
        char key[KEY_BYTES];
        text_format(key, sizeof key, "headers[\"%.200s\"]", headers->from[i]);
        if (fault)
            refuse(it, key, "Take this header out.", fault);
    }
}

/* Makes a path of a file that has to be there absolute. */
static void finish_file(const struct finishing *it, const char *key, char **path) {
    if (!is_given(*path)) {
        free(*path);
        *path = NULL;
        return;
    }
    CLEANUP(free_block)
    char *mapped = path_mapped(&it->reading->config->general.path_map, *path);
    char *whole = path_absolute(mapped ? mapped : *path);
    free(*path);
    *path = whole;
    if (access(whole, R_OK) == 0)
        return;
    char what[256];
    text_format(what, sizeof what, "\"%.150s\" cannot be read: %s", whole, strerror(errno));
    refuse(it, key, "Paths count from the working directory.", what);
}

static void finish_tls(const struct finishing *it) {
    struct config_access *access = &it->server->access;
    finish_file(it, "clientCertificate", &access->client_certificate);
    finish_file(it, "clientKey", &access->client_key);
    finish_file(it, "caFile", &access->ca_file);
    if (is_given(access->tls_version_name) &&
        !tls_version_parse(access->tls_version_name, &access->tls_version))
        refuse(it, "tlsVersion", "Write \"1.2\" or \"1.3\".", "is no version that is spoken");
    bool key = access->client_key || is_given(access->client_key_password);
    if (key && !access->client_certificate)
        refuse(it, access->client_key ? "clientKey" : "clientKeyPassword", "Add clientCertificate.",
               "belongs to no certificate");
    bool encrypted = text_starts_folded(it->server->remote, "https://");
    static const char why[] = "has no effect: the remote is not https";
    if (!encrypted && access->client_certificate)
        refuse(it, "clientCertificate", "Write https:// in the remote, or delete this.", why);
    if (!encrypted && access->tls_version != TLS_VERSION_ANY)
        refuse(it, "tlsVersion", "Write https:// in the remote, or delete this.", why);
    if (!encrypted && access->accept_bad_certificate)
        refuse(it, "acceptBadCertificate", "Write https:// in the remote, or delete this.", why);
    else if (access->accept_bad_certificate)
        complain(it, PROBLEM_WARNING, "acceptBadCertificate",
                 "Name the server's authority in caFile instead.",
                 "accepts any certificate: whoever stands between can read and change everything");
}

static void check_no_proxy(const struct finishing *it) {
    const struct config_text_list *list = &it->server->access.no_proxy;
    for (unsigned i = 0; i < list->count; i++) {
        char key[KEY_BYTES];
        text_format(key, sizeof key, "noProxy[%u]", i);
        if (!list->texts[i][0] || strpbrk(list->texts[i], ", \t") || has_control(list->texts[i]))
            refuse(it, key, "Write one host, domain, address or network in each.",
                   "is no host, domain, address or network");
    }
}

static void finish_proxy_asker(const struct finishing *it, bool in_url) {
    struct config_access *access = &it->server->access;
    bool user = is_given(access->proxy_user), password = is_given(access->proxy_password);
    if (in_url && (user || password)) {
        refuse(it, user ? "proxyUser" : "proxyPassword",
               "Take user and password out of the proxy's URL.",
               "is said twice: the proxy's URL says it too");
        return;
    }
    enum authentication usual =
        user || password || in_url ? AUTHENTICATION_BASIC : AUTHENTICATION_NONE;
    if (!read_authentication(it, "proxyAuthentication", access->proxy_authentication_name, usual,
                             &access->proxy_authentication))
        return;
    const char *fault =
        access->proxy_authentication == AUTHENTICATION_BEARER
            ? "cannot be bearer"
            : fault_of_way(access->proxy_authentication, user || in_url, password, false);
    if (fault)
        refuse(it, "proxyAuthentication",
               "Give proxyUser and proxyPassword as this way needs them.", fault);
    check_secret(it, "proxyUser", access->proxy_user);
    check_secret(it, "proxyPassword", access->proxy_password);
}

static void finish_proxy(const struct finishing *it) {
    const struct config_access *access = &it->server->access;
    bool in_url = false;
    check_no_proxy(it);
    if (is_given(access->proxy)) {
        const char *fault = http_proxy_fault(access->proxy, &in_url);
        if (fault)
            refuse(it, "proxy", "Write it as http://proxy.example:3128.", fault);
        else
            finish_proxy_asker(it, in_url);
        return;
    }
    const char *needless = is_given(access->proxy_user)                  ? "proxyUser"
                           : is_given(access->proxy_password)            ? "proxyPassword"
                           : is_given(access->proxy_authentication_name) ? "proxyAuthentication"
                                                                         : NULL;
    if (needless)
        refuse(it, needless, "Add proxy: http://host:port.", "belongs to no proxy");
    if (access->proxy && access->no_proxy.count > 0)
        refuse(it, "noProxy", "Delete it.", "has no effect: there is no proxy");
}

/* Can a question be made of the URL and the name that symgate takes? */
static void check_question(const struct finishing *it) {
    const char *fault = http_remote_fault(it->server->remote);
    if (fault)
        complain(it, PROBLEM_ERROR, "remote", "Write it as https://symbols.example/path.", fault);
    if (has_control(it->server->user_agent))
        refuse(it, "userAgent", "", "has a line end or another control character");
}

void config_finish_access(struct config_reading *reading, struct config_server *server,
                          const char *prefix) {
    struct finishing it = {reading, server, prefix};
    if (!is_given(server->remote) || server->share || server->directory)
        return;
    check_question(&it);
    finish_asker(&it);
    finish_headers(&it);
    finish_tls(&it);
    finish_proxy(&it);
}
