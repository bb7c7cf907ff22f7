// SPDX-License-Identifier: MIT
#include "unit/source/origin.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"

enum { PEERS_MAX = 64, DEADLINE_MS = 20000 };

struct origin {
    int fd;
    int port;
    origin_script *script;
    pthread_t thread;
    char url[1024];
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    bool ending;
    unsigned gates;
    unsigned requests;
    unsigned peer_count;
    struct peer peers[PEERS_MAX];
    pthread_t peer_threads[PEERS_MAX];
};

void peer_send_bytes(struct peer *peer, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t sent = send(peer->fd, at, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += sent;
        length -= (size_t)sent;
    }
}

void peer_send(struct peer *peer, const char *text) {
    peer_send_bytes(peer, text, strlen(text));
}

void peer_send_head(struct peer *peer, const char *format, ...) {
    char head[4096] = "HTTP/1.1 ";
    size_t used = strlen(head);
    va_list args;
    va_start(args, format);
    used += (size_t)vsnprintf(head + used, sizeof head - used - 4, format, args);
    va_end(args);
    memcpy(head + used, "\r\n\r\n", 5);
    peer_send(peer, head);
}

bool peer_reset(struct peer *peer) {
    struct linger linger = {.l_onoff = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    return false;
}

const char *peer_header(const struct peer *peer, const char *name) {
    static _Thread_local char value[1024];
    char wanted[128];
    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    const char *at = strcasestr(peer->head, wanted);
    if (!at)
        return NULL;
    at += strlen(wanted);
    at += strspn(at, " ");
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

bool peer_pass_gate(struct peer *peer) {
    struct origin *origin = peer->origin;
    SCOPED_LOCK(&origin->lock);
    int64_t deadline_ms = clock_ms() + DEADLINE_MS;
    while (origin->gates == 0 && !origin->ending)
        if (!condition_wait(&origin->changed, &origin->lock, deadline_ms))
            return false;
    if (origin->ending)
        return false;
    origin->gates--;
    return true;
}

void origin_open_gate(struct origin *origin) {
    SCOPED_LOCK(&origin->lock);
    origin->gates++;
    pthread_cond_broadcast(&origin->changed);
}

static bool read_head(struct peer *peer) {
    size_t used = 0;
    while (used + 1 < sizeof peer->head) {
        ssize_t got = recv(peer->fd, peer->head + used, 1, 0);
        if (got <= 0)
            return false;
        peer->head[++used] = '\0';
        if (used >= 4 && strcmp(peer->head + used - 4, "\r\n\r\n") == 0)
            return true;
    }
    return false;
}

static void *serve(void *context) {
    struct peer *peer = context;
    struct origin *origin = peer->origin;
    bool kept = true;
    while (kept && read_head(peer)) {
        {
            SCOPED_LOCK(&origin->lock);
            origin->requests++;
            pthread_cond_broadcast(&origin->changed);
        }
        kept = origin->script(peer);
        peer->request++;
    }
    SCOPED_LOCK(&origin->lock);
    close(peer->fd);
    peer->fd = -1;
    return NULL;
}

static void *accept_all(void *context) {
    struct origin *origin = context;
    for (;;) {
        int fd = accept4(origin->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        SCOPED_LOCK(&origin->lock);
        assert(origin->peer_count < PEERS_MAX);
        unsigned i = origin->peer_count++;
        origin->peers[i] = (struct peer){.origin = origin, .fd = fd, .connection = i};
        int rc = pthread_create(&origin->peer_threads[i], NULL, serve, &origin->peers[i]);
        assert(rc == 0);
        (void)rc;
    }
}

struct origin *origin_new(origin_script *script) {
    struct origin *origin = NEW(struct origin);
    origin->script = script;
    pthread_mutex_init(&origin->lock, NULL);
    condition_init(&origin->changed);
    origin->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int rc = bind(origin->fd, (struct sockaddr *)&address, length);
    assert(rc == 0);
    rc = listen(origin->fd, 64);
    assert(rc == 0);
    rc = getsockname(origin->fd, (struct sockaddr *)&address, &length);
    assert(rc == 0);
    origin->port = ntohs(address.sin_port);
    rc = pthread_create(&origin->thread, NULL, accept_all, origin);
    assert(rc == 0);
    (void)rc;
    return origin;
}

void origin_free(struct origin *origin) {
    shutdown(origin->fd, SHUT_RDWR);
    pthread_join(origin->thread, NULL);
    lock_take(&origin->lock);
    origin->ending = true;
    pthread_cond_broadcast(&origin->changed);
    for (unsigned i = 0; i < origin->peer_count; i++)
        if (origin->peers[i].fd >= 0)
            shutdown(origin->peers[i].fd, SHUT_RDWR);
    lock_give(&origin->lock);
    for (unsigned i = 0; i < origin->peer_count; i++)
        pthread_join(origin->peer_threads[i], NULL);
    close(origin->fd);
    free(origin);
}

const char *origin_url(struct origin *origin, const char *rest) {
    snprintf(origin->url, sizeof origin->url, "http://127.0.0.1:%d%s", origin->port, rest);
    return origin->url;
}

unsigned origin_connections(struct origin *origin) {
    SCOPED_LOCK(&origin->lock);
    return origin->peer_count;
}

unsigned origin_requests(struct origin *origin) {
    SCOPED_LOCK(&origin->lock);
    return origin->requests;
}

void origin_wait_requests(struct origin *origin, unsigned count) {
    SCOPED_LOCK(&origin->lock);
    int64_t deadline_ms = clock_ms() + DEADLINE_MS;
    while (origin->requests < count)
        if (!condition_wait(&origin->changed, &origin->lock, deadline_ms))
            abort();
}
