// SPDX-License-Identifier: MIT
//
// Symbol paths: every element is used, or named with the reason why not.
#include "app/sympath.h"

#include <stdio.h>
#include <string.h>

#include "unit/app/parse.h"
#include "unit/base/check.h"

/* Servers as "remote" or "remote<cache", one after the other; first the global cache in brackets
   where there is one. */
static void write_down(const json_t *root, char *out, size_t size) {
    const char *global =
        json_string_value(json_object_get(json_object_get(root, "general"), "cacheLocation"));
    size_t used = (size_t)snprintf(out, size, global ? "[%s]" : "%s", global ? global : "");
    size_t index;
    const json_t *server;
    json_array_foreach(json_object_get(root, "servers"), index, server) {
        const char *cache = json_string_value(json_object_get(server, "cacheLocation"));
        used += (size_t)snprintf(out + used, size - used, "%s%s%s%s", used ? " " : "",
                                 json_string_value(json_object_get(server, "remote")),
                                 cache ? "<" : "", cache ? cache : "");
    }
}

static const struct {
    const char *sympath;
    const char *meaning;
    unsigned named; /* elements that are not used */
} cases[] = {
    {"srv*http://a/", "http://a/", 0},
    {"SRV*http://a/", "http://a/", 0},
    {"srv*/c*http://a/", "http://a/</c", 0},
    {"srv*/c*/s*http://a/", "/s http://a/</c", 0},
    {"srv*/c*/s*http://b/*http://a/", "/s http://b/ http://a/</c", 0},
    {"srv**http://a/", "http://a/", 0},
    {"srv**/s**http://a/", "/s http://a/", 0},
    {"srv*C:\\c*\\\\h\\s*https://a/x", "\\\\h\\s https://a/x<C:\\c", 0},
    {"symsrv*symsrv.dll*http://a/", "http://a/", 0},
    {"SymSrv*x.dll*/c*http://a/", "http://a/</c", 0},
    {"cache*/c;srv*http://a/", "[/c] http://a/", 0},
    {"/s", "/s", 0},
    {"http://a/", "http://a/", 0},
    {"  /s  ;\t srv*/t \t", "/s /t", 0},
    {"/a b;;;/c;", "/a b /c", 0},
    {"", "", 0},
    {" ; \t;", "", 0},
    /* what cannot be used */
    {"srv*", "", 1},
    {"srv*/c*", "", 1},
    {"srv**", "", 1},
    {"symsrv*", "", 1},
    {"symsrv*symsrv.dll", "", 1},
    {"symsrv*symsrv.dll*", "", 1},
    {"cache*", "", 1},
    {"cache*/a;cache*/b", "[/a]", 1},
    {"cache*/a*http://a/", "[/a]", 1},
    {"nonsense*http://a/", "", 1},
    {"*http://a/", "", 1},
    {"*", "", 1},
    {"srv*1*2*3*4*5*6*7*8*9*10*11*12*13*14*15", "2 3 4 5 6 7 8 9 10 11 12 13 14 15<1", 0},
    {"srv*1*2*3*4*5*6*7*8*9*10*11*12*13*14*15*16", "", 1},
    {"srv*/s;srv*;/t;x*y;cache*", "/s /t", 3},
};

static void every_element_is_used_or_named(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct config_problems problems = {0};
        struct config_reading reading = {"--sympath", NULL, 0, NULL, &problems};
        json_t *root = sympath_to_json(&reading, cases[i].sympath);
        char meaning[512];
        write_down(root, meaning, sizeof meaning);
        bool nobody = json_array_size(json_object_get(root, "servers")) == 0;
        json_decref(root);
        if (strcmp(meaning, cases[i].meaning) != 0)
            fail_msg("\"%s\" means \"%s\"", cases[i].sympath, meaning);
        unsigned told = cases[i].named + nobody; /* that nobody is asked is told besides */
        if (problems.warnings != told || problems.count != told)
            fail_msg("\"%s\": %u named", cases[i].sympath, problems.count);
        config_problems_release(&problems);
    }
}

static void what_is_not_used_is_told_with_its_reason(void **state) {
    (void)state;
    PARSED parsed;
    parsed.config = config_from_sympath("nonsense*x;srv*/c*;cache*/a;cache*/b;cache*", "/data",
                                        &parsed.problems);
    static const char *const told[] = {
        "element \"nonsense*x\" is not used: it begins with neither srv*, symsrv* nor cache*",
        "element \"srv*/c*\" is not used: it names no server",
        "element \"cache*/b\" is not used: there is one global cache, and an earlier element names "
        "it",
        "element \"cache*\" is not used: without a directory it means the default cache, which is "
        "used anyway",
        "names no server: only what lies in the cache is served",
    };
    assert_non_null(parsed.config);
    assert_int_equal(parsed.problems.warnings, LENGTH_OF(told));
    for (size_t i = 0; i < LENGTH_OF(told); i++)
        assert_string_equal(parsed.problems.list[i].what, told[i]);
}

static void secrets_in_elements_are_masked(void **state) {
    (void)state;
    PARSED parsed;
    parsed.config =
        config_from_sympath("x*http://user:s3cr3t@h/p?sig=s3cr3t;cache*/a*http://user:s3cr3t@h/*",
                            "/data", &parsed.problems);
    assert_int_equal(parsed.problems.warnings, 3); /* the last one: there is no server */
    for (unsigned i = 0; i < 2; i++) {
        assert_null(strstr(parsed.problems.list[i].what, "s3cr3t"));
        assert_non_null(strstr(parsed.problems.list[i].what, "*http://***@h/"));
    }
}

static void a_configuration_comes_of_it(void **state) {
    (void)state;
    PARSED parsed;
    parsed.config = config_from_sympath("cache*/c;srv*/own*http://a.example/;/plain;srv*\\\\h\\s",
                                        "/data", &parsed.problems);
    const struct config *config = parsed.config;
    assert_non_null(config);
    assert_string_equal(config->path, "--sympath");
    assert_string_equal(config->general.cache_location, "/c");
    assert_int_equal(config->server_count, 3);
    assert_string_equal(config->servers[0].identifier, "a.example");
    assert_string_equal(config->servers[0].cache_location, "/own");
    assert_true(config->servers[1].directory);
    assert_string_equal(config->servers[1].identifier, "plain");
    assert_true(config->servers[2].share);
    assert_int_equal(parsed.problems.warnings, 1);
    const struct config_problem *share =
        problem_about(&parsed, PROBLEM_WARNING, "servers[2].remote");
    assert_int_equal(share->line, 0);
    assert_non_null(strstr(share->hint, "pathMap"));
}

static void text_that_is_no_utf8_is_named(void **state) {
    (void)state;
    PARSED parsed;
    parsed.config =
        config_from_sympath("srv*/\xff;cache*/\xff;/\xff;/good", "/data", &parsed.problems);
    assert_non_null(parsed.config);
    assert_int_equal(parsed.problems.warnings, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(strstr(parsed.problems.list[i].what, "it is not UTF-8"));
    assert_int_equal(parsed.config->server_count, 1);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_is_used_or_named),
        cmocka_unit_test(what_is_not_used_is_told_with_its_reason),
        cmocka_unit_test(secrets_in_elements_are_masked),
        cmocka_unit_test(a_configuration_comes_of_it),
        cmocka_unit_test(text_that_is_no_utf8_is_named),
    };
    return RUN_TESTS(tests);
}
