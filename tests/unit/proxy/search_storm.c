// SPDX-License-Identifier: MIT
//
// Everything at once: sources that do anything, clients that come and go, time that passes.
// Whatever happens, a copy that ends well has the right bytes, every question comes to an end, and
// nothing is left over (the sanitizers' part).
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/threads.h"
#include "unit/base/check.h"
#include "unit/proxy/scene.h"

enum { SOURCES = 4, CLIENTS = 6, QUESTIONS = 100, NAMES = 12, LEAVE_EARLY_EVERY = 4 };

struct client {
    struct stage *stage;
    unsigned number;
    pthread_t thread;
    atomic_uint *asked; /* by all */
    unsigned wrong;
    unsigned found;
};

static bool right_bytes(struct copy *copy) {
    static _Thread_local unsigned char bytes[BODY_BYTES];
    size_t at = 0;
    while (at < BODY_BYTES) {
        int fd;
        uint64_t in_file;
        uint64_t count;
        copy_file(copy, at, &fd, &in_file, &count);
        ssize_t got = pread(fd, bytes + at, count, (off_t)in_file);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return memcmp(bytes, body, BODY_BYTES) == 0 || memcmp(bytes, other_body, BODY_BYTES) == 0;
}

/* Watches a copy to its end, over to those that take its place; true: it ended well. */
static bool follow(struct client *client, const struct question *question, struct answer *answer) {
    for (;;) {
        enum copy_phase phase = stage_wait_end(answer->copy);
        if (phase == COPY_WHOLE || phase == COPY_COMPLETE)
            return true;
        struct answer next;
        enum symbols_judgement judgement =
            symbols_judge(client->stage->symbols, answer->copy, question, false, true, &next);
        if (judgement != JUDGED_MOVED)
            return false;
        symbols_leave(client->stage->symbols, answer->copy, COPY_LEFT_SERVED);
        *answer = next;
    }
}

static void ask_once(struct client *client, unsigned number) {
    char name[] = "a.dat";
    name[0] = (char)('a' + (number * 7 + client->number) % NAMES);
    struct question question = stage_question(name, client->number);
    struct answer answer;
    symbols_ask(client->stage->symbols, client->stage->roster, &question, &answer);
    if (!answer.copy)
        return;
    if (number % LEAVE_EARLY_EVERY == 0) {
        enum copy_left how = number % 8 ? COPY_LEFT_HUNG_UP : COPY_LEFT_LATER;
        symbols_leave(client->stage->symbols, answer.copy, how);
        return;
    }
    if (follow(client, &question, &answer)) {
        client->found++;
        client->wrong += !right_bytes(answer.copy);
    }
    symbols_leave(client->stage->symbols, answer.copy, COPY_LEFT_SERVED);
}

/* So that there is something to search for again. */
static void forget_all(struct stage *stage) {
    for (char letter = 'a'; letter < 'a' + NAMES; letter++) {
        char name[] = "a.dat";
        name[0] = letter;
        struct question question = stage_question(name, 1);
        unsigned absences;
        unsigned files;
        symbols_forget(stage->symbols, &question.key, &absences, &files);
    }
}

static void *run_client(void *context) {
    struct client *client = context;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        ask_once(client, i);
        if (i % 10 == 0)
            forget_all(client->stage);
        atomic_fetch_add(client->asked, 1);
    }
    return NULL;
}

static void hurry_slightly(struct source_options *options) {
    options->hedge_after_ms = 300;
}

static void make_sources(struct stage *stage, struct double_source *sources[SOURCES]) {
    static const char *const identifiers[SOURCES] = {"a", "b", "c", "d"};
    struct scene broken = whole();
    broken.breaks_at = 120000;
    broken.ranges = true;
    broken.etag = "\"one\"";
    struct scene other = whole();
    other.body = (const char *)other_body;
    struct scene slow_body = whole();
    slow_body.holds_body_at = 90000;
    slow_body.announces = false;
    for (unsigned i = 0; i < SOURCES; i++) {
        sources[i] = double_new(identifiers[i], (int)(i / 2), hurry_slightly);
        double_narrow(sources[i], 2, 3);
        double_play(sources[i], absent);
        double_play(sources[i], fails(ERROR_STATUS, 500));
        double_play(sources[i], whole());
        double_play(sources[i], held(whole()));
        double_play(sources[i], held(absent));
        double_play(sources[i], broken);
        double_play(sources[i], slow_body);
        double_play(sources[i], other);
        double_shuffle(sources[i], 1234567 + i);
    }
    stage_roster(stage, sources, SOURCES);
}

static void test_storm(void **state) {
    struct stage *stage = *state;
    struct double_source *sources[SOURCES];
    make_sources(stage, sources);
    atomic_uint asked = 0;
    struct client clients[CLIENTS] = {0};
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].stage = stage;
        clients[i].number = i + 1;
        clients[i].asked = &asked;
        assert_true(thread_start(&clients[i].thread, "client", run_client, &clients[i], NULL));
    }
    while (atomic_load(&asked) < CLIENTS * QUESTIONS) {
        stage_pass(stage, 100);
        for (unsigned i = 0; i < SOURCES; i++)
            double_let_through(sources[i]);
        sched_yield();
    }
    unsigned found = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].wrong, 0);
        found += clients[i].found;
    }
    assert_true(found > 0);
}

int main(void) {
    scene_make_bodies();
    const struct CMUnitTest tests[] = {STAGED(test_storm)};
    return RUN_TESTS(tests);
}
