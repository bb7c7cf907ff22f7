// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "source/http_redirect.h"
#include "unit/base/check.h"
#include "unit/source/asker.h"

static void origins_are_scheme_host_and_port(void **state) {
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } cases[] = {
        {"http://h/a", "http://h/b?c#d", true},
        {"http://h", "http://h:80/", true},
        {"https://h", "https://h:443/", true},
        {"HTTP://H/", "http://h/", true},
        {"http://[::1]:8/", "http://[::1]:8/x", true},
        {"http://user:p@h/", "http://other@h/", true},
        {"http://h%41/", "http://hA/", true},
        {"http://h/", "https://h/", false},
        {"http://h/", "http://h:8080/", false},
        {"http://h:8081/", "http://h:8080/", false},
        {"https://h/", "https://h:80/", false},
        {"http://h/", "http://hh/", false},
        {"http://h/", "http://h.example/", false},
        {"http://h.example/", "http://evil.h.example/", false},
        {"http://h.example/", "http://example/", false},
        {"http://h/", "http://h./", false},
        {"http://127.0.0.1/", "http://localhost/", false},
        {"http://h/", "http://h@evil/", false},
        {"http://h/", "http://evil/?http://h/", false},
        {"http://h/", "nonsense", false},
        {"http://h/", "", false},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        if (http_same_origin(cases[i].a, cases[i].b) != cases[i].same ||
            http_same_origin(cases[i].b, cases[i].a) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void places_are_found(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"http://other/x", "http://other/x"},
        {"HTTPS://other:8443/x?y", "https://other:8443/x?y"},
        {"/abs?sig=1", "http://h:81/abs?sig=1"},
        {"rel", "http://h:81/a/rel"},
        {"../up", "http://h:81/up"},
        {"?only=query", "http://h:81/a/b?only=query"},
        {"//elsewhere/x", "http://elsewhere/x"},
        {"/with space", "http://h:81/with%20space"},
        {"/frag#ment", "http://h:81/frag"},
        {"http://u:p@other/x", "http://u:p@other/x"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct error err = {0};
        char *place = http_redirect_target("http://h:81/a/b?q=1", cases[i][0], &err);
        assert_non_null(place);
        assert_string_equal(place, cases[i][1]);
        free(place);
    }
}

static void what_is_no_place_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "ftp://h/x",          "file:///etc/passwd", "gopher://h/", "smb://h/share/x",
        "javascript:alert()", "data:text/plain,x",  "http://",     "http://h:99999/",
        "http://h:port/",     "http://h\x01ost",    "/a\x7f",
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct error err = {0};
        char *place = http_redirect_target("http://h/a/b", cases[i], &err);
        if (place && (strncmp(place, "http://h/", 9) == 0))
            free(place); /* read as a relative path: it leads nowhere else */
        else if (place)
            fail_msg("\"%s\" leads to \"%s\"", cases[i], place);
        else
            assert_int_equal(err.kind, ERROR_REDIRECT);
    }
    static char longest[70000];
    memset(longest, 'x', sizeof longest - 1);
    memcpy(longest, "http://h/", 9);
    struct error err = {0};
    assert_null(http_redirect_target("http://h/a/b", longest, &err));
    assert_int_equal(err.kind, ERROR_REDIRECT);
}

/* Two servers: the source's own, and another one; each notes what it was shown. Guarded by
   asker_lock, as what is canned is. */
enum { WAYS_MAX = 4, SEEN_BYTES = 512 };

static struct origin *another;
static char ways[WAYS_MAX][256]; /* to which the requests in turn are led */
static unsigned way_count;
static unsigned taken;
static char seen[WAYS_MAX + 1][SEEN_BYTES];

static void note(struct peer *peer) {
    static const char *const shown[] = {"Authorization", "X-Key",    "User-Agent",
                                        "Range",         "If-Range", "Accept-Encoding"};
    char *text = seen[taken];
    text[0] = '\0';
    for (size_t i = 0; i < LENGTH_OF(shown); i++) {
        const char *value = peer_header(peer, shown[i]);
        size_t used = strlen(text);
        if (value)
            snprintf(text + used, SEEN_BYTES - used, "%s=%s;", shown[i], value);
    }
}

static bool serve_ways(struct peer *peer) {
    SCOPED_LOCK(&asker_lock);
    note(peer);
    if (taken < way_count)
        peer_send_head(peer, "302 Found\r\nLocation: %s\r\nContent-Length: 3", ways[taken]);
    else
        peer_send_head(peer, "200 OK\r\nContent-Length: 3");
    peer_send(peer, "yes");
    taken++;
    return true;
}

/* Asks with all that can be shown, over those redirects. */
static void ask_over(const struct source_access *access, const char *const *places) {
    asker_begin_bare(serve_ways);
    another = origin_new(serve_ways);
    lock_take(&asker_lock);
    taken = way_count = 0;
    for (; *places; places++) {
        const char *rest = &(*places)[1];
        struct origin *to = (*places)[0] == '>' ? another : asker.origin;
        snprintf(ways[way_count++], sizeof *ways, "%s", origin_url(to, rest));
    }
    lock_give(&asker_lock);
    struct source_options options = asker_options(origin_url(asker.origin, "/base"));
    options.access = *access;
    asker_use(&options);
    struct resume resume = {.offset = 6, .size = 11, .validator = "\"abc\""};
    assert_int_equal(asker_ask_with(&resume, false), SOURCE_FOUND);
    assert_true(asker.content.redirected == (way_count > 0));
    assert_body("yes");
    origin_free(another);
}

static const char *const key_name[] = {"X-Key"};
static const char *const key_value[] = {"open sesame"};

static const struct source_access shown = {
    .authentication = AUTHENTICATION_BASIC,
    .user = "ann",
    .password = "s3cret",
    .header_names = {key_name, 1},
    .header_values = {key_value, 1},
};

#define ALWAYS "User-Agent=tester/1;Range=bytes=6-;If-Range=\"abc\";Accept-Encoding=identity;"
#define SHOWN "Authorization=Basic YW5uOnMzY3JldA==;X-Key=open sesame;" ALWAYS

static void what_is_shown_stays_with_the_source(void **state) {
    (void)state;
    ask_over(&shown, (const char *[]){">/blob", NULL});
    assert_string_equal(seen[0], SHOWN);
    assert_string_equal(seen[1], ALWAYS);
}

static void its_own_redirects_are_shown_it(void **state) {
    (void)state;
    ask_over(&shown, (const char *[]){"=/one", "=/two", NULL});
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(seen[i], SHOWN);
    assert_int_equal(origin_connections(asker.origin), 1);
}

static void who_was_sent_back_is_a_stranger(void **state) {
    (void)state;
    ask_over(&shown, (const char *[]){"=/one", ">/blob", "=/back", NULL});
    assert_string_equal(seen[0], SHOWN);
    assert_string_equal(seen[1], SHOWN);
    assert_string_equal(seen[2], ALWAYS);
    assert_string_equal(seen[3], ALWAYS);
}

static void a_token_stays_too(void **state) {
    (void)state;
    struct source_access token = {.authentication = AUTHENTICATION_BEARER, .token = "abc.def"};
    ask_over(&token, (const char *[]){"=/one", ">/blob", NULL});
    assert_string_equal(seen[0], "Authorization=Bearer abc.def;" ALWAYS);
    assert_string_equal(seen[1], "Authorization=Bearer abc.def;" ALWAYS);
    assert_string_equal(seen[2], ALWAYS);
}

static void an_empty_user_is_one(void **state) {
    (void)state;
    struct source_access access = {.authentication = AUTHENTICATION_BASIC, .password = "pat"};
    ask_over(&access, (const char *[]){NULL});
    assert_string_equal(seen[0], "Authorization=Basic OnBhdA==;" ALWAYS);
}

static void an_empty_header_is_sent(void **state) {
    (void)state;
    static const char *const empty[] = {""};
    struct source_access access = {.header_names = {key_name, 1}, .header_values = {empty, 1}};
    ask_over(&access, (const char *[]){">/blob", NULL});
    assert_string_equal(seen[0], "X-Key=;" ALWAYS);
    assert_string_equal(seen[1], ALWAYS);
}

/* The server's word of a handshake that goes on is no answer; of one that has failed it is. Its
   nonce counts for as long as `nonce` says. */
static char nonce[8] = "n0";

static bool serve_digest(struct peer *peer) {
    SCOPED_LOCK(&asker_lock);
    const char *given = peer_header(peer, "Authorization");
    char wanted[32];
    snprintf(wanted, sizeof wanted, "nonce=\"%s\"", nonce);
    bool good = given && strstr(given, wanted) && strstr(given, "username=\"ann\"");
    taken += !good;
    if (good && !strstr(peer->head, "/refused")) {
        peer_send_head(peer, "200 OK\r\nContent-Length: 5");
        peer_send(peer, "hello");
        return true;
    }
    peer_send_head(peer,
                   "401 Who\r\nWWW-Authenticate: Digest realm=\"r\", qop=\"auth\", "
                   "nonce=\"%s\"\r\nContent-Length: 9",
                   nonce);
    peer_send(peer, "not so...");
    return true;
}

static void begin_digest(const char *base) {
    asker_begin_bare(serve_digest);
    taken = 0;
    struct source_options options = asker_options(origin_url(asker.origin, base));
    options.access = (struct source_access){
        .authentication = AUTHENTICATION_DIGEST, .user = "ann", .password = "s3cret"};
    asker_use(&options);
}

static void a_handshake_is_no_answer(void **state) {
    (void)state;
    begin_digest("/base");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(asker_ask(), SOURCE_FOUND);
        assert_int_equal(asker.content.size, 5);
        assert_body("hello");
        assert_false(asker.content.redirected);
    }
    SCOPED_LOCK(&asker_lock);
    assert_int_equal(taken, 1); /* the nonce is remembered */
    assert_int_equal(origin_connections(asker.origin), 1);
}

/* Whether the server calls it stale or not. */
static void a_nonce_that_counts_no_more_is_replaced(void **state) {
    (void)state;
    begin_digest("/base");
    for (unsigned i = 0; i < 3; i++) {
        lock_take(&asker_lock);
        snprintf(nonce, sizeof nonce, "n%u", i + 1);
        lock_give(&asker_lock);
        assert_int_equal(asker_ask(), SOURCE_FOUND);
        assert_body("hello");
        assert_false(asker.content.redirected);
    }
}

/* A proxy under Digest that leads through to nowhere: what is behind it is not TLS. */
static bool serve_tunnel(struct peer *peer) {
    SCOPED_LOCK(&asker_lock);
    const char *given = peer_header(peer, "Proxy-Authorization");
    char wanted[32];
    snprintf(wanted, sizeof wanted, "nonce=\"%s\"", nonce);
    taken++;
    if (given && strstr(given, wanted)) {
        peer_send(peer, "HTTP/1.1 200 OK\r\n\r\nno TLS at all");
        return false;
    }
    peer_send_head(peer,
                   "407 Who\r\nProxy-Authenticate: Digest realm=\"r\", qop=\"auth\", "
                   "nonce=\"%s\"\r\nContent-Length: 0",
                   nonce);
    return true;
}

static void a_proxys_nonce_that_counts_no_more_is_replaced(void **state) {
    (void)state;
    asker_begin_bare(serve_tunnel);
    struct source_options options = asker_options("https://127.0.0.1:1/base");
    options.route = (struct source_route){.proxy = origin_url(asker.origin, ""),
                                          .proxy_authentication = AUTHENTICATION_DIGEST,
                                          .proxy_user = "ann",
                                          .proxy_password = "s3cret"};
    asker_use(&options);
    taken = 0;
    static const unsigned questions[] = {2, 3, 6}; /* in all: without, with, outdated */
    for (unsigned i = 0; i < 3; i++) {
        lock_take(&asker_lock);
        snprintf(nonce, sizeof nonce, "n%u", i / 2);
        lock_give(&asker_lock);
        assert_failed(ERROR_TLS);
        SCOPED_LOCK(&asker_lock);
        assert_int_equal(taken, questions[i]);
    }
}

/* What a proxy said in a handshake is not why it failed. */
static bool serve_half_a_handshake(struct peer *peer) {
    if (peer->request > 0 || peer->connection > 0)
        return peer_reset(peer);
    peer_send_head(peer, "407 Who\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
                         "Content-Length: 0");
    return true;
}

static void a_handshake_that_breaks_off_is_no_refusal(void **state) {
    (void)state;
    asker_begin_bare(serve_half_a_handshake);
    struct source_options options = asker_options("https://127.0.0.1:1/base");
    options.route = (struct source_route){.proxy = origin_url(asker.origin, ""),
                                          .proxy_authentication = AUTHENTICATION_DIGEST,
                                          .proxy_user = "ann",
                                          .proxy_password = "s3cret"};
    asker_use(&options);
    assert_int_equal(asker_ask(), SOURCE_FAILED);
    assert_null(strstr(asker.err.what, "407"));
}

static void a_handshake_that_fails_is_one(void **state) {
    (void)state;
    begin_digest("/refused");
    for (unsigned i = 0; i < 2; i++) {
        assert_failed(ERROR_STATUS);
        assert_int_equal(asker.note.status, 401);
        assert_non_null(strstr(asker.err.what, "credentials"));
    }
}

static bool serve_elsewhere(struct peer *peer) {
    peer_send_head(peer, "302 Found\r\nLocation: %s\r\nContent-Length: 0",
                   origin_url(another, "/blob"));
    return true;
}

static bool serve_unknown(struct peer *peer) {
    peer_send_head(peer, "401 Who\r\nContent-Length: 0");
    return true;
}

static void who_is_refused_elsewhere_is_told_why(void **state) {
    (void)state;
    asker_begin(serve_elsewhere);
    another = origin_new(serve_unknown);
    assert_failed(ERROR_STATUS);
    assert_int_equal(asker.note.status, 401);
    assert_non_null(strstr(asker.err.what, "redirect"));
    origin_free(another);
}

static void a_bad_proxy_is_told_without_its_password(void **state) {
    (void)state;
    static const char *const proxies[] = {"foo://ann:s3cret@127.0.0.1:1",
                                          "http://ann:s3cret@[nonsense:1",
                                          "http://ann:s3cret@127.0.0.1:1"};
    for (size_t i = 0; i < LENGTH_OF(proxies); i++) {
        asker_begin_bare(serve_unknown);
        struct source_options options = asker_options(origin_url(asker.origin, "/base"));
        options.route.proxy = proxies[i];
        asker_use(&options);
        assert_failed(ERROR_CONNECT);
        assert_null(strstr(asker.err.what, "s3cret"));
        assert_int_equal(origin_requests(asker.origin), 0);
        if (i + 1 < LENGTH_OF(proxies))
            asker_finish(state);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, asker_finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_are_scheme_host_and_port),
        cmocka_unit_test(places_are_found),
        cmocka_unit_test(what_is_no_place_is_refused),
        TEST(what_is_shown_stays_with_the_source),
        TEST(its_own_redirects_are_shown_it),
        TEST(who_was_sent_back_is_a_stranger),
        TEST(a_token_stays_too),
        TEST(an_empty_user_is_one),
        TEST(an_empty_header_is_sent),
        TEST(a_handshake_is_no_answer),
        TEST(a_nonce_that_counts_no_more_is_replaced),
        TEST(a_proxys_nonce_that_counts_no_more_is_replaced),
        TEST(a_handshake_that_breaks_off_is_no_refusal),
        TEST(a_handshake_that_fails_is_one),
        TEST(who_is_refused_elsewhere_is_told_why),
        TEST(a_bad_proxy_is_told_without_its_password),
    };
    source_http_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
