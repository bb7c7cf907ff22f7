// SPDX-License-Identifier: MIT
//
// gzip: members, check sums, cuts, what follows, bombs.
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "unit/codec/bench.h"

static struct bytes gzip(const struct bytes *plain) {
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    struct bytes made = {.length = deflateBound(&stream, plain->length) + 64};
    made.bytes = memory_new(made.length);
    stream.next_in = plain->bytes;
    stream.avail_in = (uInt)plain->length;
    stream.next_out = made.bytes;
    stream.avail_out = (uInt)made.length;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    made.length = stream.total_out;
    deflateEnd(&stream);
    return made;
}

static void expands_in_pieces_of_any_size(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 1000, 65536, 300000};
    static const size_t pieces[] = {1, 7, 4096, WHOLE_PIECE};
    for (size_t s = 0; s < LENGTH_OF(sizes); s++) {
        CLEANUP(bytes_release) struct bytes plain = bytes_words(sizes[s], 1);
        CLEANUP(bytes_release) struct bytes archive = gzip(&plain);
        for (size_t p = 0; p < LENGTH_OF(pieces); p++) {
            struct bench bench;
            bench_init(&bench, CODING_GZIP, archive.bytes, archive.length);
            bench.in.piece = pieces[p];
            bench_expect(&bench, &plain, false);
            bench_release(&bench);
        }
    }
}

static void members_are_one_body(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(70300, 2);
    struct bytes first = {plain.bytes, 70000};
    struct bytes second = {plain.bytes + 70000, 300};
    CLEANUP(bytes_release) struct bytes one = gzip(&first);
    CLEANUP(bytes_release) struct bytes other = gzip(&second);
    CLEANUP(bytes_release) struct bytes archive = bytes_join(&one, &other);
    struct bench bench;
    bench_init(&bench, CODING_GZIP, archive.bytes, archive.length);
    bench_expect(&bench, &plain, false);
    bench.in.piece = 1;
    bench_expect(&bench, &plain, false);
    bench_release(&bench);
    for (size_t more = 1; more < other.length; more++) {
        struct bytes cut = {archive.bytes, one.length + more};
        bench_refused(CODING_GZIP, &cut, ERROR_LENGTH, "cut off");
    }
}

static void what_follows_is_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(5000, 3);
    CLEANUP(bytes_release) struct bytes archive = gzip(&plain);
    static const char *const follow[] = {"x", "\x1fx", "\x1f\x8bx", "not gzip", "PK\3\4"};
    for (size_t i = 0; i < LENGTH_OF(follow); i++) {
        struct bytes more = {(unsigned char *)follow[i], strlen(follow[i])};
        CLEANUP(bytes_release) struct bytes both = bytes_join(&archive, &more);
        bench_refused(CODING_GZIP, &both, ERROR_ENCODING, "something follows the gzip file");
    }
}

static void cuts_are_told_from_breaks(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(1000, 4);
    CLEANUP(bytes_release) struct bytes archive = gzip(&plain);
    bench_cut(CODING_GZIP, &archive, &plain);
}

static void no_turned_bit_goes_unseen(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(500, 5);
    CLEANUP(bytes_release) struct bytes archive = gzip(&plain);
    assert_true(bench_flip(CODING_GZIP, &archive, &plain) > (archive.length - 10) * 8);
}

static void first_bytes_come_early(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(500000, 6);
    CLEANUP(bytes_release) struct bytes archive = gzip(&plain);
    struct bench bench;
    bench_init(&bench, CODING_GZIP, archive.bytes, archive.length);
    bench.in.piece = 512;
    bench_expect(&bench, &plain, false);
    assert_true(bench.out.given_first <= 1024);
    bench_release(&bench);
}

static void bombs_are_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_zero(4 << 20);
    CLEANUP(bytes_release) struct bytes archive = gzip(&plain);
    struct bench bench;
    bench_init(&bench, CODING_GZIP, archive.bytes, archive.length);
    bench_expect(&bench, &plain, false);
    bench.limits.ratio_max = 100;
    bench.limits.ratio_from = RATIO_FROM;
    assert_int_equal(bench_run(&bench), DECODER_REFUSED);
    assert_int_equal(bench.err.kind, ERROR_ENCODING);
    assert_non_null(strstr(bench.err.what, "the gzip file is a bomb"));
    assert_true(bench.out.length <= RATIO_FROM);
    bench.limits = (struct decoder_limits){.plain_max = 100000, .ratio_max = 2000};
    assert_int_equal(bench_run(&bench), DECODER_REFUSED);
    assert_non_null(strstr(bench.err.what, "unfolds to more than 97.7 KiB"));
    assert_true(bench.out.length <= 100000);
    bench.limits.plain_max = plain.length;
    bench_expect(&bench, &plain, false);
    bench_release(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_in_pieces_of_any_size),
        cmocka_unit_test(members_are_one_body),
        cmocka_unit_test(what_follows_is_refused),
        cmocka_unit_test(cuts_are_told_from_breaks),
        cmocka_unit_test(no_turned_bit_goes_unseen),
        cmocka_unit_test(first_bytes_come_early),
        cmocka_unit_test(bombs_are_refused),
    };
    return RUN_TESTS(tests);
}
