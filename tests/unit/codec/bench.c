// SPDX-License-Identifier: MIT
#include "unit/codec/bench.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char broken[] = "the connection to \"far\" broke";

static ssize_t read_piece(struct reader *reader, void *bytes, size_t length, struct error *err) {
    struct bench_reader *in = (struct bench_reader *)reader;
    assert_false(in->ended);
    assert_true(length > 0);
    size_t left = in->length - in->given;
    size_t some = length < in->piece ? length : in->piece;
    some = some < left ? some : left;
    if (in->given + some > in->break_at)
        some = in->break_at - in->given;
    in->ended = some == 0;
    if (in->given == in->break_at) {
        error_set(err, ERROR_RESET, "%s", broken);
        return -1;
    }
    memcpy(bytes, in->bytes + in->given, some);
    in->given += some;
    return (ssize_t)some;
}

static bool is_ready(struct reader *reader) {
    struct bench_reader *in = (struct bench_reader *)reader;
    return in->piece == WHOLE_PIECE && in->given < in->length;
}

static void not_closed(struct reader *reader) {
    (void)reader;
    fail_msg("the reader is the caller's to close");
}

static const struct reader_ops reader_ops = {read_piece, is_ready, not_closed};

static bool take_announcement(struct decoder_sink *sink, uint64_t size, struct error *err) {
    struct bench_sink *out = (struct bench_sink *)sink;
    assert_false(out->announced);
    assert_int_equal(out->writes, 0);
    out->announced = true;
    out->size = size;
    return !out->fail_announce || error_set(err, ERROR_DISK, "no room for it");
}

static bool take_bytes(struct decoder_sink *sink, const void *bytes, size_t length, bool more,
                       struct error *err) {
    struct bench_sink *out = (struct bench_sink *)sink;
    assert_true(length > 0);
    if (out->writes == 0)
        out->given_first = out->reader->given;
    if (out->writes++ == out->fail_at)
        return error_set(err, ERROR_DISK, "no room for more");
    if (out->length + length > out->capacity) {
        out->capacity = 2 * (out->length + length);
        out->bytes = realloc(out->bytes, out->capacity);
        assert_non_null(out->bytes);
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
    out->more = more;
    return true;
}

void bench_init(struct bench *bench, enum coding coding, const unsigned char *bytes,
                size_t length) {
    *bench = (struct bench){
        .coding = coding,
        .in = {.reader.ops = &reader_ops,
               .bytes = bytes,
               .length = length,
               .piece = WHOLE_PIECE,
               .break_at = SIZE_MAX},
        .out = {.sink = {take_announcement, take_bytes}, .fail_at = SIZE_MAX},
        .limits = decoder_default_limits,
        .size = SIZE_UNKNOWN,
    };
}

enum decoder_end bench_run(struct bench *bench) {
    bench_release(bench);
    bench->in.given = bench->looked_at;
    bench->in.ended = false;
    bench->out.length = bench->out.writes = 0;
    bench->out.announced = false;
    bench->out.reader = &bench->in;
    bench->err = (struct error){0};
    const struct decoder_input in = {
        .coding = bench->coding,
        .reader = &bench->in.reader,
        .size = bench->size,
        .first = bench->in.bytes,
        .first_length = bench->looked_at,
    };
    enum decoder_end end = decoder_run(&in, &bench->out.sink, &bench->limits, &bench->err);
    assert_int_equal(bench->err.kind == ERROR_NONE, end == DECODER_WHOLE);
    return end;
}

void bench_release(struct bench *bench) {
    free(bench->out.bytes);
    bench->out.bytes = NULL;
    bench->out.capacity = 0;
}

bool bench_began(const struct bench *bench, const struct bytes *plain) {
    return bench->out.length <= plain->length &&
           memcmp(bench->out.bytes ? bench->out.bytes : (unsigned char *)"", plain->bytes,
                  bench->out.length) == 0;
}

void bench_expect(struct bench *bench, const struct bytes *plain, bool announced) {
    enum decoder_end end = bench_run(bench);
    assert_string_equal(bench->err.what, "");
    assert_int_equal(end, DECODER_WHOLE);
    assert_int_equal(bench->out.length, plain->length);
    assert_true(bench_began(bench, plain));
    assert_int_equal(bench->out.announced, announced);
    if (announced)
        assert_int_equal(bench->out.size, plain->length);
}

static bool says(const struct bench *bench, const char *part) {
    return strstr(bench->err.what, part) != NULL;
}

void bench_cut(enum coding coding, const struct bytes *archive, const struct bytes *plain) {
    for (size_t length = 0; length < archive->length; length++) {
        struct bench bench;
        struct bytes cut = bytes_copy(archive->bytes, length);
        bench_init(&bench, coding, cut.bytes, length);
        assert_int_equal(bench_run(&bench), DECODER_REFUSED);
        assert_int_equal(bench.err.kind, ERROR_LENGTH);
        assert_true(says(&bench, "cut off"));
        assert_true(bench_began(&bench, plain));
        bench.in.break_at = length;
        assert_int_equal(bench_run(&bench), DECODER_BROKEN);
        assert_int_equal(bench.err.kind, ERROR_RESET);
        assert_string_equal(bench.err.what, broken);
        assert_true(bench_began(&bench, plain));
        bench_release(&bench);
        bytes_release(&cut);
    }
}

size_t bench_flip(enum coding coding, const struct bytes *archive, const struct bytes *plain) {
    size_t refused = 0;
    for (size_t bit = 0; bit < archive->length * 8; bit++) {
        struct bench bench;
        archive->bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        bench_init(&bench, coding, archive->bytes, archive->length);
        enum decoder_end end = bench_run(&bench);
        if (end == DECODER_WHOLE &&
            (bench.out.length != plain->length || !bench_began(&bench, plain)))
            fail_msg("bit %zu of byte %zu makes other bytes unseen", bit % 8, bit / 8);
        assert_true(end == DECODER_WHOLE || end == DECODER_REFUSED);
        refused += end == DECODER_REFUSED;
        bench_release(&bench);
        archive->bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    return refused;
}

void bench_refused(enum coding coding, const struct bytes *archive, enum error_kind kind,
                   const char *part) {
    struct bench bench;
    bench_init(&bench, coding, archive->bytes, archive->length);
    assert_int_equal(bench_run(&bench), DECODER_REFUSED);
    if (!says(&bench, part))
        assert_string_equal(bench.err.what, part);
    assert_int_equal(bench.err.kind, kind);
    bench_release(&bench);
}

static unsigned next(unsigned *state) {
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

struct bytes bytes_words(size_t length, unsigned seed) {
    struct bytes made = {memory_new(length + 1), length};
    unsigned state = seed;
    for (size_t at = 0; at < length;) {
        unsigned word = next(&state) % 512;
        unsigned letters = word % 9 + 1;
        unsigned spelling = word * 2654435761U;
        for (unsigned i = 0; i < letters && at < length; i++)
            made.bytes[at++] = (unsigned char)(next(&spelling) % 200);
        if (next(&state) % 8 == 0 && at < length)
            made.bytes[at++] = (unsigned char)next(&state);
    }
    return made;
}

struct bytes bytes_zero(size_t length) {
    return (struct bytes){memory_new(length + 1), length};
}

struct bytes bytes_copy(const void *bytes, size_t length) {
    struct bytes made = {malloc(length), length}; /* no byte more: a sanitizer sees */
    assert_true(made.bytes || length == 0);
    if (length > 0)
        memcpy(made.bytes, bytes, length);
    return made;
}

struct bytes bytes_join(const struct bytes *first, const struct bytes *second) {
    struct bytes made = {memory_new(first->length + second->length + 1),
                         first->length + second->length};
    memcpy(made.bytes, first->bytes, first->length);
    memcpy(made.bytes + first->length, second->bytes, second->length);
    return made;
}

void bytes_release(struct bytes *bytes) {
    free(bytes->bytes);
    bytes->bytes = NULL;
}

void bytes_put(struct bytes *bytes, size_t offset, uint64_t number, size_t width) {
    assert_true(offset + width <= bytes->length);
    for (size_t i = 0; i < width; i++)
        bytes->bytes[offset + i] = (unsigned char)(number >> 8 * i);
}
