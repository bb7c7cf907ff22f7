// SPDX-License-Identifier: MIT
#include "codec/feed.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "symbol/content.h"

enum { FEED_BYTES = 128 * 1024 };

static_assert((int)DECODER_FIRST_MAX < (int)FEED_BYTES, "what was read before fits");
static_assert((int)FEED_LOOK_MAX < (int)FEED_BYTES, "what is looked at fits");

void feed_init(struct feed *feed, const struct decoder_input *in, const char *name) {
    assert(in->first_length <= DECODER_FIRST_MAX);
    *feed = (struct feed){
        .reader = in->reader,
        .name = name,
        .announced = in->size,
        .whole = SIZE_UNKNOWN,
        .bytes = memory_new(FEED_BYTES),
        .filled = in->first_length,
    };
    if (in->first_length > 0)
        memcpy(feed->bytes, in->first, in->first_length);
}

void feed_release(struct feed *feed) {
    free(feed->bytes);
}

/* Room for `length` bytes in one piece. */
static void make_room(struct feed *feed, size_t length) {
    if (feed->at == feed->filled) {
        feed->at = feed->filled = 0;
    } else if (feed->at + length > FEED_BYTES) {
        feed->filled -= feed->at;
        memmove(feed->bytes, feed->bytes + feed->at, feed->filled);
        feed->at = 0;
    }
}

bool feed_fill(struct feed *feed, size_t length, struct error *err) {
    assert(length <= FEED_LOOK_MAX);
    if (feed_left(feed) >= length)
        return true;
    make_room(feed, length);
    while (!feed->ended && feed_left(feed) < length) {
        ssize_t got =
            reader_read(feed->reader, feed->bytes + feed->filled, FEED_BYTES - feed->filled, err);
        if (got < 0) {
            feed->broken = true;
            return false;
        }
        feed->ended = got == 0;
        feed->filled += (size_t)got;
    }
    return true;
}

const unsigned char *feed_bytes(const struct feed *feed) {
    return feed->bytes + feed->at;
}

size_t feed_left(const struct feed *feed) {
    return feed->filled - feed->at;
}

bool feed_more(const struct feed *feed) {
    return feed_left(feed) > 0 || (!feed->ended && reader_ready(feed->reader));
}

void feed_took(struct feed *feed, size_t length) {
    assert(length <= feed_left(feed));
    feed->at += length;
    feed->taken += length;
}

bool feed_cut(const struct feed *feed, struct error *err) {
    if (feed->whole != SIZE_UNKNOWN)
        return error_set(err, ERROR_LENGTH,
                         "the %s file is cut off: it should have %" PRIu64 " bytes, %" PRIu64
                         " came",
                         feed->name, feed->whole, feed->taken + feed_left(feed));
    return error_set(err, ERROR_LENGTH, "the %s file is cut off after %" PRIu64 " bytes",
                     feed->name, feed->taken + feed_left(feed));
}

const unsigned char *feed_take(struct feed *feed, size_t length, struct error *err) {
    if (feed->whole != SIZE_UNKNOWN && length > feed->whole - feed->taken) {
        error_set(err, ERROR_ENCODING,
                  "the %s file needs more than the %" PRIu64 " bytes it claims", feed->name,
                  feed->whole);
        return NULL;
    }
    if (!feed_fill(feed, length, err))
        return NULL;
    if (feed_left(feed) < length) {
        feed_cut(feed, err);
        return NULL;
    }
    const unsigned char *bytes = feed_bytes(feed);
    feed_took(feed, length);
    return bytes;
}

bool feed_skip_to(struct feed *feed, uint64_t offset, struct error *err) {
    while (feed->taken < offset) {
        uint64_t left = offset - feed->taken;
        if (!feed_take(feed, left < FEED_LOOK_MAX ? (size_t)left : FEED_LOOK_MAX, err))
            return false;
    }
    return true;
}

bool feed_claim(struct feed *feed, uint64_t whole, struct error *err) {
    feed->whole = whole;
    if (whole < feed->taken)
        return error_set(err, ERROR_ENCODING, "the %s file claims to have %" PRIu64 " bytes",
                         feed->name, whole);
    if (feed->announced == SIZE_UNKNOWN || feed->announced == whole)
        return true;
    return error_set(err, feed->announced < whole ? ERROR_LENGTH : ERROR_ENCODING,
                     "the %s file should have %" PRIu64 " bytes, and has %" PRIu64, feed->name,
                     whole, feed->announced);
}
