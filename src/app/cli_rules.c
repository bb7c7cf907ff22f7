// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/cli_remote.h"
#include "base/memory.h"
#include "base/text.h"

enum { PATH_BYTES_MAX = 32 * 1024, TEXT_BYTES_MAX = 8 * 1024, OPERANDS_MAX = 3, TIME_BYTES = 32 };

static void format_time(char out[TIME_BYTES], int64_t at_ms) {
    time_t at_s = at_ms / 1000;
    struct tm when;
    if (!localtime_r(&at_s, &when) || strftime(out, TIME_BYTES, "%Y-%m-%d %H:%M", &when) == 0)
        out[0] = '\0';
}

/* What has more lines must not look like more rules. */
static void copy_line(char out[TEXT_BYTES_MAX], const char *text) {
    text_copy(out, TEXT_BYTES_MAX, text);
    for (char *end; (end = strpbrk(out, "\n\t"));)
        *end = ' ';
}

static void print_rule(const json_t *rule) {
    const char *server = json_text_of(rule, "server");
    char value[TEXT_BYTES_MAX], comment[TEXT_BYTES_MAX];
    copy_line(value, json_text_of(rule, "value"));
    copy_line(comment, json_text_of(rule, "comment"));
    char when[TIME_BYTES];
    format_time(when, json_integer_value(json_object_get(rule, "at_ms")));
    printf("%lld. %s%s%s: %s\n     %s, %s%s%s\n", json_integer_of(rule, "id"),
           json_text_of(rule, "list"), server[0] ? " of " : "", server, value,
           json_text_of(rule, "origin"), when, comment[0] ? ": " : "", comment);
}

static int list(const struct remote *remote) {
    CLEANUP(json_unref) json_t *rules = remote_json(remote, "api/v1/rules", false);
    size_t index;
    json_t *rule;
    if (!rules)
        return 1;
    json_array_foreach(rules, index, rule) {
        print_rule(rule);
    }
    if (json_array_size(rules) == 0)
        puts("no rules: the configuration alone counts");
    return 0;
}

static void append_parameter(struct buffer *out, const char *name, const char *value) {
    char coded[3 * 4096 + 1];
    if (!value)
        return;
    if (!text_encode_percent(coded, sizeof coded, value, ""))
        out->failed = true;
    buffer_format(out, "&%s=%s", name, coded);
}

struct addition {
    const char *list;
    const char *value;
    const char *server;
    const char *comment;
};

static int add(const struct remote *remote, const struct addition *addition) {
    CLEANUP(buffer_release) struct buffer path;
    buffer_init(&path, PATH_BYTES_MAX);
    if (!addition->list || !addition->value) {
        fputs("symgate: say what to add: symgate rules add LIST VALUE [--server ID]\n", stderr);
        return 2;
    }
    buffer_append_text(&path, "api/v1/rules?origin=command%20line");
    append_parameter(&path, "list", addition->list);
    append_parameter(&path, "value", addition->value);
    append_parameter(&path, "server", addition->server);
    append_parameter(&path, "comment", addition->comment);
    if (path.failed) {
        fputs("symgate: that rule is too long\n", stderr);
        return 2;
    }
    CLEANUP(json_unref) json_t *rule = remote_json(remote, path.bytes, true);
    if (!rule)
        return 1;
    print_rule(rule);
    return 0;
}

static int undo(const struct remote *remote, const char *number) {
    char path[64];
    if (!number || number[strspn(number, "0123456789")] || strlen(number) > 18) {
        fputs("symgate: say which by its number: symgate rules undo NUMBER\n", stderr);
        return 2;
    }
    text_format(path, sizeof path, "api/v1/rules/undo?id=%s", number);
    CLEANUP(json_unref) json_t *answer = remote_json(remote, path, true);
    if (!answer)
        return 1;
    printf("rule %s is taken back\n", number);
    return 0;
}

int cli_rules(int argc, char **argv) {
    struct remote remote = {0};
    struct addition addition = {0};
    const char *operands[OPERANDS_MAX] = {"list"};
    unsigned count = 0;
    bool json = false;
    const struct cli_option options[] = {
        REMOTE_OPTIONS(&remote),
        {.name = "--server", .value = &addition.server},
        {.name = "--comment", .value = &addition.comment},
        {.name = "--json", .flag = &json},
        {0},
    };
    if (!cli_options(argc, argv, options, operands, OPERANDS_MAX, &count))
        return 2;
    addition.list = operands[1];
    addition.value = operands[2];
    if (strcmp(operands[0], "add") == 0)
        return add(&remote, &addition);
    if (strcmp(operands[0], "undo") == 0 && count <= 2)
        return undo(&remote, operands[1]);
    if (strcmp(operands[0], "export") == 0 && count == 1)
        return remote_print(&remote, "api/v1/rules/export", false);
    if (strcmp(operands[0], "list") == 0 && count <= 1)
        return json ? remote_print(&remote, "api/v1/rules", false) : list(&remote);
    fputs("symgate: rules takes list, add LIST VALUE, undo NUMBER or export\n", stderr);
    return 2;
}
