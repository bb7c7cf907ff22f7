// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "unit/source/asker.h"

static bool serve_plain(struct peer *peer) {
    if (strncmp(peer->head, "GET " ASKER_PATH " HTTP/1.1\r\n", strlen(ASKER_PATH) + 15) != 0 ||
        strcmp(peer_header(peer, "User-Agent"), "tester/1") != 0 ||
        strcmp(peer_header(peer, "Accept-Encoding"), "gzip") != 0 || peer_header(peer, "Range")) {
        peer_send_head(peer, "400 Not as it should be\r\nContent-Length: 0");
        return true;
    }
    peer_send_head(peer, "200 OK\r\nContent-Length: 5\r\nETag: \"abc\"\r\n"
                         "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT");
    peer_send(peer, "hello");
    return true;
}

static void a_file_is_found(void **state) {
    (void)state;
    asker_begin(serve_plain);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_int_equal(asker.content.size, 5);
    assert_int_equal(asker.content.start, 0);
    assert_string_equal(asker.content.validator, "\"abc\"");
    assert_int_equal(asker.content.last_modified, 1000000000);
    assert_false(asker.content.encoded || asker.content.redirected || asker.content.announced_html);
    assert_int_equal(asker.note.status, 200);
    assert_string_equal(asker.note.url, origin_url(asker.origin, ASKER_PATH));
    assert_body("hello");
}

static void a_connection_is_kept(void **state) {
    (void)state;
    asker_begin(serve_plain);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(asker_ask(), SOURCE_FOUND);
        assert_body("hello");
    }
    assert_int_equal(origin_connections(asker.origin), 1);
    assert_int_equal(asker_ask_with(NULL, true), SOURCE_FOUND);
    assert_body("hello");
    assert_int_equal(origin_connections(asker.origin), 2);
}

static void absent_is_what_the_source_calls_so(void **state) {
    (void)state;
    static const char *const names[] = {"404 Not Found", "410 Gone", "403 Forbidden"};
    asker_begin(asker_serve_canned);
    for (unsigned i = 0; i < 3; i++) {
        char answer[256];
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nnot here\n",
                 names[i]);
        asker_can(answer, NULL);
        assert_int_equal(asker_ask(), SOURCE_ABSENT);
    }
    assert_int_equal(asker.note.status, 403);
    /* The pages have been read, so the connection serves again. */
    assert_int_equal(origin_connections(asker.origin), 1);
}

static bool serve_unless(struct peer *peer) {
    const char *tag = peer_header(peer, "If-None-Match");
    bool same = tag && strcmp(tag, "\"abc\"") == 0;
    const char *since = peer_header(peer, "If-Modified-Since");
    same |= since && strcmp(since, "Sun, 09 Sep 2001 01:46:40 GMT") == 0;
    if (same)
        peer_send_head(peer, "304 Not Modified\r\nETag: \"abc\"");
    else
        peer_send_head(peer, "200 OK\r\nContent-Length: 5\r\nETag: \"def\"");
    if (!same)
        peer_send(peer, "hello");
    return true;
}

static void what_is_known_is_not_sent_again(void **state) {
    (void)state;
    asker_begin(serve_unless);
    struct file_mark marks[] = {
        {.known = true, .validator = "\"abc\""},
        {.known = true, .last_modified = 1000000000},
        {.known = true, .validator = "\"other\""},
    };
    for (unsigned i = 0; i < 2; i++) {
        asker.unless = &marks[i];
        assert_int_equal(asker_ask(), SOURCE_SAME);
        assert_int_equal(asker.note.status, 304);
    }
    asker.unless = &marks[2];
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("hello");
    asker.unless = NULL;
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("hello");
    assert_int_equal(origin_connections(asker.origin), 1);
}

static void other_statuses_are_failures(void **state) {
    (void)state;
    static const int statuses[] = {201, 203, 204, 206, 300, 302, 304, 400, 401, 416, 500, 503};
    asker_begin(asker_serve_canned);
    for (unsigned i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        char answer[128];
        snprintf(answer, sizeof answer, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", statuses[i]);
        asker_can(answer, NULL);
        assert_failed(ERROR_STATUS);
        assert_int_equal(asker.note.status, statuses[i]);
        assert_int_equal(asker.call.retry_after_s, -1);
    }
}

static void retry_after_is_understood(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", NULL);
    assert_failed(ERROR_THROTTLED);
    assert_int_equal(asker.call.retry_after_s, -1);
    asker_can("HTTP/1.1 503 X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", NULL);
    assert_failed(ERROR_THROTTLED);
    assert_int_equal(asker.call.retry_after_s, 120);
    char date[64];
    time_t when = (time_t)clock_wall_s() + 3600;
    struct tm parts;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&when, &parts));
    char answer[256];
    snprintf(answer, sizeof answer,
             "HTTP/1.1 503 X\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    asker_can(answer, NULL);
    assert_failed(ERROR_THROTTLED);
    assert_in_range(asker.call.retry_after_s, 3500, 3600);
}

static bool serve_redirects(struct peer *peer) {
    if (strstr(peer->head, "GET /blob?sig=secret ")) {
        peer_send_head(peer, "200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
                             "Content-Length: 4");
        peer_send(peer, "blob");
        return true;
    }
    peer_send_head(peer, "302 Found\r\nLocation: /blob?sig=secret\r\nETag: \"of the way\"\r\n"
                         "Content-Length: 5");
    peer_send(peer, "moved");
    return true;
}

static void redirects_are_followed(void **state) {
    (void)state;
    asker_begin(serve_redirects);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_true(asker.content.redirected);
    assert_true(asker.content.announced_html);
    assert_string_equal(asker.content.validator, "");
    assert_int_equal(asker.content.size, 4);
    assert_null(strstr(asker.note.url, "secret"));
    assert_body("blob");
}

static void a_redirect_loop_ends(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", NULL);
    assert_failed(ERROR_REDIRECT);
    assert_int_equal(origin_requests(asker.origin), 11);
}

static void redirects_lead_to_http_only(void **state) {
    (void)state;
    static const char *const places[] = {"ftp://127.0.0.1/x", "file:///etc/passwd",
                                         "gopher://127.0.0.1/"};
    asker_begin(asker_serve_canned);
    for (unsigned i = 0; i < 3; i++) {
        char answer[256];
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", places[i]);
        asker_can(answer, NULL);
        assert_failed(ERROR_REDIRECT);
    }
}

static struct origin *elsewhere;

static bool serve_away(struct peer *peer) {
    const char *given = peer_header(peer, "Authorization");
    if (!given || strcmp(given, "Basic YW5uOnMzY3JldA==") != 0) {
        peer_send_head(peer, "401 Who\r\nContent-Length: 0");
        return true;
    }
    peer_send_head(peer, "302 Found\r\nLocation: %s\r\nContent-Length: 0",
                   origin_url(elsewhere, "/blob"));
    return true;
}

static bool serve_strangers(struct peer *peer) {
    if (peer_header(peer, "Authorization"))
        peer_send_head(peer, "400 Too much\r\nContent-Length: 0");
    else
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nblob");
    return true;
}

static void credentials_stay_with_their_server(void **state) {
    (void)state;
    asker_begin_bare(serve_away);
    elsewhere = origin_new(serve_strangers);
    char remote[128];
    snprintf(remote, sizeof remote, "http://ann:s3cret@%s", origin_url(asker.origin, "/base") + 7);
    struct source_options options = asker_options(remote);
    asker_use(&options);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_null(strstr(asker.note.url, "s3cret"));
    assert_body("blob");
    origin_free(elsewhere);
}

static void a_refused_connection_is_told(void **state) {
    (void)state;
    asker_begin_bare(serve_plain);
    struct origin *gone = origin_new(serve_plain);
    char remote[128];
    snprintf(remote, sizeof remote, "%s", origin_url(gone, ""));
    origin_free(gone);
    struct source_options options = asker_options(remote);
    asker_use(&options);
    assert_failed(ERROR_CONNECT);
}

static void what_is_no_http_is_told(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("SSH-2.0-OpenSSH connection: close\r\n", NULL);
    assert_failed(ERROR_STATUS);
}

static bool serve_endless_head(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < 20000; i++)
        peer_send(peer, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    return false;
}

static void an_endless_head_is_cut(void **state) {
    (void)state;
    asker_begin(serve_endless_head);
    assert_int_equal(asker_ask(), SOURCE_FAILED);
    assert_int_equal(asker.err.kind, ERROR_STATUS);
}

static bool serve_ranges(struct peer *peer) {
    const char *range = peer_header(peer, "Range");
    char asked[64];
    snprintf(asked, sizeof asked, "%s", range ? range : "none");
    const char *condition = peer_header(peer, "If-Range");
    bool honoured = range && condition &&
                    (strcmp(condition, "\"abc\"") == 0 ||
                     strcmp(condition, "Sun, 09 Sep 2001 01:46:40 GMT") == 0) &&
                    strcmp(asked, "bytes=6-") == 0 &&
                    strcmp(peer_header(peer, "Accept-Encoding"), "identity") == 0;
    if (honoured)
        peer_send(peer, "HTTP/1.1 206 Partial\r\nETag: \"abc\"\r\nContent-Length: 5\r\n"
                        "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\n"
                        "Content-Range: bytes 6-10/11\r\n\r\nworld");
    else
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
    return true;
}

static void a_body_is_taken_up(void **state) {
    (void)state;
    asker_begin(serve_ranges);
    struct resume resume = {.offset = 6, .size = 11, .validator = "\"abc\""};
    assert_int_equal(asker_ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(asker.content.start, 6);
    assert_int_equal(asker.content.size, 11);
    assert_body("world");
    resume = (struct resume){.offset = 6, .size = 11, .last_modified = 1000000000};
    assert_int_equal(asker_ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(asker.content.start, 6);
    assert_body("world");
}

static void a_time_alone_takes_nothing_up(void **state) {
    (void)state;
    asker_begin(serve_ranges);
    struct resume resume = {.offset = 6, .size = SIZE_UNKNOWN, .last_modified = 1000000000};
    assert_int_equal(asker_ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(asker.content.start, 0);
    assert_body("hello world");
}

static void a_resume_that_is_not_honoured_begins_at_the_start(void **state) {
    (void)state;
    asker_begin(serve_ranges);
    struct resume resume = {.offset = 6, .size = 11, .validator = "\"other\""};
    assert_int_equal(asker_ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(asker.content.start, 0);
    assert_int_equal(asker.content.size, 11);
    assert_body("hello world");
    /* Without a condition no range is asked for. */
    resume = (struct resume){.offset = 6, .size = 11};
    assert_int_equal(asker_ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(asker.content.start, 0);
    assert_body("hello world");
}

static void a_wrong_part_is_not_taken(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "206 X\r\nContent-Range: bytes 5-10/11",
        "206 X\r\nContent-Range: bytes 6-10/12",
        "206 X\r\nContent-Range: bytes 6-9/11",
        "206 X\r\nContent-Range: bytes 6-11/12",
        "206 X\r\nContent-Range: bytes 6-10/11\r\nETag: \"other\"",
        "206 X\r\nContent-Range: bytes 6-10/11\r\nContent-Encoding: gzip",
        "206 X\r\nContent-Type: multipart/byteranges; boundary=x",
        "416 X\r\nContent-Range: bytes */11",
    };
    asker_begin(asker_serve_canned);
    struct resume resume = {.offset = 6, .size = 11, .validator = "\"abc\""};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char answer[256];
        snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: 5\r\n\r\nworld", wrong[i]);
        asker_can(answer, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
        assert_int_equal(asker_ask_with(&resume, false), SOURCE_FOUND);
        assert_int_equal(asker.content.start, 0);
        assert_body("hello world");
    }
}

static void what_is_no_remote_is_refused(void **state) {
    (void)state;
    static const char *const remotes[] = {"ftp://host/x",
                                          "host/x",
                                          "http://",
                                          "http://ann:s3cret@host/x?token=s3cret#part",
                                          "http://host/x#part",
                                          "",
                                          "/srv/symbols",
                                          "http://host:99999/"};
    asker_begin_bare(serve_plain);
    for (unsigned i = 0; i < sizeof remotes / sizeof *remotes; i++) {
        struct source_options options = asker_options(remotes[i]);
        assert_null(source_http_new(&options, &asker_key, &asker.err));
        assert_int_equal(asker.err.kind, ERROR_CONFIG);
        assert_null(strstr(asker.err.what, "s3cret"));
    }
}

static bool serve_signed(struct peer *peer) {
    bool signed_url =
        strstr(peer->head, "/base/App.pdb/") && strstr(peer->head, "/App.pdb?sig=a%2Bb&v=1 ");
    peer_send(peer, signed_url ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                               : "HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n");
    return true;
}

static void query_follows_the_path(void **state) {
    (void)state;
    asker_begin_bare(serve_signed);
    struct source_options options = asker_options(origin_url(asker.origin, "/base/?sig=a%2Bb&v=1"));
    asker_use(&options);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("ok");
    assert_null(strstr(asker.note.url, "sig="));
}

static void doubled_slashes_are_not_sent(void **state) {
    (void)state;
    asker_begin_bare(serve_plain);
    struct source_options options = asker_options(origin_url(asker.origin, "//base//"));
    asker_use(&options);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("hello");
}

static bool serve_strange_name(struct peer *peer) {
    bool encoded = strstr(peer->head, "/a%20b%25%3F%23.pdb/");
    peer_send(peer, encoded ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                            : "HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n");
    return true;
}

static void names_are_encoded(void **state) {
    (void)state;
    asker_begin(serve_strange_name);
    snprintf(asker.path, sizeof asker.path, "a b%%?#.pdb/1/a b%%?#.pdb");
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("ok");
}

static void the_fingerprint_tells_where_is_asked(void **state) {
    (void)state;
    asker_begin_bare(serve_plain);
    struct source_options options = asker_options("http://ann:s3cret@host/x");
    struct source *one = source_http_new(&options, &asker_key, &asker.err);
    options = asker_options("http://ann:s3cret@host/x/");
    options.identifier = "two";
    options.requests_max = 3;
    options.priority = 7;
    struct source *two = source_http_new(&options, &asker_key, &asker.err);
    options = asker_options("http://ann:other@host/x");
    struct source *three = source_http_new(&options, &asker_key, &asker.err);
    assert_true(one->fingerprint == two->fingerprint);
    assert_true(one->fingerprint != three->fingerprint);
    count(&one->counters->asked);
    source_take_over(two, one);
    source_free(one);
    assert_int_equal(counted(&two->counters->asked), 1);
    source_free(two);
    source_free(three);
    source_free(NULL);
}

#define TEST(name) cmocka_unit_test_teardown(name, asker_finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_found),
        TEST(a_connection_is_kept),
        TEST(absent_is_what_the_source_calls_so),
        TEST(what_is_known_is_not_sent_again),
        TEST(other_statuses_are_failures),
        TEST(retry_after_is_understood),
        TEST(redirects_are_followed),
        TEST(a_redirect_loop_ends),
        TEST(redirects_lead_to_http_only),
        TEST(credentials_stay_with_their_server),
        TEST(a_refused_connection_is_told),
        TEST(what_is_no_http_is_told),
        TEST(an_endless_head_is_cut),
        TEST(a_body_is_taken_up),
        TEST(a_time_alone_takes_nothing_up),
        TEST(a_resume_that_is_not_honoured_begins_at_the_start),
        TEST(a_wrong_part_is_not_taken),
        TEST(what_is_no_remote_is_refused),
        TEST(query_follows_the_path),
        TEST(doubled_slashes_are_not_sent),
        TEST(names_are_encoded),
        TEST(the_fingerprint_tells_where_is_asked),
    };
    source_http_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
