// SPDX-License-Identifier: MIT
#include "unit/proxy/scene.h"

#include <stdlib.h>

#include "unit/base/check.h"

unsigned char body[BODY_BYTES];
unsigned char other_body[BODY_BYTES];

void scene_make_bodies(void) {
    for (size_t i = 0; i < BODY_BYTES; i++) {
        body[i] = (unsigned char)(i * 7 + i / 251);
        other_body[i] = body[i];
    }
    other_body[BODY_BYTES / 3] ^= 1;
}

struct scene whole(void) {
    return (struct scene){
        .play = PLAY_BODY, .body = (const char *)body, .length = BODY_BYTES, .announces = true};
}

struct scene fails(enum error_kind kind, int status) {
    return (struct scene){.play = PLAY_FAIL, .kind = kind, .status = status};
}

struct scene held(struct scene scene) {
    scene.holds_head = true;
    return scene;
}

const struct scene absent = {.play = PLAY_ABSENT};

int open_stage(void **state) {
    struct stage *stage = calloc(1, sizeof *stage);
    stage_open(stage);
    *state = stage;
    return 0;
}

int close_stage(void **state) {
    stage_close(*state);
    free(*state);
    return 0;
}

const struct symbols_counters *counters(struct stage *stage) {
    return symbols_counters(stage->symbols);
}

struct answer judge(struct stage *stage, struct copy *copy, const char *name,
                    enum symbols_judgement expected) {
    struct question question = stage_question(name, 1);
    struct answer answer;
    assert_int_equal(symbols_judge(stage->symbols, copy, &question, false, false, &answer),
                     expected);
    return answer;
}

void leave(struct stage *stage, struct answer *answer) {
    symbols_leave(stage->symbols, TAKE(answer->copy), COPY_LEFT_SERVED);
}

struct pair open_pair(struct stage *stage, int second_priority,
                      void (*change)(struct source_options *options)) {
    struct pair pair = {double_new("first", 1, change),
                        double_new("second", second_priority, NULL)};
    struct double_source *both[] = {pair.first, pair.second};
    stage_roster(stage, both, 2);
    return pair;
}

struct double_source *open_single(struct stage *stage,
                                  void (*change)(struct source_options *options)) {
    struct double_source *source = double_new("only", 1, change);
    stage_roster(stage, &source, 1);
    return source;
}

void never_hedge(struct source_options *options) {
    options->hedge_after_ms = HEDGE_NEVER;
}
