// SPDX-License-Identifier: MIT
#include "format/pdb.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/format/made.h"

enum { STREAMS = 5 };

static const unsigned char guid_on_disk[] = {0x4b, 0x5c, 0xad, 0x94, 0x1e, 0x9a, 0x20, 0x44,
                                             0xab, 0x04, 0x7f, 0x67, 0x2a, 0x23, 0xe4, 0x8a};

/* How the file is to be made. */
struct plan {
    bool version_2;
    uint32_t block_bytes;
    uint32_t lengths[STREAMS]; /* of the streams; UINT32_MAX: a nil stream */
};

/* Where the interesting things of a made file lie. */
struct places {
    size_t map;       /* the list of the directory's blocks */
    size_t directory; /* its first block */
    size_t directory_bytes;
    size_t info;
    size_t dbi;
};

static const struct plan usual = {.block_bytes = 512, .lengths = {100, 50, 1025, 64, 7}};
static const struct plan usual_2 = {
    .version_2 = true, .block_bytes = 1024, .lengths = {100, 50, 1025, 64, 7}};

static uint32_t blocks_of(const struct plan *plan, uint32_t bytes) {
    return bytes == UINT32_MAX ? 0 : (bytes + plan->block_bytes - 1) / plan->block_bytes;
}

static void put_streams(struct made *made, const struct places *places) {
    if (places->info) {
        put_32(made, places->info, 20000404);
        put_32(made, places->info + 4, 0x5c0ffee5);
        put_32(made, places->info + 8, 3);
        put_bytes(made, places->info + 12, guid_on_disk, sizeof guid_on_disk);
    }
    if (places->dbi) {
        put_32(made, places->dbi, UINT32_MAX);
        put_32(made, places->dbi + 4, 19990903);
        put_32(made, places->dbi + 8, 0x2a);
    }
}

/* Writes the directory, and with it where each stream lies; the first free block is `block`. */
static void put_directory(struct made *made, const struct plan *plan, uint32_t block,
                          struct places *places) {
    unsigned each = plan->version_2 ? 8 : 4;
    size_t at = places->directory;
    put_32(made, at, STREAMS);
    at += 4;
    for (unsigned n = 0; n < STREAMS; n++, at += each)
        put_32(made, at, plan->lengths[n]);
    for (unsigned n = 0; n < STREAMS; n++) {
        for (uint32_t i = 0; i < blocks_of(plan, plan->lengths[n]); i++, block++) {
            size_t first = (size_t)block * plan->block_bytes;
            if (i == 0 && n == PDB_INFO_STREAM)
                places->info = first;
            if (i == 0 && n == PDB_DBI_STREAM)
                places->dbi = first;
            put_number(made, at, block, plan->version_2 ? 2 : 4, false);
            at += plan->version_2 ? 2 : 4;
        }
    }
    places->directory_bytes = at - places->directory;
}

static struct made make(const struct plan *plan, struct places *places) {
    uint32_t blocks = 5;
    for (unsigned n = 0; n < STREAMS; n++)
        blocks += blocks_of(plan, plan->lengths[n]);
    struct made made = made_new((size_t)blocks * plan->block_bytes);
    *places = (struct places){.directory = 4 * (size_t)plan->block_bytes};
    put_directory(&made, plan, 5, places);
    put_streams(&made, places);
    if (plan->version_2) {
        put_bytes(&made, 0, MSF_2_MAGIC, sizeof MSF_2_MAGIC);
        put_32(&made, 44, plan->block_bytes);
        put_16(&made, 50, blocks);
        put_32(&made, 52, (uint32_t)places->directory_bytes);
        places->map = 60;
        put_16(&made, 60, 4);
    } else {
        put_bytes(&made, 0, MSF_7_MAGIC, sizeof MSF_7_MAGIC);
        put_32(&made, 32, plan->block_bytes);
        put_32(&made, 36, 1);
        put_32(&made, 40, blocks);
        put_32(&made, 44, (uint32_t)places->directory_bytes);
        put_32(&made, 52, 3);
        places->map = 3 * (size_t)plan->block_bytes;
        put_32(&made, places->map, 4);
    }
    return made;
}

static void test_every_block_size(void **state) {
    (void)state;
    for (uint32_t bytes = 512; bytes <= 65536; bytes *= 2) {
        struct plan plan = usual;
        struct places places;
        plan.block_bytes = bytes;
        CLEANUP(made_free) struct made made = make(&plan, &places);
        struct identity identity = must_read(&made, FORMAT_PDB70);
        char text[64];
        identity_format(&identity, text, sizeof text);
        assert_string_equal(text, "94AD5C4B9A1E4420AB047F672A23E48A2a");
        assert_int_equal(identity.age, 0x2a);
        assert_int_equal(identity.dbi_age, 0x2a);
        assert_int_equal(identity.info_age, 3);
        assert_int_equal(identity.signature, 0x5c0ffee5);
        assert_int_equal(identity.stated_length, made.length);
    }
}

static void test_other_block_sizes(void **state) {
    (void)state;
    static const uint32_t sizes[] = {0, 1, 256, 511, 513, 4095, 131072, UINT32_MAX};
    struct places places;
    CLEANUP(made_free) struct made made = make(&usual, &places);
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        put_32(&made, 32, sizes[i]);
        (void)must_damage(&made, "blocks of");
    }
}

static void test_version_2(void **state) {
    (void)state;
    struct places places;
    CLEANUP(made_free) struct made made = make(&usual_2, &places);
    /* Visual C++ 4 to 6: a signature instead of the GUID. */
    put_32(&made, places.info, 19970604);
    struct identity identity = must_read(&made, FORMAT_PDB20);
    char text[64];
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, "5C0FFEE52a");
    assert_int_equal(identity.stated_length, made.length);
    must_notice_cuts(&made);
    must_survive_flips(&made);
    must_tell_failures(&made);
    /* What counts is the info stream, not its container. */
    put_32(&made, places.info, 20000404);
    identity = must_read(&made, FORMAT_PDB70);
    assert_int_equal(identity.guid[0], 0x94);
}

static void test_signature_in_version_7(void **state) {
    (void)state;
    struct plan plan = usual;
    struct places places;
    plan.lengths[PDB_INFO_STREAM] = 12;
    CLEANUP(made_free) struct made made = make(&plan, &places);
    (void)must_damage(&made, "ends before its GUID");
    put_32(&made, places.info, 19970604);
    assert_int_equal(must_read(&made, FORMAT_PDB20).signature, 0x5c0ffee5);
}

static void test_age_without_dbi(void **state) {
    (void)state;
    static const uint32_t lengths[] = {0, UINT32_MAX, 11};
    for (size_t i = 0; i < LENGTH_OF(lengths); i++) {
        struct plan plan = usual;
        struct places places;
        plan.lengths[PDB_DBI_STREAM] = lengths[i];
        CLEANUP(made_free) struct made made = make(&plan, &places);
        struct identity identity = must_read(&made, FORMAT_PDB70);
        assert_int_equal(identity.age, 3);
        assert_false(identity.has_dbi_age);
    }
    struct places places;
    CLEANUP(made_free) struct made made = make(&usual, &places);
    put_32(&made, places.dbi, 12); /* the form before Visual C++ 6 */
    assert_int_equal(must_read(&made, FORMAT_PDB70).age, 3);
    put_32(&made, places.directory, 3); /* only streams 0 to 2 */
    put_32(&made, 44, 4 + 3 * 4 + 5 * 4);
    memmove(made.bytes + places.directory + 16, made.bytes + places.directory + 24, 5 * 4);
    assert_int_equal(must_read(&made, FORMAT_PDB70).age, 3);
}

static void test_no_info(void **state) {
    (void)state;
    static const uint32_t lengths[] = {0, UINT32_MAX, 11};
    for (size_t i = 0; i < LENGTH_OF(lengths); i++) {
        struct plan plan = usual;
        struct places places;
        plan.lengths[PDB_INFO_STREAM] = lengths[i];
        CLEANUP(made_free) struct made made = make(&plan, &places);
        struct identity identity = must_damage(&made, "no info stream");
        assert_int_equal(identity.format, FORMAT_PDB70);
        assert_int_equal(identity.stated_length, made.length);
    }
}

static void test_broken(void **state) {
    (void)state;
    struct places places;
    CLEANUP(made_free) struct made made = make(&usual, &places);
    must_notice_cuts(&made);
    must_survive_flips(&made);
    must_tell_failures(&made);
}

/* Each writes a lie into one place of a good file. */
static void test_lies(void **state) {
    (void)state;
    static const struct {
        enum { IN_HEAD, IN_MAP, IN_DIRECTORY } where;
        size_t at;
        uint32_t value;
        const char *words;
    } lies[] = {
        {IN_HEAD, 40, 0, "longer than the file"},
        {IN_HEAD, 40, 1, "points to block"},
        {IN_HEAD, 40, 3, "points to block 3 of 3"},
        {IN_HEAD, 44, 0, "wants byte 0 of its 0"},
        {IN_HEAD, 44, 3, "wants byte 0 of its 3"},
        {IN_HEAD, 44, 24, "wants byte 28 of its 24"},
        {IN_HEAD, 44, UINT32_MAX, "longer than the file"},
        {IN_HEAD, 52, 0, "points to block 0"},
        {IN_HEAD, 52, UINT32_MAX, "points to block 4294967295"},
        {IN_MAP, 0, 0, "points to block 0"},
        {IN_MAP, 0, 999, "points to block 999"},
        {IN_DIRECTORY, 0, UINT32_MAX, "the PDB's directory wants byte"},
        {IN_DIRECTORY, 0, 100, "the PDB's directory wants byte"},
        {IN_DIRECTORY, 4, UINT32_MAX - 1, "the PDB's directory wants byte"},
        {IN_DIRECTORY, 8, UINT32_MAX - 1, "the PDB's directory wants byte"},
        {IN_DIRECTORY, 28, 0, "points to block 0"}, /* the info stream's */
        {IN_DIRECTORY, 28, 1 << 30, "points to block 1073741824"},
        {IN_DIRECTORY, 44, UINT32_MAX, "points to block 4294967295"}, /* DBI's */
    };
    for (size_t i = 0; i < LENGTH_OF(lies); i++) {
        struct places places;
        CLEANUP(made_free) struct made made = make(&usual, &places);
        size_t base[] = {0, places.map, places.directory};
        put_32(&made, base[lies[i].where] + lies[i].at, lies[i].value);
        (void)must_damage(&made, lies[i].words);
    }
}

static void test_stated_length(void **state) {
    (void)state;
    struct places places;
    CLEANUP(made_free) struct made made = make(&usual, &places);
    put_32(&made, 40, UINT32_MAX);
    assert_int_equal(must_read(&made, FORMAT_PDB70).stated_length, (uint64_t)UINT32_MAX * 512);
    made_resize(&made, made.length + 100); /* more than it states is no contradiction */
    (void)must_read(&made, FORMAT_PDB70);
}

/* A file of which only some pieces are there; the rest is zeros. */
struct sparse_view {
    struct view view;
    struct {
        uint64_t at;
        unsigned char bytes[64];
    } pieces[7];
};

static bool read_sparse(const struct view *view, void *out, size_t length, uint64_t offset,
                        struct error *err) {
    const struct sparse_view *sparse = (const struct sparse_view *)(const void *)view;
    (void)err;
    memset(out, 0, length);
    for (size_t i = 0; i < LENGTH_OF(sparse->pieces); i++) {
        uint64_t at = sparse->pieces[i].at;
        if (offset >= at && offset - at + length <= sizeof sparse->pieces[i].bytes)
            memcpy(out, sparse->pieces[i].bytes + (offset - at), length);
    }
    return true;
}

static void piece_32(struct sparse_view *sparse, unsigned n, uint64_t at, const uint32_t *values,
                     size_t count) {
    sparse->pieces[n].at = at;
    for (size_t i = 0; i < count; i++)
        for (unsigned b = 0; b < 4; b++)
            sparse->pieces[n].bytes[4 * i + b] = (unsigned char)(values[i] >> (8 * b));
}

/* 12 GiB in blocks of 4 KiB: the directory is so long that its map needs several blocks, and its
 * pieces lie behind the first 4 GiB. */
static void test_beyond_4_gib(void **state) {
    (void)state;
    static const struct view_ops ops = {.read = read_sparse};
    enum { BLOCK = 4096 };
    const uint32_t blocks = 3 << 20;
    const uint32_t tpi_blocks = (1 << 20) - 1; /* listed before DBI's: the first map is full */
    const uint32_t directory_bytes = 4 + 4 * 4 + 4 * (1 + tpi_blocks + 1);
    const uint32_t dbi_listed = directory_bytes - 4;
    struct sparse_view sparse = {.view = {&ops, (uint64_t)blocks * BLOCK}};
    const uint32_t head[] = {BLOCK, 1, blocks, directory_bytes, 0, 2000000, 2000001};
    memcpy(sparse.pieces[0].bytes, MSF_7_MAGIC, sizeof MSF_7_MAGIC);
    memcpy(sparse.pieces[0].bytes + 32, head, sizeof head); /* as on a little-endian machine */
    const uint32_t first = 2500000;
    piece_32(&sparse, 1, UINT64_C(2000000) * BLOCK, &first, 1);
    const uint32_t last = 2600000; /* the directory's 1025th block: the second map's first */
    assert_int_equal(dbi_listed / BLOCK, 1024);
    piece_32(&sparse, 2, UINT64_C(2000001) * BLOCK, &last, 1);
    const uint32_t directory[] = {4, 0, 50, tpi_blocks * BLOCK, 64, 2700000};
    piece_32(&sparse, 3, (uint64_t)first * BLOCK, directory, LENGTH_OF(directory));
    const uint32_t dbi_block = 3000000;
    piece_32(&sparse, 4, (uint64_t)last * BLOCK + dbi_listed % BLOCK, &dbi_block, 1);
    const uint32_t info[] = {20000404, 1, 7, 0x04030201, 0, 0, 0};
    piece_32(&sparse, 5, UINT64_C(2700000) * BLOCK, info, LENGTH_OF(info));
    const uint32_t dbi[] = {UINT32_MAX, 19990903, 9};
    piece_32(&sparse, 6, (uint64_t)dbi_block * BLOCK, dbi, LENGTH_OF(dbi));

    struct identity identity;
    struct error err = {0};
    assert_int_equal(identify(&sparse.view, &identity, &err), IDENTIFY_READ);
    assert_int_equal(identity.age, 9);
    assert_int_equal(identity.info_age, 7);
    assert_int_equal(identity.guid[0], 4);
    assert_int_equal(identity.stated_length, UINT64_C(12) << 30);
}

/* With the smallest blocks, the list of the map ends where the superblock does. */
static void test_directory_too_long_for_its_map(void **state) {
    (void)state;
    struct places places;
    CLEANUP(made_free) struct made made = make(&usual, &places);
    put_32(&made, 40, 1 << 24); /* blocks */
    put_32(&made, 44, 1 << 28); /* directory, where 115 map blocks list 7.5 MB */
    put_32(&made, places.directory, (1 << 28) / 4 - 8);
    (void)must_damage(&made, "too long to be listed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_block_size),
        cmocka_unit_test(test_other_block_sizes),
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_signature_in_version_7),
        cmocka_unit_test(test_age_without_dbi),
        cmocka_unit_test(test_no_info),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_stated_length),
        cmocka_unit_test(test_beyond_4_gib),
        cmocka_unit_test(test_directory_too_long_for_its_map),
    };
    return RUN_TESTS(tests);
}
