// SPDX-License-Identifier: MIT
#include "app/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { LIST_MAX = 64 };

static const struct cli_option *find(const struct cli_option *options, const char *argument,
                                     size_t length) {
    for (; options->name; options++)
        if (strlen(options->name) == length && memcmp(options->name, argument, length) == 0)
            return options;
    return NULL;
}

static bool take_value(const struct cli_option *option, const char *value) {
    if (option->value) {
        *option->value = value;
        return true;
    }
    if (!option->list->texts)
        option->list->texts = NEW_ARRAY(char *, LIST_MAX);
    if (option->list->count == LIST_MAX) {
        fprintf(stderr, "symgate: %s is given more than %d times\n", option->name, LIST_MAX);
        return false;
    }
    option->list->texts[option->list->count++] = memory_text(value);
    return true;
}

bool cli_options(int argc, char **argv, const struct cli_option *options, const char **operands,
                 unsigned operands_max, unsigned *out_operands) {
    *out_operands = 0;
    bool ended = false; /* "--": what follows is no option */
    for (int i = 0; i < argc; i++) {
        const char *argument = argv[i];
        if (!ended && strcmp(argument, "--") == 0) {
            ended = true;
            continue;
        }
        if (ended || argument[0] != '-') {
            if (*out_operands == operands_max) {
                fprintf(stderr, "symgate: \"%s\" is one argument too many\n", argument);
                return false;
            }
            operands[(*out_operands)++] = argument;
            continue;
        }
        size_t length = strcspn(argument, "=");
        const struct cli_option *option = find(options, argument, length);
        if (!option) {
            fprintf(stderr, "symgate: unknown option \"%s\"; symgate --help lists them\n",
                    argument);
            return false;
        }
        if (option->flag) {
            *option->flag = true;
            continue;
        }
        const char *value = argument[length] ? argument + length + 1 : NULL;
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value) {
            fprintf(stderr, "symgate: %s needs a value\n", option->name);
            return false;
        }
        if (!take_value(option, value))
            return false;
    }
    return true;
}

bool cli_mean(struct cli_meant *meant, const char *operand) {
    int given = (meant->path != NULL) + (meant->sympath != NULL) + (operand != NULL);
    if (given > 1) {
        fputs("symgate: give one configuration: a file, or a symbol path (--sympath)\n", stderr);
        return false;
    }
    if (operand)
        meant->path = operand;
    return true;
}

struct config *cli_load(const struct cli_meant *meant, char **out_name,
                        struct config_problems *out_problems) {
    if (meant->sympath) {
        *out_name = memory_text("--sympath");
        return config_from_sympath(meant->sympath, meant->data, out_problems);
    }
    *out_name = meant->path ? memory_text(meant->path) : config_find_file();
    return config_load(*out_name, meant->data, out_problems);
}

void cli_problems(const struct config_problems *problems, const char *path, bool notes) {
    for (unsigned i = 0; i < problems->count; i++) {
        char line[1024];
        if (problems->list[i].severity == PROBLEM_NOTE && !notes)
            continue;
        config_problem_format(&problems->list[i], path, line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
    if (problems->dropped)
        fprintf(stderr, "and %u more\n", problems->dropped);
}

int cli_failed(const struct error *err) {
    fprintf(stderr, "symgate: %s%s%s\n", err->what, err->hint[0] ? ". " : "", err->hint);
    return 1;
}
