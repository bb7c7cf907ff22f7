// SPDX-License-Identifier: MIT
//
// What each path is, and what each method may do there.
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "unit/base/check.h"
#include "unit/server/talk.h"

static const struct {
    const char *target;
    int status;
    const char *verdict; /* header; empty: none */
    const char *body;    /* a part of it */
} paths[] = {
    {"/", 200, "", "<!doctype html>"},
    {"//", 200, "", "<!doctype html>"},
    {"/?x", 200, "", "<!doctype html>"},
    {"/healthz", 200, "", "ok\n"},
    {"/healthz?x=1", 200, "", "ok\n"},
    {"/healthz/", 404, "invalid", "/symbols/"},
    {"/healthzz", 404, "invalid", ""},
    {"/metrics", 200, "", "symgate_requests_total"},
    {"/metricsx", 404, "invalid", ""},
    {"/symbols", 200, "", "This is symgate"},
    {"/symbols/", 200, "", "This is symgate"},
    {"//symbols/", 200, "", "This is symgate"},
    {"/symbolsx", 404, "invalid", ""},
    {"/Symbols/", 404, "invalid", ""},
    {"/symbols/pingme.txt", 200, "", "This is symgate"},
    {"/symbols/index2.txt", 404, "absent", ""},
    {"/symbols//index2.txt", 404, "absent", ""},
    {KEY_PATH("forbidden.pdb"), 404, "excluded", ""},
    {KEY_PATH("nobody.pdb"), 404, "excluded", ""},
    {KEY_PATH("a.pd_"), 404, "absent", ""},
    {"/symbols/a.pdb/1/../a.pdb", 400, "invalid", ""},
    {"/symbols/a.pdb/1/%2e%2e", 400, "invalid", ""},
    {"/symbols/a.pdb/%00/a.pdb", 400, "invalid", ""},
    {"/symbols/a.pdb", 404, "invalid", ""},
    {"/api/v1/copies", 200, "", "["},
    {"/api/v1/copies/", 404, "invalid", ""},
    {"/api/v1/", 404, "invalid", ""},
    {"/api/v1", 404, "invalid", ""},
    {"/api/v2/copies", 404, "invalid", ""},
    {"/api/v1/forget?name=a&id=1", 405, "invalid", "only POST"},
    {"/favicon.ico", 404, "invalid", ""},
    {"/index.html", 404, "invalid", ""},
};

static void each_path_is_what_it_is(void **state) {
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        char request[512], value[256];
        CLEANUP(free_block) char *head = NULL;
        CLEANUP(free_block) char *body = NULL;
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i].target);
        int status = talk_ask(*state, request, &head, &body);
        if (status != paths[i].status)
            fail_msg("%s: %d", paths[i].target, status);
        if (strcmp(talk_field(head, "X-Symgate-Verdict", value), paths[i].verdict) != 0)
            fail_msg("%s: verdict \"%s\"", paths[i].target, value);
        if (!strstr(body, paths[i].body))
            fail_msg("%s: \"%s\"", paths[i].target, body);
    }
}

static void head_says_what_get_says(void **state) {
    for (size_t i = 0; i < LENGTH_OF(paths); i++) {
        /* The figures on these change with every request. */
        if (strstr(paths[i].body, "doctype") || strstr(paths[i].body, "_total"))
            continue;
        char request[512], of_get[256], of_head[256];
        CLEANUP(free_block) char *get = NULL;
        CLEANUP(free_block) char *head = NULL;
        CLEANUP(free_block) char *body = NULL;
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i].target);
        /* What the first request is told by asking, the second one is told by a no of earlier. */
        int first = talk_ask(*state, request, NULL, NULL);
        int status = talk_ask(*state, request, &get, NULL);
        assert_int_equal(status, first);
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\n" HOST "\r\n", paths[i].target);
        assert_int_equal(talk_ask(*state, request, &head, &body), status);
        assert_string_equal(body, "");
        static const char *const fields[] = {"Content-Length",   "Content-Type",
                                             "Cache-Control",    "X-Symgate-Verdict",
                                             "X-Symgate-Reason", "Allow"};
        for (size_t n = 0; n < LENGTH_OF(fields); n++)
            assert_string_equal(talk_field(get, fields[n], of_get),
                                talk_field(head, fields[n], of_head));
    }
}

static const struct {
    const char *method;
    const char *target;
    int status;
    const char *allow;
} methods[] = {
    {"POST", "/", 405, "GET, HEAD"},
    {"PUT", "/", 405, "GET, HEAD"},
    {"DELETE", KEY_PATH("a.pdb"), 405, "GET, HEAD"},
    {"POST", KEY_PATH("a.pdb"), 405, "GET, HEAD"},
    {"OPTIONS", "*", 405, "GET, HEAD"},
    {"OPTIONS", "/symbols/", 405, "GET, HEAD"},
    {"TRACE", "/", 405, "GET, HEAD"},
    {"PROPFIND", "/symbols/", 405, "GET, HEAD"},
    {"CONNECT", "h:1", 405, "GET, HEAD"},
    {"BREW", "/", 405, "GET, HEAD"},
    {"POST", "/metrics", 405, "GET, HEAD"},
    {"POST", "/nothing", 405, "GET, HEAD"},
    {"POST", "/api/v1/copies", 405, "GET, HEAD"},
    {"GET", "/api/v1/forget", 405, "POST"},
    {"HEAD", "/api/v1/forget", 405, "POST"},
    {"POST", "/api/v1/nothing", 404, ""},
};

static void other_methods_are_refused(void **state) {
    for (size_t i = 0; i < LENGTH_OF(methods); i++) {
        char request[512], value[256];
        CLEANUP(free_block) char *head = NULL;
        snprintf(request, sizeof request, "%s %s HTTP/1.1\r\n" HOST "\r\n", methods[i].method,
                 methods[i].target);
        int status = talk_ask(*state, request, &head, NULL);
        if (status != methods[i].status)
            fail_msg("%s %s: %d", methods[i].method, methods[i].target, status);
        if (strcmp(talk_field(head, "Allow", value), methods[i].allow) != 0)
            fail_msg("%s %s: Allow: %s", methods[i].method, methods[i].target, value);
    }
    struct talk *talk = *state;
    assert_int_equal(double_asked(talk->source), 0);
}

/* Only what asked for a symbol counts among the verdicts. */
static void pages_are_no_symbol_requests(void **state) {
    static const char *const pages[] = {"/", "/healthz", "/symbols/", "/symbols/pingme.txt",
                                        "/metrics"};
    struct talk *talk = *state;
    for (size_t i = 0; i < LENGTH_OF(pages); i++) {
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", pages[i]);
        assert_int_equal(talk_ask(talk, request, NULL, NULL), 200);
        if (talk_outcome(talk).about_symbol)
            fail_msg("%s counts", pages[i]);
    }
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        assert_int_equal(counted(&recorder_counters(talk->recorder)->by_verdict[i]), 0);
    assert_int_equal(counted(&recorder_counters(talk->recorder)->requests), LENGTH_OF(pages));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        TALK(each_path_is_what_it_is),
        TALK(head_says_what_get_says),
        TALK(other_methods_are_refused),
        TALK(pages_are_no_symbol_requests),
    };
    return RUN_TESTS(tests);
}
