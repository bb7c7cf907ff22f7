// SPDX-License-Identifier: MIT
//
// Cabinets of every method: what expands, what is refused and why, cuts, turned bits, bombs.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "unit/codec/bench.h"
#include "unit/codec/cabinet_writer.h"

enum { CABINET_MAX = 64 << 20 };

static const struct cabinet_shape shapes[] = {
    {.method = CABINET_STORED},
    {.method = CABINET_MSZIP},
    {.method = CABINET_LZX, .window_bits = 21},
};

/* The same with little memory: for what is done a thousand times. */
static const struct cabinet_shape small_shapes[] = {
    {.method = CABINET_STORED},
    {.method = CABINET_MSZIP},
    {.method = CABINET_LZX, .window_bits = 15},
};

static struct bytes cabinet(const struct cabinet_shape *shape, const struct bytes *plain) {
    struct buffer out;
    buffer_init(&out, CABINET_MAX);
    cabinet_write(shape, plain->bytes, plain->length, &out);
    return (struct bytes){(unsigned char *)out.bytes, out.length};
}

static void expects_pieces(const struct cabinet_shape *shape, const struct bytes *plain,
                           const size_t *pieces, size_t count) {
    CLEANUP(bytes_release) struct bytes archive = cabinet(shape, plain);
    for (size_t i = 0; i < count; i++) {
        struct bench bench;
        bench_init(&bench, CODING_CABINET, archive.bytes, archive.length);
        bench.in.piece = pieces[i];
        bench_expect(&bench, plain, true);
        bench.size = archive.length;
        bench_expect(&bench, plain, true);
        bench_release(&bench);
    }
}

static void expects(const struct cabinet_shape *shape, const struct bytes *plain, size_t piece) {
    expects_pieces(shape, plain, &piece, 1);
}

static void expands_in_pieces_of_any_size(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 5, 32767, 32768, 32769, 65536, 300000};
    static const size_t pieces[] = {1, 7, 4096, WHOLE_PIECE};
    for (size_t s = 0; s < LENGTH_OF(sizes); s++) {
        CLEANUP(bytes_release) struct bytes plain = bytes_words(sizes[s], (unsigned)s);
        for (size_t i = 0; i < LENGTH_OF(shapes); i++)
            expects_pieces(&shapes[i], &plain, pieces, LENGTH_OF(pieces));
    }
}

static void an_empty_file_is_expanded_to_nothing(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_zero(0);
    for (size_t i = 0; i < LENGTH_OF(shapes); i++)
        expects(&shapes[i], &plain, WHOLE_PIECE);
}

static void expands_every_window(void **state) {
    (void)state;
    static const unsigned bits[] = {15, 16, 17, 18, 19, 20, 21};
    for (size_t i = 0; i < LENGTH_OF(bits); i++) {
        const struct cabinet_shape shape = {.method = CABINET_LZX, .window_bits = bits[i]};
        size_t window = (size_t)1 << bits[i];
        CLEANUP(bytes_release) struct bytes plain = bytes_words(window + 40000, bits[i]);
        /* One repetition from as far away as the window lets it be, one from just behind. */
        memcpy(plain.bytes + window + 100 - 3, plain.bytes + 100, 10000);
        memcpy(plain.bytes + window + 20100 - 2, plain.bytes + 20100, 10000);
        expects(&shape, &plain, WHOLE_PIECE);
    }
}

static void expands_emptiness(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_zero(5 << 20);
    for (size_t i = 0; i < LENGTH_OF(shapes); i++)
        expects(&shapes[i], &plain, 4096);
}

static void name_reserves_and_gaps_do_not_matter(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(70000, 4);
    char longest[256];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    static const char *const names[] = {"", "C:\\x\\FOO.PDB", "../../etc/passwd", "\xff"};
    for (size_t i = 0; i < LENGTH_OF(shapes); i++) {
        struct cabinet_shape shape = shapes[i];
        for (size_t n = 0; n <= LENGTH_OF(names); n++) {
            shape.name = n < LENGTH_OF(names) ? names[n] : longest;
            expects(&shape, &plain, WHOLE_PIECE);
        }
        shape.unsummed = true;
        expects(&shape, &plain, WHOLE_PIECE);
        shape.unsummed = false;
        shape.gap = 200;
        expects(&shape, &plain, 1);
        shape.head_reserve = 60000;
        shape.folder_reserve = 255;
        shape.block_reserve = 255;
        expects(&shape, &plain, 4096);
        shape.block_reserve = 3;
        expects(&shape, &plain, 4096);
    }
}

static void first_bytes_come_after_the_first_block(void **state) {
    (void)state;
    enum { PIECE = 512 };
    CLEANUP(bytes_release) struct bytes plain = bytes_words(500000, 5);
    for (size_t i = 0; i < LENGTH_OF(shapes); i++) {
        CLEANUP(bytes_release) struct bytes archive = cabinet(&shapes[i], &plain);
        struct bench bench;
        bench_init(&bench, CODING_CABINET, archive.bytes, archive.length);
        bench.in.piece = PIECE;
        bench_expect(&bench, &plain, true);
        size_t at = cabinet_blocks_at(&shapes[i]);
        /* libmspack looks into one more block before it gives what was in the first. */
        for (size_t block = 0; block <= (shapes[i].method == CABINET_LZX); block++)
            at += 8 + (archive.bytes[at + 4] | (size_t)archive.bytes[at + 5] << 8);
        assert_true(bench.out.given_first < at + PIECE);
        bench_release(&bench);
    }
}

static void cuts_are_told_from_breaks(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(600, 6);
    for (size_t i = 0; i < LENGTH_OF(small_shapes); i++) {
        CLEANUP(bytes_release) struct bytes archive = cabinet(&small_shapes[i], &plain);
        bench_cut(CODING_CABINET, &archive, &plain);
    }
}

static void a_cut_shows_before_the_first_byte_when_announced(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(100000, 7);
    CLEANUP(bytes_release) struct bytes archive = cabinet(&shapes[1], &plain);
    struct bench bench;
    bench_init(&bench, CODING_CABINET, archive.bytes, archive.length);
    bench.size = archive.length - 1;
    assert_int_equal(bench_run(&bench), DECODER_REFUSED);
    assert_int_equal(bench.err.kind, ERROR_LENGTH);
    assert_false(bench.out.announced);
    bench.size = archive.length + 1;
    assert_int_equal(bench_run(&bench), DECODER_REFUSED);
    assert_int_equal(bench.err.kind, ERROR_ENCODING);
    assert_int_equal(bench.out.writes, 0);
    bench_release(&bench);
}

/* Whatever is pushed before the refusal has been checked by then. */
static void no_turned_bit_goes_unseen(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(500, 8);
    for (size_t i = 0; i < LENGTH_OF(small_shapes); i++) {
        CLEANUP(bytes_release) struct bytes archive = cabinet(&small_shapes[i], &plain);
        size_t data = archive.length - cabinet_blocks_at(&small_shapes[i]);
        assert_true(bench_flip(CODING_CABINET, &archive, &plain) >= data * 8);
    }
}

static void what_is_not_one_file_in_one_piece_is_refused(void **state) {
    (void)state;
    static const struct {
        size_t offset; /* in the head; from 100 on in the folder's entry, from 200 in the file's */
        unsigned number;
        unsigned width;
        enum error_kind kind;
        const char *part;
    } bad[] = {
        {30, 1, 2, ERROR_ENCODING, "one piece of several"},
        {30, 2, 2, ERROR_ENCODING, "one piece of several"},
        {30, 7, 2, ERROR_ENCODING, "one piece of several"},
        {208, 0xfffd, 2, ERROR_ENCODING, "one piece of several"},
        {208, 0xffff, 2, ERROR_ENCODING, "one piece of several"},
        {28, 2, 2, ERROR_ENCODING, "2 files in 1 folders"},
        {28, 0, 2, ERROR_ENCODING, "0 files in 1 folders"},
        {26, 3, 2, ERROR_ENCODING, "1 files in 3 folders"},
        {106, 2 | 7 << 4, 2, ERROR_ENCODING, "compressed with Quantum"},
        {106, 4, 2, ERROR_ENCODING, "method 4 is unknown"},
        {106, 3 | 14 << 8, 2, ERROR_ENCODING, "window of 14 bits"},
        {106, 3 | 22 << 8, 2, ERROR_ENCODING, "window of 22 bits"},
        {104, 3, 2, ERROR_ENCODING, "claims 100000 bytes in 3 blocks"},
        {104, 5, 2, ERROR_ENCODING, "claims 100000 bytes in 5 blocks"},
        {104, 0, 2, ERROR_ENCODING, "claims 100000 bytes in 0 blocks"},
        {200, 100001, 4, ERROR_ENCODING, "of the cabinet has"},
        {200, 99999, 4, ERROR_ENCODING, "of the cabinet has"},
        {200, 0xffffffff, 4, ERROR_ENCODING, "claims 4294967295 bytes"},
        {204, 1, 4, ERROR_ENCODING, "does not begin where it should"},
        {208, 1, 2, ERROR_ENCODING, "does not begin where it should"},
        {16, 20, 4, ERROR_ENCODING, "out of order"},
        {16, 1 << 20, 4, ERROR_ENCODING, "out of order"},
        {100, 20, 4, ERROR_ENCODING, "out of order"},
        {100, 0x7fffffff, 4, ERROR_ENCODING, "out of order"},
        {8, 0, 4, ERROR_ENCODING, "claims to have 0 bytes"},
        {8, 50, 4, ERROR_ENCODING, "needs more than the 50 bytes"},
        {8, 10000, 4, ERROR_ENCODING, "needs more than the 10000 bytes"},
        {8, 0xffffffff, 4, ERROR_ENCODING, "its blocks end at"},
    };
    CLEANUP(bytes_release) struct bytes plain = bytes_words(100000, 9);
    const struct cabinet_shape *shape = &shapes[1];
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        CLEANUP(bytes_release) struct bytes archive = cabinet(shape, &plain);
        size_t at = bad[i].offset;
        if (at >= 200)
            at += cabinet_file_at(shape) - 200;
        else if (at >= 100)
            at += cabinet_folder_at(shape) - 100;
        bytes_put(&archive, at, bad[i].number, bad[i].width);
        bench_refused(CODING_CABINET, &archive, bad[i].kind, bad[i].part);
    }
}

static void a_spanned_cabinet_has_a_hint(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(1000, 10);
    CLEANUP(bytes_release) struct bytes archive = cabinet(&shapes[1], &plain);
    bytes_put(&archive, 30, 2, 2);
    struct bench bench;
    bench_init(&bench, CODING_CABINET, archive.bytes, archive.length);
    assert_int_equal(bench_run(&bench), DECODER_REFUSED);
    assert_non_null(strstr(bench.err.hint, "in one cabinet"));
    bench_release(&bench);
}

static void what_follows_is_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(1000, 11);
    struct bytes more = {(unsigned char *)"x", 1};
    for (size_t i = 0; i < LENGTH_OF(shapes); i++) {
        CLEANUP(bytes_release) struct bytes archive = cabinet(&shapes[i], &plain);
        CLEANUP(bytes_release) struct bytes longer = bytes_join(&archive, &more);
        bench_refused(CODING_CABINET, &longer, ERROR_ENCODING, "something follows the cabinet");
        /* Claimed, but part of no block. */
        bytes_put(&longer, 8, longer.length, 4);
        bench_refused(CODING_CABINET, &longer, ERROR_ENCODING, "its blocks end at");
    }
}

static void a_name_without_end_is_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(1000, 12);
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct cabinet_shape shape = shapes[1];
    shape.name = name;
    CLEANUP(bytes_release) struct bytes archive = cabinet(&shape, &plain);
    bench_refused(CODING_CABINET, &archive, ERROR_ENCODING, "has no end");
}

/* Sums that are right show what the block's reader itself thinks of a block. */
static void bad_blocks_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t shape;
        size_t offset; /* in the first block */
        unsigned number;
        unsigned width;
        const char *part;
    } bad[] = {
        {0, 6, 32767, 2, "has two sizes"},
        {0, 6, 40000, 2, "unfold to 40000"},
        {0, 4, 32767, 2, "has two sizes"},
        {0, 4, 0xffff, 2, "has 65535 bytes"},
        {1, 6, 32767, 2, "unfold to 32767"},
        {1, 8, 'X', 1, "is no MSZIP"},
        {1, 10, 0xff, 1, "is damaged"},
        {1, 4, 1, 2, "is no MSZIP"},
        {1, 4, 200, 2, "is damaged"},
        {2, 6, 32767, 2, "unfold to 32767"},
        {2, 8, 0xffff, 2, "LZX is damaged"},
        {2, 4, 0xffff, 2, "has 65535 bytes"},
        {2, 20, 0xffffffff, 4, "LZX is damaged"},
    };
    CLEANUP(bytes_release) struct bytes plain = bytes_words(100000, 13);
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        const struct cabinet_shape *shape = &shapes[bad[i].shape];
        CLEANUP(bytes_release) struct bytes archive = cabinet(shape, &plain);
        size_t block = cabinet_blocks_at(shape);
        bytes_put(&archive, block + bad[i].offset, bad[i].number, bad[i].width);
        if (bad[i].offset < 8 && bad[i].number == 0xffff)
            bytes_put(&archive, block, 0, 4);
        else
            cabinet_sum(shape, archive.bytes + block);
        bench_refused(CODING_CABINET, &archive, ERROR_ENCODING, bad[i].part);
    }
}

static void a_block_of_another_size_than_it_says_is_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(1000, 14);
    for (size_t i = 1; i < LENGTH_OF(shapes); i++)
        for (int by = -1; by <= 1; by += 2) {
            CLEANUP(bytes_release) struct bytes archive = cabinet(&shapes[i], &plain);
            size_t block = cabinet_blocks_at(&shapes[i]);
            size_t claimed = plain.length + (size_t)by;
            bytes_put(&archive, cabinet_file_at(&shapes[i]), claimed, 4);
            bytes_put(&archive, block + 6, claimed, 2);
            cabinet_sum(&shapes[i], archive.bytes + block);
            if (shapes[i].method == CABINET_MSZIP || by > 0)
                bench_refused(CODING_CABINET, &archive, ERROR_ENCODING, "damaged");
        }
}

/* All of the stream, and more, lies in the first block: libmspack asks for no other. */
static void lzx_that_ends_before_its_last_block_is_refused(void **state) {
    (void)state;
    enum { ASKED_BYTES = 4096 };
    static const struct cabinet_shape shape = {.method = CABINET_LZX, .window_bits = 15};
    static const unsigned char more[] = {0, 0, 0, 0, 4, 0, 0xe8, 3, 'm', 'o', 'r', 'e'};
    CLEANUP(bytes_release) struct bytes plain = bytes_words(2 * CABINET_FRAME_BYTES, 15);
    memset(plain.bytes + 3000, 7, 50000);
    CLEANUP(bytes_release) struct bytes archive = cabinet(&shape, &plain);
    size_t at = cabinet_blocks_at(&shape);
    size_t first = archive.bytes[at + 4] | (size_t)archive.bytes[at + 5] << 8;
    size_t second = archive.length - at - first - 16;
    size_t length = (first + second + ASKED_BYTES - 1) / ASKED_BYTES * ASKED_BYTES;
    struct bytes made = bytes_zero(at + 8 + length + sizeof more);
    memcpy(made.bytes, archive.bytes, at + 8 + first);
    memcpy(made.bytes + at + 8 + first, archive.bytes + at + 16 + first, second);
    memcpy(made.bytes + at + 8 + length, more, sizeof more);
    bytes_put(&made, at, 0, 4);
    bytes_put(&made, at + 4, length, 2);
    bytes_put(&made, 8, made.length, 4);
    bytes_put(&made, cabinet_file_at(&shape), CABINET_FRAME_BYTES + 1000, 4);
    bench_refused(CODING_CABINET, &made, ERROR_ENCODING, "ends before its last block");
    bytes_release(&made);
}

static void bombs_are_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_zero(4 << 20);
    for (size_t i = 1; i < LENGTH_OF(shapes); i++) {
        CLEANUP(bytes_release) struct bytes archive = cabinet(&shapes[i], &plain);
        struct bench bench;
        bench_init(&bench, CODING_CABINET, archive.bytes, archive.length);
        bench.limits.ratio_max = 50;
        bench.limits.ratio_from = RATIO_FROM;
        assert_int_equal(bench_run(&bench), DECODER_REFUSED);
        assert_int_equal(bench.err.kind, ERROR_ENCODING);
        assert_non_null(strstr(bench.err.what, "the cabinet file is a bomb"));
        assert_true(bench.out.length <= RATIO_FROM);
        bench.limits = (struct decoder_limits){.plain_max = 100000, .ratio_max = 2000};
        assert_int_equal(bench_run(&bench), DECODER_REFUSED);
        assert_non_null(strstr(bench.err.what, "unfolds to more than 97.7 KiB"));
        assert_false(bench.out.announced);
        assert_int_equal(bench.out.writes, 0);
        bench_release(&bench);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_in_pieces_of_any_size),
        cmocka_unit_test(an_empty_file_is_expanded_to_nothing),
        cmocka_unit_test(expands_every_window),
        cmocka_unit_test(expands_emptiness),
        cmocka_unit_test(name_reserves_and_gaps_do_not_matter),
        cmocka_unit_test(first_bytes_come_after_the_first_block),
        cmocka_unit_test(cuts_are_told_from_breaks),
        cmocka_unit_test(a_cut_shows_before_the_first_byte_when_announced),
        cmocka_unit_test(no_turned_bit_goes_unseen),
        cmocka_unit_test(what_is_not_one_file_in_one_piece_is_refused),
        cmocka_unit_test(a_spanned_cabinet_has_a_hint),
        cmocka_unit_test(what_follows_is_refused),
        cmocka_unit_test(a_name_without_end_is_refused),
        cmocka_unit_test(bad_blocks_are_refused),
        cmocka_unit_test(a_block_of_another_size_than_it_says_is_refused),
        cmocka_unit_test(lzx_that_ends_before_its_last_block_is_refused),
        cmocka_unit_test(bombs_are_refused),
    };
    return RUN_TESTS(tests);
}
