// SPDX-License-Identifier: MIT
#include "format/elf.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/format/made.h"

/* Where the fields of a made file stand: it has two segments, of which the second is PT_NOTE, its
 * notes, and sections at the end: null, bits, nobits, notes. */
struct shape {
    bool wide;
    bool big_endian;
};

enum { NOTES = 192, NOTES_BYTES = 32 + 36, SECTIONS = 264, SECTION_COUNT = 4, SEGMENT_COUNT = 2 };

static const struct shape usual = {.wide = true};
static const unsigned char build_id[20] = {0xb1, 2,  3,  4,  5,  6,  7,  8,  9,  10,
                                           11,   12, 13, 14, 15, 16, 17, 18, 19, 20};

static unsigned section_bytes(const struct shape *shape) {
    return shape->wide ? 64 : 40;
}

static size_t section_at(const struct shape *shape, unsigned n) {
    return SECTIONS + (size_t)n * section_bytes(shape);
}

static size_t segment_at(const struct shape *shape, unsigned n) {
    return shape->wide ? 64 + 56 * (size_t)n : 52 + 32 * (size_t)n;
}

/* Writes an address or offset. */
static void put_wide(struct made *made, const struct shape *shape, size_t at, uint64_t value) {
    put_number(made, at, value, shape->wide ? 8 : 4, shape->big_endian);
}

static void put_word(struct made *made, const struct shape *shape, size_t at, uint32_t value) {
    put_number(made, at, value, 4, shape->big_endian);
}

static void put_half(struct made *made, const struct shape *shape, size_t at, unsigned value) {
    put_number(made, at, value, 2, shape->big_endian);
}

static void put_section(struct made *made, const struct shape *shape, unsigned n, uint32_t type,
                        uint64_t at, uint64_t bytes) {
    size_t head = section_at(shape, n);
    put_word(made, shape, head + 4, type);
    put_wide(made, shape, head + (shape->wide ? 24 : 16), at);
    put_wide(made, shape, head + (shape->wide ? 32 : 20), bytes);
    put_wide(made, shape, head + (shape->wide ? 48 : 32), 4);
}

static void put_segment(struct made *made, const struct shape *shape, unsigned n, uint32_t type,
                        uint64_t at, uint64_t bytes) {
    size_t head = segment_at(shape, n);
    put_word(made, shape, head, type);
    put_wide(made, shape, head + (shape->wide ? 8 : 4), at);
    put_wide(made, shape, head + (shape->wide ? 32 : 16), bytes);
    put_wide(made, shape, head + (shape->wide ? 48 : 28), 4);
}

/* A note of another kind, and behind it the build id. */
static void put_notes(struct made *made, const struct shape *shape, size_t at) {
    put_word(made, shape, at, 4);
    put_word(made, shape, at + 4, 16);
    put_word(made, shape, at + 8, 1);
    put_bytes(made, at + 12, "GNU", 4);
    put_word(made, shape, at + 32, 4);
    put_word(made, shape, at + 36, sizeof build_id);
    put_word(made, shape, at + 40, 3);
    put_bytes(made, at + 44, "GNU", 4);
    put_bytes(made, at + 48, build_id, sizeof build_id);
}

static void put_counts(struct made *made, const struct shape *shape, unsigned segments,
                       unsigned sections) {
    size_t at = shape->wide ? 54 : 42;
    put_half(made, shape, at, shape->wide ? 56 : 32);
    put_half(made, shape, at + 2, segments);
    put_half(made, shape, at + 4, section_bytes(shape));
    put_half(made, shape, at + 6, sections);
}

static struct made make(const struct shape *shape) {
    struct made made = made_new(section_at(shape, SECTION_COUNT));
    put_bytes(&made, 0, "\x7f\x45LF", 4);
    made.bytes[4] = shape->wide ? 2 : 1;
    made.bytes[5] = shape->big_endian ? 2 : 1;
    put_wide(&made, shape, shape->wide ? 32 : 28, segment_at(shape, 0));
    put_wide(&made, shape, shape->wide ? 40 : 32, SECTIONS);
    put_counts(&made, shape, SEGMENT_COUNT, SECTION_COUNT);
    put_segment(&made, shape, 0, 1, 0, made.length);
    put_segment(&made, shape, 1, 4, NOTES, NOTES_BYTES);
    put_section(&made, shape, 1, 1, 64, 100);
    put_section(&made, shape, 2, 8, INT32_MAX, INT32_MAX);
    put_section(&made, shape, 3, 7, NOTES, NOTES_BYTES);
    put_notes(&made, shape, NOTES);
    return made;
}

static void check_id(const struct made *made) {
    struct identity identity = must_read(made, FORMAT_ELF);
    assert_int_equal(identity.build_id_length, sizeof build_id);
    assert_memory_equal(identity.build_id, build_id, sizeof build_id);
}

static void check_no_id(const struct made *made) {
    assert_int_equal(must_read(made, FORMAT_ELF).build_id_length, 0);
}

static void test_every_shape(void **state) {
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct shape shape = {.wide = i & 1, .big_endian = i & 2};
        CLEANUP(made_free) struct made made = make(&shape);
        check_id(&made);
        must_notice_cuts(&made);
        must_survive_flips(&made);
        must_tell_failures(&made);
        char text[64];
        struct identity identity = must_read(&made, FORMAT_ELF);
        identity_format(&identity, text, sizeof text);
        assert_string_equal(text, "b102030405060708090a0b0c0d0e0f1011121314");
        identity_format(&identity, text, 6);
        assert_string_equal(text, "b102");
    }
}

static void test_segments_alone(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make(&usual);
    put_counts(&made, &usual, SEGMENT_COUNT, 0);
    put_wide(&made, &usual, 40, 0);
    check_id(&made);
    must_notice_cuts(&made);
    must_survive_flips(&made);
    must_tell_failures(&made);
    /* Sections that name no build id leave it to the segments. */
    put_counts(&made, &usual, SEGMENT_COUNT, SECTION_COUNT);
    put_wide(&made, &usual, 40, SECTIONS);
    put_section(&made, &usual, 3, 1, NOTES, NOTES_BYTES);
    check_id(&made);
}

/* What split debug files are like: the program headers are their image's. */
static void test_debug_file(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make(&usual);
    put_segment(&made, &usual, 0, 1, 0, UINT64_C(1) << 40);
    put_segment(&made, &usual, 1, 4, 64, 100);
    check_id(&made);
    assert_int_equal(must_read(&made, FORMAT_ELF).stated_length, made.length);
}

static void test_no_build_id(void **state) {
    (void)state;
    static const struct {
        size_t at; /* in the second note */
        uint32_t value;
    } others[] = {
        {0, 3}, {0, 5}, {0, UINT32_MAX}, {4, 0},          {4, 65},
        {8, 2}, {8, 4}, {12, 0x554e58},  {4, UINT32_MAX}, {4, 21},
    };
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        CLEANUP(made_free) struct made made = make(&usual);
        put_32(&made, NOTES + 32 + others[i].at, others[i].value);
        check_no_id(&made);
    }
    CLEANUP(made_free) struct made made = make(&usual);
    put_counts(&made, &usual, 0, 0);
    check_no_id(&made);
    assert_int_equal(must_read(&made, FORMAT_ELF).stated_length, 64);
    /* Notes that lie outside of the file are its stated length's concern. */
    put_counts(&made, &usual, 0, SECTION_COUNT);
    put_section(&made, &usual, 3, 7, NOTES, UINT64_MAX);
    check_no_id(&made);
    assert_int_equal(must_read(&made, FORMAT_ELF).stated_length, UINT64_MAX);
}

static void test_aligned_by_8(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make(&usual);
    put_wide(&made, &usual, section_at(&usual, 3) + 48, 8);
    check_id(&made); /* both notes' parts end on eights */
    put_32(&made, NOTES + 4, 12);
    check_id(&made); /* four bytes of padding behind the first */
    put_wide(&made, &usual, section_at(&usual, 3) + 48, 4);
    put_segment(&made, &usual, 1, 1, 0, 0);
    check_no_id(&made);
}

static void test_endless_notes(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make(&usual);
    made_resize(&made, 1 << 20);
    put_section(&made, &usual, 3, 7, 4096, made.length - 4096); /* empty notes, of 12 zeros each */
    put_segment(&made, &usual, 1, 4, 4096, made.length - 4096);
    check_no_id(&made);
}

static void test_many_sections(void **state) {
    (void)state;
    for (unsigned wide = 0; wide < 2; wide++) {
        struct shape shape = {.wide = wide};
        CLEANUP(made_free) struct made made = make(&shape);
        const uint32_t count = 70000;
        made_resize(&made, section_at(&shape, count));
        put_section(&made, &shape, 3, 1, 64, 100);
        put_section(&made, &shape, count - 1, 7, NOTES, NOTES_BYTES);
        put_counts(&made, &shape, 0xffff, 0);
        put_wide(&made, &shape, section_at(&shape, 0) + (wide ? 32 : 20), count);
        put_word(&made, &shape, section_at(&shape, 0) + (wide ? 44 : 28), SEGMENT_COUNT);
        check_id(&made);
        assert_int_equal(must_read(&made, FORMAT_ELF).stated_length, made.length);
        put_section(&made, &shape, count - 1, 1, NOTES, NOTES_BYTES);
        check_id(&made); /* by the segments, whose number stands in section 0 too */
    }
}

static void test_lies(void **state) {
    (void)state;
    CLEANUP(made_free) struct made made = make(&usual);
    put_counts(&made, &usual, 2, 65535);
    (void)must_damage(&made, "cut");
    put_counts(&made, &usual, 65534, SECTION_COUNT);
    assert_true(must_read(&made, FORMAT_ELF).stated_length > made.length);
    put_counts(&made, &usual, 2, 0);
    put_wide(&made, &usual, section_at(&usual, 0) + 32, UINT64_MAX);
    struct identity identity = must_damage(&made, "cut");
    assert_int_equal(identity.stated_length, UINT64_MAX);
    put_counts(&made, &usual, 2, SECTION_COUNT);
    put_16(&made, 58, 63);
    (void)must_damage(&made, "headers of 63 bytes instead of 64");
    put_counts(&made, &usual, 2, SECTION_COUNT);
    put_16(&made, 54, 32);
    (void)must_damage(&made, "headers of 32 bytes instead of 56");
    put_counts(&made, &usual, 2, SECTION_COUNT);
    put_wide(&made, &usual, 40, UINT64_MAX - 8);
    (void)must_damage(&made, "cut");
    made.bytes[4] = 3;
    (void)must_damage(&made, "class 3");
    made.bytes[4] = 2;
    made.bytes[5] = 0;
    (void)must_damage(&made, "byte order 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape),   cmocka_unit_test(test_segments_alone),
        cmocka_unit_test(test_debug_file),    cmocka_unit_test(test_no_build_id),
        cmocka_unit_test(test_aligned_by_8),  cmocka_unit_test(test_endless_notes),
        cmocka_unit_test(test_many_sections), cmocka_unit_test(test_lies),
    };
    return RUN_TESTS(tests);
}
