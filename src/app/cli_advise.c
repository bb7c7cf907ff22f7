// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "app/cli_remote.h"
#include "base/text.h"

static double number_of(const json_t *object, const char *name) {
    return json_number_value(json_object_get(object, name));
}

/* The lines of a text behind the first, further in. */
static void print_lines(const char *text) {
    for (; *text; text++) {
        putchar(*text);
        if (*text == '\n')
            fputs("                  ", stdout);
    }
}

static void print_advice(const json_t *advice) {
    const json_t *rule = json_object_get(advice, "rule");
    const char *server = json_text_of(rule, "server");
    printf("%s  %s", json_text_of(advice, "id"), json_text_of(advice, "kind"));
    if (json_is_object(rule)) {
        printf(": %s%s", server, server[0] ? ": " : "");
        print_lines(json_text_of(advice, "line"));
    }
    printf("\n    %s\n", json_text_of(advice, "sentence"));
    if (!json_is_object(rule))
        return;
    printf("    spares %.0f questions and %.1f s a day, ", number_of(advice, "questions_per_day"),
           number_of(advice, "seconds_per_day"));
    if (json_object_get(advice, "lost"))
        printf("%.0f files lost\n", number_of(advice, "lost"));
    else
        puts("and nobody knows which files it has");
}

static void print_none(const struct remote *remote) {
    CLEANUP(json_unref) json_t *overview = remote_json(remote, "api/v1/overview", false);
    bool off = json_is_false(json_object_get(overview, "enabled"));
    puts(off ? "no advice: statistics are switched off (general.enableStatistics)"
             : "no advice: nothing that was recorded speaks for a change");
}

static int list(const struct remote *remote) {
    CLEANUP(json_unref) json_t *all = remote_json(remote, "api/v1/advice", false);
    size_t index;
    json_t *advice;
    if (!all)
        return 1;
    json_array_foreach(all, index, advice) {
        print_advice(advice);
    }
    if (json_array_size(all) == 0)
        print_none(remote);
    return 0;
}

static int apply(const struct remote *remote, const char *id) {
    char coded[256], path[300];
    if (!text_encode_percent(coded, sizeof coded, id, "")) {
        fputs("symgate: that is no advice's id\n", stderr);
        return 2;
    }
    text_format(path, sizeof path, "api/v1/advice/apply?id=%s", coded);
    CLEANUP(json_unref) json_t *rule = remote_json(remote, path, true);
    if (!rule)
        return 1;
    const char *server = json_text_of(rule, "server");
    printf("rule %lld is in force: %s%s%s: %s\n", json_integer_of(rule, "id"),
           json_text_of(rule, "list"), server[0] ? " of " : "", server,
           json_text_of(rule, "value"));
    return 0;
}

int cli_advise(int argc, char **argv) {
    struct remote remote = {0};
    const char *id = NULL;
    unsigned count = 0;
    bool json = false;
    const struct cli_option options[] = {
        REMOTE_OPTIONS(&remote),
        {.name = "--apply", .value = &id},
        {.name = "--json", .flag = &json},
        {0},
    };
    if (!cli_options(argc, argv, options, NULL, 0, &count))
        return 2;
    if (id)
        return apply(&remote, id);
    return json ? remote_print(&remote, "api/v1/advice", false) : list(&remote);
}
