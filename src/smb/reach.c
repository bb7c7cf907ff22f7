// SPDX-License-Identifier: MIT
#include "smb/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"

/* 0, or why not. */
static int try_address(const struct addrinfo *address, int64_t deadline_ms) {
    CLEANUP(close_fd)
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    int64_t left_ms = deadline_ms - clock_ms();
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0) <= 0)
        return ETIMEDOUT;
    int why = 0;
    socklen_t size = sizeof why;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
    return why;
}

bool reach(const char *host, unsigned port, int64_t limit_ms, struct error *err) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    if (getaddrinfo(host, service, &hints, &addresses) != 0)
        return true;
    int64_t deadline_ms = clock_ms() + limit_ms;
    int why = ENOENT;
    for (const struct addrinfo *at = addresses; at && why != 0; at = at->ai_next)
        why = try_address(at, deadline_ms);
    freeaddrinfo(addresses);
    if (why == 0)
        return true;
    return error_os(err, ERROR_CONNECT, why, "could not connect to \"%s\", port %u", host, port);
}
