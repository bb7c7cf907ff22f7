// SPDX-License-Identifier: MIT
#include "unit/proxy/double.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"

enum { WAIT_S = 20 };

struct double_reader {
    struct reader reader; /* first */
    struct double_source *source;
    struct cancel *cancel;
    struct scene scene;
    size_t at;
    size_t given;
    unsigned held; /* gates passed */
};

static void wake(void *target) {
    struct double_source *source = target;
    /* The lock makes sure that nobody is between looking and waiting. */
    pthread_mutex_lock(&source->lock);
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->lock);
}

/* Waits at the gate; false when cancelled. */
static bool hold(struct double_source *source, struct cancel *cancel, bool stubborn,
                 struct error *err) {
    cancel_attach(cancel, wake, source);
    pthread_mutex_lock(&source->lock);
    source->holding++;
    pthread_cond_broadcast(&source->changed);
    while (source->opened == 0 && (stubborn || !cancel_raised(cancel)))
        pthread_cond_wait(&source->changed, &source->lock);
    bool cancelled = cancel_raised(cancel);
    source->holding--;
    source->cancelled += cancelled;
    if (!cancelled)
        source->opened--;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->lock);
    cancel_detach(cancel);
    return !cancelled || error_set(err, ERROR_CANCELLED, "cancelled");
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static ssize_t body_read(struct reader *reader, void *bytes, size_t length, struct error *err) {
    struct double_reader *body = (struct double_reader *)(void *)reader;
    const struct scene *scene = &body->scene;
    const size_t gates[] = {scene->holds_body_at, scene->holds_again_at, 0};
    if (gates[body->held] && body->at == gates[body->held]) {
        body->held++;
        if (!hold(body->source, body->cancel, false, err))
            return -1;
    }
    size_t until = gates[body->held] ? gates[body->held] : scene->length;
    size_t left = least(length, until - body->at);
    if (scene->breaks_at) {
        left = least(left, scene->breaks_at - body->given);
        if (left == 0) {
            error_set(err, ERROR_RESET, "the connection was reset");
            return -1;
        }
    }
    memcpy(bytes, scene->body + body->at, left);
    body->at += left;
    body->given += left;
    return (ssize_t)left;
}

static bool body_ready(struct reader *reader) {
    struct double_reader *body = (struct double_reader *)(void *)reader;
    return !body->scene.holds_body_at && !body->scene.breaks_at;
}

static void body_close(struct reader *reader) {
    free(reader);
}

static const struct reader_ops body_ops = {
    .read = body_read, .ready = body_ready, .close = body_close};

static enum source_answer give_body(struct double_source *source, const struct scene *scene,
                                    struct source_call *call, struct content *out_content,
                                    struct reader **out_reader) {
    struct double_reader *body = NEW(struct double_reader);
    body->reader.ops = &body_ops;
    body->source = source;
    body->cancel = call->cancel;
    body->scene = *scene;
    *out_content = (struct content){.size = scene->announces ? scene->length : SIZE_UNKNOWN};
    if (scene->etag)
        text_copy(out_content->validator, sizeof out_content->validator, scene->etag);
    if (call->resume && scene->ranges) {
        body->at = call->resume->offset;
        out_content->start = call->resume->offset;
    }
    *out_reader = &body->reader;
    call->note->status = out_content->start ? 206 : 200;
    return SOURCE_FOUND;
}

static enum source_answer give_local(const struct scene *scene, struct source_local *out_local,
                                     struct error *err) {
    struct stat status;
    int fd = open(scene->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        error_set(err, ERROR_SYSTEM, "no file");
        return SOURCE_FAILED;
    }
    *out_local = (struct source_local){
        .fd = fd, .size = (uint64_t)status.st_size, .modified_ns = 1, .settled = true};
    out_local->modified_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec;
    return SOURCE_LOCAL;
}

/* Marsaglia's xorshift: any sequence will do. */
static unsigned draw(struct double_source *source) {
    source->random ^= source->random << 13;
    source->random ^= source->random >> 7;
    source->random ^= source->random << 17;
    return (unsigned)(source->random % source->scene_count);
}

static struct scene next_scene(struct double_source *source, const struct source_call *call) {
    SCOPED_LOCK(&source->lock);
    struct call *noted = &source->calls[least(source->asked, CALLS_MAX - 1)];
    noted->offset = call->resume ? call->resume->offset : 0;
    noted->fresh_connection = call->fresh_connection;
    text_copy_n(noted->name, sizeof noted->name, call->path, strcspn(call->path, "/"));
    unsigned number = source->asked++;
    pthread_cond_broadcast(&source->changed);
    if (source->scene_count == 0)
        return (struct scene){.play = PLAY_ABSENT};
    if (source->random)
        return source->scenes[draw(source)];
    return source->scenes[number < source->scene_count ? number : source->scene_count - 1];
}

static enum source_answer ask(struct source *source, void *worker, struct source_call *call,
                              bool in_place, struct content *out_content,
                              struct reader **out_reader, struct source_local *out_local,
                              struct error *err) {
    (void)worker;
    struct double_source *played = (struct double_source *)(void *)source;
    struct scene scene = next_scene(played, call);
    if (scene.holds_head && !hold(played, call->cancel, scene.stubborn, err))
        return SOURCE_FAILED;
    switch (scene.play) {
    case PLAY_ABSENT:
        call->note->status = 404;
        return SOURCE_ABSENT;
    case PLAY_FAIL:
        call->note->status = scene.status;
        call->retry_after_s = scene.retry_after_s > 0 ? scene.retry_after_s : -1;
        error_set(err, scene.kind, "\"%s\" fails", source->options.identifier);
        return SOURCE_FAILED;
    case PLAY_LOCAL:
        if (in_place)
            return give_local(&scene, out_local, err);
        break;
    case PLAY_BODY:
        break;
    }
    return give_body(played, &scene, call, out_content, out_reader);
}

static void double_free(struct source *source) {
    struct double_source *played = (struct double_source *)(void *)source;
    source_release(source);
    pthread_cond_destroy(&played->changed);
    pthread_mutex_destroy(&played->lock);
    free(played);
}

static const struct source_ops double_ops = {.type = "double", .ask = ask, .free = double_free};

struct double_source *double_new(const char *identifier, int priority,
                                 void (*change)(struct source_options *options)) {
    struct double_source *source = NEW(struct double_source);
    struct source_options options = {
        .identifier = identifier,
        .name = identifier,
        .remote = identifier,
        .enabled = true,
        .kinds = (1U << KIND_COUNT) - 1,
        .priority = priority,
        .retry_ms = 60 * 1000,
        .requests_max = 10,
        .hedge_after_ms = 5000,
        .layout = LAYOUT_SYMSTORE,
    };
    if (change)
        change(&options);
    static const struct hash_key key = {{1, 2}};
    source_init(&source->source, &double_ops, &options, &key);
    pthread_mutex_init(&source->lock, NULL);
    pthread_cond_init(&source->changed, NULL);
    return source;
}

void double_narrow(struct double_source *source, unsigned places, unsigned waiting) {
    queue_unref(source->source.queue);
    source->source.queue = queue_new(&double_ops, places, waiting);
    source->source.counters = queue_source_counters(source->source.queue);
}

void double_play(struct double_source *source, struct scene scene) {
    SCOPED_LOCK(&source->lock);
    source->scenes[source->scene_count++] = scene;
}

void double_shuffle(struct double_source *source, uint64_t seed) {
    SCOPED_LOCK(&source->lock);
    source->random = seed;
}

void double_open(struct double_source *source, unsigned questions) {
    SCOPED_LOCK(&source->lock);
    source->opened += questions;
    pthread_cond_broadcast(&source->changed);
}

void double_let_through(struct double_source *source) {
    SCOPED_LOCK(&source->lock);
    if (source->holding == 0 || source->opened > 0)
        return;
    source->opened = 1;
    pthread_cond_broadcast(&source->changed);
}

static void wait_for(struct double_source *source, const unsigned *value, unsigned wanted) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    SCOPED_LOCK(&source->lock);
    while (*value < wanted)
        if (pthread_cond_timedwait(&source->changed, &source->lock, &until) != 0) {
            fprintf(stderr, "%s: %u after %d s, not %u\n", source->source.options.identifier,
                    *value, WAIT_S, wanted);
            abort();
        }
}

void double_wait_asked(struct double_source *source, unsigned questions) {
    wait_for(source, &source->asked, questions);
}

void double_wait_holding(struct double_source *source, unsigned questions) {
    wait_for(source, &source->holding, questions);
}

void double_wait_cancelled(struct double_source *source, unsigned questions) {
    wait_for(source, &source->cancelled, questions);
}

unsigned double_asked(struct double_source *source) {
    SCOPED_LOCK(&source->lock);
    return source->asked;
}

struct call double_call(struct double_source *source, unsigned number) {
    SCOPED_LOCK(&source->lock);
    return source->calls[number];
}
