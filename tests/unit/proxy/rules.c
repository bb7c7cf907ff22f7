// SPDX-License-Identifier: MIT
#include "proxy/rules.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

/* Some rules in a folder of their own. */
struct place {
    const char *path;
    int fd;
    struct rules *rules;
    struct error err;
};

static bool open_rules(struct place *place, void **state) {
    *place = (struct place){.path = *state};
    place->fd = open(place->path, O_RDONLY | O_DIRECTORY);
    assert_true(place->fd >= 0);
    place->rules = rules_open(place->path, place->fd, &place->err);
    return place->rules != NULL;
}

static void close_rules(struct place *place) {
    rules_free(place->rules);
    close(place->fd);
}

static struct rule rule_of(enum rule_list list, const char *server, const char *value) {
    struct rule rule = {.list = list, .origin = RULE_COMMAND_LINE};
    assert_true(text_copy(rule.server, sizeof rule.server, server));
    assert_true(text_copy(rule.value, sizeof rule.value, value));
    return rule;
}

static uint64_t add(struct place *place, enum rule_list list, const char *server,
                    const char *value) {
    struct rule rule = rule_of(list, server, value);
    if (!rules_add(place->rules, &rule, &place->err))
        fail_msg("%s", place->err.what);
    return rule.id;
}

struct seen {
    unsigned count;
    struct rule last;
};

static bool see(const struct rule *rule, void *context) {
    struct seen *seen = context;
    seen->count++;
    seen->last = *rule;
    return true;
}

static struct seen seen_of(struct place *place) {
    struct seen seen = {0};
    rules_each(place->rules, see, &seen);
    return seen;
}

/* How many files of the folder begin so. */
static unsigned files_like(void **state, const char *begin) {
    DIR *folder = opendir(*state);
    unsigned count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += text_starts(entry->d_name, begin);
    closedir(folder);
    return count;
}

static void they_survive_a_restart(void **state) {
    struct place place;
    assert_true(open_rules(&place, state));
    assert_int_equal(seen_of(&place).count, 0);
    assert_int_equal(add(&place, RULE_EVERYWHERE, "", "mso\\.\"x\""), 1);
    assert_int_equal(add(&place, RULE_RETRY, "acme", "10m"), 2);
    struct rule told = rule_of(RULE_ORDER, "", "[\"b\", \"a\"]");
    told.origin = RULE_ADVISER;
    text_copy(told.comment, sizeof told.comment, "what \"they\" said");
    assert_true(rules_add(place.rules, &told, &place.err));
    close_rules(&place);
    assert_true(open_rules(&place, state));
    struct seen seen = seen_of(&place);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.last.id, 3);
    assert_int_equal(seen.last.list, RULE_ORDER);
    assert_int_equal(seen.last.origin, RULE_ADVISER);
    assert_int_equal(seen.last.at_ms, told.at_ms);
    assert_true(told.at_ms > 0);
    assert_string_equal(seen.last.value, "[\"b\", \"a\"]");
    assert_string_equal(seen.last.comment, "what \"they\" said");
    close_rules(&place);
    assert_int_equal(files_like(state, "rules.json"), 1);
}

static void a_number_is_given_once(void **state) {
    struct place place;
    bool found;
    assert_true(open_rules(&place, state));
    add(&place, RULE_ENABLED, "acme", "false");
    assert_int_equal(add(&place, RULE_PRIORITY, "acme", "7"), 2);
    assert_true(rules_undo(place.rules, 2, &found, &place.err));
    assert_true(found);
    assert_true(rules_undo(place.rules, 2, &found, &place.err));
    assert_false(found);
    assert_int_equal(seen_of(&place).last.id, 1);
    close_rules(&place);
    assert_true(open_rules(&place, state));
    assert_int_equal(seen_of(&place).count, 1);
    assert_int_equal(add(&place, RULE_PRIORITY, "acme", "7"), 3);
    close_rules(&place);
}

static void what_is_none_is_refused(void **state) {
    static const struct {
        enum rule_list list;
        const char *server, *value, *what;
    } cases[] = {
        {RULE_EVERYWHERE, "", "nv(", "bad pattern at character 3: missing )"},
        {RULE_BLACKLIST, "acme", "[a", "bad pattern at character "},
        {RULE_WHITELIST, "", "a", "\"whitelist\" is a server's: say which"},
        {RULE_EVERYWHERE, "acme", "a", "\"general.blacklist\" is no server's"},
        {RULE_ORDER, "acme", "[\"acme\"]", "\"order\" is no server's"},
        {RULE_RETRY, "acme", "soon", "\"soon\" is no time"},
        {RULE_PRIORITY, "acme", "0", "a priority is a number from 1 to 1000000"},
        {RULE_PRIORITY, "acme", "1000001", "a priority is a number"},
        {RULE_ENABLED, "acme", "no", "enabled is true or false"},
        {RULE_ORDER, "", "acme", "an order is a JSON list"},
        {RULE_ORDER, "", "[]", "an order is a JSON list"},
        {RULE_ORDER, "", "[\"a\", \"b\", \"a\"]", "\"a\" stands in the order twice"},
        {RULE_ORDER, "", "[1]", "an order is a JSON list"},
    };
    struct place place;
    assert_true(open_rules(&place, state));
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct rule rule = rule_of(cases[i].list, cases[i].server, cases[i].value);
        assert_false(rules_add(place.rules, &rule, &place.err));
        assert_int_equal(place.err.kind, ERROR_INVALID);
        if (!text_starts(place.err.what, cases[i].what))
            fail_msg("case %zu: %s", i, place.err.what);
    }
    assert_int_equal(seen_of(&place).count, 0);
    close_rules(&place);
    assert_int_equal(files_like(state, "rules.json"), 0);
}

static void a_broken_file_is_set_aside(void **state) {
    static const char *const broken[] = {
        "",
        "{\"format\": 1, \"next\": 2",
        "[]",
        "{\"format\": 1, \"next\": 2, \"rules\": [{\"id\": 1}]}",
        ("{\"format\": 1, \"next\": 2, \"rules\": [{\"id\": 1, \"list\": \"blacklist\", "
         "\"server\": "
         "\"a\", \"value\": \"(\", \"origin\": \"page\", \"at_ms\": 1, \"comment\": \"\"}]}"),
    };
    for (size_t i = 0; i < LENGTH_OF(broken); i++) {
        struct place place;
        scratch_write(*state, "rules.json", broken[i]);
        unsigned aside = files_like(state, "rules.json.broken-");
        assert_null(rules_read(*state, &place.err));
        assert_non_null(strstr(place.err.what, "cannot be used"));
        assert_int_equal(files_like(state, "rules.json.broken-"), aside);
        assert_true(open_rules(&place, state));
        assert_int_equal(seen_of(&place).count, 0);
        assert_true(files_like(state, "rules.json.broken-") >= 1);
        assert_int_equal(add(&place, RULE_ENABLED, "a", "true"), 1);
        close_rules(&place);
    }
}

static void a_later_version_s_file_is_left_alone(void **state) {
    struct place place;
    scratch_write(*state, "rules.json", "{\"format\": 2, \"rules\": {}}");
    assert_false(open_rules(&place, state));
    assert_int_equal(place.err.kind, ERROR_CONFIG);
    assert_non_null(strstr(place.err.what, "later version"));
    close_rules(&place);
    assert_int_equal(files_like(state, "rules.json"), 1);
    assert_int_equal(files_like(state, "rules.json.broken"), 0);
}

static void there_is_a_ceiling(void **state) {
    struct place place;
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_text(&text, "{\"format\": 1, \"next\": 1001, \"rules\": [");
    for (unsigned i = 1; i <= RULES_MAX; i++)
        buffer_format(
            &text,
            "%s{\"id\": %u, \"list\": \"enabled\", \"server\": \"a\", \"value\": \"true\", "
            "\"origin\": \"page\", \"at_ms\": 1, \"comment\": \"\"}",
            i > 1 ? "," : "", i);
    buffer_append_text(&text, "]}");
    scratch_write(*state, "rules.json", text.bytes);
    assert_true(open_rules(&place, state));
    assert_int_equal(seen_of(&place).count, RULES_MAX);
    struct rule rule = rule_of(RULE_ENABLED, "a", "false");
    assert_false(rules_add(place.rules, &rule, &place.err));
    assert_int_equal(place.err.kind, ERROR_INVALID);
    bool found;
    assert_true(rules_undo(place.rules, 500, &found, &place.err));
    assert_true(rules_add(place.rules, &rule, &place.err));
    assert_int_equal(rule.id, 1001);
    close_rules(&place);
}

static void what_cannot_be_written_does_not_count(void **state) {
    struct place place;
    bool found;
    assert_true(open_rules(&place, state));
    add(&place, RULE_ENABLED, "a", "true");
    int good = place.fd;
    int gone = open("/dev/null", O_RDONLY);
    assert_true(dup2(gone, good) >= 0); /* no folder any more */
    struct rule rule = rule_of(RULE_ENABLED, "b", "true");
    assert_false(rules_add(place.rules, &rule, &place.err));
    assert_int_not_equal(place.err.kind, ERROR_INVALID);
    assert_false(rules_undo(place.rules, 1, &found, &place.err));
    assert_int_equal(seen_of(&place).count, 1);
    assert_string_equal(seen_of(&place).last.server, "a");
    close(gone);
    close_rules(&place);
}

static void lines_are_those_of_the_configuration(void **state) {
    (void)state;
    static const struct {
        enum rule_list list;
        const char *value, *line;
    } cases[] = {
        {RULE_EVERYWHERE, "a\\.b", "\"blacklist\": [\"a\\\\.b\"]"},
        {RULE_BLACKLIST, "nv.*", "\"blacklist\": [\"nv.*\"]"},
        {RULE_WHITELIST, "nv.*", "\"whitelist\": [\"nv.*\"]"},
        {RULE_RETRY, "1d", "\"retryTimeout\": \"1d\""},
        {RULE_PRIORITY, "3", "\"priority\": 3"},
        {RULE_ENABLED, "false", "\"enabled\": false"},
        {RULE_ORDER, "[\"b\", \"a\"]",
         "\"priority\": 1 // in the server \"b\"\n\"priority\": 2 // in the server \"a\""},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        CLEANUP(buffer_release) struct buffer out;
        struct rule rule = rule_of(cases[i].list, "", cases[i].value);
        buffer_init(&out, 1000);
        rule_append_line(&out, &rule);
        assert_string_equal(out.bytes, cases[i].line);
    }
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(they_survive_a_restart),
        WITH_FOLDER(a_number_is_given_once),
        WITH_FOLDER(what_is_none_is_refused),
        WITH_FOLDER(a_broken_file_is_set_aside),
        WITH_FOLDER(a_later_version_s_file_is_left_alone),
        WITH_FOLDER(there_is_a_ceiling),
        WITH_FOLDER(what_cannot_be_written_does_not_count),
        cmocka_unit_test(lines_are_those_of_the_configuration),
    };
    return RUN_TESTS(tests);
}
