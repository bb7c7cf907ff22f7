// SPDX-License-Identifier: MIT
//
// What holds for every coding: what is recognised, who failed, what the sink is told, what was read
// before.
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "unit/codec/bench.h"
#include "unit/codec/cabinet_writer.h"

enum { PLAIN_BYTES = 300000, PACKED_MAX = 16 << 20 };

struct sample {
    enum coding coding;
    struct bytes archive;
};

struct samples {
    struct bytes plain;
    struct sample list[4];
};

static struct bytes gzip(const struct bytes *plain) {
    struct bytes made = {memory_new(PACKED_MAX), 0};
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = plain->bytes;
    stream.avail_in = (uInt)plain->length;
    stream.next_out = made.bytes;
    stream.avail_out = PACKED_MAX;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    made.length = stream.total_out;
    deflateEnd(&stream);
    return made;
}

static struct bytes cabinet(struct cabinet_shape shape, const struct bytes *plain) {
    struct buffer out;
    buffer_init(&out, PACKED_MAX);
    cabinet_write(&shape, plain->bytes, plain->length, &out);
    return (struct bytes){(unsigned char *)out.bytes, out.length};
}

static int setup(void **state) {
    struct samples *samples = NEW(struct samples);
    struct bytes plain = samples->plain = bytes_words(PLAIN_BYTES, 1);
    samples->list[0] = (struct sample){CODING_GZIP, gzip(&plain)};
    for (unsigned i = 1; i < LENGTH_OF(samples->list); i++) {
        static const enum cabinet_method methods[] = {CABINET_STORED, CABINET_MSZIP, CABINET_LZX};
        struct cabinet_shape shape = {.method = methods[i - 1], .window_bits = 18};
        samples->list[i] = (struct sample){CODING_CABINET, cabinet(shape, &plain)};
    }
    *state = samples;
    return 0;
}

static int teardown(void **state) {
    struct samples *samples = *state;
    for (size_t i = 0; i < LENGTH_OF(samples->list); i++)
        bytes_release(&samples->list[i].archive);
    bytes_release(&samples->plain);
    free(samples);
    return 0;
}

static void bench_of(struct bench *bench, const struct sample *sample) {
    bench_init(bench, sample->coding, sample->archive.bytes, sample->archive.length);
}

static void codings_are_recognised_by_their_first_bytes(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        enum coding coding;
    } begins[] = {
        {"MSCF\0\0\0\0", 8, CODING_CABINET},
        {"MSCF", 4, CODING_CABINET},
        {"MSC", 3, CODING_NONE},
        {"\x1f\x8b\x08", 3, CODING_GZIP},
        {"\x1f\x8b\x07", 3, CODING_NONE},
        {"\x1f\x8b", 2, CODING_NONE},
        {"PK\3\4", 4, CODING_ZIP},
        {"PK\5\6", 4, CODING_NONE},
        {"PK\3", 3, CODING_NONE},
        {"Microsoft C/C++ MSF 7.00\r\n", 26, CODING_NONE},
        {"MZ", 2, CODING_NONE},
        {"", 0, CODING_NONE},
    };
    for (size_t i = 0; i < LENGTH_OF(begins); i++)
        assert_int_equal(decoder_recognise(begins[i].bytes, begins[i].length), begins[i].coding);
    assert_string_equal(coding_name(CODING_NONE), "none");
    assert_string_equal(coding_name(CODING_ZIP), "zip");
}

static void a_break_is_the_readers_own(void **state) {
    struct samples *samples = *state;
    for (size_t i = 0; i < LENGTH_OF(samples->list); i++) {
        size_t length = samples->list[i].archive.length;
        /* The last one breaks where the end should be told. */
        for (size_t n = 0; n <= 16; n++) {
            struct bench bench;
            bench_of(&bench, &samples->list[i]);
            bench.in.break_at = length * n / 16;
            assert_int_equal(bench_run(&bench), DECODER_BROKEN);
            assert_int_equal(bench.err.kind, ERROR_RESET);
            assert_string_equal(bench.err.what, "the connection to \"far\" broke");
            assert_true(bench_began(&bench, &samples->plain));
            bench_release(&bench);
        }
    }
}

static void a_sink_that_fails_ends_it(void **state) {
    struct samples *samples = *state;
    for (size_t i = 0; i < LENGTH_OF(samples->list); i++) {
        struct bench bench;
        bench_of(&bench, &samples->list[i]);
        bench_expect(&bench, &samples->plain, samples->list[i].coding == CODING_CABINET);
        size_t writes = bench.out.writes;
        assert_true(writes > 1);
        for (size_t at = 0; at < writes; at++) {
            bench.out.fail_at = at;
            assert_int_equal(bench_run(&bench), DECODER_STOPPED);
            assert_int_equal(bench.err.kind, ERROR_DISK);
            assert_string_equal(bench.err.what, "no room for more");
            assert_int_equal(bench.out.writes, at + 1);
        }
        bench_release(&bench);
    }
}

static void a_sink_that_refuses_the_size_ends_it(void **state) {
    struct samples *samples = *state;
    for (size_t i = 1; i < LENGTH_OF(samples->list); i++) {
        struct bench bench;
        bench_of(&bench, &samples->list[i]);
        bench.out.fail_announce = true;
        assert_int_equal(bench_run(&bench), DECODER_STOPPED);
        assert_string_equal(bench.err.what, "no room for it");
        assert_int_equal(bench.out.writes, 0);
        bench.out.sink.announce = NULL;
        assert_int_equal(bench_run(&bench), DECODER_WHOLE);
        assert_int_equal(bench.out.length, samples->plain.length);
        bench_release(&bench);
    }
}

static void what_was_read_before_counts(void **state) {
    struct samples *samples = *state;
    static const size_t before[] = {1, 3, 4, 36, 4096, DECODER_FIRST_MAX};
    for (size_t i = 0; i < LENGTH_OF(samples->list) * LENGTH_OF(before); i++) {
        const struct sample *sample = &samples->list[i % LENGTH_OF(samples->list)];
        struct bench bench;
        bench_of(&bench, sample);
        bench.looked_at = before[i / LENGTH_OF(samples->list)];
        bench_expect(&bench, &samples->plain, sample->coding == CODING_CABINET);
        bench.in.piece = 1000;
        bench_expect(&bench, &samples->plain, sample->coding == CODING_CABINET);
        bench_release(&bench);
    }
}

static void a_sink_is_told_whether_more_is_at_hand(void **state) {
    struct samples *samples = *state;
    for (size_t i = 0; i < LENGTH_OF(samples->list); i++) {
        struct bench bench;
        bench_of(&bench, &samples->list[i]);
        assert_int_equal(bench_run(&bench), DECODER_WHOLE);
        assert_false(bench.out.more);
        bench.out.fail_at = 1;
        assert_int_equal(bench_run(&bench), DECODER_STOPPED);
        assert_true(bench.out.more);
        bench.in.piece = 1; /* never ready, and nothing is left of a piece */
        assert_int_equal(bench_run(&bench), DECODER_STOPPED);
        assert_false(bench.out.more);
        bench_release(&bench);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings_are_recognised_by_their_first_bytes),
        cmocka_unit_test(a_break_is_the_readers_own),
        cmocka_unit_test(a_sink_that_fails_ends_it),
        cmocka_unit_test(a_sink_that_refuses_the_size_ends_it),
        cmocka_unit_test(what_was_read_before_counts),
        cmocka_unit_test(a_sink_is_told_whether_more_is_at_hand),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
