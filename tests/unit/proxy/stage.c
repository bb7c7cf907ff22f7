// SPDX-License-Identifier: MIT
#include "unit/proxy/stage.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/base/scratch.h"

enum { WAIT_MS = 20000 };

/* Real time, which the fake clock does not tell. */
static int64_t real_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void stage_open(struct stage *stage) {
    struct error err = {0};
    *stage = (struct stage){.folder = scratch_new()};
    char *path = scratch_path(stage->folder, "cache");
    const struct shelf_options shelf = {.path = path};
    stage->shelf = shelf_new(&shelf, &err);
    free(path);
    assert_non_null(stage->shelf);
    stage->spill = spill_new(stage->folder, 1 << 20);
    const struct cache_options cache = {
        .shelves = &stage->shelf,
        .shelf_count = 1,
        .spill = stage->spill,
        .open_files_max = 16,
        .small_bytes_max = 1 << 20,
        .searches_max = 100,
    };
    stage->cache = cache_new(&cache);
    const struct absences_options absences = {
        .directory = stage->folder, .key = {{3, 4}}, .entries_max = 1000};
    stage->absences = absences_open(&absences, &err);
    assert_non_null(stage->absences);
    stage->alarms = alarm_clock_new(&err);
    assert_non_null(stage->alarms);
    const struct symbols_options symbols = {
        .cache = stage->cache,
        .absences = stage->absences,
        .alarms = stage->alarms,
        .searches_max = 100,
    };
    stage->symbols = symbols_new(&symbols);
    int64_t deadline_ms = real_ms() + WAIT_MS;
    while (!absences_ready(stage->absences)) {
        assert_true(real_ms() < deadline_ms);
        sched_yield();
    }
}

void stage_close(struct stage *stage) {
    symbols_free(stage->symbols);
    roster_unref(stage->roster);
    alarm_clock_free(stage->alarms);
    cache_free(stage->cache);
    absences_close(stage->absences);
    spill_free(stage->spill);
    shelf_free(stage->shelf);
    scratch_free(stage->folder);
}

static struct pattern *pattern(const char *text) {
    size_t offset;
    struct pattern *made = pattern_new(text, &offset, NULL);
    assert_non_null(made);
    return made;
}

void stage_roster(struct stage *stage, struct double_source **sources, unsigned count) {
    struct policy_source rules[SOURCES_MAX] = {0};
    struct pattern *nobody[SOURCES_MAX];
    struct source *taken[SOURCES_MAX];
    bool own_shelf[SOURCES_MAX] = {false};
    for (unsigned i = 0; i < count; i++) {
        nobody[i] = pattern("nobody");
        taken[i] = &sources[i]->source;
        rules[i] = (struct policy_source){
            .enabled = true,
            .kinds = taken[i]->options.kinds,
            .blacklist = &nobody[i],
            .blacklist_count = 1,
        };
    }
    struct pattern *forbidden = pattern("forbidden");
    stage->roster = roster_new(policy_new(&forbidden, 1, rules, count), taken, count, own_shelf);
}

/* A shelf's thread that is about to finish must not seem to have worked while time was put on. */
static void wait_for_shelf(struct stage *stage) {
    int64_t deadline_ms = real_ms() + WAIT_MS;
    while (pool_hangs(shelf_pool(stage->shelf), -1) && real_ms() < deadline_ms)
        sched_yield();
}

void stage_pass(struct stage *stage, int64_t ms) {
    wait_for_shelf(stage);
    clock_fake_advance(ms);
    alarm_clock_look(stage->alarms);
}

void stage_pass_until_asked(struct stage *stage, struct double_source *source, unsigned times,
                            int64_t ms) {
    enum { LOOKS = 100 };
    int64_t deadline_ms = real_ms() + WAIT_MS;
    while (double_asked(source) < times && real_ms() < deadline_ms) {
        stage_pass(stage, ms);
        for (unsigned i = 0; i < LOOKS && double_asked(source) < times; i++)
            poll(NULL, 0, 1);
    }
}

struct question stage_question(const char *name, unsigned client) {
    struct question question = {0};
    text_copy(question.spelling.name, sizeof question.spelling.name, name);
    text_copy(question.spelling.id, sizeof question.spelling.id,
              "0123456789ABCDEF0123456789ABCDEF1");
    assert_true(symbol_key_make(&question.spelling, &question.key, NULL));
    memcpy(&question.client.ip, &client, sizeof client);
    return question;
}

struct answer stage_ask(struct stage *stage, const char *name, unsigned client) {
    struct question question = stage_question(name, client);
    struct answer answer;
    symbols_ask(stage->symbols, stage->roster, &question, &answer);
    return answer;
}

/* Waits for a change until `good` says yes. */
static void wait_copy(struct copy *copy,
                      bool (*good)(const struct copy_state *state, uint64_t value),
                      uint64_t value) {
    struct inbox inbox;
    inbox_init(&inbox);
    struct watch watch = {.inbox = &inbox};
    struct copy_state state;
    copy_watch(copy, &watch, &state);
    int64_t deadline_ms = real_ms() + WAIT_MS;
    while (!good(&state, value)) {
        /* Growth below 256 KiB wakes nobody: loops tick, and so does this. */
        struct pollfd event = {.fd = inbox.event_fd, .events = POLLIN};
        poll(&event, 1, 20);
        struct list watches;
        list_init(&watches);
        inbox_take(&inbox, &watches);
        while (!list_empty(&watches))
            inbox_remove(&inbox, LIST_ENTRY(watches.next, struct watch, in_inbox));
        copy_look(copy, &state);
        if (real_ms() >= deadline_ms) {
            struct error why;
            copy_why(copy, &why);
            fail_msg("the copy is in phase %d with %llu bytes: %s", (int)state.phase,
                     (unsigned long long)state.written, why.what);
        }
    }
    copy_unwatch(copy, &watch);
    inbox_release(&inbox);
}

static bool has_phase(const struct copy_state *state, uint64_t phase) {
    if (state->phase >= COPY_COMPLETE && state->phase != (enum copy_phase)phase)
        fail_msg("the copy ended in phase %d", (int)state->phase);
    return state->phase == (enum copy_phase)phase;
}

static bool has_bytes(const struct copy_state *state, uint64_t bytes) {
    return state->written >= bytes;
}

void stage_wait_phase(struct copy *copy, enum copy_phase phase) {
    wait_copy(copy, has_phase, phase);
}

static bool has_ended(const struct copy_state *state, uint64_t unused) {
    (void)unused;
    return state->phase >= COPY_WHOLE;
}

enum copy_phase stage_wait_end(struct copy *copy) {
    wait_copy(copy, has_ended, 0);
    struct copy_state state;
    copy_look(copy, &state);
    return state.phase;
}

void stage_wait_written(struct copy *copy, uint64_t bytes) {
    wait_copy(copy, has_bytes, bytes);
}

void stage_assert_body(struct copy *copy, const void *bytes, size_t length) {
    stage_wait_phase(copy, COPY_COMPLETE);
    struct copy_state state;
    copy_look(copy, &state);
    assert_int_equal(state.written, length);
    assert_int_equal(state.size, length);
    char *read_back = malloc(length);
    for (size_t at = 0; at < length;) {
        int fd;
        uint64_t in_file;
        uint64_t count;
        copy_file(copy, at, &fd, &in_file, &count);
        assert_true(count > 0 && count <= length - at);
        assert_int_equal(pread(fd, read_back + at, count, (off_t)in_file), count);
        at += count;
    }
    assert_memory_equal(read_back, bytes, length);
    free(read_back);
}

struct attempt_note stage_note(struct copy *copy, const char *source) {
    struct attempt_note notes[COPY_NOTES_MAX];
    unsigned count = copy_notes(copy, notes, COPY_NOTES_MAX);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(notes[i].source, source) == 0)
            return notes[i];
    fail_msg("no note about %s", source);
    return (struct attempt_note){0};
}

void stage_wait_counter(const counter *value, uint64_t wanted) {
    int64_t deadline_ms = real_ms() + WAIT_MS;
    while (counted(value) != wanted) {
        if (real_ms() >= deadline_ms)
            fail_msg("the counter stays at %llu", (unsigned long long)counted(value));
        sched_yield();
    }
}

void stage_wait_failed(struct double_source *source, uint64_t times) {
    stage_wait_counter(&source->source.counters->failed, times);
    /* Its place goes back after its end has been noted. */
    stage_wait_counter(&queue_counters(source->source.queue)->running, 0);
}

void stage_wait_no(struct double_source *source, uint64_t times) {
    stage_wait_counter(&source->source.counters->absent, times);
    stage_wait_counter(&queue_counters(source->source.queue)->running, 0);
}

static bool is_noted(struct copy *copy, const char *source, enum attempt_result result) {
    struct attempt_note notes[COPY_NOTES_MAX];
    unsigned count = copy_notes(copy, notes, COPY_NOTES_MAX);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(notes[i].source, source) == 0 && notes[i].result == result)
            return true;
    return false;
}

void stage_wait_note(struct copy *copy, const char *source, enum attempt_result result) {
    int64_t deadline_ms = real_ms() + WAIT_MS;
    while (!is_noted(copy, source, result)) {
        if (real_ms() >= deadline_ms)
            fail_msg("no such note about %s", source);
        sched_yield();
    }
}
