// SPDX-License-Identifier: MIT
//
// The heads of answers: what each verdict, range and condition comes to, and what is recorded.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "server/status.h"
#include "unit/base/check.h"
#include "unit/server/talk.h"

enum { BODY = 5000 };
static char bytes[BODY + 1];

static struct scene whole_body(bool announced) {
    return (struct scene){.play = PLAY_BODY, .body = bytes, .length = BODY, .announces = announced};
}

static void field_is(const char *head, const char *name, const char *expected) {
    char value[256];
    if (strcmp(talk_field(head, name, value), expected) != 0)
        fail_msg("%s is \"%s\", not \"%s\" in\n%s", name, value, expected, head);
}

/* What every answer has, whatever it says. */
static void assert_common(const char *head, int status) {
    char value[256];
    field_is(head, "Server", "symgate");
    assert_int_equal(strlen(talk_field(head, "X-Request-Id", value)), 16);
    assert_true(talk_field(head, "Date", value)[0]);
    bool stored = status == 200 || status == 206 || status == 304;
    field_is(head, "Cache-Control", stored ? "" : "no-store");
}

static const struct {
    enum verdict verdict;
    const char *name;
    int status; /* 0: general.failureStatus */
} verdicts[] = {
    {VERDICT_ABSENT, "absent", 404}, {VERDICT_EXCLUDED, "excluded", 404},
    {VERDICT_LATER, "later", 0},     {VERDICT_BUSY, "busy", 0},
    {VERDICT_FAILED, "failed", 0},   {VERDICT_INVALID, "invalid", 400},
};

static void each_verdict_has_its_head(void **state) {
    struct talk *talk = *state;
    struct client client = talk_connect(talk, "127.0.0.1");
    for (size_t i = 0; i < LENGTH_OF(verdicts) * 2; i++) {
        enum verdict verdict = verdicts[i / 2].verdict;
        talk->settings->failure_status = i % 2 ? 503 : 404;
        int status =
            verdicts[i / 2].status ? verdicts[i / 2].status : talk->settings->failure_status;
        struct exchange *exchange = exchange_new(client.connection);
        text_copy(exchange->id, sizeof exchange->id, "0123456789abcdef");
        exchange->keep_alive = true;
        exchange->request.minor_version = 1;
        answer_verdict(exchange, verdict, "because\r\nX-Forged: 1");
        CLEANUP(free_block) char *head = strndup(exchange->head, exchange->head_length);
        assert_int_equal(strtol(head + strlen("HTTP/1.1 "), NULL, 10), status);
        assert_int_equal(exchange->status, status);
        assert_int_equal(exchange->state, EXCHANGE_SENDING);
        assert_common(head, status);
        field_is(head, "X-Symgate-Verdict", verdicts[i / 2].name);
        field_is(head, "X-Symgate-Reason", "because  X-Forged: 1");
        field_is(head, "Content-Length", "0");
        field_is(head, "Content-Type", "");
        field_is(head, "Connection", "");
        field_is(head, "Symbol-Agent-Status", verdict == VERDICT_LATER ? "0x80070512" : "");
        exchange_end(exchange, false, false);
    }
    talk_leave(&client);
}

static void good_verdicts_are_200(void **state) {
    (void)state;
    static const enum verdict good[] = {VERDICT_HIT, VERDICT_JOINED, VERDICT_FETCHED,
                                        VERDICT_LOCAL};
    for (size_t i = 0; i < LENGTH_OF(good); i++)
        assert_int_equal(status_of_verdict(good[i], 503), 200);
}

#define GET(fields) "GET " KEY_PATH("a.dat") " HTTP/1.1\r\n" HOST fields "\r\n"

/* Fetches, and leaves a complete copy. */
static char *fetch(struct talk *talk) {
    char *head = NULL;
    CLEANUP(free_block) char *body = NULL;
    double_play(talk->source, whole_body(true));
    assert_int_equal(talk_ask(talk, GET(""), &head, &body), 200);
    assert_string_equal(body, bytes);
    stage_wait_counter(&cache_counters(talk->stage.cache)->committed, 1);
    stage_wait_counter(&cache_counters(talk->stage.cache)->searching, 0);
    return head;
}

static void a_fetched_file_has_its_head(void **state) {
    CLEANUP(free_block) char *head = fetch(*state);
    char value[256];
    assert_common(head, 200);
    field_is(head, "X-Symgate-Verdict", "fetched");
    field_is(head, "X-Symgate-Source", "only");
    field_is(head, "Content-Type", "application/octet-stream");
    field_is(head, "Content-Length", "5000");
    field_is(head, "Accept-Ranges", "bytes");
    field_is(head, "X-Symgate-Reason", "");
    field_is(head, "Content-Encoding", "");
    assert_true(talk_field(head, "ETag", value)[0] == '"');
    assert_true(talk_field(head, "Last-Modified", value)[0]);
    /* The next one is a hit with the same validators. */
    CLEANUP(free_block) char *again = NULL;
    CLEANUP(free_block) char *body = NULL;
    char etag[256];
    assert_int_equal(talk_ask(*state, GET(""), &again, &body), 200);
    assert_string_equal(body, bytes);
    field_is(again, "X-Symgate-Verdict", "hit");
    field_is(again, "ETag", talk_field(head, "ETag", etag));
    field_is(again, "Last-Modified", talk_field(head, "Last-Modified", value));
}

static const struct {
    const char *range;
    int status;
    const char *content_range;
    unsigned from;
    unsigned length;
} ranges[] = {
    {"bytes=0-0", 206, "bytes 0-0/5000", 0, 1},
    {"bytes=10-19", 206, "bytes 10-19/5000", 10, 10},
    {"bytes=4990-", 206, "bytes 4990-4999/5000", 4990, 10},
    {"bytes=-10", 206, "bytes 4990-4999/5000", 4990, 10},
    {"bytes=0-134217727", 206, "bytes 0-4999/5000", 0, 5000},
    {"bytes=-9000", 206, "bytes 0-4999/5000", 0, 5000},
    {"bytes=5000-", 416, "bytes */5000", 0, 0},
    {"bytes=-0", 416, "bytes */5000", 0, 0},
    {"bytes=0-1,3-4", 200, "", 0, 5000},
    {"bytes=4-3", 200, "", 0, 5000},
    {"lines=1-2", 200, "", 0, 5000},
};

static void ranges_are_served(void **state) {
    struct talk *talk = *state;
    free(fetch(talk));
    for (size_t i = 0; i < LENGTH_OF(ranges); i++) {
        char request[512], length[32];
        CLEANUP(free_block) char *head = NULL;
        CLEANUP(free_block) char *body = NULL;
        snprintf(request, sizeof request,
                 "GET " KEY_PATH("a.dat") " HTTP/1.1\r\n" HOST "Range: %s\r\n\r\n",
                 ranges[i].range);
        int status = talk_ask(talk, request, &head, &body);
        if (status != ranges[i].status)
            fail_msg("%s: %d", ranges[i].range, status);
        assert_common(head, status);
        field_is(head, "Content-Range", ranges[i].content_range);
        snprintf(length, sizeof length, "%u", ranges[i].length);
        field_is(head, "Content-Length", length);
        assert_int_equal(strlen(body), ranges[i].length);
        assert_memory_equal(body, bytes + ranges[i].from, ranges[i].length);
        assert_int_equal(talk_outcome(talk).bytes, ranges[i].length);
    }
}

static void conditions_are_judged(void **state) {
    struct talk *talk = *state;
    CLEANUP(free_block) char *first = fetch(talk);
    char etag[256], modified[256];
    talk_field(first, "ETag", etag);
    talk_field(first, "Last-Modified", modified);
    const struct {
        const char *field;
        const char *value;
        int status;
    } cases[] = {
        {"If-None-Match", etag, 304},
        {"If-None-Match", "*", 304},
        {"If-None-Match", "\"x\"", 200},
        {"If-Modified-Since", modified, 304},
        {"If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 200},
        {"If-Modified-Since", "never", 200},
        {"Range: bytes=0-9\r\nIf-Range", etag, 206},
        {"Range: bytes=0-9\r\nIf-Range", "\"x\"", 200},
        {"Range: bytes=0-9\r\nIf-None-Match", etag, 304},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char request[1024];
        CLEANUP(free_block) char *head = NULL;
        CLEANUP(free_block) char *body = NULL;
        snprintf(request, sizeof request,
                 "GET " KEY_PATH("a.dat") " HTTP/1.1\r\n" HOST "%s: %s\r\n\r\n", cases[i].field,
                 cases[i].value);
        int status = talk_ask(talk, request, &head, &body);
        if (status != cases[i].status)
            fail_msg("%s: %s: %d", cases[i].field, cases[i].value, status);
        assert_common(head, status);
        field_is(head, "ETag", etag);
        if (status != 304)
            continue;
        assert_string_equal(body, "");
        field_is(head, "Content-Length", "");
        field_is(head, "Transfer-Encoding", "");
    }
}

static void head_has_the_length_and_no_body(void **state) {
    struct talk *talk = *state;
    free(fetch(talk));
    CLEANUP(free_block) char *head = NULL;
    assert_int_equal(
        talk_ask(talk, "HEAD " KEY_PATH("a.dat") " HTTP/1.1\r\n" HOST "\r\n", &head, NULL), 200);
    field_is(head, "Content-Length", "5000");
    field_is(head, "X-Symgate-Verdict", "hit");
    assert_int_equal(talk_outcome(talk).bytes, 0);
}

/* Two clients read one body of unknown length while it arrives: the end is held back until it is
   certain. */
static void an_unknown_length_is_framed_by_version(void **state) {
    struct talk *talk = *state;
    struct scene scene = whole_body(false);
    scene.holds_body_at = BODY - 1;
    double_play(talk->source, scene);
    struct client modern = talk_connect(talk, "127.0.0.1");
    struct client old = talk_connect(talk, "127.0.0.1");
    talk_say(&modern, GET(""));
    talk_say(&old, "GET " KEY_PATH("a.dat") " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    double_wait_holding(talk->source, 1);
    talk_wait_state(&modern, EXCHANGE_HOLDING);
    talk_wait_state(&old, EXCHANGE_HOLDING);
    talk_pass(talk, 1999);
    assert_int_equal(modern.length + old.length, 0);
    talk_pass(talk, 1);
    talk_wait(&modern);
    talk_wait(&old);
    assert_non_null(strstr(modern.bytes, "Transfer-Encoding: chunked\r\n"));
    assert_null(strstr(modern.bytes, "Content-Length"));
    assert_null(strstr(old.bytes, "Transfer-Encoding"));
    assert_non_null(strstr(old.bytes, "Connection: close\r\n"));
    const char *begun = strstr(old.bytes, "\r\n\r\n") + 4;
    assert_true(strlen(begun) <= BODY - 1 - 4096);
    double_open(talk->source, 1);
    CLEANUP(free_block) char *body = NULL;
    assert_int_equal(talk_answer(&modern, false, NULL, &body), 200);
    assert_string_equal(body, bytes);
    while (old.connection)
        talk_wait(&old);
    assert_string_equal(strstr(old.bytes, "\r\n\r\n") + 4, bytes);
    talk_leave(&modern);
    talk_leave(&old);
}

static bool see_reset(const struct outcome *outcome, const struct attempt_note *notes,
                      void *context) {
    (void)context;
    assert_int_equal(outcome->note_count, 1);
    assert_string_equal(notes[0].source, "only");
    assert_int_equal(notes[0].cause, ERROR_RESET);
    return true;
}

static void failures_have_their_reason(void **state) {
    struct talk *talk = *state;
    double_play(talk->source, (struct scene){.play = PLAY_FAIL, .kind = ERROR_RESET, .status = 0});
    CLEANUP(free_block) char *head = NULL;
    char value[256];
    assert_int_equal(talk_ask(talk, GET(""), &head, NULL), 404);
    assert_common(head, 404);
    field_is(head, "X-Symgate-Verdict", "failed");
    assert_true(talk_field(head, "X-Symgate-Reason", value)[0]);
    struct outcome outcome = talk_outcome(talk);
    assert_int_equal(outcome.verdict, VERDICT_FAILED);
    assert_true(outcome.about_symbol);
    assert_string_equal(outcome.text.name, "a.dat");
    assert_string_equal(outcome.text.key_id, "0123456789ABCDEF0123456789ABCDEF1");
    talk_field(head, "X-Request-Id", value);
    assert_true(recorder_find(talk->recorder, value, see_reset, NULL));
}

static void late_answers_say_so_in_the_dialect(void **state) {
    struct talk *talk = *state;
    struct scene scene = whole_body(true);
    scene.holds_head = true;
    double_play(talk->source, scene);
    talk->settings->failure_status = 503;
    struct client client = talk_connect(talk, "127.0.0.1");
    talk_say(&client, GET("Symbol-Agent-Receive-Timeout: 10000\r\n"));
    double_wait_holding(talk->source, 1);
    talk_pass(talk, 8999);
    assert_int_equal(client.length, 0);
    talk_pass(talk, 1);
    CLEANUP(free_block) char *head = NULL;
    assert_int_equal(talk_answer(&client, false, &head, NULL), 503);
    field_is(head, "X-Symgate-Verdict", "later");
    field_is(head, "Symbol-Agent-Status", "0x80070512");
    field_is(head, "Content-Length", "0");
    /* The search goes on: the next try is a hit. */
    double_open(talk->source, 1);
    stage_wait_counter(&cache_counters(talk->stage.cache)->committed, 1);
    CLEANUP(free_block) char *body = NULL;
    talk_say(&client, GET(""));
    assert_int_equal(talk_answer(&client, false, NULL, &body), 200);
    assert_string_equal(body, bytes);
    talk_leave(&client);
}

int main(void) {
    for (unsigned i = 0; i < BODY; i++)
        bytes[i] = (char)('a' + i % 23);
    bytes[0] = '\x01'; /* no plain text */
    static const struct CMUnitTest tests[] = {
        TALK(each_verdict_has_its_head),
        cmocka_unit_test(good_verdicts_are_200),
        TALK(a_fetched_file_has_its_head),
        TALK(ranges_are_served),
        TALK(conditions_are_judged),
        TALK(head_has_the_length_and_no_body),
        TALK(an_unknown_length_is_framed_by_version),
        TALK(failures_have_their_reason),
        TALK(late_answers_say_so_in_the_dialect),
    };
    return RUN_TESTS(tests);
}
