// SPDX-License-Identifier: MIT
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char scratch[WIRE_READ];

int64_t wire_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void wire_die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

void wire_block(unsigned char block[WIRE_BLOCK]) {
    uint64_t state = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < WIRE_BLOCK; i += sizeof state) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(block + i, &state, sizeof state);
    }
}

int wire_connect(uint16_t port, unsigned spread, int receive_bytes) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        wire_die("socket");
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(0x7f000101u + spread % 64);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        wire_die("bind");
    address.sin_addr.s_addr = htonl(0x7f000001u);
    address.sin_port = htons(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        wire_die("connect");
    return fd;
}

char **wire_lines(const char *file, size_t *out_count) {
    FILE *in = fopen(file, "re");
    if (in == NULL)
        wire_die(file);
    size_t room = 0, count = 0, bytes = 0;
    char **lines = NULL;
    char *line = NULL;
    for (ssize_t length; (length = getline(&line, &bytes, in)) > 0;) {
        if (line[length - 1] == '\n')
            line[length - 1] = 0;
        if (count == room) {
            room = room ? 2 * room : 256;
            lines = reallocarray(lines, room, sizeof *lines);
        }
        if (lines == NULL || (lines[count++] = strdup(line)) == NULL)
            wire_die("memory");
    }
    free(line);
    fclose(in);
    *out_count = count;
    return lines;
}

void wire_many_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

const char *paths_next(struct paths *paths) {
    static char path[1024];
    unsigned long number = paths->next++;
    if (paths->pattern == NULL)
        return paths->lines[number % paths->count];
    snprintf(path, sizeof path, "%s", paths->pattern);
    char digits[24];
    snprintf(digits, sizeof digits, "%08lu", number % 100000000);
    for (char *mark = path; (mark = strstr(mark, "########")) != NULL;)
        memcpy(mark, digits, 8);
    return path;
}

bool exchange_send(struct exchange *exchange, const char *path, int64_t since_ns) {
    char request[1536];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                          "User-Agent: Microsoft-Symbol-Server/10.0.10036.206\r\n"
                          "Accept-Encoding: gzip\r\n\r\n",
                          path);
    exchange->sent_ns = since_ns;
    exchange->head_ns = exchange->first_ns = exchange->end_ns = 0;
    exchange->status = 0;
    exchange->length = exchange->received = 0;
    exchange->ends = exchange->wrong = false;
    exchange->verdict[0] = 0;
    exchange->head_bytes = 0;
    return send(exchange->fd, request, (size_t)length, MSG_NOSIGNAL) == length;
}

static void field_read(struct exchange *exchange, const char *line) {
    if (strncasecmp(line, "Content-Length:", 15) == 0)
        exchange->length = strtoll(line + 15, NULL, 10);
    else if (strncasecmp(line, "Connection: close", 17) == 0)
        exchange->ends = true;
    else if (strncasecmp(line, "X-Symgate-Verdict: ", 19) == 0)
        snprintf(exchange->verdict, sizeof exchange->verdict, "%.*s", (int)strcspn(line + 19, "\r"),
                 line + 19);
}

static void head_parse(struct exchange *exchange) {
    exchange->length = -1;
    exchange->status = (int)strtol(exchange->head + 9, NULL, 10);
    for (const char *line = exchange->head; (line = strchr(line, '\n')) != NULL;)
        field_read(exchange, ++line);
}

static void body_take(struct exchange *exchange, const void *bytes, size_t count) {
    if (exchange->received == 0 && count > 0)
        exchange->first_ns = wire_now_ns();
    size_t at = (size_t)exchange->received;
    exchange->received += (int64_t)count;
    if (!exchange->check || exchange->status != 200)
        return;
    const unsigned char *byte = bytes;
    for (size_t done = 0; done < count;) {
        size_t place = (at + done) % WIRE_BLOCK;
        size_t part = count - done < WIRE_BLOCK - place ? count - done : WIRE_BLOCK - place;
        size_t skip = at + done < WIRE_MAGIC ? WIRE_MAGIC - (at + done) : 0;
        if (skip < part && memcmp(byte + done + skip, exchange->block + place + skip, part - skip))
            exchange->wrong = true;
        done += part;
    }
}

static bool head_take(struct exchange *exchange, size_t count) {
    size_t had = exchange->head_bytes;
    if (had == 0)
        exchange->head_ns = wire_now_ns();
    exchange->head_bytes += count;
    char *end = memmem(exchange->head, exchange->head_bytes, "\r\n\r\n", 4);
    if (end == NULL)
        return exchange->head_bytes < sizeof exchange->head - 1;
    end[3] = 0;
    size_t head_bytes = (size_t)(end - exchange->head) + 4;
    head_parse(exchange);
    if (exchange->length < 0)
        return false;
    body_take(exchange, end + 4, exchange->head_bytes - head_bytes);
    return true;
}

static enum exchange_state exchange_ended(struct exchange *exchange) {
    if (exchange->status == 0 || exchange->received < exchange->length)
        return EXCHANGE_PENDING;
    exchange->end_ns = wire_now_ns();
    return EXCHANGE_DONE;
}

enum exchange_state exchange_read(struct exchange *exchange, size_t bytes_max) {
    for (size_t taken = 0; taken < bytes_max;) {
        bool head = exchange->status == 0;
        size_t room = exchange->discard ? WIRE_DROP : WIRE_READ;
        if (head)
            room = sizeof exchange->head - 1 - exchange->head_bytes;
        if (room > bytes_max - taken)
            room = bytes_max - taken;
        char *into = head ? exchange->head + exchange->head_bytes : scratch;
        int drop = !head && exchange->discard ? MSG_TRUNC : 0;
        ssize_t got = recv(exchange->fd, into, room, drop);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return EXCHANGE_PENDING;
        if (got <= 0)
            return EXCHANGE_BROKEN;
        taken += (size_t)got;
        if (!head)
            body_take(exchange, scratch, (size_t)got);
        else if (!head_take(exchange, (size_t)got))
            return EXCHANGE_BROKEN;
        if (exchange_ended(exchange) == EXCHANGE_DONE)
            return EXCHANGE_DONE;
    }
    return EXCHANGE_PENDING;
}

void waits_add(struct waits *waits, int64_t ns) {
    if (waits->count == waits->room) {
        waits->room = waits->room ? 2 * waits->room : 65536;
        waits->us = reallocarray(waits->us, waits->room, sizeof *waits->us);
        if (waits->us == NULL)
            wire_die("memory");
    }
    waits->us[waits->count++] = (uint32_t)(ns / 1000);
}

static int waits_order(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static double waits_at(const struct waits *waits, double part) {
    if (waits->count == 0)
        return 0;
    return waits->us[(size_t)((double)(waits->count - 1) * part)] / 1000.0;
}

void waits_print(struct waits *waits, const char *name) {
    if (waits->count > 0)
        qsort(waits->us, waits->count, sizeof *waits->us, waits_order);
    printf("\"%s\": {\"count\": %zu, \"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f}",
           name, waits->count, waits_at(waits, 0.5), waits_at(waits, 0.99), waits_at(waits, 0.999),
           waits_at(waits, 1));
}
