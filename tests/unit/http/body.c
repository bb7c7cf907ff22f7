// SPDX-License-Identifier: MIT
#include "http/body.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit/base/check.h"

#define HOST "Host: x\r\n"
#define LENGTH_5 "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

struct outcome {
    enum body_state state;
    char bytes[64];
    size_t left; /* bytes that are the next request's */
};

/* Reads the head at once and the body in steps of so many bytes, each in a block of its own. */
static struct outcome read_request(const char *text, size_t length, size_t step, size_t bytes_max) {
    struct request request;
    struct error err;
    struct outcome outcome = {BODY_MORE};
    request_init(&request);
    assert_int_equal(request_feed(&request, text, length, &err), REQUEST_HEAD);
    CLEANUP(body_release) struct body body;
    body_init(&body, &request, bytes_max);
    size_t at = request.head_bytes;
    while (outcome.state == BODY_MORE && (at < length || !request.has_body)) {
        size_t piece = step < length - at ? step : length - at;
        char *block = malloc(piece + 1);
        size_t used = 0;
        assert_non_null(block);
        memcpy(block, text + at, piece);
        outcome.state = body_feed(&body, block, piece, &used);
        assert_true(used <= piece);
        assert_true(outcome.state != BODY_MORE || used == piece);
        at += used;
        free(block);
    }
    if (body.bytes.length > 0)
        strncpy(outcome.bytes, body.bytes.bytes, sizeof outcome.bytes - 1);
    outcome.left = length - at;
    return outcome;
}

static const size_t steps[] = {1, 2, 3, 5, 1000};

static void bodies_are_read_to_their_end(void **state) {
    (void)state;
    static const struct wanted {
        const char *text;
        const char *bytes;
    } wanted[] = {
        {LENGTH_5 "helloGET", "hello"},
        {CHUNKED "5\r\nhello\r\n0\r\n\r\nGET", "hello"},
        {CHUNKED "2\r\nhe\r\n003\r\nllo\r\n0\r\n\r\nGET", "hello"},
        {CHUNKED "A\r\n0123456789\r\n0\r\n\r\nGET", "0123456789"},
        {CHUNKED "5;a=\"b\"\r\nhello\r\n0\r\nHost: y\r\nRange: z\r\n\r\nGET", "hello"},
        {CHUNKED "0\r\n\r\nGET", ""},
        {"POST / HTTP/1.1\r\n" HOST "\r\nGET", ""},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\nGET", ""},
        {"POST / HTTP/1.1\r\n" HOST
         "Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 5\r\n\r\nhelloGET",
         "hello"},
    };
    for (size_t i = 0; i < LENGTH_OF(wanted) * LENGTH_OF(steps); i++) {
        const struct wanted *one = &wanted[i / LENGTH_OF(steps)];
        struct outcome outcome =
            read_request(one->text, strlen(one->text), steps[i % LENGTH_OF(steps)], 10);
        assert_int_equal(outcome.state, BODY_WHOLE);
        assert_string_equal(outcome.bytes, one->bytes);
        assert_int_equal(outcome.left, 3);
    }
}

static void broken_chunks_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        CHUNKED "5\nhello\n0\n\n",
        CHUNKED "5\rXhello\r\n0\r\n\r\n",
        CHUNKED "5\r\nhelloXX0\r\n\r\n",
        CHUNKED "5\r\nhello\n0\r\n\r\n",
        CHUNKED "5 \r\nhello\r\n0\r\n\r\n",
        CHUNKED "0x5\r\nhello\r\n0\r\n\r\n",
        CHUNKED "-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED "x\r\nhello\r\n0\r\n\r\n",
        CHUNKED "\r\nhello\r\n0\r\n\r\n",
        CHUNKED "5;a\nhello\r\n0\r\n\r\n",
        CHUNKED "fffffffffffffffff\r\nhello",
        CHUNKED "5\r\nhello\r\n0\r\nA: b\nC: d\r\n\r\n",
    };
    for (size_t i = 0; i < LENGTH_OF(bad) * LENGTH_OF(steps); i++) {
        const char *text = bad[i / LENGTH_OF(steps)];
        struct outcome outcome =
            read_request(text, strlen(text), steps[i % LENGTH_OF(steps)], 1000);
        assert_int_equal(outcome.state, BODY_BAD);
    }
}

static void large_bodies_are_refused(void **state) {
    (void)state;
    static const char *const large[] = {
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n0",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551615\r\n\r\n0",
        CHUNKED "B\r\n0123456789a\r\n0\r\n\r\n",
        CHUNKED "6\r\n012345\r\n5\r\n6789a\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < LENGTH_OF(large) * LENGTH_OF(steps); i++) {
        const char *text = large[i / LENGTH_OF(steps)];
        struct outcome outcome = read_request(text, strlen(text), steps[i % LENGTH_OF(steps)], 10);
        assert_int_equal(outcome.state, BODY_TOO_LARGE);
    }
}

static void a_body_that_is_not_whole_is_waited_for(void **state) {
    (void)state;
    static const char text[] = CHUNKED "5\r\nhello\r\n0\r\n\r\n";
    for (size_t length = strlen(CHUNKED) + 1; length < sizeof text - 1; length++)
        assert_int_equal(read_request(text, length, 1000, 10).state, BODY_MORE);
}

/* Extensions and trailers are no body, but they must end some time. */
static void endless_chunk_heads_are_refused(void **state) {
    (void)state;
    static char text[256 * 1024];
    static const char *const begins[] = {CHUNKED "1;", CHUNKED "0\r\nX: "};
    for (size_t i = 0; i < LENGTH_OF(begins); i++) {
        memset(text, 'x', sizeof text);
        memcpy(text, begins[i], strlen(begins[i]));
        assert_int_equal(read_request(text, sizeof text, 1000, 10).state, BODY_TOO_LARGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_read_to_their_end),
        cmocka_unit_test(broken_chunks_are_refused),
        cmocka_unit_test(large_bodies_are_refused),
        cmocka_unit_test(a_body_that_is_not_whole_is_waited_for),
        cmocka_unit_test(endless_chunk_heads_are_refused),
    };
    return RUN_TESTS(tests);
}
