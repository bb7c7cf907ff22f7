// SPDX-License-Identifier: MIT
#include "server/loop.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "server/connection.h"
#include "server/exchange.h"
#include "server/internal.h"

enum {
    EVENTS_AT_ONCE = 256,
    ACCEPTS_AT_ONCE = 64,
    GROWTH_TICK_MS = 20,
    WAIT_TICK_MS = 50,
    IDLE_TICK_MS = 500,
    ACCEPT_PAUSE_MS = 100,
};

static const int64_t patience_ms[PATIENCE_COUNT] = {
    [PATIENCE_HEAD] = 10000,
    [PATIENCE_IDLE] = 120000,
    [PATIENCE_BLOCKED] = 60000,
    [PATIENCE_LINGER] = 2000,
};

static bool add(struct loop *loop, int fd, uint32_t events, void *data) {
    struct epoll_event event = {.events = events, .data.ptr = data};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void accept_or_not(struct loop *loop, bool accepting) {
    if (loop->accepting == accepting)
        return;
    loop->accepting = accepting;
    for (unsigned i = 0; i < loop->listener_count; i++) {
        struct listening *listening = &loop->listeners[i];
        if (accepting)
            add(loop, listening->fd, EPOLLIN, listening);
        else
            epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, listening->fd, NULL);
    }
}

struct loop *loop_new(struct server *server, const int *listeners, unsigned count,
                      struct settings *settings, struct error *err) {
    struct loop *loop = NEW(struct loop);
    loop->inbox_kind = ENDPOINT_INBOX;
    loop->server = server;
    loop->settings = settings_ref(settings);
    loop->input = memory_new(INPUT_BYTES);
    loop->lane = recorder_lane(server->options.recorder);
    loop->id_seed = hash_new_key().words[0];
    loop->now_ms = clock_ms();
    for (unsigned i = 0; i < PATIENCE_COUNT; i++)
        list_init(&loop->patience[i]);
    list_init(&loop->waiting);
    list_init(&loop->growing);
    list_init(&loop->streams);
    list_init(&loop->graveyard);
    list_init(&loop->spares);
    list_init(&loop->connections_open);
    inbox_init(&loop->inbox);
    for (unsigned i = 0; i < count; i++)
        loop->listeners[i] = (struct listening){ENDPOINT_LISTENER, listeners[i]};
    loop->listener_count = count;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0 || !add(loop, loop->inbox.event_fd, EPOLLIN, loop)) {
        error_os(err, ERROR_SYSTEM, errno, "cannot make an event loop");
        loop_free(loop);
        return NULL;
    }
    accept_or_not(loop, true);
    return loop;
}

void loop_free(struct loop *loop) {
    for (unsigned i = 0; i < loop->listener_count; i++)
        close(loop->listeners[i].fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    inbox_release(&loop->inbox);
    for (struct list *node; (node = list_pop_front(&loop->spares));)
        free(LIST_ENTRY(node, struct exchange, in_loop));
    settings_unref(loop->settings);
    settings_unref(atomic_exchange(&loop->settings_next, NULL));
    free(loop->input);
    free(loop);
}

struct settings *loop_settings(struct loop *loop) {
    bool newer = atomic_load_explicit(&loop->settings_next, memory_order_acquire) != NULL;
    struct settings *next = newer ? atomic_exchange(&loop->settings_next, NULL) : NULL;
    if (next) {
        settings_unref(loop->settings);
        loop->settings = next;
    }
    return loop->settings;
}

void loop_wake(struct loop *loop) {
    uint64_t one = 1;
    ssize_t written = write(loop->inbox.event_fd, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

static void read_address(const struct sockaddr_storage *from, struct address *out) {
    if (from->ss_family == AF_INET6) {
        out->ip = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
        return;
    }
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
    memset(&out->ip, 0, sizeof out->ip);
    out->ip.s6_addr[10] = 0xff;
    out->ip.s6_addr[11] = 0xff;
    memcpy(&out->ip.s6_addr[12], &v4->sin_addr, 4);
}

/* At the limit the connection that has been idle longest makes room, else the one that has been at
 * its head longest: whoever sends heads by the byte must not keep others out. Without any, the
 * newcomer is let go. */
static bool make_room(struct loop *loop) {
    struct server *server = loop->server;
    if (server->connections < server->options.connections_max)
        return true;
    count(&server->refused_connections);
    const enum patience spare[] = {PATIENCE_IDLE, PATIENCE_HEAD};
    for (unsigned i = 0; i < sizeof spare / sizeof *spare; i++) {
        struct list *waiting = &loop->patience[spare[i]];
        if (list_empty(waiting))
            continue;
        connection_close(LIST_ENTRY(waiting->next, struct connection, in_patience), false);
        return true;
    }
    return false;
}

static void accept_some(struct loop *loop, int listener) {
    for (unsigned i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        int fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0 && errno != EAGAIN) {
            /* Out of descriptors or memory: spinning would not help, a moment may. */
            loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
            accept_or_not(loop, false);
        }
        if (fd < 0)
            return;
        if (!make_room(loop)) {
            close(fd);
            continue;
        }
        struct address client;
        read_address(&from, &client);
        connection_accept(loop, fd, &client);
    }
}

static void take_inbox(struct loop *loop) {
    struct list changed;
    inbox_take(&loop->inbox, &changed);
    while (!list_empty(&changed)) {
        struct watch *watch = LIST_ENTRY(changed.next, struct watch, in_inbox);
        inbox_remove(&loop->inbox, watch);
        struct waker *waker = LIST_ENTRY(watch, struct waker, watch);
        if (waker->for_job)
            exchange_worked(waker->exchange);
        else
            exchange_woken(waker->exchange);
    }
    loop_settings(loop);
}

static void handle(struct loop *loop, const struct epoll_event *event) {
    switch (*(const enum endpoint *)event->data.ptr) {
    case ENDPOINT_LISTENER:
        accept_some(loop, ((const struct listening *)event->data.ptr)->fd);
        return;
    case ENDPOINT_INBOX:
        take_inbox(loop);
        return;
    case ENDPOINT_CONNECTION:
        break;
    }
    struct connection *connection = event->data.ptr;
    if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->ready |= READY_IN;
    if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        connection->ready |= READY_OUT;
    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->ready |= READY_HUP;
    connection_run(connection);
}

static void end_patience(struct loop *loop) {
    for (unsigned i = 0; i < PATIENCE_COUNT; i++) {
        LIST_EACH (node, &loop->patience[i]) {
            struct connection *connection = LIST_ENTRY(node, struct connection, in_patience);
            if (connection->since_ms + patience_ms[i] > loop->now_ms)
                break;
            connection_close(connection, i == PATIENCE_BLOCKED);
        }
    }
}

/* Wakes what of a list is due, each exchange once: most of them go back to the list's end. */
static void wake_due(struct loop *loop, struct list *exchanges, bool all) {
    struct list taken;
    list_take_all(exchanges, &taken);
    for (struct list *node; (node = list_pop_front(&taken));) {
        struct exchange *exchange = LIST_ENTRY(node, struct exchange, in_loop);
        list_push_back(exchanges, node);
        if (all || exchange->deadline_ms <= loop->now_ms)
            exchange_woken(exchange);
    }
}

/* What no event announces: growth below the writer's wake-up step, and deadlines. */
static void tick(struct loop *loop) {
    wake_due(loop, &loop->growing, true);
    wake_due(loop, &loop->waiting, false);
    events_tick(loop);
    wake_due(loop, &loop->streams, true);
    end_patience(loop);
    if (loop->accept_again_ms && loop->accept_again_ms <= loop->now_ms) {
        loop->accept_again_ms = 0;
        accept_or_not(loop, true);
    }
}

static void bury(struct loop *loop) {
    for (struct list *node; (node = list_pop_front(&loop->graveyard));)
        connection_free(LIST_ENTRY(node, struct connection, in_loop));
}

static int until_tick(const struct loop *loop) {
    if (!list_empty(&loop->growing))
        return GROWTH_TICK_MS;
    if (!list_empty(&loop->waiting) || loop->accept_again_ms)
        return WAIT_TICK_MS;
    return IDLE_TICK_MS;
}

/* A connection that the kernel has taken already is ours; later ones are refused by it. */
static void stop_accepting(struct loop *loop) {
    for (unsigned i = 0; i < loop->listener_count; i++) {
        accept_some(loop, loop->listeners[i].fd);
        close(loop->listeners[i].fd);
    }
    loop->listener_count = 0;
    loop->accept_again_ms = 0;
}

/* Closes what is idle and tells "later" to what waits; bodies under way go on. */
static void wind_down(struct loop *loop) {
    stop_accepting(loop);
    events_close(loop);
    LIST_EACH (waiting, &loop->waiting) {
        struct exchange *exchange = LIST_ENTRY(waiting, struct exchange, in_loop);
        struct connection *connection = exchange->connection;
        serve_symbol_later(exchange);
        connection_run(connection);
    }
    enum patience idle[] = {PATIENCE_HEAD, PATIENCE_IDLE, PATIENCE_LINGER};
    for (unsigned i = 0; i < 3; i++)
        LIST_EACH (node, &loop->patience[idle[i]])
            connection_close(LIST_ENTRY(node, struct connection, in_patience), false);
}

static bool over(struct loop *loop) {
    int64_t stop_at_ms = loop->server->stop_at_ms;
    if (stop_at_ms == 0)
        return false;
    wind_down(loop);
    return (loop->connections == 0 && loop->jobs == 0) || loop->now_ms >= stop_at_ms;
}

/* What the drain time did not suffice for is cut off, visibly. */
static void cut_off(struct loop *loop) {
    LIST_EACH (node, &loop->connections_open)
        connection_close(LIST_ENTRY(node, struct connection, in_loop), true);
    bury(loop);
}

void *loop_run(void *context) {
    struct loop *loop = context;
    struct epoll_event events[EVENTS_AT_ONCE];
    thread_prefer_latency();
    int64_t ticked_ms = 0;
    for (;;) {
        int tick_ms = until_tick(loop);
        int got = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, tick_ms);
        loop->now_ms = clock_ms();
        for (int i = 0; i < got; i++)
            handle(loop, &events[i]);
        if (loop->now_ms - ticked_ms >= tick_ms) {
            tick(loop);
            ticked_ms = loop->now_ms;
        }
        bury(loop);
        if (over(loop))
            break;
    }
    cut_off(loop);
    return NULL;
}
