// SPDX-License-Identifier: MIT
//
// A client's bytes on a connection, up to its answers. The first byte says in which pieces they
// come. What comes out must be whole answers with the headers that each must have, and the same
// statuses whatever the pieces (of two faults in one head, either may be told). Every symbol is
// excluded and the client is from elsewhere, so nothing is searched, looked for on a disk, or
// changed.
#include "server/connection.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alarm.h"
#include "base/memory.h"
#include "server/exchange.h"
#include "server/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { ANSWERS_MAX = 64, OUTPUT_BYTES_MAX = 16 * 1024 * 1024 };

static char folder[] = "/tmp/symgate-fuzz-XXXXXX";

static void require(bool right) {
    if (!right)
        abort();
}

static int remove_one(const char *path, const struct stat *found, int type, struct FTW *level) {
    (void)found, (void)type, (void)level;
    return remove(path);
}

static void clean_up(void) {
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct roster *roster_of_nothing(void) {
    size_t offset;
    struct pattern *everything = pattern_new("", &offset, NULL);
    require(everything != NULL);
    return roster_new(policy_new(&everything, 1, NULL, 0), NULL, 0, NULL);
}

/* Made once. */
static struct loop *the_loop(void) {
    static struct server server;
    static struct loop *loop;
    static struct shelf *no_shelf;
    struct error err = {0};
    if (loop)
        return loop;
    require(mkdtemp(folder) != NULL);
    atexit(clean_up);
    const struct cache_options cache = {
        .shelves = &no_shelf, .shelf_count = 1, .spill = spill_new(folder, 0)};
    const struct absences_options absences = {.directory = folder, .entries_max = 1000};
    const struct recorder_options recorder = {.outcomes_max = 10};
    const struct ledger_options ledger = {.path = "unused"}; /* switched off */
    struct settings *settings = settings_new();
    settings->roster = roster_of_nothing();
    settings->identity_name = memory_text("fuzz");
    server.options = (struct server_options){
        .connections_max = 10,
        .cache = cache_new(&cache),
        .absences = absences_open(&absences, &err),
        .recorder = recorder_new(&recorder, &err),
        .ledger = ledger_new(&ledger, &err),
        .settings = settings,
    };
    const struct symbols_options symbols = {
        .cache = server.options.cache,
        .absences = server.options.absences,
        .alarms = alarm_clock_new(&err),
        .searches_max = 1,
    };
    server.options.symbols = symbols_new(&symbols);
    server.urls = memory_array(1, sizeof *server.urls);
    server.url_count = 1;
    loop = loop_new(&server, NULL, 0, settings, &err);
    require(loop != NULL);
    return loop;
}

struct output {
    char *bytes;
    size_t length;
};

static void receive(int fd, struct output *output) {
    for (;;) {
        require(output->length < OUTPUT_BYTES_MAX);
        output->bytes = realloc(output->bytes, output->length + 64 * 1024);
        require(output->bytes != NULL);
        ssize_t got = recv(fd, output->bytes + output->length, 64 * 1024 - 1, 0);
        if (got <= 0)
            break;
        output->length += (size_t)got;
    }
    output->bytes[output->length] = '\0';
}

static bool is_open(const struct connection *connection) {
    return connection->phase != CONNECTION_CLOSED;
}

/* Everything that the client sends, and what it gets. */
static struct output converse(const uint8_t *bytes, size_t length, size_t piece) {
    struct loop *loop = the_loop();
    struct address from = {.ip.s6_addr = {0x20, 1, 0xd, 0xb8, [15] = 1}};
    struct output output = {0};
    int fds[2];
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    connection_accept(loop, fds[1], &from);
    struct connection *connection =
        LIST_ENTRY(loop->connections_open.previous, struct connection, in_loop);
    for (size_t at = 0; at < length && is_open(connection);) {
        size_t left = length - at < piece ? length - at : piece;
        ssize_t sent = send(fds[0], bytes + at, left, MSG_NOSIGNAL);
        at += sent > 0 ? (size_t)sent : 0;
        size_t before;
        do {
            before = output.length;
            connection->ready |= READY_IN | READY_OUT;
            connection_run(connection);
            receive(fds[0], &output);
        } while (is_open(connection) && output.length > before);
    }
    if (is_open(connection))
        connection_close(connection, false);
    receive(fds[0], &output);
    close(fds[0]);
    for (struct list *node; (node = list_pop_front(&loop->graveyard));)
        connection_free(LIST_ENTRY(node, struct connection, in_loop));
    require(loop->connections == 0);
    return output;
}

static bool has_line(const char *head, const char *end, const char *line) {
    const char *found = strcasestr(head, line);
    return found && found < end;
}

/* Takes one answer apart; the bytes it took. */
static size_t require_answer(const char *at, size_t length, bool head_only, int *out_status) {
    const char *end = strstr(at, "\r\n\r\n");
    require(strncmp(at, "HTTP/1.1 ", 9) == 0 && end != NULL);
    int status = (int)strtol(at + 9, NULL, 10);
    require(status >= 200 && status < 600);
    require(has_line(at, end, "\r\nX-Request-Id: "));
    require(has_line(at, end, "\r\nCache-Control: no-store\r\n") == (status != 200));
    require(!has_line(at, end, "\r\nTransfer-Encoding:"));
    const char *field = strcasestr(at, "\r\nContent-Length: ");
    require(field && field < end);
    size_t body = head_only ? 0 : strtoul(field + 18, NULL, 10);
    require(body <= length - (size_t)(end + 4 - at));
    bool refused = has_line(at, end, "\r\nConnection: close\r\n") && status >= 400;
    *out_status = refused ? 400 : status;
    return (size_t)(end + 4 - at) + body;
}

/* The statuses of all answers; the requests say which of them have no body. */
static unsigned read_answers(const struct output *output, int statuses[ANSWERS_MAX]) {
    unsigned count = 0;
    for (size_t at = 0; at < output->length && count < ANSWERS_MAX; count++)
        at += require_answer(output->bytes + at, output->length - at, false, &statuses[count]);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    /* An answer to HEAD cannot be told from one to GET by its bytes alone. */
    if (length == 0 || memmem(bytes, length, "HEAD", 4))
        return 0;
    int in_pieces[ANSWERS_MAX], at_once[ANSWERS_MAX];
    struct output pieces = converse(bytes + 1, length - 1, bytes[0] % 32U + 1);
    struct output whole = converse(bytes + 1, length - 1, length);
    unsigned count = read_answers(&pieces, in_pieces);
    require(count == read_answers(&whole, at_once));
    require(memcmp(in_pieces, at_once, count * sizeof *at_once) == 0);
    free(pieces.bytes);
    free(whole.bytes);
    return 0;
}
