// SPDX-License-Identifier: MIT
//
// Many clients, one download each, all asked for at the same moment: a herd on one file, a burst of
// different ones, a single reader, or slow readers (-r bytes a second each). Prints the moment of
// asking on the monotonic clock, then a line for each client: status, announced length, bytes
// received, milliseconds from the asking to the head, the first body byte and the end, the verdict,
// and whether every byte was right (with -k) and came.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum { TICK_MS = 100, SLOW_RECEIVE_BYTES = 32768 };

struct client {
    struct exchange exchange;
    bool ended;
    bool whole;
};

struct herd {
    uint16_t port;
    unsigned count;
    double per_second; /* bytes, of each client; 0: as fast as they come */
    double seconds;    /* then stop reading and leave */
    bool copy;         /* read bodies into memory rather than dropping them in the kernel */
    bool check;
    struct paths paths;
    struct client *clients;
    unsigned under_way;
    int epoll;
    int64_t start_ns;
};

static void client_end(struct herd *herd, struct client *client, enum exchange_state state) {
    client->ended = true;
    client->whole = state == EXCHANGE_DONE && !client->exchange.wrong;
    if (client->exchange.end_ns == 0)
        client->exchange.end_ns = wire_now_ns();
    close(client->exchange.fd);
    herd->under_way--;
}

static void client_read(struct herd *herd, struct client *client, size_t bytes_max) {
    if (client->ended)
        return;
    enum exchange_state state = exchange_read(&client->exchange, bytes_max);
    if (state != EXCHANGE_PENDING)
        client_end(herd, client, state);
}

/* All connect first and ask afterwards, so that connecting is no part of the waiting. */
static void herd_connect(struct herd *herd) {
    static unsigned char block[WIRE_BLOCK];
    wire_block(block);
    herd->clients = calloc(herd->count, sizeof *herd->clients);
    if (herd->clients == NULL)
        wire_die("memory");
    for (unsigned i = 0; i < herd->count; i++) {
        struct exchange *exchange = &herd->clients[i].exchange;
        exchange->discard = !herd->copy && !herd->check;
        exchange->check = herd->check;
        exchange->block = block;
        exchange->fd = wire_connect(herd->port, 0, herd->per_second > 0 ? SLOW_RECEIVE_BYTES : 0);
        struct epoll_event event = {.events = EPOLLOUT};
        if (epoll_ctl(herd->epoll, EPOLL_CTL_ADD, exchange->fd, &event) != 0)
            wire_die("epoll");
        if (epoll_wait(herd->epoll, &event, 1, 30000) != 1)
            wire_die("connecting");
        epoll_ctl(herd->epoll, EPOLL_CTL_DEL, exchange->fd, NULL);
    }
}

static void herd_ask(struct herd *herd) {
    herd->start_ns = wire_now_ns();
    for (unsigned i = 0; i < herd->count; i++) {
        struct client *client = &herd->clients[i];
        herd->under_way++;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        if (epoll_ctl(herd->epoll, EPOLL_CTL_ADD, client->exchange.fd, &event) != 0)
            wire_die("epoll");
        if (!exchange_send(&client->exchange, paths_next(&herd->paths), herd->start_ns))
            client_end(herd, client, EXCHANGE_BROKEN);
    }
}

static void herd_fast(struct herd *herd, int64_t end_ns) {
    while (herd->under_way > 0 && wire_now_ns() < end_ns) {
        struct epoll_event events[256];
        int count = epoll_wait(herd->epoll, events, 256, 1000);
        if (count < 0 && errno != EINTR)
            wire_die("epoll_wait");
        for (int i = 0; i < count; i++)
            client_read(herd, events[i].data.ptr, 4 << 20);
    }
}

static void herd_slow(struct herd *herd, int64_t end_ns) {
    size_t share = (size_t)(herd->per_second * TICK_MS / 1000);
    for (int64_t tick_ns = wire_now_ns(); herd->under_way > 0 && tick_ns < end_ns;) {
        for (unsigned i = 0; i < herd->count; i++)
            client_read(herd, &herd->clients[i], share);
        tick_ns += TICK_MS * 1000000;
        struct timespec until = {tick_ns / 1000000000, tick_ns % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
}

static double herd_ms(const struct herd *herd, int64_t ns) {
    return ns == 0 ? -1 : (double)(ns - herd->start_ns) / 1e6;
}

static void herd_print(struct herd *herd) {
    printf("%lld\n", (long long)herd->start_ns);
    for (unsigned i = 0; i < herd->count; i++) {
        struct client *client = &herd->clients[i];
        struct exchange *exchange = &client->exchange;
        printf("%d %lld %lld %.3f %.3f %.3f %s %d\n", exchange->status, (long long)exchange->length,
               (long long)exchange->received, herd_ms(herd, exchange->head_ns),
               herd_ms(herd, exchange->first_ns), herd_ms(herd, exchange->end_ns),
               exchange->verdict[0] ? exchange->verdict : "-", client->whole);
    }
}

static bool herd_option(struct herd *herd, int option, const char *value) {
    switch (option) {
    case 'p':
        herd->port = (uint16_t)strtoul(value, NULL, 10);
        return true;
    case 'c':
        herd->count = (unsigned)strtoul(value, NULL, 10);
        return true;
    case 'r':
        herd->per_second = strtod(value, NULL);
        return true;
    case 's':
        herd->seconds = strtod(value, NULL);
        return true;
    case 'f':
        herd->paths.lines = wire_lines(value, &herd->paths.count);
        return true;
    case 'm':
        herd->copy = true;
        return true;
    case 'k':
        herd->check = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv) {
    struct herd herd = {.count = 1, .seconds = 3600};
    for (int option; (option = getopt(argc, argv, "p:c:r:s:f:mk")) != -1;) {
        if (!herd_option(&herd, option, optarg))
            return 2;
    }
    if (herd.port == 0 || herd.paths.count == 0)
        return 2;
    wire_many_files();
    herd.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (herd.epoll < 0)
        wire_die("epoll");
    herd_connect(&herd);
    herd_ask(&herd);
    int64_t end_ns = herd.start_ns + (int64_t)(herd.seconds * 1e9);
    if (herd.per_second > 0)
        herd_slow(&herd, end_ns);
    else
        herd_fast(&herd, end_ns);
    herd_print(&herd);
    return 0;
}
