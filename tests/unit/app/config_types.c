// SPDX-License-Identifier: MIT
//
// Every parameter with right and wrong values of its type, from the table itself, so that a new one
// is tested too.
#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/parameter.h"
#include "base/memory.h"
#include "unit/app/parse.h"
#include "unit/base/check.h"

/* Where a parameter's value stands in a text: on a line of its own. */
static const struct frame {
    const char *begin;
    const char *end;
    const char *prefix;
} frames[] = {
    [SECTION_IDENTITY] = {"{\"servers\": [], \"identity\": {", "}}", "identity"},
    [SECTION_GENERAL] = {"{\"servers\": [], \"general\": {", "}}", "general"},
    [SECTION_SERVER] = {"{\"servers\": [{\"remote\": \"http://x/\",", "}]}", "servers[0]"},
    [SECTION_TIMEOUTS] = {"{\"servers\": [{\"remote\": \"http://x/\", \"timeouts\": {", "}}]}",
                          "servers[0].timeouts"},
    [SECTION_BREAKER] = {"{\"servers\": [{\"remote\": \"http://x/\", \"breaker\": {", "}}]}",
                         "servers[0].breaker"},
};

static void write_text(const struct parameter *parameter, const char *value, char *out,
                       size_t size) {
    const struct frame *frame = &frames[parameter->section];
    snprintf(out, size, "%s\n \"%s\": %s%s", frame->begin, parameter->key, value, frame->end);
}

/* A value with a fault: which part of it is to blame, and how far into the value that stands. */
struct fault {
    const char *value;
    const char *what;
    const char *part; /* NULL: the whole value */
    int offset;
};

static void refuses_value(const struct parameter *parameter, const struct fault *fault) {
    char text[512], key[128];
    write_text(parameter, fault->value, text, sizeof text);
    snprintf(key, sizeof key, "%s.%s%s", frames[parameter->section].prefix, parameter->key,
             fault->part ? fault->part : "");
    refuses(text, key, 2, (int)strlen(parameter->key) + 6 + fault->offset, fault->what);
}

#define FAULTS(...) ((const struct fault[]){__VA_ARGS__, {0}})

static const struct fault text_faults[] = {{"5", "a text"},
                                           {"true", "a text"},
                                           {"[]", "a text"},
                                           {"{}", "a text or"},
                                           {"{\"file\": 5}", "a text or"},
                                           {"{\"file\": \"a\", \"b\": \"c\"}", "a text or"},
                                           {0}};

static const struct fault *const faults_of[] = {
    [PARAMETER_TEXT] = text_faults,
    [PARAMETER_SECRET] = text_faults,
    [PARAMETER_PATH] = text_faults,
    [PARAMETER_BOOLEAN] = FAULTS({"0", "true or false"}, {"\"true\"", "true or false"},
                                 {"null", "true or false"}, {"[]", "true or false"}),
    [PARAMETER_NUMBER] = FAULTS({"\"5\"", "a whole number"}, {"1.5", "a whole number"},
                                {"-1", "must not be negative"}, {"null", "a whole number"},
                                {"{}", "a whole number"}),
    [PARAMETER_SIZE] = FAULTS({"-1", "bytes"}, {"1.5", "bytes"}, {"\"much\"", "bytes"},
                              {"\"5 h\"", "bytes"}, {"\"99999999999 GiB\"", "bytes"},
                              {"true", "bytes"}, {"null", "bytes"}, {"[]", "bytes"}),
    [PARAMETER_TIME] =
        FAULTS({"-1", "seconds"}, {"\"soon\"", "seconds"}, {"\"5 GiB\"", "seconds"},
               {"1e300", "seconds"}, {"\"999999999999d\"", "seconds"}, {"true", "seconds"},
               {"null", "seconds"}, {"[]", "seconds"}, {"0", "must not be 0"}),
    [PARAMETER_TIME_NULL] =
        FAULTS({"-1", "seconds"}, {"\"soon\"", "seconds"}, {"true", "seconds"}, {"{}", "seconds"}),
    [PARAMETER_LIST] =
        FAULTS({"\"x\"", "a list"}, {"5", "a list"}, {"{}", "a list"}, {"null", "a list"},
               {"[\"pdb\", 5]", "a text", "[1]", 8}, {"[[]]", "a text", "[0]", 1}),
    [PARAMETER_PATTERNS] = FAULTS({"\"x\"", "a list"}, {"5", "a list"}, {"{}", "a list"},
                                  {"[\"a\", 5]", "a regular expression", "[1]", 6},
                                  {"[null]", "a regular expression", "[0]", 1},
                                  {"[\"a\", \"b(d\"]", "bad pattern at character", "[1]", 6}),
    [PARAMETER_NUMBERS] = FAULTS({"403", "a list"}, {"{}", "a list"}, {"null", "a list"},
                                 {"[403, \"404\"]", "a whole number", "[1]", 6},
                                 {"[-1]", "must not be negative", "[0]", 1}),
    [PARAMETER_MAP] =
        FAULTS({"\"x\"", "an object of texts"}, {"[]", "an object of texts"},
               {"null", "an object of texts"}, {"{\"D:\": 5}", "a text", "[\"D:\"]", 7}),
    [PARAMETER_SECRETS] =
        FAULTS({"\"x\"", "an object of texts"}, {"[]", "an object of texts"},
               {"null", "an object of texts"}, {"{\"X-Key\": 5}", "a text", "[\"X-Key\"]", 10},
               {"{\"X-Key\": {}}", "a text or", "[\"X-Key\"]", 10}),
    [PARAMETER_TIMEOUTS] = FAULTS({"5", "an object"}, {"[]", "an object"}, {"null", "an object"}),
    [PARAMETER_BREAKER] = FAULTS({"5", "an object"}, {"[]", "an object"}, {"null", "an object"}),
};

static void wrong_types_are_told_at_their_place(void **state) {
    (void)state;
    size_t count, tried = 0;
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++)
        for (const struct fault *fault = faults_of[all[i].type]; fault->value; fault++) {
            bool may_be_zero = strcmp(fault->value, "0") == 0 && all[i].type == PARAMETER_TIME &&
                               all[i].least == 0;
            if (may_be_zero)
                continue;
            refuses_value(&all[i], fault);
            tried++;
        }
    assert_true(tried > 3 * count);
}

static void bounds_are_told(void **state) {
    (void)state;
    size_t count, tried = 0;
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++) {
        bool list = all[i].type == PARAMETER_NUMBERS;
        char value[48];
        if (!list && all[i].type != PARAMETER_NUMBER)
            continue;
        struct fault fault = {value, "must be ", list ? "[0]" : NULL, list};
        const char *form = list ? "[%lu]" : "%lu";
        for (unsigned side = 0; side < 2; side++) {
            unsigned long bound = side ? all[i].most : all[i].least;
            if (bound == 0)
                continue;
            snprintf(value, sizeof value, form, side ? bound + 1 : bound - 1);
            refuses_value(&all[i], &fault);
            char text[512];
            snprintf(value, sizeof value, form, bound);
            write_text(&all[i], value, text, sizeof text);
            PARSED parsed = parse_good(text);
            assert_non_null(parsed.config);
            tried++;
        }
    }
    assert_true(tried >= 10);
}

/* What stands in the file comes out in the field. */
static void texts_and_switches_are_taken(void **state) {
    (void)state;
    PARSED parsed = parse_good(
        "{\"identity\": {\"name\": \"n\", \"host\": \"h:1\", \"administrator\": \"a\","
        "  \"default_sympath\": \"srv*x\"},"
        " \"general\": {\"listen\": [\"127.0.0.1:1\", \"[::1]:65535\"], \"workers\": 3,"
        "  \"enableStatistics\": false, \"failureStatus\": 503, \"absencesMax\": 5000,"
        "  \"statisticsNames\": 101, \"statisticsIds\": 102, \"statisticsSize\": \"20 MiB\","
        "  \"statisticsRetention\": \"2d\", \"requestsKept\": 1003, \"failuresKept\": 1004,"
        "  \"logClients\": \"none\", \"adminToken\": \"t\", \"blacklist\": [\"a\", \"b\"]},"
        " \"servers\": [{\"remote\": \"https://x/y\", \"enabled\": false,"
        "  \"kinds\": [\"pdb\", \"sym\"], \"maxRequests\": 7, \"priority\": 9, \"userAgent\": "
        "\"u\","
        "  \"absentStatus\": [403, 418], \"whitelist\": [], \"blacklist\": null},"
        "  {\"remote\": \"/x\", \"followLinks\": true}]}");
    const struct config *config = parsed.config;
    assert_string_equal(config->path, "it.json");
    assert_string_equal(config->identity.name, "n");
    assert_string_equal(config->identity.host, "h:1");
    assert_string_equal(config->identity.administrator, "a");
    assert_string_equal(config->identity.default_sympath, "srv*x");
    const struct config_general *general = &config->general;
    assert_int_equal(general->listen.count, 2);
    assert_string_equal(general->listen.texts[1], "[::1]:65535");
    assert_int_equal(general->workers, 3);
    assert_false(general->enable_statistics);
    assert_int_equal(general->failure_status, 503);
    assert_int_equal(general->absences_max, 5000);
    assert_int_equal(general->statistics.names_max, 101);
    assert_int_equal(general->statistics.ids_max, 102);
    assert_int_equal(general->statistics.bytes_max, 20 << 20);
    assert_int_equal(general->statistics.retention_ms, 2 * 86400000);
    assert_int_equal(general->statistics.requests_max, 1003);
    assert_int_equal(general->statistics.failures_max, 1004);
    assert_string_equal(general->log_clients, "none");
    assert_string_equal(general->admin_token, "t");
    assert_int_equal(general->blacklist.count, 2);
    assert_string_equal(pattern_text(general->blacklist.patterns[1]), "b");
    const struct config_server *server = &config->servers[0];
    assert_false(server->enabled);
    assert_true(config->servers[1].follow_links && !server->follow_links);
    assert_int_equal(server->kind_bits, 1U << KIND_PDB | 1U << KIND_SYM);
    assert_int_equal(server->requests_max, 7);
    assert_int_equal(server->priority, 9);
    assert_string_equal(server->user_agent, "u");
    assert_int_equal(server->absent_statuses.count, 2);
    assert_int_equal(server->absent_statuses.numbers[1], 418);
    /* Nothing is allowed by an empty list, everything by none. */
    assert_true(server->whitelist.given && server->whitelist.count == 0);
    assert_false(server->blacklist.given);
}

/* A value that each type takes and that says something. */
static const char *const value_of[] = {
    [PARAMETER_TEXT] = "\"x\"",
    [PARAMETER_SECRET] = "\"x\"",
    [PARAMETER_PATH] = "\"/x\"",
    [PARAMETER_BOOLEAN] = "true",
    [PARAMETER_NUMBER] = "2",
    [PARAMETER_SIZE] = "2",
    [PARAMETER_TIME] = "2",
    [PARAMETER_TIME_NULL] = "2",
    [PARAMETER_LIST] = "[\"x\"]",
    [PARAMETER_PATTERNS] = "[\"x\"]",
    [PARAMETER_NUMBERS] = "[403]",
    [PARAMETER_MAP] = "{\"D:\": \"/d\"}",
    [PARAMETER_SECRETS] = "{\"X-Key\": \"x\"}",
    [PARAMETER_TIMEOUTS] = "{\"connect\": 2}",
    [PARAMETER_BREAKER] = "{\"count\": 2}",
};

static bool is_called_needless(const char *remote, const char *key, const char *value) {
    char text[256], where[64];
    snprintf(text, sizeof text, "{\"servers\": [{\"remote\": \"%s\", \"%s\": %s}]}", remote, key,
             value);
    snprintf(where, sizeof where, "servers[0].%s", key);
    PARSED parsed = parse(text);
    for (unsigned i = 0; i < parsed.problems.count; i++) {
        const struct config_problem *problem = &parsed.problems.list[i];
        if (strcmp(problem->key, where) == 0 && strstr(problem->what, "has no effect: the remote "))
            return problem->severity == PROBLEM_WARNING;
    }
    return false;
}

static void what_counts_for_other_remotes_is_warned_of(void **state) {
    (void)state;
    static const struct {
        unsigned kind;
        const char *remote;
    } remotes[] = {{REMOTE_URL, "https://x/"}, {REMOTE_DIRECTORY, "/x"}, {REMOTE_SHARE, "//x/y"}};
    size_t count;
    unsigned tried = 0;
    const struct parameter *all = parameters(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < LENGTH_OF(remotes) && all[i].remotes; k++, tried++) {
            bool needless = !(all[i].remotes & remotes[k].kind);
            const char *remote = remotes[k].remote;
            if (is_called_needless(remote, all[i].key, value_of[all[i].type]) != needless)
                fail_msg("%s for %s", all[i].key, remote);
            assert_false(is_called_needless(remote, all[i].key, "null"));
        }
    assert_true(tried >= 60);
}

static void defaults_stand_where_nothing_is_said(void **state) {
    (void)state;
    PARSED parsed = parse_good("{\"servers\": [{\"remote\": \"http://x/\"}]}");
    const struct config_general *general = &parsed.config->general;
    const struct config_server *server = &parsed.config->servers[0];
    assert_string_equal(parsed.config->identity.name, "symgate");
    assert_int_equal(general->listen.count, 2);
    assert_string_equal(general->listen.texts[0], "0.0.0.0:8080");
    assert_string_equal(general->listen.texts[1], "[::]:8080");
    assert_string_equal(general->data_location, "/data");
    assert_string_equal(general->cache_location, "/data/cache");
    assert_true(general->enable_statistics);
    assert_int_equal(general->failure_status, 404);
    assert_true(general->request_timeout_ms == 25000);
    assert_true(general->free_min_bytes == FREE_MIN_DEFAULT);
    assert_true(general->spill_limit == 256 * 1024 * 1024);
    assert_true(general->absences_max == 8000000);
    assert_true(general->hedge_after_ms == 5000);
    assert_string_equal(general->log_clients, "full");
    assert_null(general->admin_token);
    assert_true(server->enabled);
    assert_true(server->retry_ms == 60000);
    assert_int_equal(server->requests_max, 10);
    assert_true(server->hedge_after_ms == 5000);
    assert_string_equal(server->user_agent, "Microsoft-Symbol-Server/10.0.10036.206");
    assert_false(server->follow_links);
    assert_false(server->whitelist.given);
    assert_int_equal(server->absent_statuses.count, 0);
    assert_true(server->timeouts.connect_ms == 3000);
    assert_true(server->timeouts.first_byte_ms == 60000);
    assert_true(server->timeouts.stall_ms == 10000);
    assert_null(server->cache_location);
}

static void sizes_are_numbers_or_texts(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {
        {"0", 0},
        {"1048576", 1048576},
        {"\"1048576\"", 1048576},
        {"\"200 GiB\"", UINT64_C(200) << 30},
        {"\"64KB\"", 65536},
        {"\"1.5 MiB\"", 1572864},
        {"\"2k\"", 2048},
    };
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        PARSED parsed =
            parse_with("{\"servers\": [], \"general\": {\"minFreeSpace\": %s}}", sizes[i].text);
        assert_non_null(parsed.config);
        assert_true(parsed.config->general.free_min_bytes == sizes[i].bytes);
    }
}

static void times_are_numbers_or_texts(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } times[] = {
        {"0", 0},
        {"600", 600000},
        {"1.5", 1500},
        {"1e3", 1000000},
        {"\"600\"", 600000},
        {"\"250ms\"", 250},
        {"\"25s\"", 25000},
        {"\"10m\"", 600000},
        {"\"1.5h\"", 5400000},
        {"\"7d\"", 604800000},
        {"\"10000000d\"", INT64_C(864000000000000)},
    };
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        PARSED parsed = parse_with("{\"servers\": [{\"remote\": \"/x\", \"retryTimeout\": %s}]}",
                                   times[i].text);
        assert_non_null(parsed.config);
        assert_true(parsed.config->servers[0].retry_ms == times[i].ms);
    }
}

static void silence_may_be_never_and_at_once(void **state) {
    (void)state;
    PARSED parsed =
        parse_good("{\"general\": {\"hedgeAfter\": null}, \"servers\": ["
                   " {\"remote\": \"http://a/\"}, {\"remote\": \"http://b/\", \"hedgeAfter\": 0},"
                   " {\"remote\": \"http://c/\", \"hedgeAfter\": \"250ms\"}]}");
    assert_true(parsed.config->general.hedge_after_ms == HEDGE_NEVER);
    assert_true(parsed.config->servers[0].hedge_after_ms == HEDGE_NEVER);
    assert_true(parsed.config->servers[1].hedge_after_ms == 0);
    assert_true(parsed.config->servers[2].hedge_after_ms == 250);
}

static void too_many_of_a_kind_are_refused(void **state) {
    (void)state;
    char statuses[STATUSES_MAX * 5 + 8];
    size_t used = 0;
    for (unsigned i = 0; i <= STATUSES_MAX; i++)
        used += (size_t)snprintf(statuses + used, sizeof statuses - used, "%s403", i ? ", " : "[");
    snprintf(statuses + used, sizeof statuses - used, "]");
    {
        PARSED parsed = parse_with(
            "{\"servers\": [{\"remote\": \"http://a/\", \"absentStatus\": %s}]}", statuses);
        char key[48];
        snprintf(key, sizeof key, "servers[0].absentStatus[%d]", STATUSES_MAX);
        assert_non_null(strstr(problem_about(&parsed, PROBLEM_ERROR, key)->what, "too many"));
    }
    static const char one[] = "{\"remote\": \"http://x/\"},";
    size_t most = SOURCES_MAX * (sizeof one - 1);
    CLEANUP(free_block) char *list = memory_new(most + sizeof one);
    for (unsigned i = 0; i <= SOURCES_MAX; i++)
        memcpy(list + i * (sizeof one - 1), one, sizeof one);
    list[most + sizeof one - 2] = '\0'; /* the last comma */
    {
        PARSED parsed = parse_with("{\"servers\": [%s]}", list);
        assert_non_null(strstr(problem_about(&parsed, PROBLEM_ERROR, "servers")->what, "too many"));
    }
    list[most - 1] = '\0';
    PARSED parsed = parse_with("{\"servers\": [%s]}", list);
    assert_non_null(parsed.config);
    assert_int_equal(parsed.config->server_count, SOURCES_MAX);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_types_are_told_at_their_place),
        cmocka_unit_test(bounds_are_told),
        cmocka_unit_test(texts_and_switches_are_taken),
        cmocka_unit_test(what_counts_for_other_remotes_is_warned_of),
        cmocka_unit_test(defaults_stand_where_nothing_is_said),
        cmocka_unit_test(sizes_are_numbers_or_texts),
        cmocka_unit_test(times_are_numbers_or_texts),
        cmocka_unit_test(silence_may_be_never_and_at_once),
        cmocka_unit_test(too_many_of_a_kind_are_refused),
    };
    return RUN_TESTS(tests);
}
