// SPDX-License-Identifier: MIT
#include "record/recorder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/scratch.h"

enum { RING = 10000, THREADS = 8, PUTS = 5000 };

static struct recorder *recorder_of(unsigned outcomes_max) {
    const struct recorder_options options = {.outcomes_max = outcomes_max};
    return recorder_new(&options);
}

static struct outcome outcome_of(unsigned number) {
    struct outcome outcome = {
        .wall_ns = number,
        .dialect = "symsrv",
        .method = "GET",
        .about_symbol = true,
        .verdict = VERDICT_HIT,
        .status = 200,
    };
    text_format(outcome.id, sizeof outcome.id, "id-%u", number);
    return outcome;
}

static void put_many(struct recorder *recorder, unsigned from, unsigned to) {
    for (unsigned i = from; i < to; i++) {
        struct outcome outcome = outcome_of(i);
        recorder_put(recorder, &outcome, NULL);
    }
}

struct seen {
    unsigned next; /* number that is expected, downwards */
    unsigned shown;
    unsigned shown_max;
};

static bool show(const struct outcome *outcome, void *context) {
    struct seen *seen = context;
    char id[32];
    snprintf(id, sizeof id, "id-%u", seen->next--);
    assert_string_equal(outcome->id, id);
    return ++seen->shown < seen->shown_max;
}

static void assert_recent(struct recorder *recorder, unsigned count_max, unsigned newest,
                          unsigned shown_max, unsigned shown) {
    struct seen seen = {.next = newest, .shown_max = shown_max};
    recorder_recent(recorder, count_max, show, &seen);
    assert_int_equal(seen.shown, shown);
}

static bool is_kept(struct recorder *recorder, unsigned number) {
    char id[32];
    struct outcome outcome;
    snprintf(id, sizeof id, "id-%u", number);
    bool found = recorder_find(recorder, id, &outcome, NULL, 0);
    if (found)
        assert_int_equal(outcome.wall_ns, number);
    return found;
}

static void the_last_ten_thousand_are_kept(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(RING);
    assert_recent(recorder, 10, 0, 10, 0);
    assert_false(is_kept(recorder, 0));
    put_many(recorder, 0, RING);
    assert_true(is_kept(recorder, 0));
    assert_recent(recorder, 2 * RING, RING - 1, 2 * RING, RING);
    put_many(recorder, RING, RING + 1);
    assert_false(is_kept(recorder, 0));
    assert_true(is_kept(recorder, 1));
    assert_true(is_kept(recorder, RING));
    put_many(recorder, RING + 1, 3 * RING + 7);
    assert_false(is_kept(recorder, 2 * RING + 6));
    assert_true(is_kept(recorder, 2 * RING + 7));
    assert_recent(recorder, 2 * RING, 3 * RING + 6, 2 * RING, RING);
    assert_int_equal(counted(&recorder_counters(recorder)->requests), 3 * RING + 7);
    recorder_free(recorder);
}

static void the_newest_come_first_until_enough(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(5);
    put_many(recorder, 0, 8);
    assert_recent(recorder, 3, 7, 100, 3);
    assert_recent(recorder, 100, 7, 2, 2);
    assert_recent(recorder, 0, 7, 100, 0);
    recorder_free(recorder);
}

static void ids_that_came_twice_name_the_newer_one(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(5);
    struct outcome outcome = outcome_of(1), found;
    outcome.status = 404;
    recorder_put(recorder, &outcome, NULL);
    outcome.status = 200;
    recorder_put(recorder, &outcome, NULL);
    assert_true(recorder_find(recorder, "id-1", &found, NULL, 0));
    assert_int_equal(found.status, 200);
    recorder_free(recorder);
}

static void without_room_only_counters_are_kept(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(0);
    put_many(recorder, 0, 3);
    assert_false(is_kept(recorder, 2));
    assert_recent(recorder, 10, 2, 10, 0);
    assert_int_equal(counted(&recorder_counters(recorder)->requests), 3);
    recorder_free(recorder);
    recorder_free(NULL);
}

static void fill(char *text, size_t size, char with) {
    memset(text, with, size - 1);
    text[size - 1] = '\0';
}

static void an_outcome_comes_back_as_it_was(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(2);
    struct outcome full = outcome_of(1), found;
    full.wall_ns = INT64_MAX;
    full.waited_us = 5;
    full.total_us = 6;
    full.bytes = UINT64_MAX;
    full.verdict = VERDICT_EXCLUDED;
    full.broken = full.hung_up = full.not_kept = true;
    fill(full.id, sizeof full.id, 'i');
    fill(full.client, sizeof full.client, 'c');
    fill(full.path, sizeof full.path, 'p');
    fill(full.key, sizeof full.key, 'k');
    fill(full.rule, sizeof full.rule, 'r');
    fill(full.source, sizeof full.source, 's');
    fill(full.reason, sizeof full.reason, 'w');
    struct outcome empty = {.dialect = "", .method = "-"};
    recorder_put(recorder, &full, NULL);
    recorder_put(recorder, &empty, NULL);
    assert_true(recorder_find(recorder, full.id, &found, NULL, 0));
    assert_true(found.wall_ns == full.wall_ns && found.waited_us == 5 && found.total_us == 6);
    assert_true(found.bytes == UINT64_MAX && found.status == 200);
    assert_int_equal(found.verdict, VERDICT_EXCLUDED);
    assert_true(found.about_symbol && found.broken && found.hung_up && found.not_kept);
    assert_string_equal(found.dialect, "symsrv");
    assert_string_equal(found.method, "GET");
    assert_string_equal(found.client, full.client);
    assert_string_equal(found.path, full.path);
    assert_string_equal(found.key, full.key);
    assert_string_equal(found.rule, full.rule);
    assert_string_equal(found.source, full.source);
    assert_string_equal(found.reason, full.reason);
    assert_true(recorder_find(recorder, "", &found, NULL, 0));
    assert_string_equal(found.path, "");
    assert_false(found.about_symbol || found.broken || found.hung_up || found.not_kept);
    recorder_free(recorder);
}

static void attempts_are_kept_with_their_outcome(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(2);
    struct attempt_note notes[3] = {
        {.source = "one", .result = ATTEMPT_ABSENT, .status = 404, .url = "http://***@h/x"},
        {.source = "two", .result = ATTEMPT_FAILED, .cause = ERROR_RESET, .bytes = 7},
        {.source = "three", .result = ATTEMPT_FOUND, .status = 200},
    };
    struct outcome outcome = outcome_of(1), found;
    outcome.note_count = 3;
    recorder_put(recorder, &outcome, notes);
    memset(notes, 0, sizeof notes);
    struct attempt_note got[3] = {0};
    assert_true(recorder_find(recorder, "id-1", &found, got, 3));
    assert_int_equal(found.note_count, 3);
    assert_string_equal(got[0].source, "one");
    assert_string_equal(got[0].url, "http://***@h/x");
    assert_int_equal(got[1].cause, ERROR_RESET);
    assert_int_equal(got[1].bytes, 7);
    assert_int_equal(got[2].result, ATTEMPT_FOUND);
    memset(got, 0, sizeof got);
    assert_true(recorder_find(recorder, "id-1", &found, got, 2));
    assert_int_equal(found.note_count, 2);
    assert_string_equal(got[1].source, "two");
    assert_string_equal(got[2].source, "");
    recorder_free(recorder);
}

static struct recorder *the_recorder;

/* Each thread puts what it says with its number, among others that look. */
static void *put_and_look(void *context) {
    unsigned thread = *(const unsigned *)context;
    for (unsigned i = 0; i < PUTS; i++) {
        struct attempt_note note = {.source = "s"};
        struct outcome outcome = outcome_of(thread * PUTS + i), found;
        outcome.verdict = (enum verdict)(i % VERDICT_COUNT);
        outcome.about_symbol = i % 2 == 0;
        outcome.bytes = i % 3;
        outcome.broken = i % 5 == 0;
        outcome.hung_up = i % 10 == 0;
        outcome.note_count = i % 2;
        recorder_put(the_recorder, &outcome, &note);
        if (i % 100 == 0 && recorder_find(the_recorder, outcome.id, &found, &note, 1))
            assert_string_equal(found.id, outcome.id);
    }
    return NULL;
}

static void counters_are_exact_under_threads(void **state) {
    (void)state;
    the_recorder = recorder_of(64);
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_look, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const struct recorder_counters *counters = recorder_counters(the_recorder);
    uint64_t verdicts[VERDICT_COUNT] = {0}, bytes = 0;
    for (unsigned i = 0; i < PUTS; i++) {
        verdicts[i % VERDICT_COUNT] += i % 2 == 0;
        bytes += i % 3;
    }
    assert_int_equal(counted(&counters->requests), THREADS * PUTS);
    assert_int_equal(counted(&counters->bytes_sent), THREADS * bytes);
    assert_int_equal(counted(&counters->broken), THREADS * PUTS / 5);
    assert_int_equal(counted(&counters->hung_up), THREADS * PUTS / 10);
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        assert_int_equal(counted(&counters->by_verdict[i]), THREADS * verdicts[i]);
    recorder_free(the_recorder);
}

/* What an outcome looks like in the log, without time and level; the caller frees. */
static char *line_of(const char *folder, const struct outcome *outcome,
                     const struct attempt_note *notes) {
    CLEANUP(free_block) char *path = scratch_path(folder, "log");
    const struct log_sink sink = {.path = path, .level = LOG_INFO};
    const struct recorder_options options = {.log_requests = true};
    struct recorder *recorder = recorder_new(&options);
    struct error err = {0};
    remove(path);
    assert_true(log_start(&sink, 1, LOG_INFO, &err));
    recorder_put(recorder, outcome, notes);
    log_stop();
    recorder_free(recorder);
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
    struct outcome outcome = outcome_of(1);
    text_copy(outcome.client, sizeof outcome.client, "192.0.2.7");
    text_copy(outcome.path, sizeof outcome.path, "/symbols/a.pdb/1/a.pdb");
    text_copy(outcome.source, sizeof outcome.source, "mss");
    outcome.bytes = 4096;
    outcome.waited_us = 1250;
    outcome.total_us = 20000;
    CLEANUP(free_block) char *line = line_of(*state, &outcome, NULL);
    assert_string_equal(line, "192.0.2.7 \"GET /symbols/a.pdb/1/a.pdb\" 200 hit 4096 bytes "
                              "1.3/20.0 ms source=mss dialect=symsrv id=id-1");
}

static void what_there_is_not_is_a_dash(void **state) {
    struct outcome outcome = outcome_of(2);
    outcome.about_symbol = false;
    outcome.verdict = VERDICT_INVALID;
    outcome.dialect = "";
    outcome.status = 405;
    text_copy(outcome.path, sizeof outcome.path, "/");
    CLEANUP(free_block) char *line = line_of(*state, &outcome, NULL);
    assert_string_equal(line, "- \"GET /\" 405 - 0 bytes 0.0/0.0 ms source=- dialect=- id=id-2");
}

static void ends_and_attempts_stand_in_the_line(void **state) {
    struct outcome outcome = outcome_of(3);
    const struct attempt_note notes[] = {
        {.source = "one", .result = ATTEMPT_ABSENT, .status = 404, .total_ms = 12},
        {.source = "My builds", .result = ATTEMPT_FAILED, .cause = ERROR_TIMEOUT},
    };
    outcome.verdict = VERDICT_FAILED;
    outcome.status = 404;
    outcome.broken = true;
    outcome.not_kept = true;
    outcome.note_count = 2;
    text_copy(outcome.path, sizeof outcome.path, "/symbols/a/1/a");
    text_copy(outcome.reason, sizeof outcome.reason, "it was silent");
    text_copy(outcome.source, sizeof outcome.source, "My builds");
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
    struct outcome outcome = outcome_of(4);
    const struct attempt_note note = {.source = "x\", \"y", .result = ATTEMPT_FOUND};
    text_copy(outcome.path, sizeof outcome.path, "/a\" 200 hit \\\" \"\r\nforged\x1b[31m");
    text_copy(outcome.reason, sizeof outcome.reason, "say \"no\"\n");
    text_copy(outcome.source, sizeof outcome.source, "a\"b");
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
    struct outcome outcome = outcome_of(5);
    struct attempt_note notes[16];
    fill(outcome.id, sizeof outcome.id, 'i');
    fill(outcome.client, sizeof outcome.client, 'c');
    fill(outcome.path, sizeof outcome.path, '"');
    fill(outcome.source, sizeof outcome.source, '"');
    fill(outcome.reason, sizeof outcome.reason, '"');
    outcome.bytes = UINT64_MAX;
    outcome.waited_us = outcome.total_us = INT64_MAX;
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

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_ten_thousand_are_kept),
        cmocka_unit_test(the_newest_come_first_until_enough),
        cmocka_unit_test(ids_that_came_twice_name_the_newer_one),
        cmocka_unit_test(without_room_only_counters_are_kept),
        cmocka_unit_test(an_outcome_comes_back_as_it_was),
        cmocka_unit_test(attempts_are_kept_with_their_outcome),
        cmocka_unit_test(counters_are_exact_under_threads),
        IN_SCRATCH(a_request_is_one_line),
        IN_SCRATCH(what_there_is_not_is_a_dash),
        IN_SCRATCH(ends_and_attempts_stand_in_the_line),
        IN_SCRATCH(nothing_ends_a_quotation_or_a_line),
        IN_SCRATCH(the_longest_line_is_whole),
    };
    return RUN_TESTS(tests);
}
