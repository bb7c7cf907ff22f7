// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "app/cli.h"
#include "app/client_log.h"
#include "app/doctor.h"
#include "base/memory.h"
#include "base/text.h"

enum { OUTPUT_BYTES_MAX = 16 * 1024 * 1024, LOG_BYTES_MAX = 8 * 1024 * 1024, PIECE = 64 * 1024 };

static int print(const struct report *report, bool json) {
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, OUTPUT_BYTES_MAX);
    if (json)
        report_append_json(&out, report);
    else
        report_append_text(&out, report);
    fputs(out.bytes, stdout);
    return report->problems ? 1 : 0;
}

/* --- a log of a client's --------------------------------------------------------------------- */

static bool read_all(FILE *file, struct buffer *out) {
    for (;;) {
        char *room = buffer_room(out, PIECE);
        size_t got = room ? fread(room, 1, PIECE, file) : 0;
        buffer_filled(out, got);
        if (got == 0)
            return room && !ferror(file);
    }
}

static int explain_log(const char *path, bool json) {
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, LOG_BYTES_MAX);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    bool good = file && read_all(file, &text);
    if (file && file != stdin)
        fclose(file);
    if (!good) {
        fprintf(stderr, "symgate: \"%s\" cannot be read, or is longer than 8 MiB\n", path);
        return 2;
    }
    struct report report = {0};
    client_log_read(text.bytes ? text.bytes : "", text.length, &report);
    int status = print(&report, json);
    report_release(&report);
    return status;
}

/* --- the configuration ----------------------------------------------------------------------- */

static void tell_problems(const struct config_problems *problems, struct report *report) {
    for (unsigned i = 0; i < problems->count; i++) {
        const struct config_problem *problem = &problems->list[i];
        if (problem->severity == PROBLEM_WARNING)
            report_add(report, FINDING_WARNING, "configuration", problem->key, problem->what,
                       problem->hint);
    }
}

static bool read_symbol(const char *text, struct question *out_question) {
    struct error ignored;
    *out_question = (struct question){0};
    if (spelling_read(text, &out_question->spelling) &&
        symbol_key_make(&out_question->spelling, &out_question->key, &ignored))
        return true;
    char shown[256];
    text_mask_url(shown, sizeof shown, text);
    fprintf(stderr, "symgate: \"%s\" names no symbol: --symbol NAME/ID\n", shown);
    return false;
}

static int examine(struct config *config, const struct config_problems *problems,
                   const struct question *known, bool json) {
    struct report report = {0};
    struct error err = {0};
    tell_problems(problems, &report);
    bool ruled = doctor_rules(config, &report);
    doctor_places(config, known, &report);
    if (ruled && !doctor_servers(config, known, &report, &err)) {
        report_release(&report);
        return cli_failed(&err);
    }
    int status = print(&report, json);
    report_release(&report);
    return status;
}

static int examine_meant(const struct cli_meant *meant, const struct question *known, bool json) {
    CLEANUP(free_block) char *name = NULL;
    struct config_problems problems;
    struct config *config = cli_load(meant, &name, &problems);
    if (!config)
        cli_problems(&problems, name, false);
    int status = config ? examine(config, &problems, known, json) : 2;
    config_free(config);
    config_problems_release(&problems);
    return status;
}

int cli_doctor(int argc, char **argv) {
    struct cli_meant meant = {0};
    const char *operand = NULL, *symbol = NULL, *log = NULL;
    bool json = false;
    unsigned operands = 0;
    const struct cli_option options[] = {
        {.name = "--config", .value = &meant.path},
        {.name = "--sympath", .value = &meant.sympath},
        {.name = "--data", .value = &meant.data},
        {.name = "--symbol", .value = &symbol},
        {.name = "--log", .value = &log},
        {.name = "--json", .flag = &json},
        {0},
    };
    struct question known;
    if (!cli_options(argc, argv, options, &operand, 1, &operands))
        return 2;
    if (log)
        return explain_log(log, json);
    if ((symbol && !read_symbol(symbol, &known)) || !cli_mean(&meant, operand))
        return 2;
    return examine_meant(&meant, symbol ? &known : NULL, json);
}
