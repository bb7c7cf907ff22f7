// SPDX-License-Identifier: MIT
#include "app/rules_apply.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "unit/app/parse.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

static const char three[] = "{\"general\": {\"blacklist\": [\"mso\"]}, \"servers\": ["
                            "{\"identifier\": \"a\", \"remote\": \"https://a/\"},"
                            "{\"identifier\": \"b\", \"remote\": \"https://b/\","
                            " \"blacklist\": [\"x\"]},"
                            "{\"identifier\": \"c\", \"remote\": \"https://c/\"}]}";

struct asked {
    enum rule_list list;
    const char *server;
    const char *value;
};

/* The three servers with these rules put in. */
static struct parsed with_rules(void **state, const struct asked *asked, size_t count) {
    struct error err = {0};
    int fd = open(*state, O_RDONLY | O_DIRECTORY);
    struct rules *rules = rules_open(*state, fd, &err);
    assert_non_null(rules);
    for (size_t i = 0; i < count; i++) {
        struct rule rule = {.list = asked[i].list};
        text_copy(rule.server, sizeof rule.server, asked[i].server);
        text_copy(rule.value, sizeof rule.value, asked[i].value);
        if (!rules_add(rules, &rule, &err))
            fail_msg("%s", err.what);
    }
    struct parsed parsed = parse_good(three);
    rules_apply(rules, parsed.config);
    rules_free(rules);
    close(fd);
    return parsed;
}

static void each_list_counts(void **state) {
    static const struct asked asked[] = {
        {RULE_EVERYWHERE, "", "nv.*"},  {RULE_BLACKLIST, "b", "y"},
        {RULE_WHITELIST, "c", "our.*"}, {RULE_RETRY, "a", "1h"},
        {RULE_RETRY, "a", "2h"},        {RULE_PRIORITY, "c", "9"},
        {RULE_ENABLED, "b", "false"},   {RULE_ENABLED, "gone", "false"},
    };
    PARSED parsed = with_rules(state, asked, LENGTH_OF(asked));
    const struct config *config = parsed.config;
    assert_int_equal(config->general.blacklist.count, 2);
    assert_string_equal(pattern_text(config->general.blacklist.patterns[0]), "mso");
    assert_string_equal(pattern_text(config->general.blacklist.patterns[1]), "nv.*");
    assert_int_equal(config->servers[1].blacklist.count, 2);
    assert_string_equal(pattern_text(config->servers[1].blacklist.patterns[1]), "y");
    assert_false(config->servers[0].whitelist.given);
    assert_true(config->servers[2].whitelist.given);
    assert_string_equal(pattern_text(config->servers[2].whitelist.patterns[0]), "our.*");
    assert_int_equal(config->servers[0].retry_ms, 2 * 3600 * 1000);
    assert_int_equal(config->servers[2].priority, 9);
    assert_true(config->servers[0].enabled);
    assert_false(config->servers[1].enabled);
}

static void an_order_puts_the_others_behind(void **state) {
    static const struct asked all[] = {{RULE_ORDER, "", "[\"c\", \"a\", \"b\"]"}};
    static const struct asked one[] = {{RULE_ORDER, "", "[\"c\", \"gone\"]"}};
    {
        PARSED parsed = with_rules(state, all, 1);
        assert_int_equal(parsed.config->servers[2].priority, 1);
        assert_int_equal(parsed.config->servers[0].priority, 2);
        assert_int_equal(parsed.config->servers[1].priority, 3);
    }
    PARSED parsed = with_rules(state, one, 1); /* after the first one, which still lies there */
    assert_int_equal(parsed.config->servers[2].priority, 1);
    assert_true(parsed.config->servers[0].priority > 1);
    assert_true(parsed.config->servers[1].priority > parsed.config->servers[0].priority);
}

static void a_configuration_is_read_again_from_what_it_was(void **state) {
    (void)state;
    PARSED parsed = parse_good(three);
    struct config_problems problems;
    struct config *again = config_again(parsed.config, &problems);
    assert_non_null(again);
    assert_int_equal(again->server_count, 3);
    assert_string_equal(again->path, parsed.config->path);
    assert_string_equal(again->general.data_location, parsed.config->general.data_location);
    struct config_problems more;
    struct config *third = config_again(again, &more);
    assert_non_null(third);
    config_problems_release(&problems);
    config_problems_release(&more);
    config_free(third);
    config_free(again);
    struct config *path = config_from_sympath("srv*https://a/", "/data", &problems);
    assert_non_null(path);
    config_problems_release(&problems);
    again = config_again(path, &problems);
    assert_non_null(again);
    assert_int_equal(again->server_count, path->server_count);
    assert_string_equal(again->servers[0].remote, path->servers[0].remote);
    config_problems_release(&problems);
    config_free(again);
    config_free(path);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(each_list_counts),
        WITH_FOLDER(an_order_puts_the_others_behind),
        cmocka_unit_test(a_configuration_is_read_again_from_what_it_was),
    };
    return RUN_TESTS(tests);
}
