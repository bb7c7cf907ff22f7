// SPDX-License-Identifier: MIT
#include "format/msfz.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "format/pdb.h"
#include "format/unpack.h"
#include "unit/base/check.h"
#include "unit/format/made.h"

enum { NOWHERE = 0xffffffff, INFO = 80, DBI = 112, PACKED = 128, INFO_TAIL = 20, SPARE = 30 };

/* How the file is to be made. */
struct plan {
    uint32_t directory_packing;
    uint32_t chunk_packing;
    bool
        chunked; /* info and DBI lie in chunks: SPARE bytes, then info, over two chunks; then DBI */
};

/* Where the interesting things of a made file lie. */
struct places {
    size_t directory;
    size_t chunk_table;
};

static void put_info(struct made *made, size_t at) {
    put_32(made, at, 20000404);
    put_32(made, at + 4, 1);
    put_32(made, at + 8, 3);
    for (unsigned i = 0; i < 16; i++)
        made->bytes[at + 12 + i] = (unsigned char)(i + 1);
}

static void put_dbi(struct made *made, size_t at) {
    put_32(made, at, UINT32_MAX);
    put_32(made, at + 4, 19990903);
    put_32(made, at + 8, 0x2a);
}

/* Packs bytes and appends them to the file; how many they became. */
static uint32_t append_packed(struct made *made, uint32_t packing, const unsigned char *bytes,
                              size_t length) {
    unsigned char packed[4096];
    size_t got = length;
    if (packing == PACKING_ZSTD) {
        got = ZSTD_compress(packed, sizeof packed, bytes, length, 3);
        assert_false(ZSTD_isError(got));
    } else if (packing == PACKING_DEFLATE) {
        z_stream stream = {.next_in = (Bytef *)bytes,
                           .avail_in = (uInt)length,
                           .next_out = packed,
                           .avail_out = sizeof packed};
        assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        got = stream.total_out;
        deflateEnd(&stream);
    } else {
        memcpy(packed, bytes, length);
    }
    size_t at = made->length;
    made_resize(made, at + got);
    put_bytes(made, at, packed, got);
    return (uint32_t)got;
}

static void put_chunk(struct made *made, size_t entry, uint64_t at, uint32_t packing,
                      uint32_t packed_bytes, uint32_t bytes) {
    put_64(made, entry, at);
    put_32(made, entry + 8, packing);
    put_32(made, entry + 12, packed_bytes);
    put_32(made, entry + 16, bytes);
}

/* Two chunks: the first ends in the midst of the info stream. */
static void append_chunks(struct made *made, const struct plan *plan, struct places *places) {
    CLEANUP(made_free) struct made content = made_new(SPARE + PDB_INFO_BYTES + 64);
    put_info(&content, SPARE);
    put_dbi(&content, SPARE + PDB_INFO_BYTES);
    size_t first = SPARE + INFO_TAIL;
    uint64_t at[2] = {made->length};
    uint32_t packed[2];
    packed[0] = append_packed(made, plan->chunk_packing, content.bytes, first);
    at[1] = made->length;
    packed[1] =
        append_packed(made, plan->chunk_packing, content.bytes + first, content.length - first);
    places->chunk_table = made->length;
    made_resize(made, made->length + 40);
    put_chunk(made, places->chunk_table, at[0], plan->chunk_packing, packed[0], (uint32_t)first);
    put_chunk(made, places->chunk_table + 20, at[1], plan->chunk_packing, packed[1],
              (uint32_t)(content.length - first));
    put_64(made, 48, places->chunk_table);
    put_32(made, 72, 2);
    put_32(made, 76, 40);
}

static size_t put_fragment(struct made *made, size_t at, uint32_t bytes, uint64_t location) {
    put_32(made, at, bytes);
    put_64(made, at + 4, location);
    return at + 12;
}

static uint64_t in_chunk(uint32_t chunk, uint32_t offset) {
    return UINT64_C(1) << 63 | (uint64_t)chunk << 32 | offset;
}

/* Streams: empty, info (in two fragments unless it is chunked), nil, DBI. */
static struct made directory_of(const struct plan *plan) {
    struct made made = made_new(200);
    size_t at = 4;
    if (plan->chunked) {
        at = put_fragment(&made, at, PDB_INFO_BYTES, in_chunk(0, SPARE));
    } else {
        at = put_fragment(&made, at, 5, INFO);
        at = put_fragment(&made, at, PDB_INFO_BYTES - 5, INFO + 5);
    }
    put_32(&made, at + 4, NOWHERE);
    at += 8;
    at = put_fragment(&made, at, plan->chunked ? 64 : PDB_DBI_BYTES,
                      plan->chunked ? in_chunk(1, PDB_INFO_BYTES - INFO_TAIL) : DBI);
    made_resize(&made, at + 4);
    return made;
}

static void set_directory(struct made *made, const struct plan *plan, const struct made *directory,
                          struct places *places) {
    places->directory = made->length;
    uint32_t packed =
        append_packed(made, plan->directory_packing, directory->bytes, directory->length);
    put_64(made, 40, places->directory);
    put_32(made, 56, 4);
    put_32(made, 60, plan->directory_packing);
    put_32(made, 64, packed);
    put_32(made, 68, (uint32_t)directory->length);
}

static struct made make(const struct plan *plan, struct places *places) {
    struct made made = made_new(PACKED);
    CLEANUP(made_free) struct made directory = directory_of(plan);
    put_bytes(&made, 0, MSFZ_MAGIC, sizeof MSFZ_MAGIC);
    put_info(&made, INFO);
    put_dbi(&made, DBI);
    *places = (struct places){0};
    if (plan->chunked)
        append_chunks(&made, plan, places);
    set_directory(&made, plan, &directory, places);
    return made;
}

static void test_every_packing(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        struct plan plan = {
            .directory_packing = i % 3,
            .chunked = i >= 3, /* the first three have no chunks */
            .chunk_packing = i / 3 - (i >= 3),
        };
        struct places places;
        CLEANUP(made_free) struct made made = make(&plan, &places);
        struct identity identity = must_read(&made, FORMAT_MSFZ);
        char text[64];
        identity_format(&identity, text, sizeof text);
        assert_string_equal(text, "0403020106050807090A0B0C0D0E0F102a");
        assert_int_equal(identity.info_age, 3);
        must_notice_cuts(&made);
        must_survive_flips(&made);
        must_tell_failures(&made);
    }
}

static const struct plan plain = {0};
static const struct plan packed = {PACKING_ZSTD, PACKING_ZSTD, true};

static void test_head(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
        const char *words;
    } lies[] = {
        {32, 1, "version 1"},          {36, 1, "version 4294967296"},
        {40, INT32_MAX, "cut"},        {44, 1, "cut"},
        {48, INT32_MAX, "cut"},        {52, UINT32_MAX, "cut"},
        {56, 1, "no info stream"},     {56, 0, "no info stream"},
        {60, 3, "packing 3"},          {64, 0, "ends early"},
        {72, 1, "has not 1 entries"},  {72, UINT32_MAX, "has not 4294967295 entries"},
        {76, 41, "has not 2 entries"},
    };
    for (size_t i = 0; i < LENGTH_OF(lies); i++) {
        struct places places;
        CLEANUP(made_free) struct made made = make(&packed, &places);
        put_32(&made, lies[i].at, lies[i].value);
        struct identity identity = must_damage(&made, lies[i].words);
        assert_int_equal(identity.format, FORMAT_MSFZ);
    }
    struct places places;
    CLEANUP(made_free) struct made made = make(&plain, &places);
    put_32(&made, 56, 3); /* no DBI stream */
    assert_int_equal(must_read(&made, FORMAT_MSFZ).age, 3);
    put_32(&made, 56, UINT32_MAX);
    assert_int_equal(must_read(&made, FORMAT_MSFZ).age, 0x2a);
}

static void test_chunk_table(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
        const char *words;
    } lies[] = {
        {0, 1 << 30, "cut"},
        {4, UINT32_MAX, "cut"},
        {8, 7, "packing 7"},
        {8, PACKING_DEFLATE, "broken"},
        {12, 0, "chunk 0 of the MSFZ is empty"},
        {12, 5, "ends early"},
        {16, 0, "chunk 0 of the MSFZ is empty"},
        {16, SPARE, "behind the end of chunk 0"},
        {16, UINT32_MAX, "ends early"},
        {20, 1 << 30, "cut"},
        {32, 0, "chunk 1 of the MSFZ is empty"},
        {36, PDB_INFO_BYTES - INFO_TAIL, "behind the end of chunk 1"},
    };
    for (size_t i = 0; i < LENGTH_OF(lies); i++) {
        struct places places;
        CLEANUP(made_free) struct made made = make(&packed, &places);
        put_32(&made, places.chunk_table + lies[i].at, lies[i].value);
        (void)must_damage(&made, lies[i].words);
    }
}

/* Writes a directory of its own over a plain file's. */
static struct made with_directory(const struct made *directory) {
    struct places places;
    struct made made = make(&plain, &places);
    made_resize(&made, PACKED);
    set_directory(&made, &plain, directory, &places);
    return made;
}

static void test_places(void **state) {
    (void)state;
    const struct {
        uint64_t location;
        const char *words;
    } lies[] = {
        {UINT64_C(1) << 48, "no valid place"}, {UINT64_C(1) << 62, "no valid place"},
        {(UINT64_C(1) << 48) - 1, "cut"},      {in_chunk(0, 0), "chunk 0 of 0"},
        {UINT64_MAX, "chunk 2147483647 of 0"},
    };
    for (size_t i = 0; i < LENGTH_OF(lies); i++) {
        CLEANUP(made_free) struct made directory = directory_of(&plain);
        put_64(&directory, 8, lies[i].location);
        CLEANUP(made_free) struct made made = with_directory(&directory);
        (void)must_damage(&made, lies[i].words);
    }
}

/* Each byte of the info stream in a fragment of its own, and more of them than are looked at. */
static void test_many_fragments(void **state) {
    (void)state;
    CLEANUP(made_free) struct made directory = made_new(4 + 12 * 5000 + 12);
    size_t at = 4;
    for (unsigned i = 0; i < 5000; i++)
        at = put_fragment(&directory, at, 1, INFO + (i < PDB_INFO_BYTES ? i : 0));
    put_32(&directory, at + 4, NOWHERE);
    put_32(&directory, at + 8, NOWHERE);
    struct places places;
    CLEANUP(made_free) struct made made = make(&plain, &places);
    made_resize(&made, PACKED + directory.length);
    put_bytes(&made, PACKED, directory.bytes, directory.length);
    put_64(&made, 40, PACKED);
    put_32(&made, 64, (uint32_t)directory.length);
    struct identity identity = must_read(&made, FORMAT_MSFZ);
    assert_int_equal(identity.guid[0], 4);
    assert_int_equal(identity.age, 3); /* DBI is nil */
}

static void test_no_info(void **state) {
    (void)state;
    CLEANUP(made_free) struct made directory = made_new(16);
    put_32(&directory, 4, NOWHERE); /* streams: empty, nil, empty, empty */
    CLEANUP(made_free) struct made nil = with_directory(&directory);
    (void)must_damage(&nil, "no info stream");
    put_32(&directory, 4, 0);
    CLEANUP(made_free) struct made empty = with_directory(&directory);
    (void)must_damage(&empty, "no info stream");
    struct places places;
    CLEANUP(made_free) struct made old = make(&plain, &places);
    put_32(&old, INFO, 19970604);
    assert_int_equal(must_damage(&old, "has no GUID").format, FORMAT_MSFZ);
}

/* A file whose directory, or whose chunk, is some kilobytes that unpack to 64 MiB of zeros. */
static void test_bombs(void **state) {
    (void)state;
    enum { BOMB_BYTES = 64 << 20 };
    unsigned char *zeros = calloc(1, BOMB_BYTES);
    size_t room = ZSTD_compressBound(BOMB_BYTES);
    unsigned char *bomb = malloc(room);
    size_t length = ZSTD_compress(bomb, room, zeros, BOMB_BYTES, 1);
    assert_false(ZSTD_isError(length));
    struct places places;
    CLEANUP(made_free) struct made made = make(&packed, &places);
    size_t at = made.length;
    made_resize(&made, at + length);
    put_bytes(&made, at, bomb, length);
    put_chunk(&made, places.chunk_table, at, PACKING_ZSTD, (uint32_t)length, BOMB_BYTES);
    /* The info stream begins at the end of the chunk, behind more than may be unpacked. */
    CLEANUP(made_free) struct made directory = directory_of(&packed);
    put_64(&directory, 8, in_chunk(0, BOMB_BYTES - 30));
    struct plan unpacked = packed;
    unpacked.directory_packing = PACKING_NONE;
    set_directory(&made, &unpacked, &directory, &places);
    (void)must_damage(&made, "more than 32 MiB");
    /* A directory of four streams without fragments: read, however long it is. */
    put_64(&made, 40, at);
    put_32(&made, 60, PACKING_ZSTD);
    put_32(&made, 64, (uint32_t)length);
    (void)must_damage(&made, "no info stream");
    free(bomb);
    free(zeros);
}

/* A zstd frame that demands a window of 128 MiB. */
static void test_large_window(void **state) {
    (void)state;
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00};
    struct places places;
    CLEANUP(made_free) struct made made = make(&packed, &places);
    size_t at = made.length;
    made_resize(&made, at + sizeof frame);
    put_bytes(&made, at, frame, sizeof frame);
    put_chunk(&made, places.chunk_table, at, PACKING_ZSTD, sizeof frame, 100);
    (void)must_damage(&made, "memory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_packing),  cmocka_unit_test(test_head),
        cmocka_unit_test(test_chunk_table),    cmocka_unit_test(test_places),
        cmocka_unit_test(test_many_fragments), cmocka_unit_test(test_no_info),
        cmocka_unit_test(test_bombs),          cmocka_unit_test(test_large_window),
    };
    return RUN_TESTS(tests);
}
