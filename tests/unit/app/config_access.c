// SPDX-License-Identifier: MIT
//
// How servers on HTTP are reached: what follows from what is given, and what contradicts what.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "unit/app/parse.h"
#include "unit/base/check.h"

/* A server on https with these keys beside its remote. */
static struct parsed server_with(const char *keys) {
    return parse_with("{\"servers\": [{\"remote\": \"https://h.example/s\", %s}]}", keys);
}

static const struct config_server *only(const struct parsed *parsed) {
    assert_non_null(parsed->config);
    assert_int_equal(parsed->config->server_count, 1);
    return &parsed->config->servers[0];
}

static void what_is_given_says_how_it_is_shown(void **state) {
    (void)state;
    static const struct {
        const char *keys;
        enum authentication how;
    } cases[] = {
        {"\"user\": \"ann\", \"password\": \"x\"", AUTHENTICATION_BASIC},
        {"\"user\": \"ann\"", AUTHENTICATION_BASIC},
        {"\"password\": \"pat\"", AUTHENTICATION_BASIC},
        {"\"user\": \"\", \"password\": \"pat\"", AUTHENTICATION_BASIC},
        {"\"token\": \"t\"", AUTHENTICATION_BEARER},
        {"\"token\": \"t\", \"authentication\": \"bearer\"", AUTHENTICATION_BEARER},
        {"\"authentication\": \"none\"", AUTHENTICATION_NONE},
        {"\"authentication\": \"\"", AUTHENTICATION_NONE},
        {"\"authentication\": \"negotiate\"", AUTHENTICATION_NEGOTIATE},
        {"\"authentication\": \"digest\", \"user\": \"ann\", \"password\": \"x\"",
         AUTHENTICATION_DIGEST},
        {"\"authentication\": \"ntlm\", \"user\": \"D\\\\ann\", \"password\": \"x\"",
         AUTHENTICATION_NTLM},
        {"\"headers\": {\"Authorization\": \"token x\"}", AUTHENTICATION_NONE},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        PARSED parsed = server_with(cases[i].keys);
        assert_int_equal(parsed.problems.count, 0);
        assert_int_equal(only(&parsed)->access.authentication, cases[i].how);
    }
    PARSED in_url = parse_good("{\"servers\": [{\"remote\": \"https://u:p@h/s\"},"
                               " {\"remote\": \"https://u:p@h/s\", \"authentication\": \"digest\"},"
                               " {\"remote\": \"https://h/s\"}]}");
    assert_int_equal(in_url.config->servers[0].access.authentication, AUTHENTICATION_BASIC);
    assert_int_equal(in_url.config->servers[1].access.authentication, AUTHENTICATION_DIGEST);
    assert_int_equal(in_url.config->servers[2].access.authentication, AUTHENTICATION_NONE);
}

static void the_rest_is_kept(void **state) {
    (void)state;
    setenv("PLANTED", "from the environment", 1);
    PARSED parsed =
        server_with("\"headers\": {\"X-A\": \"${PLANTED}\", \"X-B\": {\"file\": \"/dev/null\"}},"
                    " \"proxy\": \"http://p.example:3128/\", \"proxyUser\": \"u\","
                    " \"proxyPassword\": \"p\", \"noProxy\": [\".corp\", \"10.0.0.0/8\"],"
                    " \"caFile\": \"/dev/null\", \"tlsVersion\": \"1.3\","
                    " \"clientCertificate\": \"/dev/null\", \"clientKeyPassword\": \"k\"");
    const struct config_access *access = &only(&parsed)->access;
    assert_int_equal(parsed.problems.count, 0);
    assert_int_equal(access->headers.count, 2);
    assert_string_equal(access->headers.to[0], "from the environment");
    assert_string_equal(access->headers.to[1], "");
    assert_int_equal(access->proxy_authentication, AUTHENTICATION_BASIC);
    assert_int_equal(access->no_proxy.count, 2);
    assert_int_equal(access->tls_version, TLS_VERSION_1_3);
    assert_string_equal(access->client_certificate, "/dev/null");
    assert_string_equal(access->client_key_password, "k");
    unsetenv("PLANTED");
    /* An empty proxy is one: it says that there is none. */
    PARSED none = server_with("\"proxy\": \"\"");
    assert_string_equal(only(&none)->access.proxy, "");
    PARSED in_url = server_with("\"proxy\": \"http://u:p@p:1\"");
    assert_int_equal(only(&in_url)->access.proxy_authentication, AUTHENTICATION_BASIC);
    PARSED unsaid = server_with("\"proxy\": null");
    assert_null(only(&unsaid)->access.proxy);
}

static const struct {
    const char *keys;
    const char *key; /* that is complained of */
    const char *what;
} contradictions[] = {
    {"\"token\": \"t\", \"user\": \"u\"", "token", "takes no user"},
    {"\"token\": \"t\", \"password\": \"u\"", "token", "takes no user"},
    {"\"authentication\": \"Basic\", \"user\": \"u\"", "authentication", "is no authentication"},
    {"\"authentication\": \"basic\"", "authentication", "needs user"},
    {"\"authentication\": \"digest\", \"password\": \"p\"", "authentication", "needs user"},
    {"\"authentication\": \"ntlm\"", "authentication", "needs user"},
    {"\"authentication\": \"bearer\"", "authentication", "needs a token"},
    {"\"authentication\": \"bearer\", \"user\": \"u\"", "authentication", "takes no user"},
    {"\"authentication\": \"basic\", \"token\": \"t\"", "authentication", "takes no token"},
    {"\"authentication\": \"negotiate\", \"user\": \"u\"", "authentication", "Kerberos"},
    {"\"authentication\": \"none\", \"token\": \"t\"", "authentication", "is none"},
    {"\"user\": \"a:b\", \"password\": \"p\"", "user", "colon"},
    {"\"token\": \"t\\r\\nX-Evil: 1\"", "token", "control character"},
    {"\"token\": \"\"", "token", "is empty"},
    {"\"token\": {\"file\": \"/dev/null\"}", "token", "is empty"},
    {"\"password\": \"two\\nlines\"", "password", "control character"},
    {"\"headers\": {\"Range\": \"x\"}", "headers[\"Range\"]", "would change"},
    {"\"headers\": {\"host\": \"x\"}", "headers[\"host\"]", "symgate itself"},
    {"\"headers\": {\"X Y\": \"x\"}", "headers[\"X Y\"]", "no name"},
    {"\"headers\": {\"X\": \"a\\nb\"}", "headers[\"X\"]", "line end"},
    {"\"headers\": {\"X-a\": \"1\", \"x-A\": \"2\"}", "headers[\"x-A\"]", "twice"},
    {"\"headers\": {\"Authorization\": \"x\"}, \"token\": \"t\"", "headers[\"Authorization\"]",
     "is made from"},
    {"\"clientKey\": \"/dev/null\"", "clientKey", "no certificate"},
    {"\"clientKeyPassword\": \"x\"", "clientKeyPassword", "no certificate"},
    {"\"clientCertificate\": \"/nonexistent/c\"", "clientCertificate", "cannot be read"},
    {"\"caFile\": \"/nonexistent/c\"", "caFile", "\"/nonexistent/c\" cannot be read"},
    {"\"tlsVersion\": \"1.1\"", "tlsVersion", "no version"},
    {"\"proxy\": \"p.example:3128\"", "proxy", "does not begin with"},
    {"\"proxy\": \"socks5://p:1\"", "proxy", "does not begin with"},
    {"\"proxy\": \"http://p.example\"", "proxy", "names no port"},
    {"\"proxy\": \"http://p.example:1/x\"", "proxy", "behind the port"},
    {"\"proxy\": \"http://[::1:1\"", "proxy", ""},
    {"\"proxy\": \"http://u:p@p:1\", \"proxyUser\": \"u\"", "proxyUser", "twice"},
    {"\"proxy\": \"http://p:1\", \"proxyAuthentication\": \"bearer\"", "proxyAuthentication",
     "bearer"},
    {"\"proxy\": \"http://p:1\", \"proxyAuthentication\": \"ntlm\"", "proxyAuthentication",
     "needs user"},
    {"\"proxy\": \"http://p:1\", \"proxyUser\": \"u\", \"proxyPassword\": \"a\\nb\"",
     "proxyPassword", "control"},
    {"\"proxyUser\": \"u\"", "proxyUser", "no proxy"},
    {"\"proxy\": \"\", \"proxyPassword\": \"u\"", "proxyPassword", "no proxy"},
    {"\"proxy\": \"\", \"noProxy\": [\"x\"]", "noProxy", "no effect"},
    {"\"noProxy\": [\"a,b\"]", "noProxy[0]", "is no host"},
    {"\"noProxy\": [\"a\", \"\"]", "noProxy[1]", "is no host"},
};

static void contradictions_are_told(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(contradictions); i++) {
        char key[64];
        snprintf(key, sizeof key, "servers[0].%s", contradictions[i].key);
        PARSED parsed = server_with(contradictions[i].keys);
        if (parsed.config)
            fail_msg("taken: %s", contradictions[i].keys);
        const struct config_problem *problem = problem_about(&parsed, PROBLEM_ERROR, key);
        if (!strstr(problem->what, contradictions[i].what))
            fail_msg("says \"%s\" of %s", problem->what, contradictions[i].keys);
        assert_true(problem->line > 0 || strchr(key, '['));
    }
    refuses("{\"servers\": [{\"remote\": \"https://u:p@h/s\",\n\"user\": \"u\"}]}",
            "servers[0].user", 2, 9, "twice");
    refuses("{\"servers\": [{\"remote\": \"https://u:p@h/s\",\n\"token\": \"u\"}]}",
            "servers[0].token", 2, 10, "twice");
}

/* What TLS is told of a server without TLS would never count. */
static void tls_needs_https(void **state) {
    (void)state;
    static const char *const keys[] = {"\"tlsVersion\": \"1.2\"", "\"acceptBadCertificate\": true",
                                       "\"clientCertificate\": \"/dev/null\""};
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        PARSED parsed = parse_with("{\"servers\": [{\"remote\": \"http://h/s\", %s}]}", keys[i]);
        assert_null(parsed.config);
        assert_int_equal(parsed.problems.errors, 1);
        assert_non_null(strstr(parsed.problems.list[0].what, "not https"));
    }
}

static void a_bad_certificate_is_warned_of(void **state) {
    (void)state;
    warns("{\"servers\": [{\"remote\": \"https://h/s\",\n\"acceptBadCertificate\": true}]}",
          "servers[0].acceptBadCertificate", 2, 25,
          "Name the server's authority in caFile instead.");
}

static void what_goes_over_plain_http_is_warned_of(void **state) {
    (void)state;
    static const struct {
        const char *server;
        bool warned;
    } cases[] = {
        {"{\"remote\": \"http://h.example/s\", \"token\": \"t\"}", true},
        {"{\"remote\": \"http://h.example/s\", \"password\": \"t\"}", true},
        {"{\"remote\": \"http://u:p@h.example/s\"}", true},
        {"{\"remote\": \"http://localhost.example/s\", \"token\": \"t\"}", true},
        {"{\"remote\": \"http://localhost@h.example/s\"}", true},
        {"{\"remote\": \"http://h.example/s\", \"authentication\": \"ntlm\", \"user\": \"u\","
         " \"password\": \"t\"}",
         false},
        {"{\"remote\": \"http://localhost:81/s\", \"token\": \"t\"}", false},
        {"{\"remote\": \"http://127.0.0.1/s\", \"token\": \"t\"}", false},
        {"{\"remote\": \"http://[::1]:80/s\", \"token\": \"t\"}", false},
        {"{\"remote\": \"https://h.example/s\", \"token\": \"t\"}", false},
        {"{\"remote\": \"http://h.example/s\"}", false},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        PARSED parsed = parse_with("{\"servers\": [%s]}", cases[i].server);
        assert_non_null(parsed.config);
        if (parsed.problems.warnings != cases[i].warned)
            fail_msg("%u warnings of %s", parsed.problems.warnings, cases[i].server);
    }
}

static void directories_need_none_of_it(void **state) {
    (void)state;
    static const char *const keys[] = {"user",
                                       "password",
                                       "token",
                                       "authentication",
                                       "clientCertificate",
                                       "clientKey",
                                       "proxyUser",
                                       "proxyPassword",
                                       "proxy",
                                       "clientKeyPassword",
                                       "tlsVersion",
                                       "caFile",
                                       "proxyAuthentication"};
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        char server[128], key[64];
        snprintf(server, sizeof server, "{\"remote\": \"/srv/symbols\", \"%s\": \"x\"}", keys[i]);
        snprintf(key, sizeof key, "servers[0].%s", keys[i]);
        PARSED parsed = parse_with("{\"servers\": [%s]}", server);
        assert_non_null(parsed.config);
        assert_int_equal(parsed.problems.warnings, 1);
        assert_string_equal(problem_about(&parsed, PROBLEM_WARNING, key)->hint, "Delete it.");
    }
    PARSED rest = parse("{\"servers\": [{\"remote\": \"/srv/symbols\", \"noProxy\": [\"x\"],"
                        " \"headers\": {\"X\": \"y\"}, \"acceptBadCertificate\": true}]}");
    assert_int_equal(rest.problems.warnings, 3);
}

/* No message quotes what is secret, however wrong it is. */
static void secrets_stand_in_no_message(void **state) {
    (void)state;
    static const char *const servers[] = {
        "\"user\": \"s3cret:u\", \"password\": \"s3cret\\n\"",
        "\"token\": \"s3cret\\u0001\", \"authentication\": \"ntlm\"",
        "\"headers\": {\"X\": \"s3cret\\r\\n\"}",
        "\"proxy\": \"foo://u:s3cret@h:1\"",
        "\"proxy\": \"http://u:s3cret@[h\"",
        "\"proxy\": \"http://u:s3cret@h/\"",
        "\"proxyPassword\": \"s3cret\"",
        "\"clientKeyPassword\": \"s3cret\"",
    };
    for (size_t i = 0; i < LENGTH_OF(servers); i++) {
        PARSED parsed = server_with(servers[i]);
        assert_true(parsed.problems.errors > 0);
        for (unsigned n = 0; n < parsed.problems.count; n++) {
            char line[1024];
            config_problem_format(&parsed.problems.list[n], "it.json", line, sizeof line);
            assert_null(strstr(line, "s3cret"));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_says_how_it_is_shown),
        cmocka_unit_test(the_rest_is_kept),
        cmocka_unit_test(contradictions_are_told),
        cmocka_unit_test(tls_needs_https),
        cmocka_unit_test(a_bad_certificate_is_warned_of),
        cmocka_unit_test(what_goes_over_plain_http_is_warned_of),
        cmocka_unit_test(directories_need_none_of_it),
        cmocka_unit_test(secrets_stand_in_no_message),
    };
    return RUN_TESTS(tests);
}
