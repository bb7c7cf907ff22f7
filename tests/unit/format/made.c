// SPDX-License-Identifier: MIT
#include "unit/format/made.h"

#include <stdlib.h>
#include <string.h>

#include "unit/base/check.h"

struct made made_new(size_t length) {
    struct made made = {0};
    made_resize(&made, length);
    return made;
}

void made_free(struct made *made) {
    free(made->bytes);
}

void made_resize(struct made *made, size_t length) {
    made->bytes = realloc(made->bytes, length + 1);
    assert_non_null(made->bytes);
    if (length > made->length)
        memset(made->bytes + made->length, 0, length - made->length);
    made->length = length;
}

void put_number(struct made *made, size_t at, uint64_t value, unsigned bytes, bool big_endian) {
    assert_true(at + bytes <= made->length);
    for (unsigned i = 0; i < bytes; i++)
        made->bytes[at + (big_endian ? bytes - 1 - i : i)] = (unsigned char)(value >> (8 * i));
}

void put_16(struct made *made, size_t at, unsigned value) {
    put_number(made, at, value, 2, false);
}

void put_32(struct made *made, size_t at, uint32_t value) {
    put_number(made, at, value, 4, false);
}

void put_64(struct made *made, size_t at, uint64_t value) {
    put_number(made, at, value, 8, false);
}

void put_bytes(struct made *made, size_t at, const void *bytes, size_t length) {
    assert_true(at + length <= made->length);
    memcpy(made->bytes + at, bytes, length);
}

/* Looks at the first bytes of a file. */
static enum identify_outcome look_at(const void *bytes, size_t length, struct identity *out,
                                     struct error *err) {
    unsigned char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    struct memory_view view = memory_view_of(copy, length);
    *err = (struct error){0};
    enum identify_outcome outcome = identify(&view.view, out, err);
    free(copy);
    if (outcome == IDENTIFY_DAMAGED)
        assert_true(err->what[0] && (err->kind == ERROR_IDENTITY || err->kind == ERROR_LENGTH));
    else
        assert_int_equal(err->kind, ERROR_NONE);
    assert_int_equal(outcome == IDENTIFY_UNKNOWN, out->format == FORMAT_UNKNOWN);
    return outcome;
}

enum identify_outcome look(const struct made *made, struct identity *out, struct error *err) {
    return look_at(made->bytes, made->length, out, err);
}

struct identity must_read(const struct made *made, enum format format) {
    struct identity identity;
    struct error err;
    enum identify_outcome outcome = look(made, &identity, &err);
    if (outcome != IDENTIFY_READ)
        fail_msg("outcome %d: %s", (int)outcome, err.what);
    assert_string_equal(format_name(identity.format), format_name(format));
    return identity;
}

struct identity must_damage(const struct made *made, const char *words) {
    struct identity identity;
    struct error err;
    assert_int_equal(look(made, &identity, &err), IDENTIFY_DAMAGED);
    if (!strstr(err.what, words))
        fail_msg("\"%s\" does not say \"%s\"", err.what, words);
    return identity;
}

void must_be_unknown(const struct made *made) {
    struct identity identity;
    struct error err;
    assert_int_equal(look(made, &identity, &err), IDENTIFY_UNKNOWN);
}

void must_notice_cuts(const struct made *made) {
    struct identity identity;
    struct error err;
    assert_int_equal(look(made, &identity, &err), IDENTIFY_READ);
    assert_int_equal(identity.stated_length, made->length);
    for (size_t length = 0; length < made->length; length++) {
        enum identify_outcome outcome = look_at(made->bytes, length, &identity, &err);
        if (outcome == IDENTIFY_READ && identity.stated_length <= length)
            fail_msg("%zu of %zu bytes pass for whole", length, made->length);
    }
}

void must_survive_flips(const struct made *made) {
    static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct identity identity;
    struct error err;
    for (size_t at = 0; at < made->length; at++) {
        unsigned char before = made->bytes[at];
        for (size_t i = 0; i < sizeof values; i++) {
            made->bytes[at] = values[i];
            assert_true(look(made, &identity, &err) <= IDENTIFY_DAMAGED);
        }
        made->bytes[at] = before;
    }
}

/* A view that fails its n-th read. */
struct failing_view {
    struct view view;
    const struct made *made;
    unsigned *reads_left;
};

static bool read_failing(const struct view *view, void *out, size_t length, uint64_t offset,
                         struct error *err) {
    const struct failing_view *failing = (const struct failing_view *)(const void *)view;
    if ((*failing->reads_left)-- == 0)
        return error_set(err, ERROR_DISK, "the test says no");
    memcpy(out, failing->made->bytes + offset, length);
    return true;
}

void must_tell_failures(const struct made *made) {
    static const struct view_ops ops = {.read = read_failing};
    for (unsigned good = 0;; good++) {
        unsigned reads_left = good;
        struct failing_view view = {{&ops, made->length}, made, &reads_left};
        struct identity identity;
        struct error err = {0};
        enum identify_outcome outcome = identify(&view.view, &identity, &err);
        if (reads_left != UINT32_MAX) {
            assert_true(good > 0);
            assert_int_equal(outcome, IDENTIFY_READ);
            return;
        }
        assert_int_equal(outcome, IDENTIFY_FAILED);
        assert_int_equal(err.kind, ERROR_DISK);
    }
}
