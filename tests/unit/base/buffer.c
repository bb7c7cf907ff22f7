// SPDX-License-Identifier: MIT
#include "base/buffer.h"

#include <string.h>

#include "base/cleanup.h"
#include "unit/base/check.h"

static void grows_and_ends_with_nul(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, 100000);
    assert_null(buffer.bytes);
    for (int i = 0; i < 1000; i++) {
        assert_true(buffer_append(&buffer, "abcdefgh", 8));
        assert_int_equal(buffer.bytes[buffer.length], '\0');
    }
    assert_int_equal(buffer.length, 8000);
    assert_memory_equal(buffer.bytes + 7992, "abcdefgh", 9);
}

static void the_ceiling_counts_contents_only(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, 4);
    assert_true(buffer_append_text(&buffer, "abcd"));
    assert_false(buffer.failed);
    assert_true(buffer_append(&buffer, "", 0));
    assert_false(buffer_append_text(&buffer, "e"));
    assert_true(buffer.failed);
    assert_string_equal(buffer.bytes, "abcd");
}

static void what_was_too_much_is_cut_off(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, 4);
    buffer_cut(&buffer, 0);
    assert_true(buffer_append_text(&buffer, "ab"));
    assert_true(buffer_append_text(&buffer, "cd"));
    assert_false(buffer_append_text(&buffer, "e"));
    buffer_cut(&buffer, 2);
    assert_false(buffer.failed);
    assert_string_equal(buffer.bytes, "ab");
    assert_true(buffer_append_text(&buffer, "ef"));
    assert_string_equal(buffer.bytes, "abef");
}

static void a_failure_stays_until_cleared(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, 4);
    assert_true(buffer_append_text(&buffer, "ab"));
    assert_false(buffer_append_text(&buffer, "cde"));
    assert_false(buffer_append_text(&buffer, "c"));
    assert_false(buffer_append(&buffer, "", 0));
    assert_false(buffer_format(&buffer, "c"));
    assert_false(buffer_append_json(&buffer, "c"));
    assert_null(buffer_room(&buffer, 1));
    assert_string_equal(buffer.bytes, "ab");
    buffer_clear(&buffer);
    assert_string_equal(buffer.bytes, "");
    assert_true(buffer_append_text(&buffer, "wxyz"));
    assert_string_equal(buffer.bytes, "wxyz");
}

static void formats_past_its_first_room(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, 1000);
    assert_true(buffer_format(&buffer, "%s-%d", "a", 7));
    assert_true(buffer_format(&buffer, "%0300d", 5));
    assert_int_equal(buffer.length, 303);
    assert_memory_equal(buffer.bytes, "a-7000", 6);
    assert_int_equal(buffer.bytes[302], '5');
    assert_false(buffer_format(&buffer, "%0698d", 1));
    assert_int_equal(buffer.length, 303);
    assert_int_equal(buffer.bytes[303], '\0');
}

static void appends_json(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, 1000);
    assert_true(buffer_append_json(&buffer, "plain \"quoted\" \\ \n \xC3\xA4 \xFF end"));
    assert_string_equal(buffer.bytes,
                        "plain \\\"quoted\\\" \\\\ \\u000a \xC3\xA4 \xEF\xBF\xBD end");
    buffer_clear(&buffer);
    assert_true(buffer_append_json(&buffer, ""));
    assert_int_equal(buffer.length, 0);
}

static void room_is_filled_and_consumed(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, 10);
    char *room = buffer_room(&buffer, 10);
    assert_non_null(room);
    memcpy(room, "0123456789", 10);
    buffer_filled(&buffer, 7);
    assert_string_equal(buffer.bytes, "0123456");
    assert_null(buffer_room(&buffer, 4));
    assert_false(buffer.failed);
    assert_non_null(buffer_room(&buffer, 3));
    buffer_consume(&buffer, 5);
    assert_string_equal(buffer.bytes, "56");
    assert_int_equal(buffer.length, 2);
    buffer_consume(&buffer, 0);
    buffer_consume(&buffer, 2);
    assert_string_equal(buffer.bytes, "");
}

static void no_ceiling_is_a_ceiling_too(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer;
    buffer_init(&buffer, SIZE_MAX);
    assert_true(buffer_append_text(&buffer, "abc"));
    assert_null(buffer_room(&buffer, SIZE_MAX - 3));
    assert_true(buffer_append_text(&buffer, "def"));
    assert_string_equal(buffer.bytes, "abcdef");
    buffer_release(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.length, 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_ends_with_nul),
        cmocka_unit_test(the_ceiling_counts_contents_only),
        cmocka_unit_test(what_was_too_much_is_cut_off),
        cmocka_unit_test(a_failure_stays_until_cleared),
        cmocka_unit_test(formats_past_its_first_room),
        cmocka_unit_test(appends_json),
        cmocka_unit_test(room_is_filled_and_consumed),
        cmocka_unit_test(no_ceiling_is_a_ceiling_too),
    };
    return RUN_TESTS(tests);
}
