// SPDX-License-Identifier: MIT
//
// The benchmark's symbol server: one thread, one epoll loop, no files. The last component of the
// asked path says what comes, as letters with numbers before "n<number>.pdb": z size in bytes
// (none: 404), r bytes a second of this answer, l bytes a second that all such answers share (a
// thin line), d milliseconds before the answer. "bz65536n12.pdb" is a 64 KB file, "bd50n7.pdb" a
// 404 after 50 ms. Below "/none/" nothing
// is found, after the same delay: a server that does not have what another one has. "/stats" tells
// the counters and "/reset" clears them. One range of a file is answered with that (206). Bodies
// come by sendfile from memory: the head of a PDB or, with another ending, of a PE image, with the
// identity of which tools.py makes its paths, then wire_block over and over.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { REQUEST_MAX = 8192, TICK_NS = 2000000, LINE_SLACK_NS = 20000000, SLICE = 4 << 20 };

struct order {
    int64_t size, rate, line, delay_ms; /* size -1: nothing such here */
    bool image;                         /* a PE image, else a PDB */
};

struct guest {
    int fd;
    bool answering; /* an answer is under way: no new request is read */
    bool timed;     /* in the queue of appointments */
    bool full;      /* waits for room in the socket */
    struct order order;
    int64_t begun_ns;    /* of the body */
    int64_t from, total; /* a part of the body: from here to order.size, of so many bytes */
    int64_t sent;        /* how far the body is sent, from its beginning on */
    size_t request_bytes;
    char request[REQUEST_MAX];
};

struct appointment {
    int64_t due_ns;
    struct guest *guest;
};

static struct {
    int epoll, body;
    unsigned char block[WIRE_BLOCK];
    struct appointment *queue; /* a binary heap, earliest first */
    size_t queue_count, queue_room;
    int64_t line_ns; /* until when the shared line is taken */
    long files, absent, under_way, peak, connections;
    int64_t bytes, first_ns;
} origin;

static void heap_swap(size_t a, size_t b) {
    struct appointment kept = origin.queue[a];
    origin.queue[a] = origin.queue[b];
    origin.queue[b] = kept;
}

static void guest_appoint(struct guest *guest, int64_t due_ns) {
    if (origin.queue_count == origin.queue_room) {
        origin.queue_room = origin.queue_room ? 2 * origin.queue_room : 1024;
        origin.queue = reallocarray(origin.queue, origin.queue_room, sizeof *origin.queue);
        if (origin.queue == NULL)
            wire_die("memory");
    }
    guest->timed = true;
    size_t at = origin.queue_count++;
    origin.queue[at] = (struct appointment){due_ns, guest};
    for (; at > 0 && origin.queue[(at - 1) / 2].due_ns > due_ns; at = (at - 1) / 2)
        heap_swap(at, (at - 1) / 2);
}

/* The guest of the earliest appointment, NULL when it has gone. */
static struct guest *heap_take(void) {
    struct guest *guest = origin.queue[0].guest;
    origin.queue[0] = origin.queue[--origin.queue_count];
    for (size_t at = 0;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < origin.queue_count && origin.queue[left].due_ns < origin.queue[least].due_ns)
            least = left;
        if (right < origin.queue_count && origin.queue[right].due_ns < origin.queue[least].due_ns)
            least = right;
        if (least == at)
            break;
        heap_swap(at, least);
        at = least;
    }
    if (guest != NULL)
        guest->timed = false;
    return guest;
}

static void guest_free(struct guest *guest) {
    if (guest->answering)
        origin.under_way--;
    close(guest->fd);
    origin.connections--;
    if (guest->timed) {
        for (size_t i = 0; i < origin.queue_count; i++) {
            if (origin.queue[i].guest == guest)
                origin.queue[i].guest = NULL;
        }
    }
    free(guest);
}

static struct order order_read(const char *path, size_t length) {
    struct order order = {.size = -1};
    const char *name = path + length;
    while (name > path && name[-1] != '/')
        name--;
    if (*name != 'b')
        return order;
    order.image = length < 4 || memcmp(path + length - 4, ".pdb", 4) != 0;
    for (char *end; ++name < path + length && *name != 'n'; name = end - 1) {
        char letter = *name;
        int64_t number = strtoll(name + 1, &end, 10);
        if (end == name + 1)
            break;
        if (letter == 'z')
            order.size = number;
        if (letter == 'r')
            order.rate = number;
        if (letter == 'l')
            order.line = number;
        if (letter == 'd')
            order.delay_ms = number;
    }
    if (length >= 6 && memcmp(path, "/none/", 6) == 0)
        order.size = -1;
    return order;
}

static void put_32(unsigned char *out, uint32_t number) {
    memcpy(out, &number, sizeof number);
}

/* A PDB of two streams in blocks of 512 bytes: where the directory's blocks are listed in block 3,
 * the directory in block 4, the info stream in block 5. */
static void pdb_head(int64_t size, unsigned char out[WIRE_MAGIC]) {
    enum { BLOCK = 512, INFO_BYTES = 28, STREAMS = 2, MAP = 3, DIRECTORY = 4, INFO = 5 };
    static const unsigned char guid[] = {0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
                                         0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    memset(out, 0, WIRE_MAGIC);
    memcpy(out,
           "Microsoft C/C++ MSF 7.00\r\n\x1a"
           "DS",
           29);
    const uint32_t directory[] = {STREAMS, 0, INFO_BYTES, INFO};
    const uint32_t super[] = {BLOCK, 1, (uint32_t)(size / BLOCK), sizeof directory, 0, MAP};
    memcpy(out + 32, super, sizeof super);
    put_32(out + MAP * BLOCK, DIRECTORY);
    memcpy(out + DIRECTORY * BLOCK, directory, sizeof directory);
    put_32(out + INFO * BLOCK, 20000404);
    put_32(out + INFO * BLOCK + 8, 1);
    memcpy(out + INFO * BLOCK + 12, guid, sizeof guid);
}

static void image_head(unsigned char out[WIRE_MAGIC]) {
    enum { HEAD = 64, OPTIONAL = HEAD + 24, OPTIONAL_BYTES = 60 };
    memset(out, 0, OPTIONAL + OPTIONAL_BYTES);
    memcpy(out, "MZ", 2);
    put_32(out + 0x3c, HEAD);
    memcpy(out + HEAD, "PE\0\0\x64\x86", 6);
    put_32(out + HEAD + 8, 0x5f5e1000);
    put_32(out + HEAD + 20, OPTIONAL_BYTES);
    put_32(out + OPTIONAL + 56, 0x10000);
}

/* Sends a short answer; the guest's socket always has room for one. False: the guest has gone. */
static bool guest_say(struct guest *guest, const char *status, const char *text) {
    char answer[1024];
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 %s\r\nServer: origin\r\nContent-Type: text/plain\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          status, strlen(text), text);
    return send(guest->fd, answer, (size_t)length, MSG_NOSIGNAL) == length;
}

static bool guest_stats(struct guest *guest) {
    char text[512];
    snprintf(text, sizeof text,
             "{\"files\": %ld, \"absent\": %ld, \"bytes\": %lld, \"peak\": %ld, "
             "\"under_way\": %ld, \"connections\": %ld, \"first_ns\": %lld}\n",
             origin.files, origin.absent, (long long)origin.bytes, origin.peak, origin.under_way,
             origin.connections, (long long)origin.first_ns);
    return guest_say(guest, "200 OK", text);
}

static bool guest_reset(struct guest *guest) {
    origin.files = origin.absent = origin.peak = 0;
    origin.bytes = origin.first_ns = 0;
    return guest_say(guest, "200 OK", "cleared\n");
}

static bool guest_head(struct guest *guest) {
    char head[512 + WIRE_MAGIC], part[96] = "";
    unsigned char magic[WIRE_MAGIC];
    int64_t size = guest->order.size, from = guest->from;
    int64_t end = size < WIRE_MAGIC ? size : WIRE_MAGIC;
    size_t first = end > from ? (size_t)(end - from) : 0;
    memcpy(magic, origin.block, WIRE_MAGIC);
    if (guest->order.image)
        image_head(magic);
    else
        pdb_head(guest->total, magic);
    bool whole = from == 0 && size == guest->total;
    if (!whole)
        snprintf(part, sizeof part, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)from,
                 (long long)size - 1, (long long)guest->total);
    int length = snprintf(head, 512,
                          "HTTP/1.1 %s\r\nServer: origin\r\n%s"
                          "Content-Type: application/octet-stream\r\nContent-Length: %lld\r\n"
                          "Last-Modified: Tue, 01 Sep 2020 10:00:00 GMT\r\n"
                          "ETag: \"%lld\"\r\nAccept-Ranges: bytes\r\n\r\n",
                          whole ? "200 OK" : "206 Partial Content", part, (long long)(size - from),
                          (long long)guest->total);
    memcpy(head + length, magic + from * (first > 0), first);
    guest->begun_ns = wire_now_ns();
    if (from == 0)
        origin.first_ns = guest->begun_ns;
    origin.files += whole;
    guest->sent = from + (int64_t)first;
    int more = size > guest->sent && guest->order.line == 0 ? MSG_MORE : 0;
    return send(guest->fd, head, (size_t)length + first, MSG_NOSIGNAL | more) > 0;
}

/* How much may be sent now; 0 with an appointment made when the pace says later. */
static int64_t guest_allowed(struct guest *guest) {
    struct order *order = &guest->order;
    int64_t left = order->size - guest->sent, now_ns = wire_now_ns();
    if (order->rate > 0) {
        double due = (double)order->rate * (double)(now_ns - guest->begun_ns + TICK_NS) / 1e9;
        int64_t allowed = (int64_t)due - (guest->sent - guest->from);
        int64_t tick = (int64_t)((double)order->rate * TICK_NS / 1e9);
        if (allowed >= left)
            return left;
        /* Not byte by byte while time goes on: the others have a turn. */
        if (allowed < tick)
            guest_appoint(guest, now_ns + TICK_NS);
        return allowed < tick ? 0 : allowed;
    }
    if (order->line > 0) {
        if (origin.line_ns > now_ns)
            guest_appoint(guest, origin.line_ns);
        if (origin.line_ns > now_ns)
            return 0;
        return left < 131072 ? left : 131072;
    }
    return left < SLICE ? left : SLICE;
}

static void line_used(const struct order *order, int64_t bytes) {
    if (order->line == 0)
        return;
    int64_t now_ns = wire_now_ns();
    if (origin.line_ns < now_ns - LINE_SLACK_NS)
        origin.line_ns = now_ns - LINE_SLACK_NS;
    origin.line_ns += (int64_t)((double)bytes * 1e9 / (double)order->line);
}

/* Sends until the socket is full, the pace says later, a slice is sent or all is. False: the guest
 * has gone. */
static bool guest_send(struct guest *guest) {
    for (int64_t slice = SLICE; guest->sent < guest->order.size && slice > 0;) {
        int64_t allowed = guest_allowed(guest);
        if (allowed == 0)
            return true;
        off_t at = guest->sent;
        ssize_t sent = sendfile(guest->fd, origin.body, &at, (size_t)allowed);
        guest->full = sent < 0 && errno == EAGAIN;
        if (guest->full)
            return true;
        if (sent <= 0)
            return false;
        guest->sent += sent;
        slice -= sent;
        origin.bytes += sent;
        line_used(&guest->order, sent);
    }
    guest->full = guest->sent < guest->order.size;
    return true;
}

static void guest_watch(struct guest *guest) {
    uint32_t events = guest->full ? EPOLLOUT : guest->answering ? 0u : (uint32_t)EPOLLIN;
    struct epoll_event event = {.events = events | EPOLLRDHUP, .data.ptr = guest};
    epoll_ctl(origin.epoll, EPOLL_CTL_MOD, guest->fd, &event);
}

static void guest_done(struct guest *guest) {
    guest->answering = false;
    origin.under_way--;
}

/* After its delay, or with more room or time: goes on with the answer. False: the guest has gone.
 */
static bool guest_answer(struct guest *guest) {
    if (guest->order.size < 0) {
        origin.absent++;
        guest_done(guest);
        return guest_say(guest, "404 Not Found", "no such symbol here\n");
    }
    if (guest->begun_ns == 0 && !guest_head(guest))
        return false;
    if (!guest_send(guest))
        return false;
    if (guest->sent >= guest->order.size)
        guest_done(guest);
    return true;
}

/* What the request wants of the body: all of it, or one stretch (If-Range always fits here). */
static void guest_part(struct guest *guest) {
    struct order *order = &guest->order;
    char *end = memmem(guest->request, guest->request_bytes, "\r\n\r\n", 4);
    char *range = memmem(guest->request, guest->request_bytes, "\r\nRange: bytes=", 15);
    guest->from = 0;
    guest->total = order->size;
    if (order->size <= 0 || range == NULL || range > end)
        return;
    char *dash;
    int64_t from = strtoll(range + 15, &dash, 10);
    int64_t last = *dash == '-' && dash[1] != '\r' ? strtoll(dash + 1, NULL, 10) : order->size - 1;
    if (*dash != '-' || from < 0 || from > last || last >= order->size)
        return;
    guest->from = from;
    order->size = last + 1;
}

static bool guest_request(struct guest *guest, const char *path, size_t length) {
    if (length == 6 && memcmp(path, "/stats", 6) == 0)
        return guest_stats(guest);
    if (length == 6 && memcmp(path, "/reset", 6) == 0)
        return guest_reset(guest);
    guest->order = order_read(path, length);
    guest->sent = guest->begun_ns = 0;
    guest_part(guest);
    guest->answering = true;
    if (++origin.under_way > origin.peak)
        origin.peak = origin.under_way;
    if (guest->order.delay_ms == 0)
        return guest_answer(guest);
    guest_appoint(guest, wire_now_ns() + guest->order.delay_ms * 1000000);
    return true;
}

/* Answers the request that has come, if it is whole. False: the guest has gone. */
static bool guest_parse(struct guest *guest) {
    if (guest->answering)
        return true;
    char *end = memmem(guest->request, guest->request_bytes, "\r\n\r\n", 4);
    if (end == NULL)
        return guest->request_bytes < sizeof guest->request;
    char *path = memchr(guest->request, ' ', (size_t)(end - guest->request));
    if (path == NULL)
        return false;
    size_t length = strcspn(++path, " ?\r");
    bool stays = guest_request(guest, path, length);
    size_t used = (size_t)(end - guest->request) + 4;
    guest->request_bytes -= used;
    memmove(guest->request, guest->request + used, guest->request_bytes);
    return stays;
}

static bool guest_read(struct guest *guest) {
    size_t room = sizeof guest->request - guest->request_bytes;
    ssize_t got = recv(guest->fd, guest->request + guest->request_bytes, room, 0);
    if (got < 0 && errno == EAGAIN)
        return true;
    if (got <= 0)
        return false;
    guest->request_bytes += (size_t)got;
    return guest_parse(guest);
}

static void guest_event(struct guest *guest, uint32_t events) {
    bool was_answering = guest->answering, was_full = guest->full, stays = true;
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        stays = false;
    if (stays && (events & EPOLLOUT) && guest->answering && !guest->timed)
        stays = guest_answer(guest);
    if (stays && (events & EPOLLIN))
        stays = guest_read(guest);
    if (!stays) {
        guest_free(guest);
        return;
    }
    if (guest->answering != was_answering || guest->full != was_full)
        guest_watch(guest);
}

static void origin_accept(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct guest *guest = calloc(1, sizeof *guest);
        if (guest == NULL)
            wire_die("memory");
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        guest->fd = fd;
        origin.connections++;
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = guest};
        if (epoll_ctl(origin.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            wire_die("epoll");
    }
}

/* Keeps what is due; the milliseconds until the next appointment. */
static int origin_appointments(void) {
    while (origin.queue_count > 0) {
        int64_t left_ns = origin.queue[0].due_ns - wire_now_ns();
        if (left_ns > 0)
            return (int)((left_ns + 999999) / 1000000);
        struct guest *guest = heap_take();
        if (guest == NULL)
            continue;
        if (guest_answer(guest))
            guest_watch(guest);
        else
            guest_free(guest);
    }
    return -1;
}

static int body_make(int64_t size) {
    wire_block(origin.block);
    int body = memfd_create("body", MFD_CLOEXEC);
    if (body < 0)
        wire_die("memfd_create");
    for (int64_t at = 0; at < size; at += WIRE_BLOCK) {
        if (pwrite(body, origin.block, WIRE_BLOCK, at) != WIRE_BLOCK)
            wire_die("body");
    }
    return body;
}

static int listener_open(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(0x7f000001u);
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) != 0)
        wire_die("bind");
    if (listen(listener, 4096) != 0)
        wire_die("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(void) {
    wire_many_files();
    origin.epoll = epoll_create1(EPOLL_CLOEXEC);
    origin.body = body_make(256 << 20);
    int listener = listener_open();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(origin.epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        wire_die("epoll");
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(origin.epoll, events, 256, origin_appointments());
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                origin_accept(listener);
            else
                guest_event(events[i].data.ptr, events[i].events);
        }
    }
}
