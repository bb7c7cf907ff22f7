// SPDX-License-Identifier: MIT
#include "expand.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "symbol/content.h"

enum { PLAIN_MAX = 160 * 1024 };

struct run {
    struct reader reader;
    struct decoder_sink sink;
    const uint8_t *bytes;
    size_t left;
    size_t piece;
    bool ended;
    bool announced;
    uint64_t size;
    uint64_t written;
    uLong sum; /* of all that was written, whatever the pieces */
    enum decoder_end end;
    enum error_kind kind;
};

static void require(bool right) {
    if (!right)
        abort();
}

static ssize_t read_piece(struct reader *reader, void *bytes, size_t length, struct error *err) {
    (void)err;
    struct run *run = (struct run *)reader;
    require(!run->ended && length > 0);
    size_t some = length < run->piece ? length : run->piece;
    some = some < run->left ? some : run->left;
    if (some > 0)
        memcpy(bytes, run->bytes, some);
    run->bytes += some;
    run->left -= some;
    run->ended = some == 0;
    return (ssize_t)some;
}

static bool is_ready(struct reader *reader) {
    return ((struct run *)reader)->left > 0;
}

static const struct reader_ops ops = {.read = read_piece, .ready = is_ready};

static struct run *run_of(struct decoder_sink *sink) {
    return (struct run *)((char *)sink - offsetof(struct run, sink));
}

static bool announce(struct decoder_sink *sink, uint64_t size, struct error *err) {
    (void)err;
    struct run *run = run_of(sink);
    require(!run->announced && run->written == 0 && size <= PLAIN_MAX);
    run->announced = true;
    run->size = size;
    return true;
}

static bool write_bytes(struct decoder_sink *sink, const void *bytes, size_t length, bool more,
                        struct error *err) {
    (void)err;
    (void)more;
    struct run *run = run_of(sink);
    run->sum = adler32_z(run->sum, bytes, length);
    run->written += length;
    require(length > 0 && run->written <= PLAIN_MAX);
    require(!run->announced || run->written <= run->size);
    return true;
}

static void run_once(struct run *run, enum coding coding) {
    const struct decoder_limits limits = {.plain_max = PLAIN_MAX, .ratio_max = 2000};
    const struct decoder_input in = {
        .coding = coding, .reader = &run->reader, .size = SIZE_UNKNOWN};
    struct error err = {0};
    run->end = decoder_run(&in, &run->sink, &limits, &err);
    run->kind = err.kind;
    if (run->end == DECODER_WHOLE)
        require(run->ended && (!run->announced || run->written == run->size));
    else
        require(run->end == DECODER_REFUSED && err.what[0] &&
                (err.kind == ERROR_LENGTH || err.kind == ERROR_ENCODING));
}

void expand(enum coding coding, const uint8_t *bytes, size_t length) {
    struct run whole = {
        .reader.ops = &ops,
        .sink = {announce, write_bytes},
        .bytes = bytes,
        .left = length,
        .piece = SIZE_MAX,
    };
    struct run pieces = whole;
    pieces.piece = length % 61 + 1;
    run_once(&whole, coding);
    run_once(&pieces, coding);
    require(whole.end == pieces.end && whole.kind == pieces.kind);
    if (whole.end == DECODER_WHOLE)
        require(whole.written == pieces.written && whole.sum == pieces.sum);
}
