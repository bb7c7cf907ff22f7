// SPDX-License-Identifier: MIT
//
// The least that any server must do for a small answer: an epoll loop that reads what has come and
// sends one prepared answer, without looking at the request. What it costs is the kernel's share,
// which is in the cost of every server that is measured beside it.
//
//   bench-bare STATUS BYTES    answers with this status and so many bytes; prints its port
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "wire.h"

enum { HEAD_BYTES = 300, BACKLOG = 4096, EVENTS = 256 };

struct answer {
    char *bytes;
    size_t length;
};

/* A head as long as symgate's, so that both send as much. */
static struct answer answer_make(const char *status, size_t body) {
    struct answer answer = {.bytes = calloc(1, HEAD_BYTES + body + 1), .length = HEAD_BYTES + body};
    if (answer.bytes == NULL)
        wire_die("memory");
    int head = snprintf(answer.bytes, HEAD_BYTES,
                        "HTTP/1.1 %s Bare\r\nContent-Length: %zu\r\nX-Fill: ", status, body);
    memset(answer.bytes + head, 'f', HEAD_BYTES - 4 - (size_t)head);
    memcpy(answer.bytes + HEAD_BYTES - 4, "\r\n\r\n", 4);
    return answer;
}

static int bare_listen(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1;
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        wire_die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* False: the client has gone. */
static bool answer_send(int fd, const struct answer *answer) {
    char request[WIRE_HEAD_MAX];
    ssize_t got = recv(fd, request, sizeof request, 0);
    if (got < 0)
        return errno == EAGAIN;
    return got > 0 &&
           send(fd, answer->bytes, answer->length, MSG_NOSIGNAL) == (ssize_t)answer->length;
}

static void accept_all(int epoll, int listener, const struct answer *answer) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
        if (!answer_send(fd, answer) || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            close(fd);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: bench-bare STATUS BYTES\n");
        return 2;
    }
    struct answer answer = answer_make(argv[1], strtoul(argv[2], NULL, 10));
    int listener = bare_listen(), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        wire_die("epoll");
    wire_many_files();
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            wire_die("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener, &answer);
            else if (!answer_send(events[i].data.fd, &answer))
                close(events[i].data.fd);
        }
    }
}
