// SPDX-License-Identifier: MIT
//
// Closed-loop load: a number of connections, each with one request on its way at any time, on kept
// connections or with a new one for each request. Asks until the time or the count is used up,
// waits for the last answers, prints one JSON object.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "wire.h"

struct client {
    struct exchange exchange;
    bool connecting;
};

struct load {
    uint16_t port;
    unsigned clients;
    bool fresh; /* a new connection for each request */
    double seconds;
    unsigned long requests_max;
    struct paths paths;
    int expected;
    int epoll;
    unsigned under_way;
    unsigned spread;
    int64_t end_ns;
    unsigned long begun, done, broken, unexpected;
    int64_t bytes;
    struct waits waits;
};

static void client_connect(struct load *load, struct client *client) {
    struct exchange *exchange = &client->exchange;
    exchange->sent_ns = wire_now_ns();
    exchange->fd = wire_connect(load->port, load->spread++, 0);
    client->connecting = true;
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, exchange->fd, &event) != 0)
        wire_die("epoll");
}

static void client_ask(struct load *load, struct client *client, int64_t since_ns);

/* Whoever may ask no more closes; the last one to do so ends the run. */
static void client_next(struct load *load, struct client *client, bool keep) {
    if (!keep)
        close(client->exchange.fd);
    bool more = load->begun < load->requests_max && wire_now_ns() < load->end_ns;
    if (!more) {
        if (keep)
            close(client->exchange.fd);
        load->under_way--;
    } else if (keep) {
        client_ask(load, client, wire_now_ns());
    } else {
        client_connect(load, client);
    }
}

static void client_ask(struct load *load, struct client *client, int64_t since_ns) {
    load->begun++;
    if (exchange_send(&client->exchange, paths_next(&load->paths), since_ns))
        return;
    load->broken++;
    client_next(load, client, false);
}

static void client_ready(struct load *load, struct client *client) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, client->exchange.fd, &event) != 0)
        wire_die("epoll");
    client->connecting = false;
    client_ask(load, client, client->exchange.sent_ns);
}

static void client_event(struct load *load, struct client *client) {
    if (client->connecting) {
        client_ready(load, client);
        return;
    }
    struct exchange *exchange = &client->exchange;
    enum exchange_state state = exchange_read(exchange, SIZE_MAX);
    if (state == EXCHANGE_PENDING)
        return;
    if (state == EXCHANGE_BROKEN) {
        load->broken++;
        client_next(load, client, false);
        return;
    }
    load->done++;
    load->bytes += exchange->received;
    if (exchange->status != load->expected)
        load->unexpected++;
    waits_add(&load->waits, exchange->end_ns - exchange->sent_ns);
    client_next(load, client, !load->fresh && !exchange->ends);
}

static void load_run(struct load *load) {
    struct client *clients = calloc(load->clients, sizeof *clients);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (clients == NULL || load->epoll < 0)
        wire_die("start");
    load->end_ns = wire_now_ns() + (int64_t)(load->seconds * 1e9);
    load->under_way = load->clients;
    for (unsigned i = 0; i < load->clients; i++) {
        clients[i].exchange.discard = true;
        client_connect(load, &clients[i]);
    }
    int64_t latest_ns = load->end_ns + 120000000000;
    while (load->under_way > 0) {
        struct epoll_event events[256];
        /* Without sleeping: else each answer would have to wake this process, which on one machine
           is the server's cost and more than half of a small answer's. Real clients are elsewhere.
         */
        int count = epoll_wait(load->epoll, events, 256, 0);
        if (count < 0 && errno != EINTR)
            wire_die("epoll_wait");
        if (count == 0 && wire_now_ns() > latest_ns)
            wire_die("answers are missing two minutes after the end");
        for (int i = 0; i < count; i++)
            client_event(load, events[i].data.ptr);
    }
    free(clients);
}

static bool load_option(struct load *load, int option, const char *value) {
    switch (option) {
    case 'p':
        load->port = (uint16_t)strtoul(value, NULL, 10);
        return true;
    case 'c':
        load->clients = (unsigned)strtoul(value, NULL, 10);
        return true;
    case 's':
        load->seconds = strtod(value, NULL);
        return true;
    case 'n':
        load->requests_max = strtoul(value, NULL, 10);
        return true;
    case 'f':
        load->paths.lines = wire_lines(value, &load->paths.count);
        return true;
    case 't':
        load->paths.pattern = value;
        return true;
    case 'b':
        load->paths.next = strtoul(value, NULL, 10);
        return true;
    case 'e':
        load->expected = (int)strtol(value, NULL, 10);
        return true;
    case 'N':
        load->fresh = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv) {
    struct load load = {.clients = 32, .seconds = 600, .requests_max = SIZE_MAX, .expected = 200};
    for (int option; (option = getopt(argc, argv, "p:c:s:n:f:t:b:e:N")) != -1;) {
        if (!load_option(&load, option, optarg))
            return 2;
    }
    if (load.port == 0 || (load.paths.count == 0 && load.paths.pattern == NULL))
        return 2;
    wire_many_files();
    int64_t start_ns = wire_now_ns();
    load_run(&load);
    printf("{\"seconds\": %.6f, \"requests\": %lu, \"bytes\": %lld, \"broken\": %lu, "
           "\"unexpected\": %lu, ",
           (double)(wire_now_ns() - start_ns) / 1e9, load.done, (long long)load.bytes, load.broken,
           load.unexpected);
    waits_print(&load.waits, "waits");
    printf("}\n");
    return 0;
}
