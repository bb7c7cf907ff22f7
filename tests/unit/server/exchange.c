// SPDX-License-Identifier: MIT
//
// What is kept of a request: its id, its client as far as the configuration wants it, and no
// secret.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"
#include "unit/server/talk.h"

static void proper_ids_are_taken_over(void **state) {
    static const struct {
        const char *sent;
        bool taken;
    } ids[] = {
        {"a", true},
        {"0123456789-ABCdef", true},
        {"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd", true}, /* 64 */
        {"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddde", false},
        {"", false},
        {"a b", false},
        {"a_b", false},
        {"a\"b", false},
        {"\xc3\xa9", false},
        {"a/b", false},
    };
    for (size_t i = 0; i < LENGTH_OF(ids); i++) {
        CLEANUP(free_block) char *head = NULL;
        char request[256], value[256];
        snprintf(request, sizeof request,
                 "GET /healthz HTTP/1.1\r\n" HOST "X-Request-Id: %s\r\n\r\n", ids[i].sent);
        assert_int_equal(talk_ask(*state, request, &head, NULL), 200);
        talk_field(head, "X-Request-Id", value);
        assert_string_equal(talk_outcome(*state).text.id, value);
        assert_int_equal(strcmp(value, ids[i].sent) == 0, ids[i].taken);
        if (!ids[i].taken)
            assert_int_equal(strspn(value, "0123456789abcdef"), 16);
    }
}

static void made_ids_differ(void **state) {
    enum { REQUESTS = 500 };
    static char ids[REQUESTS][32];
    struct client client = talk_connect(*state, "127.0.0.1");
    for (unsigned i = 0; i < REQUESTS; i++) {
        CLEANUP(free_block) char *head = NULL;
        char value[256];
        talk_say(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(talk_answer(&client, false, &head, NULL), 200);
        snprintf(ids[i], sizeof ids[i], "%.31s", talk_field(head, "X-Request-Id", value));
        for (unsigned n = 0; n < i; n++)
            assert_string_not_equal(ids[i], ids[n]);
    }
    talk_leave(&client);
}

static void clients_are_kept_as_configured(void **state) {
    static const struct {
        const char *address;
        const char *full;
        const char *shortened;
    } clients[] = {
        {"192.0.2.77", "192.0.2.77", "192.0.2.0"},
        {"127.0.0.1", "127.0.0.1", "127.0.0.0"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
        {"::1", "::1", "::"},
    };
    struct talk *talk = *state;
    for (size_t i = 0; i < 3 * LENGTH_OF(clients); i++) {
        const char *address = clients[i / 3].address;
        const char *expected[] = {clients[i / 3].full, clients[i / 3].shortened, ""};
        static const int how[] = {LOG_CLIENTS_FULL, LOG_CLIENTS_SHORTENED, LOG_CLIENTS_NONE};
        memcpy(&talk->settings->log_clients, &how[i % 3], sizeof talk->settings->log_clients);
        struct client client = talk_connect(talk, address);
        talk_say(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(talk_answer(&client, false, NULL, NULL), 200);
        assert_string_equal(talk_outcome(talk).text.client, expected[i % 3]);
        talk_leave(&client);
    }
}

static void paths_are_kept_without_their_query(void **state) {
    static const struct {
        const char *target;
        const char *kept;
    } paths[] = {
        {"/healthz", "/healthz"},
        {"/healthz?", "/healthz?***"},
        {"/healthz?token=s3cr3t", "/healthz?***"},
        {"/symbols/a.dat?x=/?y", "/symbols/a.dat?***"},
        {"http://u:s3cr3t@h/healthz?s3cr3t", "/healthz?***"},
        {"/api/v1/forget?name=s3cr3t", "/api/v1/forget?***"},
    };
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i].target);
        assert_true(talk_ask(*state, request, NULL, NULL) > 0);
        assert_string_equal(talk_outcome(*state).text.path, paths[i].kept);
    }
    /* Too long to be kept whole: cut, and still without it. */
    char request[1024], path[301];
    memset(path, 'a', 300);
    path[300] = '\0';
    snprintf(request, sizeof request, "GET /%s?s3cr3t HTTP/1.1\r\n" HOST "\r\n", path);
    assert_int_equal(talk_ask(*state, request, NULL, NULL), 404);
    struct outcome outcome = talk_outcome(*state);
    assert_null(strstr(outcome.text.path, "s3cr3t"));
    assert_true(strlen(outcome.text.path) > 200);
}

/* Planted wherever a client may put it, and looked for in all that comes out. */
static void secrets_come_out_nowhere(void **state) {
    static const char *const requests[] = {
        "GET /healthz?s3cr3t HTTP/1.1\r\n" HOST "\r\n",
        "GET /symbols/a.dat?s3cr3t HTTP/1.1\r\n" HOST "Authorization: Bearer s3cr3t\r\n\r\n",
        "GET http://s3cr3t:s3cr3t@h/x?s3cr3t HTTP/1.1\r\n" HOST "Cookie: s3cr3t\r\n\r\n",
        "POST /api/v1/forget?name=a.dat&id=1&x=s3cr3t HTTP/1.1\r\n" HOST
        "Authorization: Bearer s3cr3t\r\n\r\n",
        "POST /api/v1/forget?id=s3cr3t HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\ns3cr3t",
        "GET /metrics HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n" HOST "\r\n",
        "GET /api/v1/copies HTTP/1.1\r\n" HOST "\r\n",
    };
    struct talk *talk = *state;
    struct error err = {0};
    talk->settings->admin_token = memory_text("s3cr3t");
    CLEANUP(free_block) char *path = scratch_path(talk->stage.folder, "log");
    const struct log_sink sink = {.path = path, .level = LOG_DEBUG};
    const struct recorder_options options = {.outcomes_max = 100, .log_requests = true};
    recorder_free(talk->recorder);
    talk->recorder = recorder_new(&options, &err);
    assert_non_null(talk->recorder);
    talk->loop->lane = recorder_lane(talk->recorder);
    talk->server.options.recorder = talk->recorder;
    assert_true(log_start(&sink, 1, LOG_DEBUG, &err));
    for (size_t i = 0; i < LENGTH_OF(requests); i++) {
        CLEANUP(free_block) char *head = NULL;
        CLEANUP(free_block) char *body = NULL;
        assert_true(talk_ask(talk, requests[i], &head, &body) > 0);
        if (strstr(head, "s3cr3t") || strstr(body, "s3cr3t"))
            fail_msg("given away in answer to %s", requests[i]);
    }
    recorder_settle(talk->recorder);
    log_stop();
    CLEANUP(free_block) char *log = scratch_read(talk->stage.folder, "log");
    assert_non_null(strstr(log, "/api/v1/forget?***"));
    assert_null(strstr(log, "s3cr3t"));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        TALK(proper_ids_are_taken_over),      TALK(made_ids_differ),
        TALK(clients_are_kept_as_configured), TALK(paths_are_kept_without_their_query),
        TALK(secrets_come_out_nowhere),
    };
    return RUN_TESTS(tests);
}
