// SPDX-License-Identifier: MIT
//
// A source that plays scenes: each question gets the next one, the last one again and again. A
// scene may hold at a gate before its head or in its body, until the test opens it or the attempt
// is cancelled. What was asked is written down.
#pragma once

#include "source/source.h"

enum play {
    PLAY_ABSENT,
    PLAY_FAIL, /* with `kind` and `status` */
    PLAY_BODY,
    PLAY_LOCAL, /* `path`, served in place */
};

struct scene {
    enum play play;
    enum error_kind kind;
    int status;
    int64_t retry_after_s;
    const char *body;
    size_t length;    /* of the whole body */
    size_t breaks_at; /* ERROR_RESET after so many bytes of this answer; 0: not */
    bool announces;   /* the length */
    bool ranges;      /* goes on where it is asked to */
    const char *etag;
    const char *path;
    bool holds_head;
    bool stubborn;        /* at the gate before its head no cancel counts: a dead mount */
    size_t holds_body_at; /* waits before the byte at this offset; 0: not */
    size_t holds_again_at;
};

enum { SCENES_MAX = 8, CALLS_MAX = 32 };

/* One question as it was put. */
struct call {
    uint64_t offset; /* of the resume; 0 when none */
    bool fresh_connection;
    char name[NAME_BYTES_MAX + 1];
};

struct double_source {
    struct source source; /* first */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct scene scenes[SCENES_MAX];
    unsigned scene_count;
    uint64_t random; /* not 0: scenes are drawn, not played in turn */
    struct call calls[CALLS_MAX];
    unsigned asked;
    unsigned holding;   /* questions that wait at a gate */
    unsigned opened;    /* gates that may be passed */
    unsigned cancelled; /* questions that were cancelled at a gate */
};

/* A source with sensible options: priority as given, 10 places, retry after 60 s, hedge after 5 s.
   `change` (may be NULL) may change them. */
struct double_source *double_new(const char *identifier, int priority,
                                 void (*change)(struct source_options *options));

/* Another queue, with so few places and so little room to wait. */
void double_narrow(struct double_source *source, unsigned places, unsigned waiting);

/* Adds a scene. */
void double_play(struct double_source *source, struct scene scene);

/* From now on each question gets any one of the scenes; the same seed draws the same ones. */
void double_shuffle(struct double_source *source, uint64_t seed);

/* Lets so many questions pass the gate where they hold or will hold. */
void double_open(struct double_source *source, unsigned questions);

/* Lets one question pass if any holds. */
void double_let_through(struct double_source *source);

/* Wait, with a deadline, until so much has happened since the start. */
void double_wait_asked(struct double_source *source, unsigned questions);
void double_wait_holding(struct double_source *source, unsigned questions);
void double_wait_cancelled(struct double_source *source, unsigned questions);

/* How often it was asked. */
unsigned double_asked(struct double_source *source);

/* The question with this number, counted from 0. */
struct call double_call(struct double_source *source, unsigned number);
