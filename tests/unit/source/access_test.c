// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "source/source_http.h"
#include "unit/base/check.h"

static const struct hash_key key = {{7, 8}};

static void authentications_have_names(void **state) {
    (void)state;
    static const char *const names[] = {"none", "basic", "digest", "ntlm", "negotiate", "bearer"};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        enum authentication read;
        assert_true(authentication_parse(names[i], &read));
        assert_string_equal(authentication_name(read), names[i]);
    }
    enum authentication kept = AUTHENTICATION_NTLM;
    assert_false(authentication_parse("Basic", &kept));
    assert_false(authentication_parse("", &kept));
    assert_int_equal(kept, AUTHENTICATION_NTLM);
}

static void handshakes_are_told(void **state) {
    (void)state;
    assert_true(authentication_shakes_hands(AUTHENTICATION_DIGEST));
    assert_true(authentication_shakes_hands(AUTHENTICATION_NTLM));
    assert_true(authentication_shakes_hands(AUTHENTICATION_NEGOTIATE));
    assert_false(authentication_shakes_hands(AUTHENTICATION_NONE));
    assert_false(authentication_shakes_hands(AUTHENTICATION_BASIC));
    assert_false(authentication_shakes_hands(AUTHENTICATION_BEARER));
}

static void versions_of_tls_are_read(void **state) {
    (void)state;
    enum tls_version version = TLS_VERSION_ANY;
    assert_true(tls_version_parse("1.2", &version) && version == TLS_VERSION_1_2);
    assert_true(tls_version_parse("1.3", &version) && version == TLS_VERSION_1_3);
    assert_false(tls_version_parse("1.1", &version));
    assert_false(tls_version_parse("", &version));
    assert_int_equal(version, TLS_VERSION_1_3);
}

static void headers_of_ones_own(void **state) {
    (void)state;
    static const char *const good[][2] = {
        {"X-Api-Key", "abc"},   {"Authorization", "token x"},
        {"Cookie", "a=b; c=d"}, {"X-Empty", ""},
        {"Accept", "*/*"},      {"X", "\tblank and tab"},
        {"X-A_b~1", "x"},       {"X-UTF-8", "\xc3\xa4 and \xff"},
    };
    for (size_t i = 0; i < LENGTH_OF(good); i++)
        assert_null(header_fault(good[i][0], good[i][1]));
    static const char *const bad[][2] = {
        {"", "x"},
        {"X Y", "x"},
        {"X:", "x"},
        {"X\r\nY", "x"},
        {"X-\xc3\xa4", "x"},
        {"X", "a\r\nHost: evil"},
        {"X", "a\nb"},
        {"X", "\r"},
        {"X", "a\x01"},
        {"X", "a\x7f"},
        {"host", "x"},
        {"HOST", "x"},
        {"Content-Length", "0"},
        {"Transfer-Encoding", "chunked"},
        {"Range", "bytes=0-1"},
        {"If-Range", "x"},
        {"If-None-Match", "*"},
        {"Accept-Encoding", "br"},
        {"User-Agent", "x"},
        {"Proxy-Authorization", "x"},
        {"Connection", "close"},
        {"Expect", "100-continue"},
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        if (!header_fault(bad[i][0], bad[i][1]))
            fail_msg("\"%s: %s\" should be refused", bad[i][0], bad[i][1]);
}

static const char *const one[] = {"X-One", NULL};
static const char *const other[] = {"X-Other", NULL};

/* Each says something else about how the server is reached. */
static const struct {
    const char *remote;
    struct source_access access;
    struct source_route route;
} different[] = {
    {"http://h/s", {0}, {0}},
    {"http://user@h/s", {0}, {0}},
    {"http://user:password@h/s", {0}, {0}},
    {"http://h/s", {.authentication = AUTHENTICATION_NEGOTIATE}, {0}},
    {"http://h/s", {.authentication = AUTHENTICATION_BASIC, .user = "ann"}, {0}},
    {"http://h/s", {.authentication = AUTHENTICATION_DIGEST, .user = "ann"}, {0}},
    {"http://h/s", {.authentication = AUTHENTICATION_BASIC, .user = "bob"}, {0}},
    {"http://h/s", {.authentication = AUTHENTICATION_BASIC, .password = "ann"}, {0}},
    {"http://h/s", {.authentication = AUTHENTICATION_BEARER, .token = "ann"}, {0}},
    {"http://h/s", {.header_names = {one, 1}, .header_values = {one, 1}}, {0}},
    {"http://h/s", {.header_names = {other, 1}, .header_values = {one, 1}}, {0}},
    {"http://h/s", {.header_names = {one, 1}, .header_values = {other, 1}}, {0}},
    {"http://h/s", {.client_certificate = "/a.pem"}, {0}},
    {"http://h/s", {.client_certificate = "/a.pem", .client_key = "/a.key"}, {0}},
    {"http://h/s", {.client_certificate = "/a.pem", .client_key_password = "x"}, {0}},
    {"http://h/s", {0}, {.proxy = ""}},
    {"http://h/s", {0}, {.proxy = "http://p"}},
    {"http://h/s", {0}, {.proxy = "http://p", .no_proxy = "x"}},
    {"http://h/s", {0}, {.proxy = "http://p", .proxy_user = "x"}},
    {"http://h/s", {0}, {.proxy = "http://p", .proxy_password = "x"}},
    {"http://h/s", {0}, {.proxy = "http://p", .proxy_authentication = AUTHENTICATION_NTLM}},
    {"http://h/s", {0}, {.ca_file = "/ca.pem"}},
    {"http://h/s", {0}, {.tls_version = TLS_VERSION_1_2}},
    {"http://h/s", {0}, {.tls_version = TLS_VERSION_1_3}},
    {"http://h/s", {0}, {.accept_bad_certificate = true}},
};

static struct source *source_of(size_t index) {
    struct source_options options = {.identifier = "one",
                                     .name = "One",
                                     .remote = different[index].remote,
                                     .access = different[index].access,
                                     .route = different[index].route};
    struct error err;
    struct source *source = source_http_new(&options, &key, &err);
    assert_non_null(source);
    return source;
}

static void whatever_changes_how_it_is_reached_changes_the_fingerprint(void **state) {
    (void)state;
    uint64_t prints[LENGTH_OF(different)];
    for (size_t i = 0; i < LENGTH_OF(different); i++) {
        struct source *source = source_of(i);
        struct source *again = source_of(i);
        prints[i] = source->fingerprint;
        assert_true(again->fingerprint == prints[i]);
        source_free(source);
        source_free(again);
        for (size_t n = 0; n < i; n++)
            if (prints[n] == prints[i])
                fail_msg("cases %zu and %zu have one fingerprint", n, i);
    }
}

/* Options are copied whole: nothing of the caller's is looked at later. */
static void options_are_copied(void **state) {
    (void)state;
    char user[] = "ann", password[] = "s3cret", header[] = "X-Key", value[] = "v", proxy[] = "";
    const char *names[] = {header}, *values[] = {value};
    struct source_options options = {
        .identifier = "one",
        .name = "One",
        .remote = "http://other:userinfo@h/s",
        .access = {.authentication = AUTHENTICATION_DIGEST,
                   .user = user,
                   .password = password,
                   .header_names = {names, 1},
                   .header_values = {values, 1}},
        .route = {.proxy = proxy},
    };
    struct error err;
    struct source *source = source_http_new(&options, &key, &err);
    assert_non_null(source);
    names[0] = values[0] = NULL;
    user[0] = password[0] = header[0] = value[0] = proxy[0] = '!';
    const struct source_access *access = &source->options.access;
    assert_string_equal(access->user, "ann"); /* what was said apart wins over the URL */
    assert_string_equal(access->password, "s3cret");
    assert_int_equal(access->authentication, AUTHENTICATION_DIGEST);
    assert_int_equal(access->header_names.count, 1);
    assert_string_equal(access->header_names.texts[0], "X-Key");
    assert_string_equal(access->header_values.texts[0], "v");
    assert_string_equal(source->options.route.proxy, "");
    assert_null(source->options.route.no_proxy);
    source_free(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authentications_have_names),
        cmocka_unit_test(handshakes_are_told),
        cmocka_unit_test(versions_of_tls_are_read),
        cmocka_unit_test(headers_of_ones_own),
        cmocka_unit_test(whatever_changes_how_it_is_reached_changes_the_fingerprint),
        cmocka_unit_test(options_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
