// SPDX-License-Identifier: MIT
#include "server/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "base/text.h"

enum { BACKLOG = 4096, DEFER_ACCEPT_S = 1, PORT_MAX = 65535 };

/* Splits at the last colon; the host loses its brackets. */
static bool split(const char *text, char *host, size_t size, const char **out_port) {
    const char *colon = strrchr(text, ':');
    if (!colon || !colon[1])
        return false;
    size_t length = (size_t)(colon - text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    uint64_t port;
    *out_port = colon + 1;
    if (!number_parse(*out_port, &port) || port > PORT_MAX)
        return false; /* getaddrinfo would take the low bits of a larger one */
    return text_copy_n(host, size, text, length);
}

bool listener_parse(const char *text, struct listener *out_listener, struct error *err) {
    char host[256];
    const char *port;
    if (!split(text, host, sizeof host, &port)) {
        error_set(err, ERROR_CONFIG, "listen address \"%s\" is not ADDRESS:PORT", text);
        return error_hint(err, "Write 0.0.0.0:8080, 127.0.0.1:8080 or [::]:8080.");
    }
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (rc != 0) {
        error_set(err, ERROR_CONFIG, "listen address \"%s\" is not understood: %s", text,
                  gai_strerror(rc));
        return error_hint(err, "Write 0.0.0.0:8080, 127.0.0.1:8080 or [::]:8080.");
    }
    memcpy(&out_listener->address, found->ai_addr, found->ai_addrlen);
    out_listener->address_length = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static void set(int fd, int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof value);
}

static int open_socket(const struct listener *listener) {
    int family = listener->address.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return fd;
}

static bool bind_failed(const char *text, int os, struct error *err) {
    error_os(err, ERROR_SYSTEM, os, "cannot listen on %s", text);
    if (os == EADDRINUSE)
        return error_hint(err, "Another program has that port. Choose one with --listen "
                               "ADDRESS:PORT or general.listen.");
    return error_hint(err, "Choose another address with --listen ADDRESS:PORT or general.listen.");
}

bool listener_claim(struct listener *listener, const char *text, struct error *err) {
    /* Without SO_REUSEPORT the kernel says whether anybody listens; with it a second symgate of the
       same user would silently take half of the connections. */
    CLEANUP(close_fd) int fd = open_socket(listener);
    if (fd < 0)
        return bind_failed(text, errno, err);
    if (bind(fd, (struct sockaddr *)&listener->address, listener->address_length) != 0)
        return bind_failed(text, errno, err);
    if (listen(fd, 1) != 0)
        return bind_failed(text, errno, err);
    listener->address_length = sizeof listener->address;
    if (getsockname(fd, (struct sockaddr *)&listener->address, &listener->address_length) != 0)
        return bind_failed(text, errno, err);
    return true;
}

int listener_open(const struct listener *listener, struct error *err) {
    char url[96];
    listener_url(listener, url, sizeof url);
    CLEANUP(close_fd) int fd = open_socket(listener);
    if (fd < 0) {
        bind_failed(url, errno, err);
        return -1;
    }
    set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_ACCEPT_S);
    if (bind(fd, (const struct sockaddr *)&listener->address, listener->address_length) != 0 ||
        listen(fd, BACKLOG) != 0) {
        bind_failed(url, errno, err);
        return -1;
    }
    return TAKE_FD(fd);
}

void listener_url(const struct listener *listener, char *out, size_t size) {
    char host[INET6_ADDRSTRLEN + 32];
    char port[8];
    getnameinfo((const struct sockaddr *)&listener->address, listener->address_length, host,
                sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    bool bracket = listener->address.ss_family == AF_INET6;
    text_format(out, size, "http://%s%s%s:%s/", bracket ? "[" : "", host, bracket ? "]" : "", port);
}
