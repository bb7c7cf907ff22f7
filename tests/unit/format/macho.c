// SPDX-License-Identifier: MIT
#include "format/macho.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/format/made.h"

struct shape {
    bool wide;
    bool big_endian;
};

static const struct shape usual = {.wide = true};
static const unsigned char uuid[16] = {0xc0, 0x31, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static size_t commands_at(const struct shape *shape) {
    return shape->wide ? 32 : 28;
}

static size_t segment_bytes(const struct shape *shape) {
    return shape->wide ? 72 : 56;
}

static void put_word(struct made *made, const struct shape *shape, size_t at, uint32_t value) {
    put_number(made, at, value, 4, shape->big_endian);
}

static void put_command(struct made *made, const struct shape *shape, size_t at, uint32_t command,
                        size_t bytes) {
    put_word(made, shape, at, command);
    put_word(made, shape, at + 4, (uint32_t)bytes);
}

/* Where the UUID's command stands, and the symbol table's. */
static size_t uuid_at(const struct shape *shape) {
    return commands_at(shape) + segment_bytes(shape);
}

static size_t symbols_at(const struct shape *shape) {
    return uuid_at(shape) + 24;
}

/* A segment of 8 bytes behind the commands, a UUID, three symbols at the end, and their text before
 * them. */
static struct made make(const struct shape *shape) {
    size_t segment = commands_at(shape);
    size_t content = symbols_at(shape) + 24;
    size_t symbols = content + 8 + 10;
    struct made made = made_new(symbols + (shape->wide ? 48 : 36));
    put_word(&made, shape, 0, shape->wide ? 0xfeedfacf : 0xfeedface);
    put_word(&made, shape, 4, shape->wide ? 0x0100000c : 12);
    put_word(&made, shape, 12, 10); /* a dSYM */
    put_word(&made, shape, 16, 3);
    put_word(&made, shape, 20, (uint32_t)(content - segment));
    put_command(&made, shape, segment, shape->wide ? 0x19 : 0x1, segment_bytes(shape));
    put_number(&made, segment + (shape->wide ? 40 : 32), content, shape->wide ? 8 : 4,
               shape->big_endian);
    put_number(&made, segment + (shape->wide ? 48 : 36), 8, shape->wide ? 8 : 4, shape->big_endian);
    put_command(&made, shape, uuid_at(shape), 0x1b, 24);
    put_bytes(&made, uuid_at(shape) + 8, uuid, sizeof uuid);
    put_command(&made, shape, symbols_at(shape), 0x2, 24);
    put_word(&made, shape, symbols_at(shape) + 8, (uint32_t)symbols);
    put_word(&made, shape, symbols_at(shape) + 12, 3);
    put_word(&made, shape, symbols_at(shape) + 16, (uint32_t)content + 8);
    put_word(&made, shape, symbols_at(shape) + 20, 10);
    return made;
}

static void test_every_shape(void **state) {
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct shape shape = {.wide = i & 1, .big_endian = i & 2};
        CLEANUP(made_free) struct made made = make(&shape);
        struct identity identity = must_read(&made, FORMAT_MACHO);
        assert_int_equal(identity.slice_count, 1);
        assert_true(identity.slices[0].has_uuid);
        assert_int_equal(identity.slices[0].cpu, shape.wide ? 0x0100000c : 12);
        char text[64];
        identity_format(&identity, text, sizeof text);
        assert_string_equal(text, "c0310203"
                                  "0405060708090a0b0c0d0e0f");
        must_notice_cuts(&made);
        must_survive_flips(&made);
        must_tell_failures(&made);
    }
}

static void test_without_uuid(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make(&usual);
    put_32(&made, uuid_at(&usual), 0x1c);
    struct identity identity = must_read(&made, FORMAT_MACHO);
    assert_int_equal(identity.slice_count, 1);
    assert_false(identity.slices[0].has_uuid);
    char text[64];
    identity_format(&identity, text, sizeof text);
    assert_string_equal(text, "");
}

static void test_stated_length(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make(&usual);
    put_64(&made, commands_at(&usual) + 40, UINT64_MAX);
    assert_int_equal(must_read(&made, FORMAT_MACHO).stated_length, UINT64_MAX);
    put_32(&made, 12, 9); /* a stub, whose segments lie in another file */
    assert_int_equal(must_read(&made, FORMAT_MACHO).stated_length, made.length);
    put_32(&made, symbols_at(&usual) + 12, UINT32_MAX);
    assert_true(must_read(&made, FORMAT_MACHO).stated_length > UINT64_C(16) * UINT32_MAX);
    put_32(&made, symbols_at(&usual) + 12, 0);
    put_32(&made, symbols_at(&usual) + 20, UINT32_MAX);
    assert_true(must_read(&made, FORMAT_MACHO).stated_length > UINT32_MAX);
}

static void test_lies(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
        const char *words;
    } lies[] = {
        {16, 4, "load command 3 of the Mach-O file has no place"},
        {16, UINT32_MAX, "4294967295 load commands"},
        {20, 0, "load command 0 of the Mach-O file has no place"},
        {20, 80, "load command 1 of the Mach-O file has 24 bytes"},
        {20, 100, "load command 2 of the Mach-O file has no place"},
        {36, 0, "load command 0 of the Mach-O file has 0 bytes"},
        {36, 7, "load command 0 of the Mach-O file has 7 bytes"},
        {36, UINT32_MAX, "load command 0 of the Mach-O file has 4294967295 bytes"},
    };
    for (size_t i = 0; i < LENGTH_OF(lies); i++) {
        CLEANUP(made_free) struct made made = make(&usual);
        put_32(&made, lies[i].at, lies[i].value);
        (void)must_damage(&made, lies[i].words);
    }
    CLEANUP(made_free) struct made made = make(&usual);
    put_32(&made, 20, UINT32_MAX);
    put_32(&made, 16, 4);
    (void)must_damage(&made, "");
    put_32(&made, 36, 8); /* a segment that ends before its place */
    put_32(&made, 16, 1);
    assert_int_equal(must_read(&made, FORMAT_MACHO).stated_length, 32 + (uint64_t)UINT32_MAX);
}

enum { SLICE_1 = 256, SLICE_2 = 1024 };

/* Two slices: 64 bits little-endian, and 32 bits big-endian at the end. */
static struct made make_fat(bool wide) {
    static const struct shape other = {.big_endian = true};
    CLEANUP(made_free) struct made first = make(&usual);
    CLEANUP(made_free) struct made second = make(&other);
    struct made made = made_new(SLICE_2 + second.length);
    put_bytes(&made, SLICE_1, first.bytes, first.length);
    put_bytes(&made, SLICE_2, second.bytes, second.length);
    made.bytes[SLICE_2 + uuid_at(&other) + 8] = 0xd0;
    put_number(&made, 0, wide ? 0xcafebabf : 0xcafebabe, 4, true);
    put_number(&made, 4, 2, 4, true);
    const uint64_t places[] = {SLICE_1, first.length, SLICE_2, second.length};
    for (size_t i = 0; i < 4; i++) {
        size_t entry = 8 + i / 2 * (wide ? 32 : 20);
        size_t field = i % 2 * (wide ? 8 : 4);
        put_number(&made, entry + 8 + field, places[i], wide ? 8 : 4, true);
    }
    return made;
}

static void test_fat(void **state) {
    (void)state;
    for (unsigned wide = 0; wide < 2; wide++) {
        CLEANUP(made_free) struct made made = make_fat(wide);
        struct identity identity = must_read(&made, FORMAT_MACHO);
        assert_int_equal(identity.slice_count, 2);
        assert_int_equal(identity.slices[0].cpu, 0x0100000c);
        assert_int_equal(identity.slices[0].uuid[0], 0xc0);
        assert_int_equal(identity.slices[1].cpu, 12);
        assert_int_equal(identity.slices[1].uuid[0], 0xd0);
        must_notice_cuts(&made);
        must_tell_failures(&made);
        must_survive_flips(&made);
        /* A slice that is an archive. */
        put_bytes(&made, SLICE_1, "!<arch>\n", 8);
        put_number(&made, 8, 7, 4, true);
        identity = must_read(&made, FORMAT_MACHO);
        assert_int_equal(identity.slice_count, 2);
        assert_false(identity.slices[0].has_uuid);
        assert_int_equal(identity.slices[0].cpu, 7);
        assert_true(identity.slices[1].has_uuid);
        /* A slice that is the whole file again. */
        put_number(&made, 16, 0, wide ? 8 : 4, true);
        assert_false(must_read(&made, FORMAT_MACHO).slices[0].has_uuid);
        put_number(&made, 16, UINT32_MAX, 4, true);
        (void)must_damage(&made, "cut");
    }
}

static void test_java_classes(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make_fat(false);
    for (uint32_t version = SLICES_MAX + 1; version < 70; version++) {
        put_number(&made, 4, version, 4, true);
        must_be_unknown(&made);
    }
    put_number(&made, 4, 0, 4, true);
    must_be_unknown(&made);
    put_number(&made, 4, SLICES_MAX, 4, true);
    (void)must_damage(&made, "cut");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape),   cmocka_unit_test(test_without_uuid),
        cmocka_unit_test(test_stated_length), cmocka_unit_test(test_lies),
        cmocka_unit_test(test_fat),           cmocka_unit_test(test_java_classes),
    };
    return RUN_TESTS(tests);
}
