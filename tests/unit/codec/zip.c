// SPDX-License-Identifier: MIT
//
// ZIP: every way to say sizes and sums, what is refused, cuts, turned bits, bombs.
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "unit/codec/bench.h"

enum { STORED = 0, DEFLATED = 8, DESCRIBED = 8, ARCHIVE_MAX = 64 << 20 };

/* How an archive is written. */
struct shape {
    const char *label;
    unsigned method;
    unsigned flags;
    unsigned width;  /* of the sizes in a descriptor: 4 or 8, 0: there is none */
    bool unmarked;   /* the descriptor has no mark */
    bool wide;       /* sizes stand in ZIP64 fields */
    bool wide_end;   /* ZIP64 records close the archive */
    unsigned others; /* further entries in the directory */
    const char *comment;
};

static const struct shape plain_shapes[] = {
    {"stored", STORED},
    {"deflated", DEFLATED},
    {"described", DEFLATED, DESCRIBED, 4},
    {"described, unmarked", DEFLATED, DESCRIBED, 4, .unmarked = true},
    {"described wide", DEFLATED, DESCRIBED, 8, .wide = true},
    {"described wide, unmarked", DEFLATED, DESCRIBED, 8, .unmarked = true},
    {"wide", DEFLATED, .wide = true, .wide_end = true},
    {"stored wide", STORED, .wide = true},
    {"commented", STORED, .comment = "of no interest PK\5\6"},
};

static void put(struct buffer *out, uint64_t number, unsigned width) {
    for (unsigned i = 0; i < width; i++) {
        char byte = (char)(number >> 8 * i);
        assert_true(buffer_append(out, &byte, 1));
    }
}

static struct bytes deflated(const struct bytes *plain) {
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
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

/* What local header and directory have in common, from flags to the length of the extra field. */
static void put_common(struct buffer *out, const struct shape *shape, uint32_t crc, uint64_t packed,
                       uint64_t plain) {
    put(out, shape->flags, 2);
    put(out, shape->method, 2);
    put(out, 0x6000, 2);
    put(out, 0x5b21, 2);
    put(out, crc, 4);
    put(out, shape->wide ? UINT32_MAX : packed, 4);
    put(out, shape->wide ? UINT32_MAX : plain, 4);
    put(out, 7, 2);
    put(out, shape->wide ? 24 : 4, 2);
}

static void put_name(struct buffer *out, const struct shape *shape, uint64_t packed,
                     uint64_t plain) {
    buffer_append(out, "foo.pdb", 7);
    put(out, 0x7075, 2); /* an extra field of somebody else */
    put(out, 0, 2);
    if (!shape->wide)
        return;
    put(out, 1, 2);
    put(out, 16, 2);
    put(out, plain, 8);
    put(out, packed, 8);
}

static void put_entry(struct buffer *out, const struct shape *shape, uint32_t crc, uint64_t packed,
                      uint64_t plain) {
    put(out, 0x02014b50, 4);
    put(out, 0x032d, 2);
    put(out, 45, 2);
    put_common(out, shape, crc, packed, plain);
    put(out, 5, 2); /* the comment */
    put(out, 0, 8);
    put(out, 0, 4); /* where the local header is */
    put_name(out, shape, packed, plain);
    buffer_append(out, "noted", 5);
}

static void put_end(struct buffer *out, const struct shape *shape, size_t directory_at) {
    size_t size = out->length - directory_at;
    size_t end_at = out->length;
    unsigned entries = 1 + shape->others;
    if (shape->wide_end) {
        put(out, 0x06064b50, 4);
        put(out, 44, 8);
        put(out, 0x002d032d, 4);
        put(out, 0, 8);
        put(out, entries, 8);
        put(out, entries, 8);
        put(out, size, 8);
        put(out, directory_at, 8);
        put(out, 0x07064b50, 4);
        put(out, 0, 4);
        put(out, end_at, 8);
        put(out, 1, 4);
    }
    const char *comment = shape->comment ? shape->comment : "";
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, shape->wide_end ? UINT16_MAX : entries, 2);
    put(out, shape->wide_end ? UINT16_MAX : entries, 2);
    put(out, shape->wide_end ? UINT32_MAX : size, 4);
    put(out, shape->wide_end ? UINT32_MAX : directory_at, 4);
    put(out, strlen(comment), 2);
    buffer_append_text(out, comment);
}

static struct bytes zip(const struct shape *shape, const struct bytes *plain) {
    struct buffer out;
    buffer_init(&out, ARCHIVE_MAX);
    CLEANUP(bytes_release)
    struct bytes data =
        shape->method == DEFLATED ? deflated(plain) : bytes_copy(plain->bytes, plain->length);
    uint32_t crc = (uint32_t)crc32(0, plain->bytes, (uInt)plain->length);
    bool later = shape->flags & DESCRIBED;
    put(&out, 0x04034b50, 4);
    put(&out, 45, 2);
    put_common(&out, shape, later ? 0 : crc, later ? 0 : data.length, later ? 0 : plain->length);
    put_name(&out, shape, later ? 0 : data.length, later ? 0 : plain->length);
    buffer_append(&out, data.bytes, data.length);
    if (later) {
        if (!shape->unmarked)
            put(&out, 0x08074b50, 4);
        put(&out, crc, 4);
        put(&out, data.length, shape->width);
        put(&out, plain->length, shape->width);
    }
    size_t directory_at = out.length;
    for (unsigned i = 0; i <= shape->others; i++)
        put_entry(&out, shape, crc, data.length, plain->length);
    put_end(&out, shape, directory_at);
    return (struct bytes){(unsigned char *)out.bytes, out.length};
}

static void expands_whatever_its_shape(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 1000, 200000};
    static const size_t pieces[] = {1, 7, WHOLE_PIECE};
    for (size_t i = 0; i < LENGTH_OF(plain_shapes) * LENGTH_OF(sizes); i++) {
        const struct shape *shape = &plain_shapes[i % LENGTH_OF(plain_shapes)];
        CLEANUP(bytes_release)
        struct bytes plain = bytes_words(sizes[i / LENGTH_OF(plain_shapes)], 1);
        CLEANUP(bytes_release) struct bytes archive = zip(shape, &plain);
        for (size_t p = 0; p < LENGTH_OF(pieces); p++) {
            struct bench bench;
            bench_init(&bench, CODING_ZIP, archive.bytes, archive.length);
            bench.in.piece = pieces[p];
            bench_expect(&bench, &plain, !(shape->flags & DESCRIBED));
            bench_release(&bench);
        }
    }
}

static void cuts_are_told_from_breaks(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(150, 2);
    for (size_t i = 0; i < LENGTH_OF(plain_shapes); i++) {
        CLEANUP(bytes_release) struct bytes archive = zip(&plain_shapes[i], &plain);
        bench_cut(CODING_ZIP, &archive, &plain);
    }
}

static void no_turned_bit_goes_unseen(void **state) {
    (void)state;
    static const size_t turned[] = {0, 1, 2, 6}; /* stored, deflated, described, wide */
    CLEANUP(bytes_release) struct bytes plain = bytes_words(200, 3);
    for (size_t i = 0; i < LENGTH_OF(turned); i++) {
        CLEANUP(bytes_release) struct bytes archive = zip(&plain_shapes[turned[i]], &plain);
        assert_true(bench_flip(CODING_ZIP, &archive, &plain) > 150 * 8);
    }
}

static void what_is_not_one_plain_file_is_refused(void **state) {
    (void)state;
    static const struct {
        struct shape shape;
        const char *part;
    } bad[] = {
        {{"encrypted", DEFLATED, 1}, "is encrypted"},
        {{"encrypted strongly", DEFLATED, 1 << 6}, "is encrypted"},
        {{"masked", DEFLATED, 1 << 13}, "is encrypted"},
        {{"patch", DEFLATED, 1 << 5}, "is a patch"},
        {{"LZMA", 14}, "method 14"},
        {{"endless", STORED, DESCRIBED, 4}, "without saying where its data ends"},
        {{"several", DEFLATED, .others = 1}, "holds several files"},
        {{"several, wide", DEFLATED, .others = 1, .wide_end = true}, "holds several files"},
    };
    CLEANUP(bytes_release) struct bytes plain = bytes_words(600, 4);
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        CLEANUP(bytes_release) struct bytes archive = zip(&bad[i].shape, &plain);
        bench_refused(CODING_ZIP, &archive, ERROR_ENCODING, bad[i].part);
    }
}

static void a_second_file_is_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(600, 5);
    CLEANUP(bytes_release) struct bytes archive = zip(&plain_shapes[0], &plain);
    size_t whole = archive.length;
    archive.length = 30 + 7 + 4 + plain.length; /* its local header and data alone */
    CLEANUP(bytes_release) struct bytes twice = bytes_join(&archive, &archive);
    bench_refused(CODING_ZIP, &twice, ERROR_ENCODING, "holds several files");
    archive.length = whole;
    CLEANUP(bytes_release) struct bytes behind = bytes_join(&archive, &archive);
    bench_refused(CODING_ZIP, &behind, ERROR_ENCODING, "something follows the zip file");
}

static void a_stored_file_may_be_described_too(void **state) {
    (void)state;
    static const struct shape shape = {"", STORED, DESCRIBED, 4};
    CLEANUP(bytes_release) struct bytes plain = bytes_words(600, 6);
    CLEANUP(bytes_release) struct bytes archive = zip(&shape, &plain);
    bytes_put(&archive, 18, plain.length, 4);
    bytes_put(&archive, 22, plain.length, 4);
    struct bench bench;
    bench_init(&bench, CODING_ZIP, archive.bytes, archive.length);
    bench_expect(&bench, &plain, false);
    bench_release(&bench);
    bytes_put(&archive, 22, plain.length + 1, 4);
    bench_refused(CODING_ZIP, &archive, ERROR_ENCODING, "stored with two sizes");
}

static void lies_about_size_are_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_words(100000, 7);
    CLEANUP(bytes_release) struct bytes archive = zip(&plain_shapes[1], &plain);
    bytes_put(&archive, 22, plain.length - 1, 4);
    bench_refused(CODING_ZIP, &archive, ERROR_ENCODING, "unfolds to more than the 99999 bytes");
    bytes_put(&archive, 22, plain.length + 1, 4);
    bench_refused(CODING_ZIP, &archive, ERROR_ENCODING, "unfolds to 100000 bytes where it claims");
    bytes_put(&archive, 22, plain.length, 4);
    bytes_put(&archive, 18, 1, 4);
    bench_refused(CODING_ZIP, &archive, ERROR_ENCODING, "sizes are others");
    bytes_put(&archive, 14, 0x12345678, 4);
    bench_refused(CODING_ZIP, &archive, ERROR_ENCODING, "check sum is another");
}

/* Offset of the last record with this mark. */
static size_t last_record(const struct bytes *archive, const char *mark) {
    size_t at = archive->length - 4;
    while (memcmp(archive->bytes + at, mark, 4) != 0)
        at--;
    return at;
}

static void a_directory_of_another_file_is_refused(void **state) {
    (void)state;
    static const struct {
        size_t shape;
        const char *mark;
        size_t offset;
        unsigned number;
        unsigned width;
        const char *part;
    } bad[] = {
        {1, "PK\1\2", 10, STORED, 2, "tells of another file"},
        {1, "PK\1\2", 16, 1, 4, "check sum is another"},
        {1, "PK\1\2", 20, 1, 4, "sizes are others"},
        {1, "PK\1\2", 24, 1, 4, "sizes are others"},
        {1, "PK\1\2", 42, 1, 4, "tells of another file"},
        {1, "PK\5\6", 10, 2, 2, "says it holds 2 files"},
        {1, "PK\5\6", 10, 0, 2, "says it holds 0 files"},
        {1, "PK\5\6", 10, UINT16_MAX, 2, "says it holds 65535 files"},
        {1, "PK\5\6", 12, 1, 4, "has its directory elsewhere"},
        {1, "PK\5\6", 16, 1, 4, "has its directory elsewhere"},
        {6, "PK\6\6", 4, 45, 1, "several files, or one of a kind unknown"},
        {6, "PK\6\6", 24, 2, 4, "several files, or one of a kind unknown"},
        {6, "PK\6\6", 32, 2, 4, "several files, or one of a kind unknown"},
        {6, "PK\6\6", 48, 1, 4, "has its directory elsewhere"},
        {6, "PK\6\7", 8, 1, 4, "has its directory elsewhere"},
        {6, "PK\6\7", 0, 1, 1, "something else where its directory should be"},
        {1, "PK\1\2", 0, 1, 1, "something else where its directory should be"},
    };
    CLEANUP(bytes_release) struct bytes plain = bytes_words(600, 8);
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        CLEANUP(bytes_release) struct bytes archive = zip(&plain_shapes[bad[i].shape], &plain);
        bytes_put(&archive, last_record(&archive, bad[i].mark) + bad[i].offset, bad[i].number,
                  bad[i].width);
        bench_refused(CODING_ZIP, &archive, ERROR_ENCODING, bad[i].part);
    }
}

static void bombs_are_refused(void **state) {
    (void)state;
    CLEANUP(bytes_release) struct bytes plain = bytes_zero(4 << 20);
    for (size_t i = 1; i < 3; i++) {
        CLEANUP(bytes_release) struct bytes archive = zip(&plain_shapes[i], &plain);
        struct bench bench;
        bench_init(&bench, CODING_ZIP, archive.bytes, archive.length);
        bench_expect(&bench, &plain, i == 1);
        bench.limits.ratio_max = 100;
        bench.limits.ratio_from = RATIO_FROM;
        assert_int_equal(bench_run(&bench), DECODER_REFUSED);
        assert_non_null(strstr(bench.err.what, "the zip file is a bomb"));
        bench.limits = (struct decoder_limits){.plain_max = 100000, .ratio_max = 2000};
        assert_int_equal(bench_run(&bench), DECODER_REFUSED);
        assert_non_null(strstr(bench.err.what, "unfolds to more than 97.7 KiB"));
        if (i == 1)
            assert_int_equal(bench.out.writes, 0);
        bench_release(&bench);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_whatever_its_shape),
        cmocka_unit_test(cuts_are_told_from_breaks),
        cmocka_unit_test(no_turned_bit_goes_unseen),
        cmocka_unit_test(what_is_not_one_plain_file_is_refused),
        cmocka_unit_test(a_second_file_is_refused),
        cmocka_unit_test(a_stored_file_may_be_described_too),
        cmocka_unit_test(lies_about_size_are_refused),
        cmocka_unit_test(a_directory_of_another_file_is_refused),
        cmocka_unit_test(bombs_are_refused),
    };
    return RUN_TESTS(tests);
}
