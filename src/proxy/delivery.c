// SPDX-License-Identifier: MIT
#include "proxy/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "codec/decoder.h"
#include "proxy/choice.h"
#include "proxy/verify.h"

enum {
    GATHER_FIRST_BYTES = 64 * 1024,
    GATHER_MAX_BYTES = 1024 * 1024, /* writes as large as this were measured best */
    LOOK_PATIENCE_MS = 2000,        /* for CONTENT_LOOK_BYTES; then fewer do */
    LEND_AFTER_MS = 10 * 1000,
    LEND_AGAIN_MS = 1000,
};

/* --- reading --- */

static struct delivery *delivery_of(struct reader *counted) {
    return (struct delivery *)(void *)((char *)counted - offsetof(struct delivery, counted));
}

void delivery_came(struct delivery *delivery, const void *bytes, size_t length) {
    if (delivery->came < sizeof delivery->first) {
        size_t left = sizeof delivery->first - (size_t)delivery->came;
        memcpy(delivery->first + delivery->came, bytes, length < left ? length : left);
    }
    delivery->came += length;
}

static ssize_t counted_read(struct reader *counted, void *bytes, size_t length, struct error *err) {
    struct delivery *delivery = delivery_of(counted);
    ssize_t got = reader_read(delivery->reader, bytes, length, err);
    if (got > 0) {
        delivery_came(delivery, bytes, (size_t)got);
        delivery->fetch->note->bytes += (uint64_t)got;
        count_many(&delivery->fetch->source->counters->bytes, (uint64_t)got);
    }
    return got;
}

static bool counted_ready(struct reader *counted) {
    return reader_ready(delivery_of(counted)->reader);
}

static const struct reader_ops counted_ops = {.read = counted_read, .ready = counted_ready};

void delivery_init(struct delivery *delivery, struct fetch *fetch) {
    *delivery = (struct delivery){
        .fetch = fetch, .counted.ops = &counted_ops, .keep = true, .began_ms = clock_ms()};
}

void delivery_release(struct delivery *delivery) {
    reader_close(delivery->reader);
    if (delivery->pointed && delivery->pointed->ops->worker_free)
        delivery->pointed->ops->worker_free(delivery->pointed_worker);
    free(delivery->bytes);
    choice_release(delivery);
}

void delivery_note_total(struct delivery *delivery) {
    delivery->fetch->note->total_ms = clock_ms() - delivery->began_ms;
}

/* The end for an attempt whose reader or source reported `err`. */
static enum fetch_end failed(const struct delivery *delivery, const struct error *err) {
    if (err->kind == ERROR_CANCELLED)
        return FETCH_CANCELLED;
    return delivery->led ? FETCH_BROKEN : FETCH_FAILED;
}

/* The end for what is not the symbol, whatever else comes. */
static enum fetch_end refused_body(const struct delivery *delivery) {
    return delivery->led ? FETCH_FALSE : FETCH_FAILED;
}

/* Reads once into the room that is left up to `limit` gathered bytes. False: err, or the end. */
static bool delivery_read(struct delivery *delivery, size_t limit, struct error *err) {
    ssize_t got = reader_read(&delivery->counted, delivery->bytes + delivery->filled,
                              limit - delivery->filled, err);
    if (got == 0)
        delivery->ended = true;
    if (got <= 0)
        return false;
    delivery->filled += (size_t)got;
    return true;
}

/* Looks at what has gathered before a copy may begin. */
static bool look(struct delivery *delivery, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    if (verify_first(&fetch->question->key, &delivery->content, delivery->bytes, delivery->filled,
                     err))
        return true;
    if (err->kind == ERROR_HTML && delivery->content.redirected)
        count(&fetch->source->counters->login);
    fetch->refused = true;
    delivery_refuse(delivery, err);
    return false;
}

/* --- leading --- */

static enum fetch_end begin(struct delivery *delivery, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    struct staging *staging = NULL;
    if (!cache_stage(fetch->cache, &fetch->question->key, fetch->shelf, delivery->content.size,
                     &staging, err))
        return FETCH_FAILED;
    if (copy_begin(fetch->copy, &delivery->content, fetch->source->options.identifier, staging) ==
        COPY_LOST) {
        staging_free(staging);
        return FETCH_LOST;
    }
    fetch->staging = staging;
    delivery->led = true;
    return FETCH_WHOLE;
}

static enum fetch_end different(struct error *err) {
    error_set(err, ERROR_DIFFERENT, "the body that was read again has another length");
    return FETCH_DIFFERENT;
}

static enum fetch_end take_up(struct delivery *delivery, struct error *err) {
    struct copy_state state;
    copy_look(delivery->fetch->copy, &state);
    delivery->led = true;
    delivery->written = state.written;
    uint64_t size = delivery->content.size;
    if (size == SIZE_UNKNOWN)
        return FETCH_WHOLE;
    if (size < state.written || (state.size != SIZE_UNKNOWN && state.size != size))
        return different(err);
    return FETCH_WHOLE;
}

/* Becomes the writer; FETCH_WHOLE: it is. */
static enum fetch_end lead(struct delivery *delivery, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    if (!fetch->ops->may_write(fetch))
        return FETCH_LOST;
    return fetch->taking_up ? take_up(delivery, err) : begin(delivery, err);
}

/* --- writing --- */

/* What a refused write means: a body longer than announced is false, anything else is the disk's.
 */
static enum fetch_end refused(struct delivery *delivery, const struct error *err) {
    if (err->kind != ERROR_LENGTH)
        return FETCH_BROKEN;
    if (delivery->fetch->taking_up)
        return FETCH_DIFFERENT;
    delivery_refuse(delivery, err);
    return FETCH_FALSE;
}

/* Compares what is gathered with what was written before; *out_known bytes of it are known. */
static enum fetch_end compare(struct delivery *delivery, size_t *out_known, struct error *err) {
    *out_known = 0;
    if (delivery->at >= delivery->written)
        return FETCH_WHOLE;
    uint64_t left = delivery->written - delivery->at;
    size_t known = left < delivery->filled ? (size_t)left : delivery->filled;
    *out_known = known;
    if (copy_same(delivery->fetch->copy, delivery->bytes, known, delivery->at, err))
        return FETCH_WHOLE;
    return err->kind == ERROR_DIFFERENT ? FETCH_DIFFERENT : FETCH_BROKEN;
}

/* Hands what is gathered to the copy; FETCH_WHOLE: done. */
static enum fetch_end flush(struct delivery *delivery, struct error *err) {
    if (delivery->filled == 0)
        return FETCH_WHOLE;
    size_t known;
    enum fetch_end end = compare(delivery, &known, err);
    if (end != FETCH_WHOLE)
        return end;
    if (known < delivery->filled) {
        size_t more = delivery->filled - known;
        if (!copy_append(delivery->fetch->copy, delivery->bytes + known, more, err))
            return refused(delivery, err);
        delivery->written += more;
    }
    delivery->at += delivery->filled;
    delivery->filled = 0;
    return FETCH_WHOLE;
}

static void grow(struct delivery *delivery) {
    if (delivery->capacity == GATHER_MAX_BYTES)
        return;
    char *bigger = malloc(GATHER_MAX_BYTES);
    if (!bigger)
        return;
    free(delivery->bytes);
    delivery->bytes = bigger;
    delivery->capacity = GATHER_MAX_BYTES;
}

/* An old body gives its place to others while the queue lets it. */
static void lend(struct delivery *delivery) {
    if (delivery->lent || clock_ms() < delivery->lend_at_ms)
        return;
    delivery->lent = queue_lend(delivery->fetch->source->queue, delivery->fetch->job);
    delivery->lend_at_ms = clock_ms() + LEND_AGAIN_MS;
}

/* How much to gather: up to the next multiple of the buffer, so that writes are aligned. */
static size_t room(const struct delivery *delivery) {
    return delivery->capacity - (size_t)(delivery->at % delivery->capacity);
}

/* Has enough come to be looked at? */
static bool can_be_looked_at(struct delivery *delivery) {
    if (delivery->filled >= CONTENT_LOOK_BYTES || delivery->ended)
        return true;
    if (delivery->first_ms == 0)
        delivery->first_ms = clock_ms();
    return delivery->filled >= CONTENT_LEAST_BYTES &&
           clock_ms() - delivery->first_ms >= LOOK_PATIENCE_MS;
}

/* What was added goes on its way: looked at and leading first, then written when there is enough of
   it or no `more` at hand. FETCH_WHOLE: on. */
static enum fetch_end advance(struct delivery *delivery, bool more, struct error *err) {
    if (!delivery->led) {
        if (!can_be_looked_at(delivery))
            return FETCH_WHOLE;
        switch (choice_make(delivery, err)) {
        case CHOICE_WAIT:
            return FETCH_WHOLE;
        case CHOICE_ASIDE:
            return FETCH_ASIDE;
        case CHOICE_TAKE:
            break;
        }
        if (!look(delivery, err))
            return FETCH_FAILED;
        enum fetch_end end = lead(delivery, err);
        if (end != FETCH_WHOLE)
            return end;
    }
    bool full = delivery->filled == room(delivery);
    if (more && !full)
        return FETCH_WHOLE;
    enum fetch_end end = flush(delivery, err);
    if (full && end == FETCH_WHOLE)
        grow(delivery);
    lend(delivery);
    return end;
}

/* A wire's coding that cannot be undone; or all that was announced has come, and more: nobody can
   tell which of it is the file. */
static bool is_false(const struct delivery *delivery, const struct error *err) {
    return err->kind == ERROR_ENCODING ||
           (err->kind == ERROR_LENGTH && delivery->content.size != SIZE_UNKNOWN &&
            delivery->at + delivery->filled >= delivery->content.size);
}

/* The reader broke: what has come before is kept. */
static enum fetch_end broke(struct delivery *delivery, const struct error *err,
                            struct error *out_err) {
    bool false_body = is_false(delivery, err);
    enum fetch_end end = delivery->led && !false_body ? flush(delivery, out_err) : FETCH_WHOLE;
    if (end != FETCH_WHOLE)
        return end;
    *out_err = *err;
    if (!false_body)
        return failed(delivery, err);
    delivery->fetch->refused = true;
    if (delivery->led && delivery->fetch->taking_up)
        return FETCH_DIFFERENT;
    delivery_refuse(delivery, err);
    return refused_body(delivery);
}

/* Moves a body that is no archive; FETCH_WHOLE: its end has come. */
static enum fetch_end move_plain(struct delivery *delivery, struct error *err) {
    enum fetch_end end = FETCH_WHOLE;
    if (delivery->filled > 0 || delivery->ended)
        end = advance(delivery, !delivery->ended && reader_ready(delivery->reader), err);
    while (end == FETCH_WHOLE && !delivery->ended) {
        struct error why = {0};
        bool more = delivery_read(delivery, room(delivery), &why);
        if (!more && !delivery->ended)
            return broke(delivery, &why, err);
        end = advance(delivery, more && reader_ready(delivery->reader), err);
    }
    return end;
}

/* --- expanding --- */

struct unpacking {
    struct decoder_sink sink;
    struct delivery *delivery;
    enum fetch_end end; /* what stopped it */
};

static bool take_size(struct decoder_sink *sink, uint64_t size, struct error *err) {
    (void)err;
    ((struct unpacking *)(void *)sink)->delivery->content.size = size;
    return true;
}

static bool take_plain(struct decoder_sink *sink, const void *bytes, size_t length, bool more,
                       struct error *err) {
    struct unpacking *unpacking = (struct unpacking *)(void *)sink;
    struct delivery *delivery = unpacking->delivery;
    const char *from = bytes;
    while (length > 0 && unpacking->end == FETCH_WHOLE) {
        size_t left = room(delivery) - delivery->filled;
        size_t part = left < length ? left : length;
        memcpy(delivery->bytes + delivery->filled, from, part);
        delivery->filled += part;
        from += part;
        length -= part;
        unpacking->end = advance(delivery, more || length > 0, err);
    }
    return unpacking->end == FETCH_WHOLE;
}

/* A file that is cut in the store itself is bad; one whose length nobody told may have been cut on
 * its way. */
static enum fetch_end refused_archive(struct delivery *delivery, bool announced,
                                      const struct error *err) {
    delivery_refuse(delivery, err);
    if (err->kind == ERROR_LENGTH && !announced)
        return failed(delivery, err);
    delivery->fetch->refused = true;
    return refused_body(delivery);
}

/* Expands; FETCH_WHOLE: the end has come, and the archive was sound. */
static enum fetch_end move_packed(struct delivery *delivery, enum coding coding,
                                  struct error *err) {
    char first[DECODER_FIRST_MAX];
    memcpy(first, delivery->bytes, delivery->filled);
    struct decoder_input in = {.coding = coding,
                               .reader = &delivery->counted,
                               .size = delivery->content.size,
                               .first = first,
                               .first_length = delivery->filled};
    struct unpacking unpacking = {.sink = {.announce = take_size, .write = take_plain},
                                  .delivery = delivery,
                                  .end = FETCH_WHOLE};
    delivery->filled = 0;
    delivery->content.size = SIZE_UNKNOWN;
    delivery->content.encoded = true;
    struct error why = {0};
    switch (decoder_run(&in, &unpacking.sink, &decoder_default_limits, &why)) {
    case DECODER_WHOLE:
        delivery->ended = true;
        return advance(delivery, false, err);
    case DECODER_BROKEN:
        return broke(delivery, &why, err);
    case DECODER_STOPPED:
        *err = why;
        return unpacking.end == FETCH_WHOLE ? failed(delivery, &why) : unpacking.end;
    case DECODER_REFUSED:
        *err = why;
        return refused_archive(delivery, in.size != SIZE_UNKNOWN, &why);
    }
    return FETCH_FAILED;
}

/* Reads until it can be told what it is. */
static bool read_first(struct delivery *delivery, struct error *err) {
    while (delivery->filled < DECODER_FIRST_BYTES && !delivery->ended)
        if (!delivery_read(delivery, DECODER_FIRST_MAX, err) && !delivery->ended)
            return false;
    return true;
}

/* Is there nothing to be read? What may still be written is left for the next time. */
static bool leaves_kept(const struct delivery *delivery, bool packed) {
    const struct fetch *fetch = delivery->fetch;
    const struct content *content = &delivery->content;
    return fetch->kept.compare && !fetch->taking_up &&
           (content->unsettled || kept_is(&fetch->kept, content, packed));
}

static enum fetch_end move(struct delivery *delivery, enum form form, struct error *err) {
    if (delivery->content.start > 0) {
        enum fetch_end end = lead(delivery, err);
        return end == FETCH_WHOLE ? move_plain(delivery, err) : end;
    }
    if (leaves_kept(delivery, false))
        return FETCH_KEPT;
    if (!read_first(delivery, err))
        return failed(delivery, err);
    bool packed =
        verify_packed(&delivery->fetch->question->key, form, delivery->bytes, delivery->filled);
    if (leaves_kept(delivery, packed))
        return FETCH_KEPT;
    if (packed)
        return move_packed(delivery, decoder_recognise(delivery->bytes, delivery->filled), err);
    return move_plain(delivery, err);
}

/* --- ending --- */

/* A local file that changed after its last byte was read was delivered as it was found, and is not
 * kept. */
static bool changed_at_end(const struct delivery *delivery, const struct error *err) {
    return err->kind == ERROR_CHANGED && delivery->content.size != SIZE_UNKNOWN &&
           delivery->at == delivery->content.size;
}

/* Is what has come the whole? */
static enum fetch_end judge(struct delivery *delivery, struct error *err) {
    struct fetch *fetch = delivery->fetch;
    struct copy_state state;
    copy_look(fetch->copy, &state);
    bool announced = state.size != SIZE_UNKNOWN;
    if (delivery->at < state.written || (announced && state.written < state.size)) {
        error_set(err, ERROR_LENGTH, "the body ended after %llu bytes, before its end",
                  (unsigned long long)delivery->at);
        return FETCH_BROKEN;
    }
    if (verify_whole(&fetch->question->key, fetch->staging, announced, err))
        return FETCH_WHOLE;
    delivery_refuse(delivery, err);
    if (err->kind == ERROR_DISK)
        return FETCH_BROKEN;
    /* Where nothing announced the length, a cut is a connection that broke unseen. */
    return !announced && err->kind == ERROR_LENGTH ? FETCH_BROKEN : FETCH_FALSE;
}

static void finish(struct delivery *delivery) {
    struct fetch *fetch = delivery->fetch;
    delivery_note_total(delivery);
    fetch->note->result = ATTEMPT_FOUND;
    fetch->ops->body_came(fetch);
    copy_whole(fetch->copy, delivery->keep);
    /* Syncing may take long: the place is somebody else's by then. */
    queue_give(fetch->source->queue, fetch->job);
    fetch->ops->keeps(fetch);
    cache_complete(fetch->cache, fetch->copy, delivery->keep);
}

/* Where and how a broken body can be gone on with. */
static void fill_resume(struct delivery *delivery) {
    struct resume *resume = &delivery->fetch->resume;
    struct copy_state state;
    copy_look(delivery->fetch->copy, &state);
    const struct content *content = &delivery->content;
    bool tellable = content->validator[0] || (content->last_modified && state.size != SIZE_UNKNOWN);
    if (content->start == 0) {
        *resume = (struct resume){.last_modified = content->last_modified};
        memcpy(resume->validator, content->validator, sizeof resume->validator);
        if (content->encoded || !tellable)
            return;
    }
    /* Up to here what came was the same, or was written: not further, where it was still compared.
     */
    resume->offset = delivery->at;
    resume->size = state.size;
}

enum fetch_end delivery_run(struct delivery *delivery, enum form form, struct error *err) {
    delivery->capacity = GATHER_FIRST_BYTES;
    delivery->bytes = memory_new(delivery->capacity);
    delivery->at = delivery->content.start;
    delivery->keep = !delivery->content.unsettled;
    delivery->lend_at_ms = clock_ms() + LEND_AFTER_MS;
    enum fetch_end end = move(delivery, form, err);
    if (end == FETCH_BROKEN && changed_at_end(delivery, err)) {
        delivery->keep = false;
        end = FETCH_WHOLE;
    }
    if (end == FETCH_WHOLE)
        end = judge(delivery, err);
    if (end == FETCH_WHOLE)
        finish(delivery);
    if (end == FETCH_BROKEN)
        fill_resume(delivery);
    return end;
}
