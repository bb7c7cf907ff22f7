// SPDX-License-Identifier: MIT
//
// Who may do what. Changes, and views of logs and configuration, need the administrator's token, or
// a client on this machine that no front proxy has spoken for. A browser is kept from being used
// against us: the Host must be one of ours (DNS rebinding), and an Origin, where there is one, must
// be that host (cross-site requests).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "server/exchange.h"
#include "server/internal.h"

static const char plain[] = "text/plain; charset=utf-8";

static bool deny(struct exchange *exchange, const char *reason) {
    text_copy(exchange->reason, sizeof exchange->reason, reason);
    answer_text(exchange, 403, plain, reason);
    return false;
}

/* "[::1]:8080" → "::1"; "host:80" → "host". */
static void host_only(const char *host, char *out, size_t size) {
    const char *end = host[0] == '[' ? strchr(host, ']') : strrchr(host, ':');
    if (host[0] == '[')
        host++;
    text_copy_n(out, size, host, end ? (size_t)(end - host) : strlen(host));
}

static bool is_address(const char *host) {
    struct in6_addr ignored;
    return inet_pton(AF_INET, host, &ignored) == 1 || inet_pton(AF_INET6, host, &ignored) == 1;
}

static bool is_ours(const struct exchange *exchange, const char *host) {
    char own[256];
    if (is_address(host) || strcasecmp(host, "localhost") == 0)
        return true;
    if (gethostname(own, sizeof own) == 0 && strcasecmp(host, own) == 0)
        return true;
    const char *configured = exchange->settings->identity_host;
    if (!configured)
        return false;
    host_only(configured, own, sizeof own);
    return strcasecmp(host, own) == 0;
}

static bool host_fits(const struct exchange *exchange, const char *bytes) {
    char field[256], host[256];
    request_field(&exchange->request, bytes, FIELD_HOST, field, sizeof field);
    host_only(field, host, sizeof host);
    return is_ours(exchange, host);
}

bool trust_host(struct exchange *exchange, const char *bytes) {
    return host_fits(exchange, bytes) ||
           deny(exchange, "the Host header names another machine; use this server's address, "
                          "localhost or identity.host");
}

static bool origin_fits(const struct exchange *exchange, const char *bytes) {
    if (!request_has(&exchange->request, FIELD_ORIGIN))
        return true;
    char origin[256], host[256];
    request_field(&exchange->request, bytes, FIELD_ORIGIN, origin, sizeof origin);
    request_field(&exchange->request, bytes, FIELD_HOST, host, sizeof host);
    const char *authority = strstr(origin, "://");
    return authority && strcasecmp(authority + 3, host) == 0;
}

/* Takes the same time wherever the difference is. */
static bool same_secret(const char *a, const char *b) {
    size_t length = strlen(a);
    unsigned different = length != strlen(b);
    for (size_t i = 0; i < length && b[i]; i++)
        different |= (unsigned char)a[i] ^ (unsigned char)b[i];
    return different == 0;
}

static bool has_token(const struct exchange *exchange, const char *bytes) {
    static const char scheme[] = "Bearer ";
    const char *token = exchange->settings->admin_token;
    char field[512];
    request_field(&exchange->request, bytes, FIELD_AUTHORIZATION, field, sizeof field);
    return token && token[0] && strncasecmp(field, scheme, sizeof scheme - 1) == 0 &&
           same_secret(field + sizeof scheme - 1, token);
}

static bool on_this_machine(const struct exchange *exchange) {
    static const enum field spoken_for[] = {FIELD_FORWARDED_FOR, FIELD_FORWARDED, FIELD_REAL_IP,
                                            FIELD_VIA};
    const struct in6_addr *ip = &exchange->connection->client.ip;
    bool loopback =
        IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
    for (size_t i = 0; i < sizeof spoken_for / sizeof *spoken_for; i++)
        if (request_has(&exchange->request, spoken_for[i]))
            return false;
    return loopback;
}

bool trust_allows_change(struct exchange *exchange, const char *bytes) {
    if (!trust_host(exchange, bytes))
        return false;
    if (!origin_fits(exchange, bytes))
        return deny(exchange, "a page of another site may not ask for this");
    if (has_token(exchange, bytes) || on_this_machine(exchange))
        return true;
    return deny(exchange, "this needs the token of general.adminToken, or a client on the "
                          "server's own machine");
}

bool trust_knows_host(const struct exchange *exchange, const char *bytes) {
    return host_fits(exchange, bytes);
}

bool trust_may_see(const struct exchange *exchange, const char *bytes) {
    return host_fits(exchange, bytes) && origin_fits(exchange, bytes) &&
           (has_token(exchange, bytes) || on_this_machine(exchange));
}
