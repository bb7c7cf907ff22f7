// SPDX-License-Identifier: MIT
//
// Bytes of a connection and what they come to: pipelines, pieces, refusals, requests that would be
// smuggled, and clients that leave.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "unit/base/check.h"
#include "unit/server/talk.h"

#define OK_GET "GET /healthz HTTP/1.1\r\n" HOST "\r\n"
#define ABSENT_GET "GET /nothing HTTP/1.1\r\n" HOST "\r\n"

static bool in_patience(const struct client *client, enum patience patience) {
    LIST_EACH (node, &client->talk->loop->patience[patience])
        if (node == &client->connection->in_patience)
            return true;
    return false;
}

static void requests_come_one_after_the_other(void **state) {
    struct client client = talk_connect(*state, "127.0.0.1");
    for (unsigned i = 0; i < 3; i++) {
        CLEANUP(free_block) char *body = NULL;
        assert_true(in_patience(&client, PATIENCE_IDLE));
        /* An idle connection owns nothing but its struct. */
        assert_null(client.connection->exchange);
        assert_null(client.connection->pending.bytes);
        talk_say(&client, OK_GET);
        assert_int_equal(talk_answer(&client, false, NULL, &body), 200);
        assert_string_equal(body, "ok\n");
    }
    talk_leave(&client);
}

static void pipelined_requests_are_answered_in_order(void **state) {
    struct talk *talk = *state;
    struct client client = talk_connect(talk, "127.0.0.1");
    enum { PAIRS = 200 };
    static char text[PAIRS * (sizeof OK_GET + sizeof ABSENT_GET)];
    size_t used = 0;
    for (unsigned i = 0; i < PAIRS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, OK_GET ABSENT_GET);
    talk_send(&client, text, used);
    for (unsigned i = 0; i < PAIRS; i++) {
        assert_int_equal(talk_answer(&client, false, NULL, NULL), 200);
        assert_int_equal(talk_answer(&client, false, NULL, NULL), 404);
    }
    assert_int_equal(client.length, 0);
    assert_int_equal(counted(&recorder_counters(talk->recorder)->requests), 2 * PAIRS);
    talk_leave(&client);
}

/* What is answered must not depend on the pieces in which requests come. */
static void pieces_change_nothing(void **state) {
    static const char text[] =
        OK_GET "POST /api/v1/copies HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" ABSENT_GET
               "POST /x HTTP/1.1\r\n" HOST
               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" OK_GET;
    static const int expected[] = {200, 405, 404, 405, 200};
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct client client = talk_connect(*state, "127.0.0.1");
        size_t step = cut == 0 ? 1 : cut;
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            size_t left = sizeof text - 1 - at;
            /* cut 0: byte by byte; else two pieces. */
            size_t piece = cut == 0 ? 1 : at == 0 ? cut : left;
            talk_send(&client, text + at, piece < left ? piece : left);
            if (cut > 0 && at > 0)
                break;
        }
        for (size_t i = 0; i < LENGTH_OF(expected); i++) {
            int status = talk_answer(&client, false, NULL, NULL);
            if (status != expected[i])
                fail_msg("cut at %zu: answer %zu is %d", cut, i, status);
        }
        assert_int_equal(client.length, 0);
        assert_non_null(client.connection);
        talk_leave(&client);
    }
}

static void a_slow_head_has_one_limit(void **state) {
    struct talk *talk = *state;
    struct client client = talk_connect(talk, "127.0.0.1");
    talk_pass(talk, 60000);
    talk_say(&client, "G");
    assert_true(in_patience(&client, PATIENCE_HEAD));
    int64_t since_ms = client.connection->since_ms;
    assert_true(since_ms == talk->loop->now_ms);
    for (const char *at = "ET / HTTP/1.1\r\nHost: x\r\nX: "; *at; at++) {
        talk_pass(talk, 100);
        talk_send(&client, at, 1);
        /* Runs from the first byte, however many follow. */
        assert_true(in_patience(&client, PATIENCE_HEAD));
        assert_true(client.connection->since_ms == since_ms);
    }
    talk_leave(&client);
    assert_int_equal(counted(&recorder_counters(talk->recorder)->requests), 0);
}

static void half_requests_end_without_an_answer(void **state) {
    static const char *const halves[] = {
        "",
        "G",
        "GET / HTTP/1.1\r\nHost: x\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    };
    struct talk *talk = *state;
    for (size_t i = 0; i < LENGTH_OF(halves); i++) {
        struct client client = talk_connect(talk, "127.0.0.1");
        talk_say(&client, halves[i]);
        assert_non_null(client.connection);
        talk_end(&client);
        assert_null(client.connection);
        assert_true(client.ended);
        assert_int_equal(client.length, 0);
        talk_leave(&client);
    }
    assert_int_equal(counted(&recorder_counters(talk->recorder)->requests), 0);
}

#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define SMUGGLED "GET /healthz HTTP/1.1\r\n" HOST "\r\n"

/* Each has one answer, and what stands behind it is never taken for a request. */
static const struct {
    const char *text;
    int status;
} refusals[] = {
    {"\x16\x03\x01\x02", 400},
    {"GET /\r\n\r\n" SMUGGLED, 505},
    {"GET / HTTP/2.0\r\n" HOST "\r\n" SMUGGLED, 505},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n" SMUGGLED, 405},
    {"GET / HTTP/1.1\r\n\r\n" SMUGGLED, 400},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n" SMUGGLED, 400},
    {"GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n" SMUGGLED, 400},
    {"GET / HTTP/1.1\nHost: x\n\n" SMUGGLED, 400},
    {"GET / HTTP/1.1\r\n" HOST "A\x01: b\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 49\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0, 49\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n" CHUNKED "\r\n0\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST CHUNKED "Content-Length: 4\r\n\r\n0\r\n\r\n" SMUGGLED, 400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n" CHUNKED "\r\n0\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST CHUNKED CHUNKED "\r\n0\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED, 501},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.0\r\n" HOST CHUNKED "\r\n0\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST CHUNKED "\r\nx\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n-1\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST CHUNKED "\r\nfffffffffffffffff\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n3\r\nabcdef\r\n0\r\n\r\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n0\nX: y\n\n" SMUGGLED, 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n" SMUGGLED, 413},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551615\r\n\r\n" SMUGGLED, 413},
};

static void assert_refused(struct client *client, int status, const char *what) {
    CLEANUP(free_block) char *head = NULL;
    CLEANUP(free_block) char *body = NULL;
    char value[256];
    if (client->length == 0)
        fail_msg("no answer to %s", what);
    int got = talk_answer(client, false, &head, &body);
    if (got != status)
        fail_msg("%d for %s", got, what);
    assert_string_equal(talk_field(head, "Connection", value), "close");
    assert_string_equal(talk_field(head, "Cache-Control", value), "no-store");
    assert_string_equal(talk_field(head, "X-Symgate-Verdict", value), "invalid");
    assert_int_equal(strlen(talk_field(head, "X-Request-Id", value)), 16);
    assert_true(talk_field(head, "X-Symgate-Reason", value)[0]);
    assert_true(body[0]);
    if (client->length > 0)
        fail_msg("a second answer: %s", client->bytes);
}

static void refused_requests_end_the_connection(void **state) {
    struct talk *talk = *state;
    for (size_t i = 0; i < LENGTH_OF(refusals); i++) {
        struct client client = talk_connect(talk, "127.0.0.1");
        talk_say(&client, refusals[i].text);
        assert_refused(&client, refusals[i].status, refusals[i].text);
        /* It lingers, so that the answer is not lost, and understands nothing more. */
        assert_non_null(client.connection);
        assert_int_equal(client.connection->phase, CONNECTION_LINGERING);
        assert_true(in_patience(&client, PATIENCE_LINGER));
        talk_say(&client, SMUGGLED);
        assert_int_equal(client.length, 0);
        assert_true(client.ended);
        talk_end(&client);
        assert_null(client.connection);
        talk_leave(&client);
    }
    assert_int_equal(counted(&recorder_counters(talk->recorder)->requests), LENGTH_OF(refusals));
}

static void lingering_has_an_end(void **state) {
    struct client client = talk_connect(*state, "127.0.0.1");
    static char junk[64 * 1024];
    memset(junk, 'x', sizeof junk);
    talk_say(&client, "\x01");
    size_t sent = 0;
    while (client.connection && sent < 4 * 1024 * 1024) {
        talk_send(&client, junk, sizeof junk);
        sent += sizeof junk;
    }
    assert_null(client.connection);
    assert_in_range(sent, 1024 * 1024, 1024 * 1024 + 2 * sizeof junk);
    talk_leave(&client);
}

/* Sends a request line or head of any length. */
static void long_head(struct talk *talk, const char *begin, size_t length, const char *end,
                      int status) {
    struct client client = talk_connect(talk, "127.0.0.1");
    CLEANUP(free_block) char *text = memory_new(length + strlen(end) + 1);
    memset(text, 'a', length);
    memcpy(text, begin, strlen(begin));
    memcpy(text + length, end, strlen(end) + 1);
    talk_send(&client, text, length + strlen(end));
    if (status == 0)
        assert_int_equal(talk_answer(&client, false, NULL, NULL), 200);
    else
        assert_refused(&client, status, begin);
    talk_leave(&client);
}

static void long_heads_are_refused(void **state) {
    static const char end[] = " HTTP/1.1\r\n" HOST "\r\n";
    static const char field[] = "GET /healthz HTTP/1.1\r\n" HOST "X: ";
    long_head(*state, "GET /healthz?", 8000, end, 0);
    long_head(*state, "GET /healthz?", 8300, end, 414);
    long_head(*state, "GET /", 64 * 1024, end, 414);
    long_head(*state, "GET /", 1024 * 1024, end, 414);
    long_head(*state, field, 128 * 1024 - 4, "\r\n\r\n", 0);
    long_head(*state, field, 128 * 1024, "\r\n\r\n", 431);
    long_head(*state, field, 1024 * 1024, "\r\n\r\n", 431);
}

static void large_chunked_bodies_are_refused(void **state) {
    static const char begin[] = "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n10001\r\n";
    long_head(*state, begin, sizeof begin - 1 + 0x10001, "\r\n0\r\n\r\n", 413);
    /* In chunks of one byte, whose heads are most of it. */
    CLEANUP(free_block) char *text = memory_new(6 * 200000 + sizeof begin);
    size_t used = (size_t)snprintf(text, sizeof begin, "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n");
    for (unsigned i = 0; i < 200000; i++, used += 6)
        memcpy(text + used, "1\r\nx\r\n", 6);
    struct client client = talk_connect(*state, "127.0.0.1");
    talk_send(&client, text, used);
    assert_refused(&client, 413, "small chunks");
    talk_leave(&client);
}

/* A body is not taken for a request, and the request behind it is. */
static void bodies_are_passed_over(void **state) {
    static const char *const texts[] = {
        "GET /nothing HTTP/1.1\r\n" HOST "Content-Length: 42\r\n\r\n" SMUGGLED,
        "POST /nothing HTTP/1.1\r\n" HOST CHUNKED "\r\n2a\r\n" SMUGGLED "\r\n0\r\n\r\n",
        "POST /nothing HTTP/1.1\r\n" HOST CHUNKED "\r\n1;x=y\r\na\r\n0\r\nTrailer: x\r\n\r\n",
    };
    assert_int_equal(strlen(SMUGGLED), 42);
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct client client = talk_connect(*state, "127.0.0.1");
        talk_say(&client, texts[i]);
        int status = talk_answer(&client, false, NULL, NULL);
        assert_int_equal(status, i == 0 ? 404 : 405);
        assert_int_equal(client.length, 0);
        talk_say(&client, OK_GET);
        assert_int_equal(talk_answer(&client, false, NULL, NULL), 200);
        talk_leave(&client);
    }
}

static void connections_are_kept_as_the_version_says(void **state) {
    static const struct {
        const char *text;
        const char *connection;
        bool kept;
    } cases[] = {
        {"GET /healthz HTTP/1.1\r\n" HOST "\r\n", "", true},
        {"GET /healthz HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "close", false},
        {"GET /healthz HTTP/1.0\r\n\r\n", "close", false},
        {"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", true},
        {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", "", true},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        CLEANUP(free_block) char *head = NULL;
        char value[256];
        struct client client = talk_connect(*state, "127.0.0.1");
        talk_say(&client, cases[i].text);
        assert_true(talk_answer(&client, false, &head, NULL) > 0);
        assert_string_equal(talk_field(head, "Connection", value), cases[i].connection);
        assert_int_equal(client.connection != NULL, cases[i].kept);
        assert_int_equal(client.ended, !cases[i].kept);
        talk_leave(&client);
    }
}

static void who_leaves_while_waiting_has_hung_up(void **state) {
    struct talk *talk = *state;
    double_play(talk->source, (struct scene){.play = PLAY_ABSENT, .holds_head = true});
    struct client client = talk_connect(talk, "127.0.0.1");
    talk_say(&client, "GET " KEY_PATH("a.dat") " HTTP/1.1\r\n" HOST "\r\n");
    double_wait_holding(talk->source, 1);
    talk_leave(&client);
    struct outcome outcome = talk_outcome(talk);
    assert_true(outcome.hung_up);
    assert_true(outcome.broken);
    assert_true(outcome.about_symbol);
    assert_int_equal(counted(&recorder_counters(talk->recorder)->hung_up), 1);
    double_open(talk->source, 1);
}

static void a_pipeline_waits_for_a_slow_answer(void **state) {
    struct talk *talk = *state;
    double_play(talk->source, (struct scene){.play = PLAY_ABSENT, .holds_head = true});
    struct client client = talk_connect(talk, "127.0.0.1");
    talk_say(&client, "GET " KEY_PATH("a.dat") " HTTP/1.1\r\n" HOST "\r\n" OK_GET OK_GET);
    double_wait_holding(talk->source, 1);
    assert_int_equal(client.length, 0);
    double_open(talk->source, 1);
    assert_int_equal(talk_answer(&client, false, NULL, NULL), 404);
    assert_int_equal(talk_answer(&client, false, NULL, NULL), 200);
    assert_int_equal(talk_answer(&client, false, NULL, NULL), 200);
    talk_leave(&client);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        TALK(requests_come_one_after_the_other),
        TALK(pipelined_requests_are_answered_in_order),
        TALK(pieces_change_nothing),
        TALK(a_slow_head_has_one_limit),
        TALK(half_requests_end_without_an_answer),
        TALK(refused_requests_end_the_connection),
        TALK(lingering_has_an_end),
        TALK(long_heads_are_refused),
        TALK(large_chunked_bodies_are_refused),
        TALK(bodies_are_passed_over),
        TALK(connections_are_kept_as_the_version_says),
        TALK(who_leaves_while_waiting_has_hung_up),
        TALK(a_pipeline_waits_for_a_slow_answer),
    };
    return RUN_TESTS(tests);
}
