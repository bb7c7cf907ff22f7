// SPDX-License-Identifier: MIT
//
// Open-loop load: requests begin at their appointed times whether or not earlier ones have been
// answered, each on an idle kept connection or a new one. Waiting counts from the appointed time,
// so a stalled server cannot hide behind a stalled load. Prints one JSON object: waits by verdict,
// and of all.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum { VERDICTS_MAX = 12 };

struct client {
    struct exchange exchange;
    struct client *next; /* in the list of idle ones */
    bool connecting;
    bool asking;
    int64_t due_ns;
};

struct verdict {
    char name[24];
    struct waits waits;
};

struct load {
    uint16_t port;
    double per_second, seconds;
    struct paths paths;
    unsigned source; /* 0: spread over addresses; n: all from the n-th */
    int epoll;
    struct client *idle;
    unsigned clients, clients_max, under_way;
    unsigned long begun, broken, refused;
    struct verdict verdicts[VERDICTS_MAX];
    struct waits all;
};

static void client_ask(struct load *load, struct client *client);

static void client_watch(struct load *load, struct client *client, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(load->epoll, operation, client->exchange.fd, &event) != 0)
        wire_die("epoll");
}

static struct client *client_new(struct load *load) {
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        wire_die("memory");
    client->exchange.discard = true;
    client->exchange.fd = wire_connect(load->port, load->source ? load->source : load->clients, 0);
    client->connecting = true;
    client_watch(load, client, EPOLL_CTL_ADD, EPOLLOUT);
    load->clients++;
    return client;
}

static void client_drop(struct load *load, struct client *client) {
    close(client->exchange.fd);
    load->clients--;
    free(client);
}

static void load_begin(struct load *load, int64_t due_ns) {
    load->begun++;
    struct client *client = load->idle;
    if (client == NULL && load->clients >= load->clients_max) {
        load->refused++;
        return;
    }
    load->under_way++;
    if (client != NULL)
        load->idle = client->next;
    if (client == NULL)
        client = client_new(load);
    client->due_ns = due_ns;
    client->asking = true;
    if (!client->connecting)
        client_ask(load, client);
}

static void client_ask(struct load *load, struct client *client) {
    if (exchange_send(&client->exchange, paths_next(&load->paths), client->due_ns))
        return;
    load->broken++;
    load->under_way--;
    client_drop(load, client);
}

static void load_count(struct load *load, const struct exchange *exchange) {
    char name[24];
    snprintf(name, sizeof name, "%d %s", exchange->status, exchange->verdict);
    int64_t waited_ns = exchange->end_ns - exchange->sent_ns;
    waits_add(&load->all, waited_ns);
    for (unsigned i = 0; i < VERDICTS_MAX; i++) {
        struct verdict *verdict = &load->verdicts[i];
        if (verdict->name[0] == 0)
            snprintf(verdict->name, sizeof verdict->name, "%s", name);
        if (strcmp(verdict->name, name) != 0)
            continue;
        waits_add(&verdict->waits, waited_ns);
        return;
    }
}

static void client_event(struct load *load, struct client *client) {
    if (client->connecting) {
        client->connecting = false;
        client_watch(load, client, EPOLL_CTL_MOD, EPOLLIN);
        client_ask(load, client);
        return;
    }
    enum exchange_state state =
        client->asking ? exchange_read(&client->exchange, SIZE_MAX) : EXCHANGE_BROKEN;
    if (state == EXCHANGE_PENDING)
        return;
    if (client->asking)
        load->under_way--;
    if (state == EXCHANGE_DONE)
        load_count(load, &client->exchange);
    if (state == EXCHANGE_BROKEN && client->asking)
        load->broken++;
    if (state == EXCHANGE_DONE && !client->exchange.ends) {
        client->asking = false;
        client->next = load->idle;
        load->idle = client;
        return;
    }
    for (struct client **place = &load->idle; *place != NULL; place = &(*place)->next) {
        if (*place != client)
            continue;
        *place = client->next;
        break;
    }
    client_drop(load, client);
}

/* Begins what is due; the nanoseconds until the next appointment, -1 when there is none. */
static int64_t load_appointments(struct load *load, int64_t start_ns) {
    int64_t now_ns = wire_now_ns();
    unsigned long total = (unsigned long)(load->per_second * load->seconds);
    while (load->begun < total) {
        int64_t due_ns = start_ns + (int64_t)((double)load->begun * 1e9 / load->per_second);
        if (due_ns > now_ns)
            return due_ns - now_ns;
        load_begin(load, due_ns);
    }
    return -1;
}

static void load_run(struct load *load) {
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0)
        wire_die("epoll");
    int64_t start_ns = wire_now_ns();
    for (;;) {
        int64_t wait_ns = load_appointments(load, start_ns);
        if (wait_ns < 0 && load->under_way == 0)
            return;
        /* Exact to less than a millisecond without spinning, which would take the processor away
           from the symbol server and from other loads beside. */
        struct timespec wait = {.tv_sec = 60};
        if (wait_ns >= 0)
            wait = (struct timespec){wait_ns / 1000000000, wait_ns % 1000000000};
        struct epoll_event events[256];
        int count = epoll_pwait2(load->epoll, events, 256, &wait, NULL);
        if (count < 0 && errno != EINTR)
            wire_die("epoll_pwait2");
        if (count == 0 && wait_ns < 0)
            return;
        for (int i = 0; i < count; i++)
            client_event(load, events[i].data.ptr);
    }
}

static void load_print(struct load *load) {
    printf("{\"begun\": %lu, \"broken\": %lu, \"refused\": %lu, \"unanswered\": %u, "
           "\"verdicts\": {",
           load->begun, load->broken, load->refused, load->under_way);
    for (unsigned i = 0; i < VERDICTS_MAX && load->verdicts[i].name[0] != 0; i++) {
        if (i > 0)
            printf(", ");
        waits_print(&load->verdicts[i].waits, load->verdicts[i].name);
    }
    printf("}, ");
    waits_print(&load->all, "waits");
    printf("}\n");
}

static bool load_option(struct load *load, int option, const char *value) {
    switch (option) {
    case 'p':
        load->port = (uint16_t)strtoul(value, NULL, 10);
        return true;
    case 'c':
        load->clients_max = (unsigned)strtoul(value, NULL, 10);
        return true;
    case 'r':
        load->per_second = strtod(value, NULL);
        return true;
    case 's':
        load->seconds = strtod(value, NULL);
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
    case 'a':
        load->source = (unsigned)strtoul(value, NULL, 10);
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv) {
    struct load load = {.per_second = 100, .seconds = 10, .clients_max = 18000};
    for (int option; (option = getopt(argc, argv, "p:c:r:s:f:t:b:a:")) != -1;) {
        if (!load_option(&load, option, optarg))
            return 2;
    }
    if (load.port == 0 || (load.paths.count == 0 && load.paths.pattern == NULL))
        return 2;
    wire_many_files();
    prctl(PR_SET_TIMERSLACK, 1000UL);
    load_run(&load);
    load_print(&load);
    return 0;
}
