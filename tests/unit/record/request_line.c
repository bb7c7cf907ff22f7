// SPDX-License-Identifier: MIT
#include "record/request_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

static struct outcome outcome_of(const char *id) {
    return (struct outcome){
        .dialect = "symsrv",
        .method = "GET",
        .about_symbol = true,
        .verdict = VERDICT_HIT,
        .status = 200,
        .text = {id, "", "", "", "", "", "", ""},
    };
}

static void fill(char *text, size_t size, char with) {
    memset(text, with, size - 1);
    text[size - 1] = '\0';
}

/* What an outcome looks like in the log, without time and level; the caller frees. */
static char *line_of(const char *folder, const struct outcome *outcome,
                     const struct attempt_note *notes) {
    CLEANUP(free_block) char *path = scratch_path(folder, "log");
    const struct log_sink sink = {.path = path, .level = LOG_INFO};
    struct error err = {0};
    remove(path);
    assert_true(log_start(&sink, 1, LOG_INFO, &err));
    request_line_write(outcome, notes);
    log_stop();
    CLEANUP(free_block) char *text = scratch_read(folder, "log");
    assert_non_null(text);
    const char *begin = strstr(text, " INFO ");
    assert_non_null(begin);
    /* One line, whatever it holds. */
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    begin += strlen(" INFO ");
    return strndup(begin, strlen(begin) - 1);
}

static void a_request_is_one_line(void **state) {
    struct outcome outcome = outcome_of("id-1");
    outcome.text.client = "192.0.2.7";
    outcome.text.path = "/symbols/a.pdb/1/a.pdb";
    outcome.text.source = "mss";
    outcome.bytes = 4096;
    outcome.waited_us = 1250;
    outcome.total_us = 20000;
    CLEANUP(free_block) char *line = line_of(*state, &outcome, NULL);
    assert_string_equal(line, "192.0.2.7 \"GET /symbols/a.pdb/1/a.pdb\" 200 hit 4096 bytes "
                              "1.3/20.0 ms source=mss dialect=symsrv id=id-1");
}

static void what_there_is_not_is_a_dash(void **state) {
    struct outcome outcome = outcome_of("id-2");
    outcome.about_symbol = false;
    outcome.verdict = VERDICT_INVALID;
    outcome.dialect = "";
    outcome.status = 405;
    outcome.text.path = "/";
    CLEANUP(free_block) char *line = line_of(*state, &outcome, NULL);
    assert_string_equal(line, "- \"GET /\" 405 - 0 bytes 0.0/0.0 ms source=- dialect=- id=id-2");
}

static void ends_and_attempts_stand_in_the_line(void **state) {
    struct outcome outcome = outcome_of("id-3");
    const struct attempt_note notes[] = {
        {.source = "one", .result = ATTEMPT_ABSENT, .status = 404, .total_ms = 12},
        {.source = "My builds", .result = ATTEMPT_FAILED, .cause = ERROR_TIMEOUT},
    };
    outcome.verdict = VERDICT_FAILED;
    outcome.status = 404;
    outcome.broken = true;
    outcome.not_kept = true;
    outcome.note_count = 2;
    outcome.text.path = "/symbols/a/1/a";
    outcome.text.reason = "it was silent";
    outcome.text.source = "My builds";
    {
        CLEANUP(free_block) char *line = line_of(*state, &outcome, notes);
        assert_string_equal(
            line, "- \"GET /symbols/a/1/a\" 404 failed 0 bytes 0.0/0.0 ms source=\"My builds\" "
                  "dialect=symsrv id=id-3 broken not-kept reason=\"it was silent\" "
                  "asked=[one absent 404 12 ms, \"My builds\" failed timeout 0 ms]");
    }
    outcome.hung_up = true;
    CLEANUP(free_block) char *line = line_of(*state, &outcome, notes);
    assert_non_null(strstr(line, " hung-up not-kept"));
    assert_null(strstr(line, "broken"));
}

static void nothing_ends_a_quotation_or_a_line(void **state) {
    struct outcome outcome = outcome_of("id-4");
    const struct attempt_note note = {.source = "x\", \"y", .result = ATTEMPT_FOUND};
    outcome.text.path = "/a\" 200 hit \\\" \"\r\nforged\x1b[31m";
    outcome.text.reason = "say \"no\"\n";
    outcome.text.source = "a\"b";
    outcome.note_count = 1;
    CLEANUP(free_block) char *line = line_of(*state, &outcome, &note);
    assert_null(strpbrk(line, "\r\n\x1b"));
    assert_non_null(strstr(line, "\"GET /a\\\" 200 hit \\\\\\\" \\\""));
    assert_non_null(strstr(line, "reason=\"say \\\"no\\\""));
    assert_non_null(strstr(line, " source=\"a\\\"b\" "));
    assert_non_null(strstr(line, "asked=[\"x\\\", \\\"y\" found 0 ms]"));
    /* Four texts are quoted, and no quotation is left open. */
    unsigned quotes = 0;
    for (const char *at = line; *at; at++) {
        if (*at == '\\')
            at++;
        else
            quotes += *at == '"';
    }
    assert_int_equal(quotes, 8);
}

static void the_longest_line_is_whole(void **state) {
    struct outcome outcome = outcome_of("id-5");
    struct attempt_note notes[16];
    char id[REQUEST_ID_BYTES], client[CLIENT_BYTES], path[512], source[64], reason[256];
    fill(id, sizeof id, 'i');
    fill(client, sizeof client, 'c');
    fill(path, sizeof path, '"');
    fill(source, sizeof source, '"');
    fill(reason, sizeof reason, '"');
    outcome.text = (struct outcome_texts){id, client, path, "", "", "", source, reason};
    outcome.bytes = UINT64_MAX;
    outcome.waited_us = outcome.total_us = INT64_C(1) << 50;
    outcome.broken = outcome.not_kept = true;
    outcome.note_count = LENGTH_OF(notes);
    for (size_t i = 0; i < LENGTH_OF(notes); i++) {
        notes[i] = (struct attempt_note){.result = ATTEMPT_REMEMBERED,
                                         .status = 503,
                                         .cause = ERROR_THROTTLED,
                                         .total_ms = 100000000};
        fill(notes[i].source, sizeof notes[i].source, 's');
    }
    CLEANUP(free_block) char *line = line_of(*state, &outcome, notes);
    size_t length = strlen(line);
    assert_string_equal(line + length - 14, " 100000000 ms]");
}

/* Whatever the names are made of: the list is closed, and what has no room is counted. */
static void a_long_list_of_attempts_is_closed(void **state) {
    static const char letters[] = {'s', '"', '\x01', '\xff'};
    for (size_t letter = 0; letter < sizeof letters; letter++) {
        struct outcome outcome = outcome_of("id-6");
        struct attempt_note notes[OUTCOME_NOTES_MAX];
        char path[REQUEST_PATH_BYTES], reason[256];
        fill(path, sizeof path, letters[letter]);
        fill(reason, sizeof reason, letters[letter]);
        outcome.text.path = path;
        outcome.text.reason = reason;
        outcome.note_count = LENGTH_OF(notes);
        for (size_t i = 0; i < LENGTH_OF(notes); i++) {
            notes[i] = (struct attempt_note){.result = ATTEMPT_REMEMBERED, .total_ms = 7};
            fill(notes[i].source, sizeof notes[i].source, letters[letter]);
        }
        CLEANUP(free_block) char *line = line_of(*state, &outcome, notes);
        const char *list = strstr(line, " asked=[");
        assert_non_null(list);
        unsigned shown = 0, more = 0;
        for (const char *at = list; (at = strstr(at, " remembered 7 ms")); at++)
            shown++;
        const char *last = strrchr(list, ',') ? strrchr(list, ',') + 2 : list + strlen(" asked=[");
        assert_int_equal(sscanf(last, "%u more]", &more), 1);
        assert_string_equal(line + strlen(line) - strlen(" more]"), " more]");
        assert_int_equal(shown + more, OUTCOME_NOTES_MAX);
    }
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_request_is_one_line),
        IN_SCRATCH(what_there_is_not_is_a_dash),
        IN_SCRATCH(ends_and_attempts_stand_in_the_line),
        IN_SCRATCH(nothing_ends_a_quotation_or_a_line),
        IN_SCRATCH(the_longest_line_is_whole),
        IN_SCRATCH(a_long_list_of_attempts_is_closed),
    };
    return RUN_TESTS(tests);
}
