// SPDX-License-Identifier: MIT
//
// The driver's side of a copy: owner, pen and reasons.
#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/copy_inside.h"

enum { WAKE_BYTES = 256 << 10, COMPARE_BYTES = 16 << 10 };

void copy_own(struct copy *copy, struct copy_owner *owner) {
    if (owner)
        owner->ops->ref(owner);
    struct copy_owner *before;
    {
        SCOPED_LOCK(&copy->lock);
        before = copy->owner;
        copy->owner = owner;
    }
    if (before)
        before->ops->unref(before);
}

struct copy_owner *copy_owner(struct copy *copy) {
    SCOPED_LOCK(&copy->lock);
    if (copy->owner)
        copy->owner->ops->ref(copy->owner);
    return copy->owner;
}

void copy_hurry(struct copy *copy) {
    SCOPED_LOCK(&copy->lock);
    copy->hurried_ms = clock_ms();
    copy_wake(copy);
}

/* The source's time in whole seconds; the nanoseconds tell this copy from any other of the same
 * second. A time that nanoseconds cannot count (after 2262) is none. */
static int64_t choose_time(const struct content *content) {
    if (content->last_modified <= 0 || content->last_modified >= INT64_MAX / 1000000000)
        return clock_wall_ns();
    uint64_t random = hash_new_key().words[0];
    return content->last_modified * 1000000000 + (int64_t)(random % 1000000000);
}

enum copy_begun copy_begin(struct copy *copy, const struct content *content, const char *source,
                           struct staging *staging) {
    SCOPED_LOCK(&copy->lock);
    if (copy_phase_now(copy) != COPY_SEARCHING)
        return COPY_LOST;
    copy->staging = staging;
    copy->size = content->size;
    copy->modified_ns = choose_time(content);
    text_copy(copy->source, sizeof copy->source, source);
    struct error why;
    if (!staging_keepable(staging, &why) || (content->unsettled && !copy_unsettled(&why)))
        copy_keep_why(copy, &why);
    copy_raise(copy, COPY_ARRIVING);
    return COPY_LEAD;
}

static void wake_readers(struct copy *copy, uint64_t length) {
    bool first = copy->woken_at == 0;
    {
        SCOPED_LOCK(&copy->lock);
        copy_wake(copy);
    }
    copy->woken_at = length;
    /* The loop that was woken may have been promised this very processor. */
    if (first)
        sched_yield();
}

/* From the moment when its shelf takes no more, it is known that it will not be kept. */
static void note_spilled(struct copy *copy) {
    struct error why;
    if (staging_keepable(copy->staging, &why))
        return;
    SCOPED_LOCK(&copy->lock);
    if (!copy->why)
        copy_keep_why(copy, &why);
}

bool copy_append(struct copy *copy, const void *bytes, size_t length, struct error *err) {
    assert(copy_phase_now(copy) == COPY_ARRIVING);
    uint64_t before = staging_length(copy->staging);
    if (copy->size != SIZE_UNKNOWN && length > copy->size - before)
        return error_set(err, ERROR_LENGTH, "the body is longer than the %llu bytes announced",
                         (unsigned long long)copy->size);
    if (length == 0)
        return true;
    if (!staging_append(copy->staging, bytes, length, err))
        return false;
    note_spilled(copy);
    if (copy->woken_at == 0 || before + length - copy->woken_at >= WAKE_BYTES)
        wake_readers(copy, before + length);
    return true;
}

bool copy_same(struct copy *copy, const void *bytes, size_t length, uint64_t offset,
               struct error *err) {
    char there[COMPARE_BYTES];
    const char *given = bytes;
    while (length > 0) {
        size_t part = length < sizeof there ? length : sizeof there;
        if (!staging_read(copy->staging, there, part, offset, err))
            return false;
        if (memcmp(there, given, part) != 0)
            return error_set(err, ERROR_DIFFERENT,
                             "read again, the body differs from what was passed on already");
        given += part;
        offset += part;
        length -= part;
    }
    return true;
}

void copy_certain(struct copy *copy) {
    SCOPED_LOCK(&copy->lock);
    copy->certain = true;
    copy_wake(copy);
}

void copy_whole(struct copy *copy, bool settled) {
    uint64_t length = staging_length(copy->staging);
    struct error why;
    SCOPED_LOCK(&copy->lock);
    if (!settled && !copy_unsettled(&why))
        copy_keep_why(copy, &why);
    assert(copy->size == SIZE_UNKNOWN || copy->size == length);
    copy->size = length;
    copy->certain = true;
    copy_raise(copy, COPY_WHOLE);
}

/* --- reasons -------------------------------------------------------------------------------- */

bool copy_unsettled(struct error *why) {
    return error_set(why, ERROR_CHANGED, "its source may still be writing it");
}

void copy_keep_why(struct copy *copy, const struct error *why) {
    if (!why || why->kind == ERROR_NONE)
        return;
    if (!copy->why)
        copy->why = NEW(struct error);
    *copy->why = *why;
}

void copy_why(struct copy *copy, struct error *out_why) {
    SCOPED_LOCK(&copy->lock);
    if (copy->why)
        *out_why = *copy->why;
    else
        error_clear(out_why);
}

void copy_source(struct copy *copy, char *out, size_t size) {
    SCOPED_LOCK(&copy->lock);
    text_copy(out, size, copy->source);
}

const char *copy_shelf(const struct copy *copy) {
    bool there = copy_phase_now(copy) == COPY_COMPLETE && copy->shelf;
    return there ? shelf_path(copy->shelf) : NULL;
}

struct copy *copy_successor(struct copy *copy) {
    SCOPED_LOCK(&copy->lock);
    return copy->successor ? copy_ref(copy->successor) : NULL;
}
