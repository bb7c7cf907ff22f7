// SPDX-License-Identifier: MIT
#include "record/attempts_text.h"

#include <string.h>

#include "unit/base/check.h"

enum { NOTES = 3 };

static const struct attempt_note notes[NOTES] = {
    {.source = "one \"quoted\"",
     .url = "http://one/x",
     .result = ATTEMPT_FAILED,
     .cause = ERROR_STATUS,
     .status = 503,
     .started_ms = 1,
     .place_ms = 2,
     .head_ms = 3,
     .total_ms = 4,
     .bytes = 5,
     .what = "no\nline"},
    {.source = "two", .result = ATTEMPT_REMEMBERED},
    {.source = "three", .result = ATTEMPT_UNASKED, .cause = ERROR_BUSY},
};

static void what_is_written_is_read_back(void **state) {
    (void)state;
    CLEANUP(buffer_release) struct buffer text;
    struct attempt_note read[NOTES];
    buffer_init(&text, 64 * 1024);
    attempts_text(&text, notes, NOTES);
    assert_int_equal(attempts_read(text.bytes, read, NOTES), NOTES);
    for (unsigned i = 0; i < NOTES; i++) {
        assert_string_equal(read[i].source, notes[i].source);
        assert_string_equal(read[i].url, notes[i].url);
        assert_string_equal(read[i].what, notes[i].what);
        assert_int_equal(read[i].result, notes[i].result);
        assert_int_equal(read[i].cause, notes[i].cause);
        assert_int_equal(read[i].status, notes[i].status);
        assert_int_equal(read[i].started_ms, notes[i].started_ms);
        assert_int_equal(read[i].place_ms, notes[i].place_ms);
        assert_int_equal(read[i].head_ms, notes[i].head_ms);
        assert_int_equal(read[i].total_ms, notes[i].total_ms);
        assert_int_equal(read[i].bytes, notes[i].bytes);
    }
    assert_int_equal(attempts_read(text.bytes, read, 1), 1);
}

static void what_is_no_list_has_none(void **state) {
    (void)state;
    struct attempt_note read[1];
    static const char *const texts[] = {"", "[", "{}", "7", "[]", "null"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++)
        assert_int_equal(attempts_read(texts[i], read, 1), 0);
    assert_int_equal(attempts_read("[{\"result\": \"of later\", \"source\": 3}]", read, 1), 1);
    assert_int_equal(read[0].result, ATTEMPT_WAITING);
    assert_string_equal(read[0].source, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_is_no_list_has_none),
    };
    return RUN_TESTS(tests);
}
