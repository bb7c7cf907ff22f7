// SPDX-License-Identifier: MIT
#include "record/recorder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/packet.h"
#include "record/recent.h"
#include "unit/base/check.h"

enum { RING = 10000, BLOCK = 512, THREADS = 8, PUTS = 5000 };

static struct recorder *recorder_with(const struct recorder_options *options) {
    struct error err = {0};
    struct recorder *recorder = recorder_new(options, &err);
    assert_non_null(recorder);
    return recorder;
}

static struct recorder *recorder_of(unsigned outcomes_max) {
    const struct recorder_options options = {.outcomes_max = outcomes_max};
    return recorder_with(&options);
}

/* An outcome; its id lives until the same thread asks for the next but one. */
static struct outcome outcome_of(unsigned number) {
    static _Thread_local char ids[2][32];
    char *id = ids[number % 2];
    snprintf(id, sizeof ids[0], "id-%u", number);
    return (struct outcome){
        .wall_ns = number,
        .dialect = "symsrv",
        .method = "GET",
        .about_symbol = true,
        .verdict = VERDICT_HIT,
        .status = 200,
        .text = {id, "", "", "", "", "", "", ""},
    };
}

static void put_many(struct recorder *recorder, unsigned from, unsigned to) {
    struct lane *lane = recorder_lane(recorder);
    for (unsigned i = from; i < to; i++) {
        struct outcome outcome = outcome_of(i);
        recorder_put(recorder, lane, &outcome, NULL);
        if (i % 1000 == 0)
            recorder_settle(recorder);
    }
    recorder_settle(recorder);
}

struct seen {
    unsigned next; /* number that is expected, downwards */
    unsigned shown;
    unsigned shown_max;
};

static bool show(const struct outcome *outcome, const struct attempt_note *notes, void *context) {
    (void)notes;
    struct seen *seen = context;
    char id[32];
    snprintf(id, sizeof id, "id-%u", seen->next--);
    assert_string_equal(outcome->text.id, id);
    return ++seen->shown < seen->shown_max;
}

static void assert_recent(struct recorder *recorder, unsigned count_max, unsigned newest,
                          unsigned shown_max, unsigned shown) {
    struct seen seen = {.next = newest, .shown_max = shown_max};
    recorder_recent(recorder, count_max, show, &seen);
    assert_int_equal(seen.shown, shown);
}

static bool see_number(const struct outcome *outcome, const struct attempt_note *notes,
                       void *context) {
    (void)notes;
    assert_int_equal(outcome->wall_ns, *(const unsigned *)context);
    return true;
}

static bool is_kept(struct recorder *recorder, unsigned number) {
    char id[32];
    snprintf(id, sizeof id, "id-%u", number);
    return recorder_find(recorder, id, see_number, &number);
}

static unsigned kept_from(struct recorder *recorder, unsigned count_all) {
    unsigned first = count_all;
    while (first > 0 && is_kept(recorder, first - 1))
        first--;
    return first;
}

static void the_last_ten_thousand_are_kept(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(RING);
    assert_recent(recorder, 10, 0, 10, 0);
    assert_false(is_kept(recorder, 0));
    put_many(recorder, 0, RING);
    assert_true(is_kept(recorder, 0));
    assert_recent(recorder, 2 * RING, RING - 1, 2 * RING, RING);
    put_many(recorder, RING, 3 * RING + 7);
    /* Whole blocks are let go: some more are kept, but not many. */
    unsigned first = kept_from(recorder, 3 * RING + 7);
    assert_in_range(first, 2 * RING + 7 - BLOCK, 2 * RING + 7);
    assert_recent(recorder, 2 * RING, 3 * RING + 6, 2 * RING, 3 * RING + 7 - first);
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

static bool see_status(const struct outcome *outcome, const struct attempt_note *notes,
                       void *context) {
    (void)notes;
    assert_int_equal(outcome->status, *(const int *)context);
    return true;
}

static void ids_that_came_twice_name_the_newer_one(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(5);
    struct lane *lane = recorder_lane(recorder);
    struct outcome outcome = outcome_of(1);
    outcome.status = 404;
    recorder_put(recorder, lane, &outcome, NULL);
    outcome.status = 200;
    recorder_put(recorder, lane, &outcome, NULL);
    recorder_settle(recorder);
    int newer = 200;
    assert_true(recorder_find(recorder, "id-1", see_status, &newer));
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

static bool see_full(const struct outcome *found, const struct attempt_note *notes, void *context) {
    (void)notes;
    const struct outcome *full = context;
    assert_true(found->wall_ns == full->wall_ns && found->waited_us == 5 && found->total_us == 6);
    assert_true(found->bytes == UINT64_MAX && found->status == 200);
    assert_int_equal(found->verdict, VERDICT_EXCLUDED);
    assert_true(found->about_symbol && found->broken && found->hung_up && found->not_kept);
    assert_true(found->follow_up);
    assert_string_equal(found->dialect, "symsrv");
    assert_string_equal(found->method, "GET");
    assert_string_equal(found->text.client, full->text.client);
    assert_string_equal(found->text.path, full->text.path);
    assert_string_equal(found->text.name, full->text.name);
    assert_string_equal(found->text.key_id, full->text.key_id);
    assert_string_equal(found->text.rule, full->text.rule);
    assert_string_equal(found->text.source, full->text.source);
    assert_string_equal(found->text.reason, full->text.reason);
    return true;
}

static bool see_empty(const struct outcome *found, const struct attempt_note *notes,
                      void *context) {
    (void)notes;
    (void)context;
    assert_string_equal(found->text.path, "");
    assert_false(found->about_symbol || found->broken || found->hung_up || found->not_kept);
    return true;
}

static void an_outcome_comes_back_as_it_was(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(2);
    struct lane *lane = recorder_lane(recorder);
    char id[REQUEST_ID_BYTES], client[CLIENT_BYTES], path[512], rule[128], reason[256];
    fill(id, sizeof id, 'i');
    fill(client, sizeof client, 'c');
    fill(path, sizeof path, 'p');
    fill(rule, sizeof rule, 'r');
    fill(reason, sizeof reason, 'w');
    struct outcome full = outcome_of(1);
    full.wall_ns = INT64_MAX;
    full.waited_us = 5;
    full.total_us = 6;
    full.bytes = UINT64_MAX;
    full.verdict = VERDICT_EXCLUDED;
    full.follow_up = full.broken = full.hung_up = full.not_kept = true;
    full.text = (struct outcome_texts){id, client, path, "n", "k", rule, "s", reason};
    struct outcome empty = {.dialect = "", .method = "-", .text = {"", "", "", "", "", "", "", ""}};
    recorder_put(recorder, lane, &full, NULL);
    recorder_put(recorder, lane, &empty, NULL);
    recorder_settle(recorder);
    assert_true(recorder_find(recorder, id, see_full, &full));
    assert_true(recorder_find(recorder, "", see_empty, NULL));
    recorder_free(recorder);
}

static bool see_notes(const struct outcome *outcome, const struct attempt_note *notes,
                      void *context) {
    (void)context;
    assert_int_equal(outcome->note_count, 3);
    assert_string_equal(notes[0].source, "one");
    assert_string_equal(notes[0].url, "http://***@h/x");
    assert_int_equal(notes[0].status, 404);
    assert_int_equal(notes[1].cause, ERROR_RESET);
    assert_int_equal(notes[1].bytes, 7);
    assert_string_equal(notes[1].what, "it was cut");
    assert_int_equal(notes[1].started_ms, 1);
    assert_int_equal(notes[1].place_ms, 2);
    assert_int_equal(notes[1].head_ms, 3);
    assert_int_equal(notes[1].total_ms, 4);
    assert_int_equal(notes[2].result, ATTEMPT_FOUND);
    return true;
}

static void attempts_are_kept_with_their_outcome(void **state) {
    (void)state;
    struct recorder *recorder = recorder_of(2);
    struct attempt_note notes[3] = {
        {.source = "one", .result = ATTEMPT_ABSENT, .status = 404, .url = "http://***@h/x"},
        {.source = "two",
         .result = ATTEMPT_FAILED,
         .cause = ERROR_RESET,
         .bytes = 7,
         .started_ms = 1,
         .place_ms = 2,
         .head_ms = 3,
         .total_ms = 4,
         .what = "it was cut"},
        {.source = "three", .result = ATTEMPT_FOUND, .status = 200},
    };
    struct outcome outcome = outcome_of(1);
    outcome.note_count = 3;
    recorder_put(recorder, recorder_lane(recorder), &outcome, notes);
    memset(notes, 0, sizeof notes);
    recorder_settle(recorder);
    assert_true(recorder_find(recorder, "id-1", see_notes, NULL));
    recorder_free(recorder);
}

struct taken {
    unsigned next;
    unsigned count;
};

static void take(void *context, const struct outcome *outcome, const struct attempt_note *notes) {
    (void)notes;
    struct taken *taken = context;
    assert_int_equal(outcome->wall_ns, taken->next++);
    taken->count++;
}

static void each_is_handed_on_once_and_in_order(void **state) {
    (void)state;
    struct taken taken = {0};
    const struct recorder_options options = {.take = take, .context = &taken};
    struct recorder *recorder = recorder_with(&options);
    put_many(recorder, 0, PUTS);
    assert_int_equal(taken.count, PUTS);
    struct outcome last = outcome_of(PUTS);
    recorder_put(recorder, recorder_lane(recorder), &last, NULL);
    /* What has been put last is carried out by the end. */
    recorder_free(recorder);
    assert_int_equal(taken.count, PUTS + 1);
}

static void what_a_lane_cannot_hold_is_counted(void **state) {
    (void)state;
    struct lane *lane = lane_new();
    struct outcome outcome = outcome_of(1);
    unsigned taken = 0, halves = 0;
    enum lane_put put;
    while ((put = lane_put(lane, &outcome, NULL)) != LANE_LOST) {
        taken++;
        halves += put == LANE_HALF_FULL;
    }
    assert_int_equal(halves, 1);
    assert_int_equal(counted(&lane->lost), 1);
    size_t bytes, packets = 0;
    const char *first = lane_take(lane, &bytes);
    for (size_t at = 0; at < bytes; at += packet_bytes(first + at))
        packets++;
    assert_int_equal(packets, taken);
    assert_int_equal(lane_put(lane, &outcome, NULL), LANE_TAKEN);
    lane_free(lane);
}

static struct recorder *the_recorder;

/* Each thread puts what it says with its number, among others that look. */
static void *put_and_look(void *context) {
    unsigned thread = *(const unsigned *)context;
    struct lane *lane = recorder_lane(the_recorder);
    for (unsigned i = 0; i < PUTS; i++) {
        struct attempt_note note = {.source = "s"};
        unsigned number = thread * PUTS + i;
        struct outcome outcome = outcome_of(number);
        outcome.verdict = (enum verdict)(i % VERDICT_COUNT);
        outcome.about_symbol = i % 2 == 0;
        outcome.bytes = i % 3;
        outcome.broken = i % 5 == 0;
        outcome.hung_up = i % 10 == 0;
        outcome.note_count = i % 2;
        recorder_put(the_recorder, lane, &outcome, &note);
        if (i % 100 == 0) {
            recorder_settle(the_recorder);
            recorder_find(the_recorder, outcome.text.id, see_number, &number);
        }
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

struct counted_bytes {
    unsigned newest, outcomes;
    size_t bytes;
};

static bool count_bytes(const struct outcome *outcome, const struct attempt_note *notes,
                        void *context) {
    struct counted_bytes *all = context;
    struct packet_size size;
    packet_measure(outcome, notes, &size);
    if (all->outcomes++ == 0)
        all->newest = (unsigned)outcome->wall_ns;
    all->bytes += size.bytes;
    return true;
}

static void long_lists_of_attempts_have_a_ceiling(void **state) {
    (void)state;
    enum { PUTS_LONG = 2500, AT_ONCE = 10 };
    struct attempt_note *notes = NEW_ARRAY(struct attempt_note, OUTCOME_NOTES_MAX);
    for (unsigned i = 0; i < OUTCOME_NOTES_MAX; i++) {
        memset(notes[i].url, 'u', sizeof notes[i].url - 1);
        memset(notes[i].what, 'w', sizeof notes[i].what - 1);
    }
    struct recorder *recorder = recorder_of(RING);
    struct lane *lane = recorder_lane(recorder);
    for (unsigned i = 0; i < PUTS_LONG; i++) {
        struct outcome outcome = outcome_of(i);
        outcome.note_count = OUTCOME_NOTES_MAX;
        recorder_put(recorder, lane, &outcome, notes);
        if (i % AT_ONCE == 0)
            recorder_settle(recorder);
    }
    recorder_settle(recorder);
    struct counted_bytes all = {0};
    recorder_recent(recorder, RING, count_bytes, &all);
    assert_int_equal(all.newest, PUTS_LONG - 1);
    assert_in_range(all.bytes, RECENT_BYTES_MAX / 2, RECENT_BYTES_MAX);
    assert_true(all.outcomes < PUTS_LONG);
    recorder_free(recorder);
    free(notes);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_ten_thousand_are_kept),
        cmocka_unit_test(the_newest_come_first_until_enough),
        cmocka_unit_test(ids_that_came_twice_name_the_newer_one),
        cmocka_unit_test(without_room_only_counters_are_kept),
        cmocka_unit_test(an_outcome_comes_back_as_it_was),
        cmocka_unit_test(attempts_are_kept_with_their_outcome),
        cmocka_unit_test(each_is_handed_on_once_and_in_order),
        cmocka_unit_test(what_a_lane_cannot_hold_is_counted),
        cmocka_unit_test(long_lists_of_attempts_have_a_ceiling),
        cmocka_unit_test(counters_are_exact_under_threads),
    };
    return RUN_TESTS(tests);
}
