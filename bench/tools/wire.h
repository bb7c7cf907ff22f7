// SPDX-License-Identifier: MIT
//
// What the load tools share: loopback sockets, the clock, and one exchange (a request and its
// answer) on a non-blocking connection. Only as much HTTP as a benchmark's own client needs: GET,
// HTTP/1.1, Content-Length bodies. Single-threaded; trouble with the own machine (no socket, no
// memory) ends the tool with a message.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_HEAD_MAX = 4096,
    WIRE_READ = 1 << 16,
    WIRE_DROP = 1 << 20,
    WIRE_MAGIC = 3072,
    WIRE_BLOCK = 1 << 20
};

/* The monotonic clock, the same in every process of the machine. */
int64_t wire_now_ns(void);

/* Prints a message with errno's reason and ends the tool. */
void wire_die(const char *what) __attribute__((noreturn));

/* What every file of the origin holds after its first WIRE_MAGIC bytes: WIRE_BLOCK bytes over and
   over (byte n of the file is block[n % WIRE_BLOCK]). Binary, and no text. */
void wire_block(unsigned char block[WIRE_BLOCK]);

/* A connection under way to 127.0.0.1:port, from one of 64 local addresses chosen by `spread` (so
   that ports last). receive_bytes: SO_RCVBUF, 0 for the kernel's own choice. */
int wire_connect(uint16_t port, unsigned spread, int receive_bytes);

/* Lines of a file, as one allocated array; *out_count of them. For the tool's whole life. */
char **wire_lines(const char *file, size_t *out_count);

/* Raises the limit of open files as far as the system lets it. */
void wire_many_files(void);

/* Where paths come from: a list that is gone round, or a template whose "########" is a counter. */
struct paths {
    char **lines;
    size_t count;
    const char *pattern;
    unsigned long next;
};
/* The next path, valid until the next call. */
const char *paths_next(struct paths *paths);

enum exchange_state { EXCHANGE_PENDING, EXCHANGE_DONE, EXCHANGE_BROKEN };

/* One request and its answer. Times are wire_now_ns values, 0 while it has not happened. */
struct exchange {
    int fd;
    bool discard; /* bodies are dropped in the kernel (MSG_TRUNC); else read 64 KiB at a time, as
                     clients do */
    bool check;   /* bodies are compared with wire_block */
    const unsigned char *block;
    int64_t sent_ns, head_ns, first_ns, end_ns;
    int status;
    int64_t length, received;
    bool ends;  /* the server closes after this answer */
    bool wrong; /* a byte was not as it should be */
    char verdict[16];
    size_t head_bytes;
    char head[WIRE_HEAD_MAX];
};

/* Puts a fresh request on the connection (it fits the socket's buffer); the answer is read by
   exchange_read. The start of its waiting is `since_ns`. False: the connection is gone. */
bool exchange_send(struct exchange *exchange, const char *path, int64_t since_ns);

/* Reads up to bytes_max bytes of the answer, or until there are no more. */
enum exchange_state exchange_read(struct exchange *exchange, size_t bytes_max);

/* Waiting times in microseconds, collected and then sorted. */
struct waits {
    uint32_t *us;
    size_t count, room;
};
/* Adds one. */
void waits_add(struct waits *waits, int64_t ns);
/* Prints `"<name>": {"count": …, "p50": …, "p99": …, "p999": …, "max": …}` in milliseconds. Sorts.
 */
void waits_print(struct waits *waits, const char *name);
