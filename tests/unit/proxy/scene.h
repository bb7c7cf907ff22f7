// SPDX-License-Identifier: MIT
//
// Scenes, pairs of sources and small words that the tests of searches share.
#pragma once

#include "unit/proxy/stage.h"

enum { BODY_BYTES = 300 * 1000 };

extern unsigned char body[BODY_BYTES];
extern unsigned char other_body[BODY_BYTES]; /* differs in one byte */

/* Fills both; first thing in main. */
void scene_make_bodies(void);

/* The whole body, its length announced. */
struct scene whole(void);

/* A failure. */
struct scene fails(enum error_kind kind, int status);

/* The same, but held before its head. */
struct scene held(struct scene scene);

/* The source's own no. */
extern const struct scene absent;

/* For cmocka: *state is a stage. */
int open_stage(void **state);
int close_stage(void **state);
#define STAGED(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

/* Two sources, in order. */
struct pair {
    struct double_source *first;
    struct double_source *second;
};

/* A roster of two, the first of priority 1 and changed, the second as said. */
struct pair open_pair(struct stage *stage, int second_priority,
                      void (*change)(struct source_options *options));

/* A roster of one. */
struct double_source *open_single(struct stage *stage,
                                  void (*change)(struct source_options *options));

/* For open_pair and open_single. */
void never_hedge(struct source_options *options);

/* The counters of the stage's symbols. */
const struct symbols_counters *counters(struct stage *stage);

/* Judges an end for an asker that had no bytes and has not asked more; fails unless as expected. */
struct answer judge(struct stage *stage, struct copy *copy, const char *name,
                    enum symbols_judgement expected);

/* Leaves a copy as served. */
void leave(struct stage *stage, struct answer *answer);
