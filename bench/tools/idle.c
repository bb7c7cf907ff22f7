// SPDX-License-Identifier: MIT
//
// Idle connections: opens them, asks once on each (-q: says nothing instead), prints how many were
// answered, keeps them until standard input ends, and prints how many the server had closed by
// then.
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

static bool socket_wait(int fd, short events, int wait_ms) {
    struct pollfd wait = {.fd = fd, .events = events};
    return poll(&wait, 1, wait_ms) == 1;
}

/* False: no answer within the time. */
static bool idle_ask(struct exchange *exchange, const char *path, int wait_ms) {
    if (!exchange_send(exchange, path, wire_now_ns()))
        return false;
    while (socket_wait(exchange->fd, POLLIN, wait_ms)) {
        enum exchange_state state = exchange_read(exchange, SIZE_MAX);
        if (state != EXCHANGE_PENDING)
            return state == EXCHANGE_DONE;
    }
    return false;
}

static bool socket_closed(int fd) {
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

int main(int argc, char **argv) {
    uint16_t port = 0;
    unsigned count = 0, answered = 0, connected = 0, closed = 0;
    bool quiet = false;
    const char *path = "/";
    for (int option; (option = getopt(argc, argv, "p:c:u:q")) != -1;) {
        if (option == 'p')
            port = (uint16_t)strtoul(optarg, NULL, 10);
        if (option == 'c')
            count = (unsigned)strtoul(optarg, NULL, 10);
        if (option == 'u')
            path = optarg;
        if (option == 'q')
            quiet = true;
        if (option == '?')
            return 2;
    }
    if (port == 0 || count == 0)
        return 2;
    wire_many_files();
    int *sockets = calloc(count, sizeof *sockets);
    if (sockets == NULL)
        wire_die("memory");
    struct exchange exchange = {.discard = true};
    int wait_ms = 2000;
    for (unsigned i = 0; i < count; i++) {
        sockets[i] = exchange.fd = wire_connect(port, i, 0);
        if (!socket_wait(sockets[i], POLLOUT, wait_ms))
            continue;
        connected++;
        if (!quiet && wait_ms > 0 && idle_ask(&exchange, path, wait_ms))
            answered++;
        else if (!quiet)
            wait_ms = 0; /* the server takes no more: do not wait for each of the rest */
    }
    printf("%u %u\n", connected, answered);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    for (unsigned i = 0; i < count; i++)
        closed += socket_closed(sockets[i]);
    printf("%u\n", closed);
    free(sockets);
    return 0;
}
