// SPDX-License-Identifier: MIT
#include "http/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/base/check.h"

#define HOST "Host: x\r\n"

/* Gives a request over in steps of so many bytes, each time in a new block of just the right size;
   the last block stays for the caller. */
static enum request_state feed(struct request *request, const char *bytes, size_t length,
                               size_t step, char **out_block) {
    struct error err = {0};
    enum request_state state = REQUEST_MORE;
    char *block = NULL;
    request_init(request);
    for (size_t so_far = 0; so_far < length && state == REQUEST_MORE;) {
        so_far = so_far + step < length ? so_far + step : length;
        free(block);
        block = malloc(so_far);
        assert_non_null(block);
        memcpy(block, bytes, so_far);
        state = request_feed(request, block, so_far, &err);
    }
    assert_int_equal(state == REQUEST_BAD, err.what[0] != '\0');
    assert_int_equal(state == REQUEST_BAD, request->refusal != 0);
    *out_block = block;
    return state;
}

static const size_t steps[] = {1, 2, 3, 7, 100000};

static void the_parts_of_a_head_are_found(void **state) {
    (void)state;
    static const char text[] = "GET /symbols/a%2Fb?c HTTP/1.1\r\n"
                               "host:  proxy:8080 \t\r\n"
                               "User-Agent: Microsoft-Symbol-Server/10.0\r\n"
                               "If-Range:\r\n"
                               "If-None-Match: \"a\", \"b\"\r\n"
                               "X-Unknown: y\r\n"
                               "SYMBOL-AGENT-RECEIVE-TIMEOUT: 30000\r\n"
                               "\r\nGET /next";
    for (size_t i = 0; i < LENGTH_OF(steps); i++) {
        struct request request;
        char *block;
        char value[64];
        assert_int_equal(feed(&request, text, sizeof text - 1, steps[i], &block), REQUEST_HEAD);
        assert_int_equal(request.head_bytes, sizeof text - 1 - strlen("GET /next"));
        assert_int_equal(request.method, METHOD_GET);
        assert_int_equal(request.minor_version, 1);
        assert_true(request.keep_alive);
        assert_false(request.has_body);
        assert_int_equal(request.target.length, strlen("/symbols/a%2Fb?c"));
        assert_memory_equal(block + request.target.offset, "/symbols/a%2Fb?c", 16);
        request_field(&request, block, FIELD_HOST, value, sizeof value);
        assert_string_equal(value, "proxy:8080");
        request_field(&request, block, FIELD_IF_NONE_MATCH, value, sizeof value);
        assert_string_equal(value, "\"a\", \"b\"");
        request_field(&request, block, FIELD_RECEIVE_TIMEOUT, value, sizeof value);
        assert_string_equal(value, "30000");
        request_field(&request, block, FIELD_USER_AGENT, value, 10);
        assert_string_equal(value, "Microsoft");
        assert_true(request_has(&request, FIELD_IF_RANGE));
        request_field(&request, block, FIELD_IF_RANGE, value, sizeof value);
        assert_string_equal(value, "");
        assert_false(request_has(&request, FIELD_RANGE));
        request_field(&request, block, FIELD_RANGE, value, sizeof value);
        assert_string_equal(value, "");
        free(block);
    }
}

static void every_kept_field_is_found(void **state) {
    (void)state;
    static const char *const names[FIELD_COUNT] = {
        [FIELD_HOST] = "Host",
        [FIELD_USER_AGENT] = "User-Agent",
        [FIELD_RANGE] = "Range",
        [FIELD_IF_RANGE] = "If-Range",
        [FIELD_IF_NONE_MATCH] = "If-None-Match",
        [FIELD_IF_MODIFIED_SINCE] = "If-Modified-Since",
        [FIELD_RECEIVE_TIMEOUT] = "Symbol-Agent-Receive-Timeout",
        [FIELD_REQUEST_ID] = "X-Request-Id",
        [FIELD_ORIGIN] = "Origin",
        [FIELD_AUTHORIZATION] = "Authorization",
        [FIELD_FORWARDED_FOR] = "X-Forwarded-For",
        [FIELD_FORWARDED] = "Forwarded",
        [FIELD_REAL_IP] = "X-Real-IP",
        [FIELD_VIA] = "Via",
        [FIELD_ACCEPT] = "Accept",
        [FIELD_SYMBOL_CHECKSUM] = "SymbolChecksum",
        [FIELD_HOP] = "X-Symgate-Hop",
        [FIELD_TRANSFER_ENCODING] = "Transfer-Encoding",
    };
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        char text[256];
        struct request request;
        char *block;
        char value[16];
        const char *wanted = i == FIELD_TRANSFER_ENCODING ? "chunked" : "v1";
        int length = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s%s: %s\r\n\r\n",
                              i == FIELD_HOST ? "" : HOST, names[i], wanted);
        assert_int_equal(feed(&request, text, (size_t)length, 1000, &block), REQUEST_HEAD);
        request_field(&request, block, (enum field)i, value, sizeof value);
        assert_string_equal(value, wanted);
        assert_int_equal(request.field_seen, 1U << i | 1U << FIELD_HOST);
        assert_int_equal(request.field_twice, 0);
        free(block);
    }
}

static const struct taken {
    const char *text;
    enum method method;
    bool keep_alive;
    uint64_t body_bytes;
    const char *target;
} takens[] = {
    {"HEAD /a HTTP/1.1\r\n" HOST "\r\n", METHOD_HEAD, true, 0, "/a"},
    {"DELETE /a HTTP/1.1\r\n" HOST "\r\n", METHOD_OTHER, true, 0, "/a"},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", METHOD_OTHER, true, 0, "*"},
    {"CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", METHOD_OTHER, true, 0, "a:80"},
    {"GET /a HTTP/1.0\r\n\r\n", METHOD_GET, false, 0, "/a"},
    {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", METHOD_GET, true, 0, "/a"},
    {"GET /a HTTP/1.1\r\nConnection: close\r\n" HOST "\r\n", METHOD_GET, false, 0, "/a"},
    {"GET /a HTTP/1.1\r\nConnection: x, Close\r\n" HOST "\r\n", METHOD_GET, false, 0, "/a"},
    {"GET /a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n" HOST "\r\n", METHOD_GET, true, 0,
     "/a"},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", METHOD_POST, true, 5, "/a"},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", METHOD_POST, true, 0, "/a"},
    {"GET /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", METHOD_GET, true, 5, "/a"},
    {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", METHOD_POST, true,
     UINT64_MAX, "/a"},
    {"\r\nGET /a HTTP/1.1\r\n" HOST "\r\n", METHOD_GET, true, 0, "/a"},
    {"GET http://h:1/p?q HTTP/1.1\r\n" HOST "\r\n", METHOD_GET, true, 0, "/p?q"},
    {"GET HTTPS://h HTTP/1.1\r\n" HOST "\r\n", METHOD_GET, true, 0, "/"},
    {"GET http://h?q HTTP/1.1\r\n" HOST "\r\n", METHOD_GET, true, 0, "/"},
    {"GET /a?b=http://c/d HTTP/1.1\r\n" HOST "\r\n", METHOD_GET, true, 0, "/a?b=http://c/d"},
    {"GET //index2.txt HTTP/1.1\r\n" HOST "\r\n", METHOD_GET, true, 0, "//index2.txt"},
    {"GET /a HTTP/1.1\r\nHost:\r\n\r\n", METHOD_GET, true, 0, "/a"},
    {"GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", METHOD_GET, true, 0, "/a"},
    {"GET /a HTTP/1.1\r\n" HOST "X: \xff\xfe\r\n\r\n", METHOD_GET, true, 0, "/a"},
};

static void proper_requests_are_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(takens) * LENGTH_OF(steps); i++) {
        const struct taken *taken = &takens[i / LENGTH_OF(steps)];
        size_t step = steps[i % LENGTH_OF(steps)];
        struct request request;
        char *block;
        size_t length = strlen(taken->text);
        assert_int_equal(feed(&request, taken->text, length, step, &block), REQUEST_HEAD);
        assert_int_equal(request.head_bytes, length);
        assert_int_equal(request.method, taken->method);
        assert_int_equal(request.keep_alive, taken->keep_alive);
        assert_true(request.body_bytes == taken->body_bytes);
        assert_int_equal(request.has_body, taken->body_bytes > 0);
        assert_int_equal(request.target.length, strlen(taken->target));
        assert_memory_equal(block + request.target.offset, taken->target, request.target.length);
        free(block);
    }
}

#define CHUNKED "Transfer-Encoding: chunked\r\n"

static const struct refused {
    const char *text;
    int status;
} refuseds[] = {
    /* Host */
    {"GET /a HTTP/1.1\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"GET /a HTTP/1.0\r\n" HOST HOST "\r\n", 400},
    {"GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
    /* lengths */
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n" CHUNKED "\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST CHUNKED "Content-Length: 5\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST CHUNKED CHUNKED "\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
     "chunked\r\n\r\n",
     400},
    {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n", 400},
    {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding\t: chunked\r\n\r\n", 400},
    {"POST /a HTTP/1.0\r\n" CHUNKED "\r\n", 400},
    /* lines */
    {"GET /a HTTP/1.1\nHost: x\n\n", 400},
    {"GET /a HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\nHost: x\r\n\rX\n", 400},
    {"GET /a HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\n Host: x\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\n" HOST "X y: z\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\n" HOST ": z\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\n" HOST "z\r\n\r\n", 400},
    {"GET /a HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n", 400},
    {"\nGET /a HTTP/1.1\r\n" HOST "\r\n", 400},
    /* request lines */
    {"GET /a b HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /a\x01 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET a HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /a XTTP/1.1\r\n" HOST "\r\n", 400},
    {"\x16\x03\x01\x02\x01", 400},
    {"\r\n\r\n\x01", 400},
    {"BREW /a HTTP/1.1\r\n" HOST "\r\n", 405},
    {"get /a HTTP/1.1\r\n" HOST "\r\n", 405},
    {"GET /a HTTP/1.2\r\n" HOST "\r\n", 505},
    {"GET /a HTTP/2.0\r\n" HOST "\r\n", 505},
    {"GET /a HTTP/0.9\r\n" HOST "\r\n", 505},
    {"GET /a\r\n", 505},
    {"GET /aHTTP/1.1\r\n" HOST "no field\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
};

static void improper_requests_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(refuseds) * LENGTH_OF(steps); i++) {
        const struct refused *refused = &refuseds[i / LENGTH_OF(steps)];
        size_t step = steps[i % LENGTH_OF(steps)];
        struct request request;
        char *block;
        size_t length = strlen(refused->text);
        assert_int_equal(feed(&request, refused->text, length, step, &block), REQUEST_BAD);
        assert_int_equal(request.refusal, refused->status);
        free(block);
    }
}

static void nul_is_refused_wherever_it_stands(void **state) {
    (void)state;
    static const char text[] = "GET /abc HTTP/1.1\r\nHost: x\r\nX-Y: abc\r\n\r\n";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char copy[sizeof text];
        struct request request;
        char *block;
        memcpy(copy, text, sizeof text);
        copy[i] = '\0';
        assert_int_equal(feed(&request, copy, sizeof text - 1, 1000, &block), REQUEST_BAD);
        free(block);
    }
}

/* A request line or a head of any length, given over whole and in pieces. */
static int refusal_of_long(const char *begin, char filling, size_t length, size_t step) {
    char *text = malloc(length);
    struct request request;
    char *block;
    assert_non_null(text);
    memset(text, filling, length);
    memcpy(text, begin, strlen(begin));
    enum request_state state = feed(&request, text, length, step, &block);
    free(text);
    free(block);
    return state == REQUEST_MORE ? 0 : request.refusal;
}

static void long_requests_are_refused(void **state) {
    (void)state;
    static const size_t big_steps[] = {1000, 4096, 10000000};
    for (size_t i = 0; i < LENGTH_OF(big_steps); i++) {
        size_t step = big_steps[i];
        assert_int_equal(refusal_of_long("GET /", 'a', 8000, step), 0);
        assert_int_equal(refusal_of_long("GET /", 'a', 8200, step), 414);
        assert_int_equal(refusal_of_long("GET /", 'a', 1000000, step), 414);
        assert_int_equal(refusal_of_long("GET ", ' ', 1000000, step), 414);
        assert_int_equal(refusal_of_long("GET / HTTP/1.1\r\nX: ", 'a', 131000, step), 0);
        assert_int_equal(refusal_of_long("GET / HTTP/1.1\r\nX: ", 'a', 131073, step), 431);
        assert_int_equal(refusal_of_long("GET / HTTP/1.1\r\nX: ", 'a', 1000000, step), 431);
        assert_int_equal(refusal_of_long("GET / HTTP/1.1\r\nX", 'a', 1000000, step), 431);
    }
    assert_int_not_equal(refusal_of_long("\r\n", '\r', 1000000, 1000), 0);
}

static void the_largest_head_is_taken(void **state) {
    (void)state;
    static const char begin[] = "GET / HTTP/1.1\r\n" HOST "X: ";
    char *text = malloc(REQUEST_HEAD_BYTES_MAX);
    struct request request;
    char *block;
    assert_non_null(text);
    memset(text, 'a', REQUEST_HEAD_BYTES_MAX);
    memcpy(text, begin, sizeof begin - 1);
    memcpy(text + REQUEST_HEAD_BYTES_MAX - 4, "\r\n\r\n", 4);
    assert_int_equal(feed(&request, text, REQUEST_HEAD_BYTES_MAX, 4096, &block), REQUEST_HEAD);
    assert_int_equal(request.head_bytes, REQUEST_HEAD_BYTES_MAX);
    free(text);
    free(block);
}

static void a_refusal_stays(void **state) {
    (void)state;
    struct request request;
    struct error err;
    request_init(&request);
    assert_int_equal(request_feed(&request, "\x01", 1, &err), REQUEST_BAD);
    assert_int_equal(request_feed(&request, "\x01GET / HTTP/1.1\r\n", 17, &err), REQUEST_BAD);
    assert_int_equal(request.refusal, 400);
}

static void the_first_of_two_lines_is_kept(void **state) {
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\n" HOST "Range: bytes=0-1\r\nrange: x\r\n\r\n";
    struct request request;
    char *block;
    char value[32];
    assert_int_equal(feed(&request, text, sizeof text - 1, 5, &block), REQUEST_HEAD);
    request_field(&request, block, FIELD_RANGE, value, sizeof value);
    assert_string_equal(value, "bytes=0-1");
    assert_int_equal(request.field_twice, 1U << FIELD_RANGE);
    free(block);
}

static void gather(const char *value, size_t length, void *context) {
    char *text = context;
    snprintf(text + strlen(text), 100 - strlen(text), "[%.*s]", (int)length, value);
}

static void each_line_of_a_field_is_given(void **state) {
    (void)state;
    static const char text[] = "GET /SymbolChecksum:no HTTP/1.1\r\n" HOST
                               "SymbolChecksum: one\r\nX: SymbolChecksum: no\r\n"
                               "symbolchecksum:two \r\nSymbolChecksums: "
                               "no\r\nSymbolChecksum:\r\n\r\nSymbolChecksum: no\r\n";
    for (size_t i = 0; i < LENGTH_OF(steps); i++) {
        struct request request;
        char *block;
        char found[100] = "";
        assert_int_equal(feed(&request, text, sizeof text - 1, steps[i], &block), REQUEST_HEAD);
        request_each(&request, block, "SymbolChecksum", gather, found);
        assert_string_equal(found, "[ one][two ][]");
        free(block);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_head_are_found),
        cmocka_unit_test(every_kept_field_is_found),
        cmocka_unit_test(proper_requests_are_taken),
        cmocka_unit_test(improper_requests_are_refused),
        cmocka_unit_test(nul_is_refused_wherever_it_stands),
        cmocka_unit_test(long_requests_are_refused),
        cmocka_unit_test(the_largest_head_is_taken),
        cmocka_unit_test(a_refusal_stays),
        cmocka_unit_test(the_first_of_two_lines_is_kept),
        cmocka_unit_test(each_line_of_a_field_is_given),
    };
    return RUN_TESTS(tests);
}
