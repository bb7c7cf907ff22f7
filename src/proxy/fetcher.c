// SPDX-License-Identifier: MIT
#include "proxy/fetcher.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "proxy/verify.h"
#include "source/source_layout.h"

enum {
    GATHER_FIRST_BYTES = 64 * 1024,
    GATHER_MAX_BYTES = 1024 * 1024, /* writes as large as this were measured best */
    LEND_AFTER_MS = 10 * 1000,
    LEND_AGAIN_MS = 1000,
};

/* A body on its way. */
struct body {
    struct fetch *fetch;
    struct reader *reader;
    struct content content;
    char *bytes; /* gathered, not written yet */
    size_t filled;
    size_t capacity;
    uint64_t at;      /* offset in the whole body of bytes[0] */
    uint64_t written; /* what the copy has */
    bool led;
    bool keep;
    bool ended;
    bool lent;
    int64_t began_ms;
    int64_t lend_at_ms;
};

static void body_release(struct body *body) {
    reader_close(body->reader);
    free(body->bytes);
}

/* The end for an attempt whose reader or source reported `err`. */
static enum fetch_end failed(const struct body *body, const struct error *err) {
    if (err->kind == ERROR_CANCELLED)
        return FETCH_CANCELLED;
    return body->led ? FETCH_BROKEN : FETCH_FAILED;
}

static void note_total(struct body *body) {
    body->fetch->note->total_ms = clock_ms() - body->began_ms;
}

/* Reads once into the room that is left up to `limit` gathered bytes. False: err, or the end. */
static bool body_read(struct body *body, size_t limit, struct error *err) {
    ssize_t got = reader_read(body->reader, body->bytes + body->filled, limit - body->filled, err);
    if (got == 0)
        body->ended = true;
    if (got <= 0)
        return false;
    body->filled += (size_t)got;
    body->fetch->note->bytes += (uint64_t)got;
    count_many(&body->fetch->source->counters->bytes, (uint64_t)got);
    return true;
}

/* Gathers what is looked at before a copy may begin. */
static bool body_look(struct body *body, struct error *err) {
    while (body->filled < CONTENT_LOOK_BYTES && !body->ended)
        if (!body_read(body, CONTENT_LOOK_BYTES, err) && !body->ended)
            return false;
    if (verify_first(&body->fetch->question->key, &body->content, body->bytes, body->filled, err))
        return true;
    if (err->kind == ERROR_HTML && body->content.redirected)
        count(&body->fetch->source->counters->login);
    return false;
}

/* --- leading --- */

static enum fetch_end begin(struct body *body, struct error *err) {
    struct fetch *fetch = body->fetch;
    struct staging *staging = NULL;
    if (!cache_stage(fetch->cache, fetch->shelf, body->content.size, &staging, err))
        return FETCH_FAILED;
    if (copy_begin(fetch->copy, &body->content, fetch->source->options.identifier, staging) ==
        COPY_LOST) {
        staging_free(staging);
        return FETCH_LOST;
    }
    fetch->staging = staging;
    body->led = true;
    return FETCH_WHOLE;
}

static enum fetch_end different(struct error *err) {
    error_set(err, ERROR_DIFFERENT, "the body that was read again has another length");
    return FETCH_DIFFERENT;
}

static enum fetch_end take_up(struct body *body, struct error *err) {
    struct copy_state state;
    copy_look(body->fetch->copy, &state);
    body->led = true;
    body->written = state.written;
    uint64_t size = body->content.size;
    if (size == SIZE_UNKNOWN)
        return FETCH_WHOLE;
    if (size < state.written || (state.size != SIZE_UNKNOWN && state.size != size))
        return different(err);
    return FETCH_WHOLE;
}

/* Becomes the writer; FETCH_WHOLE: it is. */
static enum fetch_end lead(struct body *body, struct error *err) {
    struct fetch *fetch = body->fetch;
    if (!fetch->ops->may_write(fetch))
        return FETCH_LOST;
    return fetch->taking_up ? take_up(body, err) : begin(body, err);
}

/* --- writing --- */

/* What a refused write means: a body longer than announced is false, anything else is the disk's.
 */
static enum fetch_end refused(const struct body *body, const struct error *err) {
    if (err->kind != ERROR_LENGTH)
        return FETCH_BROKEN;
    return body->fetch->taking_up ? FETCH_DIFFERENT : FETCH_FALSE;
}

/* Compares what is gathered with what was written before; *out_known bytes of it are known. */
static enum fetch_end compare(struct body *body, size_t *out_known, struct error *err) {
    *out_known = 0;
    if (body->at >= body->written)
        return FETCH_WHOLE;
    uint64_t left = body->written - body->at;
    size_t known = left < body->filled ? (size_t)left : body->filled;
    *out_known = known;
    if (copy_same(body->fetch->copy, body->bytes, known, body->at, err))
        return FETCH_WHOLE;
    return err->kind == ERROR_DIFFERENT ? FETCH_DIFFERENT : FETCH_BROKEN;
}

/* Hands what is gathered to the copy; FETCH_WHOLE: done. */
static enum fetch_end flush(struct body *body, struct error *err) {
    if (body->filled == 0)
        return FETCH_WHOLE;
    size_t known;
    enum fetch_end end = compare(body, &known, err);
    if (end != FETCH_WHOLE)
        return end;
    if (known < body->filled) {
        size_t more = body->filled - known;
        if (!copy_append(body->fetch->copy, body->bytes + known, more, err))
            return refused(body, err);
        body->written += more;
    }
    body->at += body->filled;
    body->filled = 0;
    return FETCH_WHOLE;
}

static void grow(struct body *body) {
    if (body->capacity == GATHER_MAX_BYTES)
        return;
    char *bigger = malloc(GATHER_MAX_BYTES);
    if (!bigger)
        return;
    free(body->bytes);
    body->bytes = bigger;
    body->capacity = GATHER_MAX_BYTES;
}

/* An old body gives its place to others while the queue lets it. */
static void lend(struct body *body) {
    if (body->lent || clock_ms() < body->lend_at_ms)
        return;
    body->lent = queue_lend(body->fetch->source->queue, body->fetch->job);
    body->lend_at_ms = clock_ms() + LEND_AGAIN_MS;
}

/* How much to gather: up to the next multiple of the buffer, so that writes are aligned. */
static size_t room(const struct body *body) {
    return body->capacity - (size_t)(body->at % body->capacity);
}

/* Moves the body; FETCH_WHOLE: its end has come. */
static enum fetch_end move(struct body *body, struct error *err) {
    enum fetch_end end = flush(body, err);
    while (end == FETCH_WHOLE && !body->ended) {
        size_t limit = room(body);
        bool more = body_read(body, limit, err);
        if (more && body->filled < limit && reader_ready(body->reader))
            continue;
        bool full = body->filled == limit;
        struct error flush_err = {0};
        end = flush(body, &flush_err);
        if (end != FETCH_WHOLE) {
            *err = flush_err;
            return end;
        }
        if (!more && !body->ended)
            return failed(body, err);
        if (full)
            grow(body);
        lend(body);
    }
    return end;
}

/* --- ending --- */

/* A local file that changed after its last byte was read was delivered as it was found, and is not
 * kept. */
static bool changed_at_end(const struct body *body, const struct error *err) {
    return err->kind == ERROR_CHANGED && body->content.size != SIZE_UNKNOWN &&
           body->at == body->content.size;
}

/* Is what has come the whole? */
static enum fetch_end judge(struct body *body, struct error *err) {
    struct fetch *fetch = body->fetch;
    struct copy_state state;
    copy_look(fetch->copy, &state);
    bool announced = state.size != SIZE_UNKNOWN;
    if (body->at < state.written || (announced && state.written < state.size)) {
        error_set(err, ERROR_LENGTH, "the body ended after %llu bytes, before its end",
                  (unsigned long long)body->at);
        return FETCH_BROKEN;
    }
    if (verify_whole(&fetch->question->key, fetch->staging, announced, err))
        return FETCH_WHOLE;
    /* Where nothing announced the length, a cut is a connection that broke unseen. */
    return !announced && err->kind == ERROR_LENGTH ? FETCH_BROKEN : FETCH_FALSE;
}

static void finish(struct body *body) {
    struct fetch *fetch = body->fetch;
    note_total(body);
    fetch->note->result = ATTEMPT_FOUND;
    fetch->ops->body_came(fetch);
    copy_whole(fetch->copy);
    /* Syncing may take long: the place is somebody else's by then. */
    queue_give(fetch->source->queue, fetch->job);
    cache_complete(fetch->cache, fetch->copy, body->keep);
}

/* Where and how a broken body can be gone on with. */
static void fill_resume(struct body *body) {
    struct resume *resume = &body->fetch->resume;
    struct copy_state state;
    copy_look(body->fetch->copy, &state);
    const struct content *content = &body->content;
    bool tellable = content->validator[0] || (content->last_modified && state.size != SIZE_UNKNOWN);
    if (content->start == 0) {
        *resume = (struct resume){.last_modified = content->last_modified};
        for (size_t i = 0; i < sizeof resume->validator; i++)
            resume->validator[i] = content->validator[i];
        if (content->encoded || !tellable)
            return;
    }
    /* Up to here what came was the same, or was written: not further, where it was still compared.
     */
    resume->offset = body->at;
    resume->size = state.size;
}

static enum fetch_end run_body(struct body *body, struct error *err) {
    struct fetch *fetch = body->fetch;
    fetch->head_good = true;
    fetch->note->head_ms = clock_ms() - body->began_ms;
    fetch->ops->head_came(fetch);
    body->capacity = GATHER_FIRST_BYTES;
    body->bytes = memory_new(body->capacity);
    body->at = body->content.start;
    body->lend_at_ms = clock_ms() + LEND_AFTER_MS;
    if (body->content.start == 0 && !body_look(body, err))
        return failed(body, err);
    enum fetch_end end = lead(body, err);
    if (end == FETCH_WHOLE)
        end = move(body, err);
    if (end == FETCH_BROKEN && changed_at_end(body, err)) {
        body->keep = false;
        end = FETCH_WHOLE;
    }
    if (end == FETCH_WHOLE)
        end = judge(body, err);
    if (end == FETCH_WHOLE)
        finish(body);
    if (end == FETCH_BROKEN)
        fill_resume(body);
    return end;
}

/* A file served in place is looked at like any other body. */
static bool local_look(struct body *body, const struct source_local *local, struct error *err) {
    char bytes[CONTENT_LOOK_BYTES];
    ssize_t got = files_read_at(local->fd, bytes, sizeof bytes, 0, err);
    return got >= 0 &&
           verify_first(&body->fetch->question->key, &body->content, bytes, (size_t)got, err);
}

static enum fetch_end run_local(struct body *body, const struct source_local *local,
                                struct error *err) {
    struct fetch *fetch = body->fetch;
    fetch->head_good = true;
    fetch->note->head_ms = clock_ms() - body->began_ms;
    fetch->ops->head_came(fetch);
    if (!local_look(body, local, err)) {
        close(local->fd);
        return FETCH_FAILED;
    }
    if (!fetch->ops->may_write(fetch)) {
        close(local->fd);
        return FETCH_LOST;
    }
    note_total(body);
    fetch->note->result = ATTEMPT_FOUND;
    fetch->ops->body_came(fetch);
    bool adopted =
        cache_adopt(fetch->cache, fetch->copy, local->fd, local->size, local->modified_ns,
                    fetch->source->options.identifier, fetch->source->pool, local->settled);
    if (adopted)
        return FETCH_LOCAL;
    close(local->fd);
    return FETCH_LOST;
}

/* Asks one path after the other until one does not say no. */
static enum source_answer ask_paths(struct body *body, struct source_call *call,
                                    struct source_local *out_local, struct error *err) {
    struct fetch *fetch = body->fetch;
    struct source *source = fetch->source;
    const struct source_options *options = &source->options;
    bool in_place = fetch->in_place && !fetch->taking_up;
    enum layout layout;
    if (!source_layout(source, fetch->worker, fetch->cancel, &layout, err))
        return SOURCE_FAILED;
    for (unsigned i = 0; i < options->form_count; i++) {
        struct store_path paths[STORE_PATHS_MAX];
        unsigned count =
            store_paths(layout, options->casing, fetch->question, options->forms[i], paths);
        for (unsigned n = 0; n < count; n++) {
            call->path = paths[n].path;
            enum source_answer answer =
                source->ops->ask(source, fetch->worker, call, in_place, &body->content,
                                 &body->reader, out_local, err);
            if (answer != SOURCE_ABSENT)
                return answer;
        }
    }
    return SOURCE_ABSENT;
}

static enum fetch_end run(struct body *body, struct error *err) {
    struct fetch *fetch = body->fetch;
    bool resumes = fetch->taking_up && fetch->resume.offset > 0;
    struct source_call call = {
        .resume = resumes ? &fetch->resume : NULL,
        .cancel = fetch->cancel,
        .fresh_connection = fetch->fresh_connection,
        .retry_after_s = -1,
        .note = fetch->note,
    };
    struct source_local local = {.fd = -1};
    enum source_answer answer = ask_paths(body, &call, &local, err);
    fetch->retry_after_s = call.retry_after_s;
    switch (answer) {
    case SOURCE_FOUND:
        body->keep = !body->content.unsettled;
        return run_body(body, err);
    case SOURCE_ABSENT:
        return FETCH_ABSENT;
    case SOURCE_FAILED:
        return failed(body, err);
    case SOURCE_LOCAL:
        return run_local(body, &local, err);
    }
    return FETCH_FAILED;
}

enum fetch_end fetcher_run(struct fetch *fetch, struct error *err) {
    CLEANUP(body_release)
    struct body body = {.fetch = fetch, .keep = true, .began_ms = clock_ms()};
    fetch->head_good = false;
    enum fetch_end end = run(&body, err);
    note_total(&body);
    return end;
}
