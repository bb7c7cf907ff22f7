// SPDX-License-Identifier: MIT
//
// The server as a whole, over TCP: its addresses, its limits of patience and of connections, new
// settings, and its end. Time is the test's; the loops look at it at least twice a second.
#include "server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/proxy/stage.h"

enum { WAIT_MS = 20000, CONNECTIONS_MAX = 8, ENDED = -1, RESET = -2 };

#define OK_GET "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

struct scene_of_server {
    struct stage stage;
    struct double_source *source;
    struct recorder *recorder;
    struct ledger *ledger;
    struct settings *settings;
    struct server *server;
};

static struct settings *settings_named(struct scene_of_server *scene, const char *name) {
    struct settings *settings = settings_new();
    settings->roster = roster_ref(scene->stage.roster);
    settings->identity_name = memory_text(name);
    return settings;
}

static struct server_options options_of(struct scene_of_server *scene, const char *const *listen,
                                        unsigned count) {
    return (struct server_options){
        .listen = listen,
        .listen_count = count,
        .workers = 1,
        .connections_max = CONNECTIONS_MAX,
        .symbols = scene->stage.symbols,
        .cache = scene->stage.cache,
        .absences = scene->stage.absences,
        .recorder = scene->recorder,
        .ledger = scene->ledger,
        .settings = scene->settings,
    };
}

static int set_up(void **state) {
    static const char *const listen[] = {"127.0.0.1:0"};
    struct scene_of_server *scene = NEW(struct scene_of_server);
    const struct recorder_options recorder = {.outcomes_max = 10};
    struct error err = {0};
    stage_open(&scene->stage);
    scene->source = double_new("only", 1, NULL);
    stage_roster(&scene->stage, &scene->source, 1);
    scene->recorder = recorder_new(&recorder, &err);
    const struct ledger_options ledger = {.path = "unused"}; /* switched off */
    scene->ledger = ledger_new(&ledger, &err);
    scene->settings = settings_named(scene, "before");
    struct server_options options = options_of(scene, listen, 1);
    scene->server = server_start(&options, &err);
    assert_non_null(scene->server);
    *state = scene;
    return 0;
}

static void stop(struct scene_of_server *scene, int64_t drain_ms) {
    server_stop(scene->server, drain_ms);
    scene->server = NULL;
}

static int tear_down(void **state) {
    struct scene_of_server *scene = *state;
    stop(scene, 0);
    settings_unref(scene->settings);
    recorder_free(scene->recorder);
    ledger_free(scene->ledger);
    stage_close(&scene->stage);
    free(scene);
    return 0;
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int try_connect(const char *url) {
    unsigned port = 0;
    struct sockaddr_in to = {.sin_family = AF_INET};
    assert_int_equal(sscanf(url, "http://127.0.0.1:%u/", &port), 1);
    to.sin_port = htons((uint16_t)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static int open_connection(struct scene_of_server *scene) {
    int fd = try_connect(server_url(scene->server, 0));
    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What comes next: the length of a piece, ENDED or RESET. Fails the test when nothing does. */
static ssize_t hear(int fd, char *out, size_t size) {
    struct pollfd event = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&event, 1, WAIT_MS), 1);
    ssize_t got = recv(fd, out, size - 1, 0);
    if (got < 0)
        assert_int_equal(errno, ECONNRESET);
    out[got > 0 ? got : 0] = '\0';
    return got > 0 ? got : got == 0 ? ENDED : RESET;
}

static void ask(int fd) {
    char answer[4096];
    say(fd, OK_GET);
    assert_true(hear(fd, answer, sizeof answer) > 0);
    assert_ptr_equal(strstr(answer, "HTTP/1.1 200 "), answer);
}

static bool is_quiet(int fd) {
    struct pollfd event = {.fd = fd, .events = POLLIN};
    return poll(&event, 1, 0) == 0;
}

/* A request behind which the loop must have looked at its clock, and so at every patience. */
static void let_the_loop_look(struct scene_of_server *scene) {
    for (unsigned i = 0; i < 2; i++) {
        int fd = open_connection(scene);
        ask(fd);
        close(fd);
    }
}

static void patience_has_its_limits(void **state) {
    struct scene_of_server *scene = *state;
    char out[256];
    int slow = open_connection(scene);
    int idle = open_connection(scene);
    ask(idle);
    say(slow, "GET / HTTP/1.1\r\n");
    let_the_loop_look(scene);
    clock_fake_advance(9000);
    let_the_loop_look(scene);
    assert_true(is_quiet(slow));
    clock_fake_advance(1001);
    assert_int_equal(hear(slow, out, sizeof out), ENDED);
    ask(idle); /* it is not in anybody's way */
    clock_fake_advance(119000);
    let_the_loop_look(scene);
    assert_true(is_quiet(idle));
    clock_fake_advance(1001);
    assert_int_equal(hear(idle, out, sizeof out), ENDED);
    close(slow);
    close(idle);
}

static void the_idle_longest_makes_room(void **state) {
    struct scene_of_server *scene = *state;
    char out[256];
    int fds[CONNECTIONS_MAX + 1];
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        fds[i] = open_connection(scene);
        ask(fds[i]);
    }
    fds[CONNECTIONS_MAX] = open_connection(scene);
    ask(fds[CONNECTIONS_MAX]);
    assert_int_equal(hear(fds[0], out, sizeof out), ENDED);
    for (unsigned i = 1; i <= CONNECTIONS_MAX; i++)
        ask(fds[i]);
    for (unsigned i = 0; i <= CONNECTIONS_MAX; i++)
        close(fds[i]);
}

static void the_longest_slow_head_makes_room(void **state) {
    struct scene_of_server *scene = *state;
    char out[256];
    int fds[CONNECTIONS_MAX];
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        fds[i] = open_connection(scene);
        say(fds[i], "GET / HTTP/1.1\r\n"); /* read as soon as it is accepted */
    }
    let_the_loop_look(scene);
    assert_int_equal(hear(fds[0], out, sizeof out), ENDED);
    say(fds[CONNECTIONS_MAX - 1], "Host: localhost\r\n\r\n");
    assert_true(hear(fds[CONNECTIONS_MAX - 1], out, sizeof out) > 0);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        close(fds[i]);
}

static void a_port_that_is_taken_is_named(void **state) {
    struct scene_of_server *scene = *state;
    struct error err = {0};
    char address[96];
    snprintf(address, sizeof address, "%.*s",
             (int)strcspn(server_url(scene->server, 0) + strlen("http://"), "/"),
             server_url(scene->server, 0) + strlen("http://"));
    const char *listen[] = {"127.0.0.1:0", address};
    struct server_options options = options_of(scene, listen, 2);
    assert_null(server_start(&options, &err));
    assert_int_equal(err.os, EADDRINUSE);
    assert_non_null(strstr(err.what, address));
    assert_non_null(strstr(err.hint, "--listen"));
}

static void addresses_that_are_none_are_told(void **state) {
    static const char *const bad[] = {"",           "8080",        "localhost",
                                      "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                                      "[::1:80",    "127.0.0.1:-1"};
    struct scene_of_server *scene = *state;
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        struct error err = {0};
        struct server_options options = options_of(scene, &bad[i], 1);
        if (server_start(&options, &err))
            fail_msg("serves on \"%s\"", bad[i]);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.hint, "[::]:8080"));
    }
}

static void urls_are_those_bound(void **state) {
    static const char *const listen[] = {"127.0.0.1:0", "localhost:0"};
    struct scene_of_server *scene = *state;
    struct error err = {0};
    struct server_options options = options_of(scene, listen, 2);
    struct server *server = server_start(&options, &err);
    assert_non_null(server);
    unsigned port = 0;
    assert_int_equal(sscanf(server_url(server, 0), "http://127.0.0.1:%u/", &port), 1);
    assert_in_range(port, 1, 65535);
    assert_non_null(server_url(server, 1));
    assert_null(server_url(server, 2));
    int fd = try_connect(server_url(server, 0));
    assert_true(fd >= 0);
    ask(fd);
    close(fd);
    server_stop(server, 0);
}

/* The name on the page tells which settings a request was answered under. */
static bool is_served_as(struct scene_of_server *scene, const char *name) {
    char page[16 * 1024], title[64];
    size_t length = 0;
    int fd = open_connection(scene);
    say(fd, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
    for (ssize_t got; (got = hear(fd, page + length, sizeof page - length)) > 0;)
        length += (size_t)got;
    close(fd);
    snprintf(title, sizeof title, "<title>%s</title>", name);
    return strstr(page, title) != NULL;
}

static void new_settings_are_used(void **state) {
    struct scene_of_server *scene = *state;
    assert_true(is_served_as(scene, "before"));
    struct settings *between = settings_named(scene, "between");
    struct settings *after = settings_named(scene, "after");
    server_use(scene->server, between); /* replaced unread, or not */
    server_use(scene->server, after);
    settings_unref(between);
    /* Handed over by message: soon, not at once. */
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (!is_served_as(scene, "after")) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec - begun.tv_sec < WAIT_MS / 1000);
    }
    settings_unref(after);
}

static void the_end_tells_later_and_accepts_nobody(void **state) {
    struct scene_of_server *scene = *state;
    char out[4096], url[96];
    double_play(scene->source, (struct scene){.play = PLAY_ABSENT, .holds_head = true});
    int waiting = open_connection(scene);
    int idle = open_connection(scene);
    ask(idle);
    say(waiting, "GET /symbols/a.dat/0123456789ABCDEF0123456789ABCDEF1/a.dat HTTP/1.1\r\n"
                 "Host: localhost\r\n\r\n");
    double_wait_holding(scene->source, 1);
    snprintf(url, sizeof url, "%s", server_url(scene->server, 0));
    stop(scene, 30000);
    assert_true(hear(waiting, out, sizeof out) > 0);
    assert_non_null(strstr(out, "X-Symgate-Verdict: later\r\n"));
    assert_non_null(strstr(out, "Symbol-Agent-Status: 0x80070512\r\n"));
    assert_int_equal(hear(waiting, out, sizeof out), ENDED);
    assert_int_equal(hear(idle, out, sizeof out), ENDED);
    assert_int_equal(try_connect(url), -1);
    close(waiting);
    close(idle);
    double_open(scene->source, 1);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        SERVED(patience_has_its_limits),
        SERVED(the_idle_longest_makes_room),
        SERVED(the_longest_slow_head_makes_room),
        SERVED(a_port_that_is_taken_is_named),
        SERVED(addresses_that_are_none_are_told),
        SERVED(urls_are_those_bound),
        SERVED(new_settings_are_used),
        SERVED(the_end_tells_later_and_accepts_nobody),
    };
    return RUN_TESTS(tests);
}
