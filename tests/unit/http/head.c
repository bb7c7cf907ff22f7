// SPDX-License-Identifier: MIT
#include "http/head.h"

#include <string.h>

#include "unit/base/check.h"
#include "unit/base/clock_fake.h"

#define DATE_LINE "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"

static void set_clock(void) {
    clock_fake_set_wall(1800000000);
}

static void a_head_is_written(void **state) {
    (void)state;
    char bytes[HEAD_BYTES_MAX];
    struct head head;
    set_clock();
    head_begin(&head, bytes, sizeof bytes, 206);
    head_field(&head, "Content-Type", "application/octet-stream");
    head_number(&head, "Content-Length", 0);
    head_number(&head, "X-Most", UINT64_MAX);
    head_date(&head, "Last-Modified", 784111777);
    head_field(&head, "X-Empty", "");
    size_t length = head_end(&head);
    static const char wanted[] =
        "HTTP/1.1 206 Partial Content\r\n" DATE_LINE "Content-Type: application/octet-stream\r\n"
        "Content-Length: 0\r\n"
        "X-Most: 18446744073709551615\r\n"
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "X-Empty: \r\n\r\n";
    assert_int_equal(length, sizeof wanted - 1);
    assert_memory_equal(bytes, wanted, length);
    assert_false(head.overflow);
}

static void values_cannot_split_a_head(void **state) {
    (void)state;
    char bytes[HEAD_BYTES_MAX];
    struct head head;
    set_clock();
    head_begin(&head, bytes, sizeof bytes, 404);
    head_field(&head, "X-Symgate-Reason", "a\r\nSet-Cookie: b\x01\x7f\t\xc3\xa9");
    size_t length = head_end(&head);
    static const char wanted[] = "HTTP/1.1 404 Not Found\r\n" DATE_LINE
                                 "X-Symgate-Reason: a  Set-Cookie: b   \xc3\xa9\r\n\r\n";
    assert_int_equal(length, sizeof wanted - 1);
    assert_memory_equal(bytes, wanted, length);
}

static void what_does_not_fit_is_left_out_whole(void **state) {
    (void)state;
    char bytes[128 + 8];
    char value[128];
    struct head head;
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = '\0';
    memset(bytes, '#', sizeof bytes);
    head_begin(&head, bytes, 128, 200);
    head_field(&head, "X-Long", value);
    assert_true(head.overflow);
    head_field(&head, "X-Short", "1");
    size_t length = head_end(&head);
    assert_true(length <= 128);
    assert_memory_equal(bytes + length - 16, "\r\nX-Short: 1\r\n\r\n", 16);
    assert_null(memmem(bytes, length, "X-Long", 6));
    assert_memory_equal(bytes + 128, "########", 8);
}

static void a_head_may_be_filled_to_the_last_byte(void **state) {
    (void)state;
    char bytes[128];
    char value[128];
    struct head head;
    head_begin(&head, bytes, sizeof bytes, 200);
    size_t room = sizeof bytes - head.length - 2 - strlen("X: \r\n");
    memset(value, 'v', room + 1);
    value[room + 1] = '\0';
    head_field(&head, "X", value);
    assert_true(head.overflow);
    value[room] = '\0';
    head_field(&head, "X", value);
    assert_int_equal(head_end(&head), sizeof bytes);
    assert_memory_equal(bytes + sizeof bytes - 5, "v\r\n\r\n", 5);
}

static void the_date_goes_with_the_clock(void **state) {
    (void)state;
    char bytes[HEAD_BYTES_MAX];
    struct head head;
    set_clock();
    head_begin(&head, bytes, sizeof bytes, 200);
    assert_non_null(memmem(bytes, head.length, "08:00:00", 8));
    clock_fake_set_wall(1800000061);
    head_begin(&head, bytes, sizeof bytes, 200);
    assert_non_null(memmem(bytes, head.length, "08:01:01", 8));
    set_clock();
    head_begin(&head, bytes, sizeof bytes, 200);
    assert_non_null(memmem(bytes, head.length, "08:00:00", 8));
}

static void statuses_have_texts(void **state) {
    (void)state;
    static const struct text {
        int status;
        const char *text;
    } texts[] = {{200, "OK"},
                 {206, "Partial Content"},
                 {304, "Not Modified"},
                 {400, "Bad Request"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {413, "Content Too Large"},
                 {414, "URI Too Long"},
                 {416, "Range Not Satisfiable"},
                 {431, "Request Header Fields Too Large"},
                 {501, "Not Implemented"},
                 {503, "Service Unavailable"},
                 {505, "HTTP Version Not Supported"},
                 {299, "Status"},
                 {-1, "Status"}};
    for (size_t i = 0; i < LENGTH_OF(texts); i++)
        assert_string_equal(head_status_text(texts[i].status), texts[i].text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_written),
        cmocka_unit_test(values_cannot_split_a_head),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
        cmocka_unit_test(a_head_may_be_filled_to_the_last_byte),
        cmocka_unit_test(the_date_goes_with_the_clock),
        cmocka_unit_test(statuses_have_texts),
    };
    return RUN_TESTS(tests);
}
