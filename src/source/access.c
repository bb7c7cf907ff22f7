// SPDX-License-Identifier: MIT
#include "source/access.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const char *const names[] = {
    [AUTHENTICATION_NONE] = "none",           [AUTHENTICATION_BASIC] = "basic",
    [AUTHENTICATION_DIGEST] = "digest",       [AUTHENTICATION_NTLM] = "ntlm",
    [AUTHENTICATION_NEGOTIATE] = "negotiate", [AUTHENTICATION_BEARER] = "bearer",
};

const char *authentication_name(enum authentication authentication) {
    return names[authentication];
}

bool authentication_parse(const char *text, enum authentication *out_authentication) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], text) != 0)
            continue;
        *out_authentication = (enum authentication)i;
        return true;
    }
    return false;
}

bool authentication_shakes_hands(enum authentication authentication) {
    return authentication == AUTHENTICATION_DIGEST || authentication == AUTHENTICATION_NTLM ||
           authentication == AUTHENTICATION_NEGOTIATE;
}

bool tls_version_parse(const char *text, enum tls_version *out_version) {
    if (strcmp(text, "1.2") == 0)
        *out_version = TLS_VERSION_1_2;
    else if (strcmp(text, "1.3") == 0)
        *out_version = TLS_VERSION_1_3;
    else
        return false;
    return true;
}

static const struct {
    const char *name;
    const char *fault;
} refused[] = {
    {"accept-encoding", "is set by symgate itself"},
    {"connection", "is set by symgate itself"},
    {"content-length", "is set by symgate itself"},
    {"expect", "is set by symgate itself"},
    {"host", "is set by symgate itself"},
    {"if-match", "would change what is asked"},
    {"if-modified-since", "would change what is asked"},
    {"if-none-match", "would change what is asked"},
    {"if-range", "would change what is asked"},
    {"if-unmodified-since", "would change what is asked"},
    {"keep-alive", "is set by symgate itself"},
    {"proxy-authorization", "belongs to the proxy: write proxyUser and proxyPassword"},
    {"proxy-connection", "is set by symgate itself"},
    {"range", "would change what is asked"},
    {"te", "is set by symgate itself"},
    {"trailer", "is set by symgate itself"},
    {"transfer-encoding", "is set by symgate itself"},
    {"upgrade", "is set by symgate itself"},
    {"user-agent", "has a key of its own: userAgent"},
};

/* RFC 9110, 5.6.2 */
static bool is_token(const char *text) {
    static const char signs[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return text[0] && text[strspn(text, signs)] == '\0';
}

const char *header_fault(const char *name, const char *value) {
    if (!is_token(name))
        return "is no name of a header";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (text_same(name, refused[i].name))
            return refused[i].fault;
    for (; *value; value++)
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
            return "has a value with a line end or another control character";
    return NULL;
}

static struct text_list copy_list(const struct text_list *from) {
    if (!from->texts)
        return (struct text_list){0};
    const char **texts = NEW_ARRAY(const char *, from->count + 1);
    for (unsigned i = 0; i < from->count; i++)
        texts[i] = memory_text(from->texts[i]);
    return (struct text_list){texts, from->count};
}

void source_access_copy(struct source_access *to, const struct source_access *from) {
    *to = (struct source_access){
        .authentication = from->authentication,
        .user = memory_text(from->user),
        .password = memory_text(from->password),
        .token = memory_text(from->token),
        .header_names = copy_list(&from->header_names),
        .header_values = copy_list(&from->header_values),
        .client_certificate = memory_text(from->client_certificate),
        .client_key = memory_text(from->client_key),
        .client_key_password = memory_text(from->client_key_password),
    };
}

void source_route_copy(struct source_route *to, const struct source_route *from) {
    *to = (struct source_route){
        .proxy = memory_text(from->proxy),
        .proxy_authentication = from->proxy_authentication,
        .proxy_user = memory_text(from->proxy_user),
        .proxy_password = memory_text(from->proxy_password),
        .no_proxy = memory_text(from->no_proxy),
        .ca_file = memory_text(from->ca_file),
        .tls_version = from->tls_version,
        .accept_bad_certificate = from->accept_bad_certificate,
    };
}

void secret_free(char *text) {
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void release_text(const char *text) {
    secret_free((char *)(uintptr_t)text);
}

static void release_list(struct text_list *list) {
    for (unsigned i = 0; i < list->count; i++)
        release_text(list->texts[i]);
    free((void *)(uintptr_t)list->texts);
}

void source_access_release(struct source_access *access) {
    release_text(access->user);
    release_text(access->password);
    release_text(access->token);
    release_list(&access->header_names);
    release_list(&access->header_values);
    release_text(access->client_certificate);
    release_text(access->client_key);
    release_text(access->client_key_password);
    *access = (struct source_access){0};
}

void source_route_release(struct source_route *route) {
    release_text(route->proxy);
    release_text(route->proxy_user);
    release_text(route->proxy_password);
    release_text(route->no_proxy);
    release_text(route->ca_file);
    *route = (struct source_route){0};
}

static void digest(const char *what, const char *text, const struct hash_key *key,
                   struct buffer *out) {
    if (text)
        buffer_format(out, "\n%s %016llx", what,
                      (unsigned long long)hash_bytes(key, text, strlen(text)));
}

static void digest_list(const char *what, const struct text_list *list, const struct hash_key *key,
                        struct buffer *out) {
    if (list->texts)
        buffer_format(out, "\n%s %u", what, list->count);
    for (unsigned i = 0; i < list->count; i++)
        digest(what, list->texts[i], key, out);
}

void source_access_digest(const struct source_access *access, const struct hash_key *key,
                          struct buffer *out) {
    if (access->authentication != AUTHENTICATION_NONE)
        buffer_format(out, "\nauthentication %s", authentication_name(access->authentication));
    digest("user", access->user, key, out);
    digest("password", access->password, key, out);
    digest("token", access->token, key, out);
    digest_list("header", &access->header_names, key, out);
    digest_list("value", &access->header_values, key, out);
    digest("certificate", access->client_certificate, key, out);
    digest("key", access->client_key, key, out);
    digest("key password", access->client_key_password, key, out);
}

void source_route_digest(const struct source_route *route, const struct hash_key *key,
                         struct buffer *out) {
    digest("proxy", route->proxy, key, out);
    if (route->proxy_authentication != AUTHENTICATION_NONE)
        buffer_format(out, "\nproxy authentication %s",
                      authentication_name(route->proxy_authentication));
    digest("proxy user", route->proxy_user, key, out);
    digest("proxy password", route->proxy_password, key, out);
    digest("no proxy", route->no_proxy, key, out);
    digest("ca", route->ca_file, key, out);
    if (route->tls_version != TLS_VERSION_ANY)
        buffer_format(out, "\ntls %d", (int)route->tls_version);
    if (route->accept_bad_certificate)
        buffer_append_text(out, "\naccepts a bad certificate");
}
