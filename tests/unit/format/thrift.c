// SPDX-License-Identifier: MIT
//
// What a look into a large file reads: less than a hundredth of it, however large its own tables
// are. The files are made of the few parts that stand for something, and zeros everywhere else.
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "format/msfz.h"
#include "format/pdb.h"
#include "format/unpack.h"
#include "unit/base/check.h"
#include "unit/format/made.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

struct part {
    uint64_t at;
    struct made made;
};

struct sparse {
    uint64_t length;
    struct part *parts; /* none overlaps another */
    size_t count;
};

/* For CLEANUP. */
static void sparse_release(struct sparse *sparse) {
    for (size_t i = 0; i < sparse->count; i++)
        made_free(&sparse->parts[i].made);
    free(sparse->parts);
}

/* A part of zeros to be written to; holds until the next one is added. */
static struct made *sparse_add(struct sparse *sparse, uint64_t at, size_t length) {
    assert_true(at + length <= sparse->length);
    sparse->parts = realloc(sparse->parts, (sparse->count + 1) * sizeof *sparse->parts);
    assert_non_null(sparse->parts);
    struct part *part = &sparse->parts[sparse->count++];
    *part = (struct part){at, made_new(length)};
    return &part->made;
}

/* A part with these bytes. */
static void sparse_put(struct sparse *sparse, uint64_t at, const void *bytes, size_t length) {
    put_bytes(sparse_add(sparse, at, length), 0, bytes, length);
}

struct counting_view {
    struct view view;
    const struct sparse *sparse;
    uint64_t *bytes_read;
};

static bool read_counting(const struct view *view, void *out, size_t length, uint64_t offset,
                          struct error *err) {
    (void)err;
    const struct counting_view *counting = (const struct counting_view *)(const void *)view;
    *counting->bytes_read += length;
    memset(out, 0, length);
    for (size_t i = 0; i < counting->sparse->count; i++) {
        const struct part *part = &counting->sparse->parts[i];
        uint64_t begin = part->at > offset ? part->at : offset;
        uint64_t part_end = part->at + part->made.length;
        uint64_t end = part_end < offset + length ? part_end : offset + length;
        if (begin < end)
            memcpy((unsigned char *)out + (begin - offset), part->made.bytes + (begin - part->at),
                   (size_t)(end - begin));
    }
    return true;
}

/* The file must be read as whole, of that format and with that id, from less than a hundredth of
 * its bytes. How many these were. */
static uint64_t must_be_thrifty(const struct sparse *sparse, enum format format, const char *id) {
    static const struct view_ops ops = {.read = read_counting};
    uint64_t bytes_read = 0;
    struct counting_view view = {{&ops, sparse->length}, sparse, &bytes_read};
    struct identity identity;
    struct error err = {0};
    enum identify_outcome outcome = identify(&view.view, &identity, &err);
    if (outcome != IDENTIFY_READ)
        fail_msg("outcome %d: %s", (int)outcome, err.what);
    assert_string_equal(format_name(identity.format), format_name(format));
    char text[2 * BUILD_ID_BYTES_MAX + 1];
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, id);
    assert_true(sparse->length >= 256 * MIB);
    assert_true(identity.stated_length <= sparse->length);
    assert_true(bytes_read * 100 < sparse->length);
    return bytes_read;
}

/* --- PDBs ----------------------------------------------------------------------------------- */

static const unsigned char id_bytes[20] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                                           0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d,
                                           0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23};
#define GUID_TEXT "131211101514171618191A1B1C1D1E1F"

enum { BLOCK = 4096, STREAMS = 4000 };

static void put_info(struct made *made, size_t at) {
    put_32(made, at, 20000404);
    put_32(made, at + 8, 3);
    put_bytes(made, at + 12, id_bytes, 16);
}

static void put_dbi(struct made *made, size_t at) {
    put_32(made, at, UINT32_MAX);
    put_32(made, at + 4, 19990903);
    put_32(made, at + 8, 0x2a);
}

/* Linkers take blocks as they come: the n-th that is taken, each of them once, all over the file.
 */
static uint32_t taken_block(uint32_t n, uint32_t blocks) {
    return 3 + (uint32_t)((uint64_t)n * 48271 % (blocks - 3));
}

/* A stream's length in blocks, of so many that there are: types have half, modules share a quarter.
 */
static uint32_t stream_blocks(unsigned n, uint32_t room) {
    static const uint32_t first[] = {1, 1, 0, 300};
    if (n == 2)
        return room / 2;
    return n < LENGTH_OF(first) ? first[n] : room / 4 / STREAMS;
}

/* The directory, whose streams take blocks from the n-th on; notes where info and DBI begin. */
static struct made directory_of(uint32_t blocks, uint32_t taken, uint32_t *out_info,
                                uint32_t *out_dbi) {
    struct made made = made_new(4 + (size_t)STREAMS * 4);
    uint32_t room = blocks - taken;
    put_32(&made, 0, STREAMS);
    for (unsigned n = 0; n < STREAMS; n++) {
        uint32_t count = stream_blocks(n, room);
        size_t at = made.length;
        put_32(&made, 4 + (size_t)n * 4, count * BLOCK);
        made_resize(&made, at + (size_t)count * 4);
        if (n == PDB_INFO_STREAM)
            *out_info = taken_block(taken, blocks);
        if (n == PDB_DBI_STREAM)
            *out_dbi = taken_block(taken, blocks);
        for (uint32_t i = 0; i < count; i++)
            put_32(&made, at + (size_t)i * 4, taken_block(taken++, blocks));
    }
    return made;
}

/* Cuts bytes into blocks all over the file, from the n-th taken on, and writes their numbers to
 * `list`. */
static void scatter(struct sparse *sparse, const struct made *bytes, uint32_t taken,
                    struct made *list) {
    uint32_t blocks = (uint32_t)(sparse->length / BLOCK);
    size_t count = (bytes->length + BLOCK - 1) / BLOCK;
    *list = made_new(count * 4);
    for (size_t i = 0; i < count; i++) {
        uint32_t block = taken_block(taken + (uint32_t)i, blocks);
        size_t left = bytes->length - i * BLOCK;
        put_32(list, i * 4, block);
        sparse_put(sparse, (uint64_t)block * BLOCK, bytes->bytes + i * BLOCK,
                   left < BLOCK ? left : BLOCK);
    }
}

static void put_pdb(struct sparse *sparse) {
    enum { MAP_BLOCKS_MAX = 10, DIRECTORY_BLOCKS_MAX = 3000 };
    uint32_t blocks = (uint32_t)(sparse->length / BLOCK);
    uint32_t info = 0;
    uint32_t dbi = 0;
    CLEANUP(made_free)
    struct made directory =
        directory_of(blocks, MAP_BLOCKS_MAX + DIRECTORY_BLOCKS_MAX, &info, &dbi);
    CLEANUP(made_free) struct made map = {0};
    CLEANUP(made_free) struct made list = {0};
    scatter(sparse, &directory, MAP_BLOCKS_MAX, &map);
    scatter(sparse, &map, 0, &list);
    assert_true(map.length / 4 <= DIRECTORY_BLOCKS_MAX && list.length / 4 <= MAP_BLOCKS_MAX);
    struct made *head = sparse_add(sparse, 0, BLOCK);
    put_bytes(head, 0, MSF_7_MAGIC, sizeof MSF_7_MAGIC);
    put_32(head, 32, BLOCK);
    put_32(head, 36, 1);
    put_32(head, 40, blocks);
    put_32(head, 44, (uint32_t)directory.length);
    put_bytes(head, 52, list.bytes, list.length);
    put_info(sparse_add(sparse, (uint64_t)info * BLOCK, BLOCK), 0);
    put_dbi(sparse_add(sparse, (uint64_t)dbi * BLOCK, BLOCK), 0);
}

/* docs/formats.md names the number. */
static void test_pdb(void **state) {
    (void)state;
    static const uint64_t lengths[] = {256 * MIB, 5 * GIB};
    for (size_t i = 0; i < LENGTH_OF(lengths); i++) {
        CLEANUP(sparse_release) struct sparse sparse = {.length = lengths[i]};
        put_pdb(&sparse);
        assert_true(must_be_thrifty(&sparse, FORMAT_PDB70, GUID_TEXT "2a") <= 256);
    }
}

enum {
    CHUNKS = 1 << 16,
    CHUNKS_AT = 80,
    CHUNK_PACKED = 4096,
    CHUNK_PLAIN = 16384,
    FRAGMENTS = 1000
};

static size_t put_fragment(struct made *made, size_t at, uint32_t bytes, uint64_t location) {
    put_32(made, at, bytes);
    put_64(made, at + 4, location);
    return at + 12;
}

static uint64_t in_chunk(uint32_t chunk, uint32_t offset) {
    return UINT64_C(1) << 63 | (uint64_t)chunk << 32 | offset;
}

/* Packs bytes into a part of the file; how many they became. */
static uint32_t put_packed(struct sparse *sparse, uint64_t at, const struct made *plain) {
    CLEANUP(made_free) struct made packed = made_new(ZSTD_compressBound(plain->length));
    size_t got = ZSTD_compress(packed.bytes, packed.length, plain->bytes, plain->length, 3);
    assert_false(ZSTD_isError(got));
    sparse_put(sparse, at, packed.bytes, got);
    return (uint32_t)got;
}

/* Writes the chunk with one of the two streams at its end, where it costs most. */
static void put_chunk(struct sparse *sparse, struct made *table, unsigned n,
                      void (*put)(struct made *made, size_t at), size_t offset) {
    uint64_t at = CHUNKS_AT + (uint64_t)n * CHUNK_PACKED;
    CLEANUP(made_free) struct made plain = made_new(CHUNK_PLAIN);
    for (size_t i = 0; i + 64 < offset; i += 5)
        put_32(&plain, i, (uint32_t)(i * 2654435761U) >> 24);
    put(&plain, offset);
    uint32_t packed = put_packed(sparse, at, &plain);
    assert_true(packed <= CHUNK_PACKED);
    put_32(table, (size_t)n * 20 + 12, packed);
}

/* Info and DBI streams lie in chunks far apart; the stream between them is in many fragments. */
static struct made msfz_directory(unsigned info_chunk, unsigned dbi_chunk, size_t offset) {
    struct made made = made_new(4 + 16 + 12 * FRAGMENTS + 4 + 16 + 16 * STREAMS);
    size_t at = put_fragment(&made, 4, PDB_INFO_BYTES, in_chunk(info_chunk, (uint32_t)offset)) + 4;
    for (unsigned i = 0; i < FRAGMENTS; i++)
        at = put_fragment(&made, at, CHUNK_PLAIN, in_chunk(i * 7, 0));
    at = put_fragment(&made, at + 4, PDB_DBI_BYTES, in_chunk(dbi_chunk, (uint32_t)offset)) + 4;
    for (unsigned i = 0; i < STREAMS; i++)
        at = put_fragment(&made, at, CHUNK_PLAIN, in_chunk(i * 13, 0)) + 4;
    assert_int_equal(at, made.length);
    return made;
}

static void test_msfz(void **state) {
    (void)state;
    enum { INFO_CHUNK = 1000, DBI_CHUNK = 40000, OFFSET = CHUNK_PLAIN - 100 };
    const uint64_t table_at = CHUNKS_AT + (uint64_t)CHUNKS * CHUNK_PACKED;
    const uint64_t directory_at = table_at + (uint64_t)CHUNKS * 20;
    CLEANUP(sparse_release) struct sparse sparse = {.length = directory_at + MIB};
    CLEANUP(made_free) struct made table = made_new((size_t)CHUNKS * 20);
    for (size_t n = 0; n < CHUNKS; n++) {
        put_64(&table, n * 20, CHUNKS_AT + n * CHUNK_PACKED);
        put_32(&table, n * 20 + 8, PACKING_ZSTD);
        put_32(&table, n * 20 + 12, CHUNK_PACKED);
        put_32(&table, n * 20 + 16, CHUNK_PLAIN);
    }
    put_chunk(&sparse, &table, INFO_CHUNK, put_info, OFFSET);
    put_chunk(&sparse, &table, DBI_CHUNK, put_dbi, OFFSET);
    sparse_put(&sparse, table_at, table.bytes, table.length);
    CLEANUP(made_free) struct made directory = msfz_directory(INFO_CHUNK, DBI_CHUNK, OFFSET);
    uint32_t packed = put_packed(&sparse, directory_at, &directory);
    struct made *head = sparse_add(&sparse, 0, CHUNKS_AT);
    put_bytes(head, 0, MSFZ_MAGIC, sizeof MSFZ_MAGIC);
    put_64(head, 40, directory_at);
    put_64(head, 48, table_at);
    put_32(head, 56, 4 + STREAMS);
    put_32(head, 60, PACKING_ZSTD);
    put_32(head, 64, packed);
    put_32(head, 68, (uint32_t)directory.length);
    put_32(head, 72, CHUNKS);
    put_32(head, 76, CHUNKS * 20);
    must_be_thrifty(&sparse, FORMAT_MSFZ, GUID_TEXT "2a");
}

static void test_portable_pdb(void **state) {
    (void)state;
    static const char *const names[] = {"#Pdb", "#~", "#Strings", "#US", "#GUID", "#Blob"};
    enum { ID_AT = 256, ID_BYTES = 64 };
    CLEANUP(sparse_release) struct sparse sparse = {.length = 256 * MIB};
    struct made *head = sparse_add(&sparse, 0, ID_AT + ID_BYTES);
    uint32_t each = (uint32_t)((sparse.length - ID_AT - ID_BYTES) / LENGTH_OF(names));
    put_bytes(head, 0, "BSJB", 4);
    put_32(head, 12, 12);
    put_bytes(head, 16, "PDB v1.0", 8);
    put_16(head, 30, LENGTH_OF(names));
    size_t at = 32;
    for (unsigned i = 0; i < LENGTH_OF(names); i++) {
        put_32(head, at, i == 0 ? ID_AT : ID_AT + ID_BYTES + (i - 1) * each);
        put_32(head, at + 4, i == 0 ? ID_BYTES : each);
        put_bytes(head, at + 8, names[i], strlen(names[i]));
        at += 8 + ((strlen(names[i]) + 4) & ~(size_t)3);
    }
    put_bytes(head, ID_AT, id_bytes, sizeof id_bytes);
    must_be_thrifty(&sparse, FORMAT_PORTABLE_PDB, GUID_TEXT "FFFFFFFF");
}

/* --- images --------------------------------------------------------------------------------- */

/* As many sections as the header can count. */
static void test_pe(void **state) {
    (void)state;
    enum { HEAD = 0x80, OPTIONAL = HEAD + 24, OPTIONAL_BYTES = 240, COUNT = UINT16_MAX };
    const size_t sections = OPTIONAL + OPTIONAL_BYTES;
    const uint32_t contents = 4 << 20;
    CLEANUP(sparse_release) struct sparse sparse = {.length = 256 * MIB};
    uint32_t each = (uint32_t)((sparse.length - contents) / COUNT);
    struct made *head = sparse_add(&sparse, 0, sections + (size_t)COUNT * 40);
    put_bytes(head, 0, "MZ", 2);
    put_32(head, 0x3c, HEAD);
    put_bytes(head, HEAD, "PE\0\0", 4);
    put_16(head, HEAD + 6, COUNT);
    put_32(head, HEAD + 8, 0x0948EA15);
    put_16(head, HEAD + 20, OPTIONAL_BYTES);
    put_16(head, OPTIONAL, 0x20b);
    put_32(head, OPTIONAL + 56, 0x5a000);
    put_32(head, OPTIONAL + 60, contents);
    for (uint32_t n = 0; n < COUNT; n++) {
        put_32(head, sections + (size_t)n * 40 + 16, each);
        put_32(head, sections + (size_t)n * 40 + 20, contents + n * each);
    }
    must_be_thrifty(&sparse, FORMAT_PE, "0948EA155a000");
}

/* A debug file of thousands of sections, of which the last has the notes, all of it at the end. */
static void test_elf(void **state) {
    (void)state;
    enum { COUNT = 20000, NOTES_BYTES = 32 + 36, SECTION_BYTES = 64 };
    CLEANUP(sparse_release) struct sparse sparse = {.length = 256 * MIB};
    const uint64_t table_at = sparse.length - NOTES_BYTES - COUNT * SECTION_BYTES;
    const uint64_t notes_at = sparse.length - NOTES_BYTES;
    struct made *head = sparse_add(&sparse, 0, 64);
    put_bytes(head, 0,
              "\x7f"
              "ELF\2\1",
              6);
    put_64(head, 40, table_at);
    put_16(head, 58, SECTION_BYTES);
    put_16(head, 60, COUNT);
    struct made *end = sparse_add(&sparse, table_at, COUNT * SECTION_BYTES + NOTES_BYTES);
    for (size_t n = 1; n < COUNT; n++) {
        bool last = n == COUNT - 1;
        put_32(end, n * SECTION_BYTES + 4, last ? 7 : 1);
        put_64(end, n * SECTION_BYTES + 24, last ? notes_at : n * 8192);
        put_64(end, n * SECTION_BYTES + 32, last ? NOTES_BYTES : 8192);
        put_64(end, n * SECTION_BYTES + 48, 4);
    }
    static const struct {
        uint32_t kind;
        uint32_t bytes;
    } notes[] = {{1, 16}, {3, sizeof id_bytes}};
    size_t at = COUNT * SECTION_BYTES;
    for (size_t i = 0; i < LENGTH_OF(notes); at += 16 + notes[i].bytes, i++) {
        put_32(end, at, 4);
        put_32(end, at + 4, notes[i].bytes);
        put_32(end, at + 8, notes[i].kind);
        put_bytes(end, at + 12, "GNU", 4);
        put_bytes(end, at + 16, id_bytes, notes[i].bytes);
    }
    must_be_thrifty(&sparse, FORMAT_ELF, "101112131415161718191a1b1c1d1e1f20212223");
}

enum { SEGMENTS = 200, SEGMENT_BYTES = 72 + 20 * 80, SLICE_HEAD = 32 + SEGMENTS * SEGMENT_BYTES };

/* A dSYM of many segments, each of many sections, whose UUID stands behind them all. */
static void put_slice(struct made *made, uint64_t length, unsigned char first) {
    put_32(made, 0, 0xfeedfacf);
    put_32(made, 4, 0x0100000c);
    put_32(made, 12, 10);
    put_32(made, 16, SEGMENTS + 1);
    put_32(made, 20, SEGMENTS * SEGMENT_BYTES + 24);
    for (size_t n = 0; n < SEGMENTS; n++) {
        size_t at = 32 + n * SEGMENT_BYTES;
        put_32(made, at, 0x19);
        put_32(made, at + 4, SEGMENT_BYTES);
        put_64(made, at + 40, n * (length / SEGMENTS));
        put_64(made, at + 48, length / SEGMENTS);
    }
    put_32(made, SLICE_HEAD, 0x1b);
    put_32(made, SLICE_HEAD + 4, 24);
    put_bytes(made, SLICE_HEAD + 8, id_bytes, 16);
    made->bytes[SLICE_HEAD + 8] = first;
}

static void test_fat_macho(void **state) {
    (void)state;
    enum { SLICES = 4 };
    CLEANUP(sparse_release) struct sparse sparse = {.length = 257 * MIB};
    struct made *head = sparse_add(&sparse, 0, 8 + SLICES * 20);
    put_number(head, 0, 0xcafebabe, 4, true);
    put_number(head, 4, SLICES, 4, true);
    for (size_t n = 0; n < SLICES; n++) {
        put_number(head, 8 + n * 20, 0x0100000c, 4, true);
        put_number(head, 8 + n * 20 + 8, MIB + n * 64 * MIB, 4, true);
        put_number(head, 8 + n * 20 + 12, 64 * MIB, 4, true);
    }
    for (size_t n = 0; n < SLICES; n++)
        put_slice(sparse_add(&sparse, MIB + n * 64 * MIB, SLICE_HEAD + 24), 64 * MIB,
                  (unsigned char)n);
    must_be_thrifty(&sparse, FORMAT_MACHO, "001112131415161718191a1b1c1d1e1f");
}

static void test_breakpad(void **state) {
    (void)state;
    static const char line[] = "MODULE windows x86_64 " GUID_TEXT "1 foo.pdb\n";
    CLEANUP(sparse_release) struct sparse sparse = {.length = 256 * MIB};
    sparse_put(&sparse, 0, line, sizeof line - 1);
    must_be_thrifty(&sparse, FORMAT_BREAKPAD, GUID_TEXT "1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pdb),          cmocka_unit_test(test_msfz),
        cmocka_unit_test(test_portable_pdb), cmocka_unit_test(test_pe),
        cmocka_unit_test(test_elf),          cmocka_unit_test(test_fat_macho),
        cmocka_unit_test(test_breakpad),
    };
    return RUN_TESTS(tests);
}
