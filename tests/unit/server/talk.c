// SPDX-License-Identifier: MIT
#include "unit/server/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"

enum { WAIT_MS = 20000 };

static int64_t real_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int talk_setup(void **state) {
    struct talk *talk = NEW(struct talk);
    struct error err = {0};
    stage_open(&talk->stage);
    talk->source = double_new("only", 1, NULL);
    stage_roster(&talk->stage, &talk->source, 1);
    const struct recorder_options recorder = {.outcomes_max = 100};
    talk->recorder = recorder_new(&recorder, &err);
    assert_non_null(talk->recorder);
    const struct ledger_options ledger = {.path = "unused"}; /* switched off */
    talk->ledger = ledger_new(&ledger, &err);
    assert_non_null(talk->ledger);
    talk->settings = settings_new();
    talk->settings->roster = roster_ref(talk->stage.roster);
    talk->settings->identity_name = memory_text("test");
    talk->settings->limit_ms = 25000;
    struct server *server = &talk->server;
    server->options = (struct server_options){
        .connections_max = 100,
        .symbols = talk->stage.symbols,
        .cache = talk->stage.cache,
        .absences = talk->stage.absences,
        .recorder = talk->recorder,
        .ledger = talk->ledger,
        .settings = talk->settings,
    };
    server->urls = memory_array(1, sizeof *server->urls);
    snprintf(server->urls[0], sizeof server->urls[0], "http://127.0.0.1:1/");
    server->url_count = 1;
    server->pool = pool_new("api", 1, 4);
    talk->loop = loop_new(server, NULL, 0, talk->settings, &err);
    assert_non_null(talk->loop);
    *state = talk;
    return 0;
}

/* At the end only: until then a client may look at its connection. */
static void bury(struct talk *talk) {
    for (struct list *node; (node = list_pop_front(&talk->loop->graveyard));)
        connection_free(LIST_ENTRY(node, struct connection, in_loop));
}

int talk_teardown(void **state) {
    struct talk *talk = *state;
    LIST_EACH (node, &talk->loop->connections_open)
        connection_close(LIST_ENTRY(node, struct connection, in_loop), true);
    bury(talk);
    assert_int_equal(talk->loop->connections, 0);
    assert_int_equal(talk->server.connections, 0);
    pool_free(talk->server.pool);
    loop_free(talk->loop);
    settings_unref(talk->settings);
    recorder_free(talk->recorder);
    ledger_free(talk->ledger);
    free(talk->server.urls);
    stage_close(&talk->stage);
    free(talk);
    return 0;
}

static struct address address_of(const char *text) {
    struct address address = {0};
    char mapped[64];
    snprintf(mapped, sizeof mapped, "%s%s", strchr(text, ':') ? "" : "::ffff:", text);
    assert_int_equal(inet_pton(AF_INET6, mapped, &address.ip), 1);
    return address;
}

struct client talk_connect(struct talk *talk, const char *address) {
    int fds[2];
    struct address from = address_of(address);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    connection_accept(talk->loop, fds[1], &from);
    struct list *node = talk->loop->connections_open.previous;
    return (struct client){
        .talk = talk,
        .fd = fds[0],
        .connection = LIST_ENTRY(node, struct connection, in_loop),
        .bytes = memory_new(1),
    };
}

/* Reads what has come. */
static void receive(struct client *client) {
    char block[16 * 1024];
    while (!client->ended) {
        ssize_t got = recv(client->fd, block, sizeof block, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            client->ended = true;
            return;
        }
        client->bytes = realloc(client->bytes, client->length + (size_t)got + 1);
        assert_non_null(client->bytes);
        memcpy(client->bytes + client->length, block, (size_t)got);
        client->length += (size_t)got;
        client->bytes[client->length] = '\0';
    }
}

static void notice_close(struct client *client) {
    if (client->connection && client->connection->phase == CONNECTION_CLOSED)
        client->connection = NULL;
}

/* What the loop would do on an event, until nothing moves any more. */
static void run(struct client *client, unsigned ready) {
    size_t before;
    do {
        before = client->length;
        if (client->connection) {
            client->connection->ready |= ready | READY_OUT;
            connection_run(client->connection);
        }
        receive(client);
        notice_close(client);
    } while (client->length != before);
}

void talk_send(struct client *client, const char *bytes, size_t length) {
    while (length > 0 && client->connection) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0)
            assert_int_equal(errno, EAGAIN);
        run(client, READY_IN);
        bytes += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
}

void talk_say(struct client *client, const char *text) {
    talk_send(client, text, strlen(text));
}

void talk_end(struct client *client) {
    shutdown(client->fd, SHUT_WR);
    run(client, READY_IN | READY_HUP);
}

/* As the loop wakes what is due. */
static void wake(struct loop *loop, struct list *exchanges, bool all) {
    struct list taken;
    list_take_all(exchanges, &taken);
    for (struct list *node; (node = list_pop_front(&taken));) {
        struct exchange *exchange = LIST_ENTRY(node, struct exchange, in_loop);
        list_push_back(exchanges, node);
        if (all || exchange->deadline_ms <= loop->now_ms)
            exchange_woken(exchange);
    }
}

/* As the loop takes it. */
static void take_inbox(struct loop *loop) {
    struct list changed;
    list_init(&changed);
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
    wake(loop, &loop->growing, true);
}

void talk_wait(struct client *client) {
    struct loop *loop = client->talk->loop;
    size_t before = client->length;
    int64_t deadline_ms = real_ms() + WAIT_MS;
    while (client->length == before && client->connection) {
        struct pollfd event = {.fd = loop->inbox.event_fd, .events = POLLIN};
        poll(&event, 1, 20);
        take_inbox(loop);
        run(client, 0);
        if (real_ms() >= deadline_ms)
            fail_msg("nothing came");
    }
}

void talk_wait_state(struct client *client, enum exchange_state state) {
    int64_t deadline_ms = real_ms() + WAIT_MS;
    for (;;) {
        assert_non_null(client->connection);
        struct exchange *exchange = client->connection->exchange;
        if (exchange && exchange->state == state)
            return;
        struct loop *loop = client->talk->loop;
        struct pollfd event = {.fd = loop->inbox.event_fd, .events = POLLIN};
        poll(&event, 1, 20);
        take_inbox(loop);
        if (real_ms() >= deadline_ms)
            fail_msg("the request does not come into state %d", (int)state);
    }
}

void talk_pass(struct talk *talk, int64_t ms) {
    stage_pass(&talk->stage, ms);
    talk->loop->now_ms = clock_ms();
    wake(talk->loop, &talk->loop->waiting, false);
}

void talk_leave(struct client *client) {
    close(client->fd);
    client->fd = -1;
    if (client->connection) {
        client->connection->ready |= READY_IN | READY_HUP;
        connection_run(client->connection);
    }
    notice_close(client);
    free(client->bytes);
    client->bytes = NULL;
}

const char *talk_field(const char *head, const char *name, char value[256]) {
    char line[80];
    value[0] = '\0';
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *found = strcasestr(head, line);
    if (!found)
        return value;
    assert_null(strcasestr(found + 1, line));
    found += strlen(line);
    snprintf(value, 256, "%.*s", (int)strcspn(found, "\r"), found);
    return value;
}

/* Takes the chunks apart, in place; the bytes that they took, 0 while they are not whole. */
static size_t join_chunks(const char *bytes, char *out_body, size_t *out_length) {
    const char *at = bytes;
    *out_length = 0;
    for (;;) {
        char *after;
        size_t size = strtoul(at, &after, 16);
        if (after == at || strncmp(after, "\r\n", 2) != 0)
            return 0;
        memcpy(out_body + *out_length, after + 2, size);
        *out_length += size;
        at = after + 2 + size + 2;
        if (size == 0)
            return (size_t)(at - bytes);
    }
}

/* The length of the first answer, 0 while it is not whole. */
static size_t first_answer(const struct client *client, bool head_only, char **out_head,
                           char **out_body) {
    char value[256];
    const char *end = strstr(client->bytes, "\r\n\r\n");
    if (!end)
        return 0;
    size_t head = (size_t)(end + 4 - client->bytes);
    char *text = strndup(client->bytes, head);
    char *body = memory_new(client->length - head + 1);
    size_t length = strtoul(talk_field(text, "Content-Length", value), NULL, 10);
    int status = (int)strtol(text + strlen("HTTP/1.1 "), NULL, 10);
    size_t taken = length;
    if (head_only || status == 304)
        taken = length = 0;
    else if (strcmp(talk_field(text, "Transfer-Encoding", value), "chunked") == 0)
        taken = client->ended || strstr(end, "\r\n0\r\n\r\n") ? join_chunks(end + 4, body, &length)
                                                              : SIZE_MAX;
    else if (taken <= client->length - head)
        memcpy(body, end + 4, length);
    if (taken > client->length - head) {
        free(text);
        free(body);
        return 0;
    }
    body[length] = '\0';
    *out_head = text;
    *out_body = body;
    return head + taken;
}

int talk_answer(struct client *client, bool head_only, char **out_head, char **out_body) {
    char *head, *body;
    size_t taken;
    while ((taken = first_answer(client, head_only, &head, &body)) == 0) {
        if (!client->connection || client->ended)
            return 0;
        talk_wait(client);
    }
    client->length -= taken;
    memmove(client->bytes, client->bytes + taken, client->length + 1);
    int status = (int)strtol(head + strlen("HTTP/1.1 "), NULL, 10);
    if (out_head)
        *out_head = TAKE(head);
    if (out_body)
        *out_body = TAKE(body);
    free(head);
    free(body);
    return status;
}

int talk_ask(struct talk *talk, const char *request, char **out_head, char **out_body) {
    struct client client = talk_connect(talk, "127.0.0.1");
    talk_say(&client, request);
    int status = talk_answer(&client, strncmp(request, "HEAD ", 5) == 0, out_head, out_body);
    assert_int_equal(client.length, 0);
    talk_leave(&client);
    return status;
}

/* Its texts are copied: they live until the next one is asked for. */
static bool keep(const struct outcome *outcome, const struct attempt_note *notes, void *context) {
    (void)notes;
    struct talk *talk = context;
    const char *const *from = (const char *const *)(const void *)&outcome->text;
    talk->outcome = *outcome;
    const char **to = (const char **)(void *)&talk->outcome.text;
    for (unsigned i = 0; i < LENGTH_OF(talk->texts); i++) {
        text_copy(talk->texts[i], sizeof talk->texts[i], from[i]);
        to[i] = talk->texts[i];
    }
    return false;
}

struct outcome talk_outcome(struct talk *talk) {
    talk->outcome.status = -1;
    recorder_settle(talk->recorder);
    recorder_recent(talk->recorder, 1, keep, talk);
    assert_int_not_equal(talk->outcome.status, -1);
    return talk->outcome;
}
