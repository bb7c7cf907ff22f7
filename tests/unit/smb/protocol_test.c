// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "smb/protocol.h"

static unsigned char wire[SMB_HEAD_BYTES + SMB_FIELDS_BYTES_MAX];

static struct smb_message sent_and_read(const struct smb_message *message) {
    struct smb_head head;
    struct smb_message got;
    size_t length = smb_message_write(message, wire);
    assert_true(smb_head_read(wire, &head));
    assert_int_equal(head.type, message->type);
    assert_int_equal(SMB_HEAD_BYTES + head.length, length);
    assert_true(smb_message_read(&head, wire + SMB_HEAD_BYTES, &got));
    assert_int_equal(got.type, message->type);
    return got;
}

static void test_connect_arrives_whole(void **state) {
    (void)state;
    struct smb_message message = {.type = SMB_CONNECT,
                                  .connect = {.version = SMB_VERSION,
                                              .port = 445,
                                              .connect_ms = 3000,
                                              .silence_ms = 60000,
                                              .folding = SMB_FOLDS_NOT,
                                              .host = "build",
                                              .share = "symbols",
                                              .directory = "a/b",
                                              .user = "alice",
                                              .domain = "HOUSE",
                                              .password = "s3cret",
                                              .principal = "svc@HOUSE",
                                              .keytab = "/etc/k",
                                              .tickets = "/var/t"}};
    struct smb_message got = sent_and_read(&message);
    assert_memory_equal(&got.connect, &message.connect, sizeof got.connect);
}

static void test_the_longest_texts_fit(void **state) {
    (void)state;
    struct smb_message message = {.type = SMB_CONNECT, .connect = {.version = SMB_VERSION}};
    struct smb_connect *connect = &message.connect;
    char *texts[] = {connect->host,     connect->share,     connect->user,
                     connect->password, connect->principal, connect->domain};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        memset(texts[i], 'x', SMB_WORD_BYTES - 1);
    memset(connect->directory, 'd', SMB_PATH_BYTES - 1);
    memset(connect->keytab, 'k', SMB_PATH_BYTES - 1);
    memset(connect->tickets, 't', SMB_PATH_BYTES - 1);
    struct smb_message got = sent_and_read(&message);
    assert_memory_equal(&got.connect, connect, sizeof *connect);
}

static void test_numbers_arrive(void **state) {
    (void)state;
    struct smb_message got = sent_and_read(&(struct smb_message){
        .type = SMB_READ, .read = {.offset = UINT64_C(0x0102030405060708), .length = 4096}});
    assert_true(got.read.offset == UINT64_C(0x0102030405060708));
    assert_int_equal(got.read.length, 4096);
    got = sent_and_read(&(struct smb_message){
        .type = SMB_OPENED, .opened = {.size = 5, .modified_ns = 7, .folding = SMB_FOLDS}});
    assert_int_equal(got.opened.folding, SMB_FOLDS);
    sent_and_read(&(struct smb_message){.type = SMB_CLOSE});
}

static void test_errors_arrive(void **state) {
    (void)state;
    struct error err = {0};
    struct smb_message message;
    error_os(&err, ERROR_RESET, 104, "could not read \"%s\"", "a.pdb");
    error_hint(&err, "See to it.");
    smb_failed_write(&err, &message);
    struct smb_message got = sent_and_read(&message);
    struct error read = {0};
    smb_failed_read(&got.failed, &read);
    assert_int_equal(read.kind, ERROR_RESET);
    assert_int_equal(read.os, 104);
    assert_string_equal(read.what, err.what);
    assert_string_equal(read.hint, err.hint);
}

static void test_an_unknown_failure_is_one(void **state) {
    (void)state;
    struct error err = {0};
    struct smb_failed failed = {.kind = "novel", .what = "what"};
    smb_failed_read(&failed, &err);
    assert_int_equal(err.kind, ERROR_SYSTEM);
    failed = (struct smb_failed){.kind = "none"};
    smb_failed_read(&failed, &err);
    assert_int_equal(err.kind, ERROR_SYSTEM);
    smb_failed_read(&failed, NULL);
}

static void test_heads_out_of_order_are_refused(void **state) {
    (void)state;
    struct smb_head head = {.type = SMB_DATA, .length = SMB_DATA_BYTES_MAX};
    smb_head_write(&head, wire);
    assert_true(smb_head_read(wire, &head));
    assert_int_equal(head.length, SMB_DATA_BYTES_MAX);
    head.length = SMB_DATA_BYTES_MAX + 1;
    smb_head_write(&head, wire);
    assert_false(smb_head_read(wire, &head));
    head = (struct smb_head){.type = SMB_OPEN, .length = SMB_FIELDS_BYTES_MAX + 1};
    smb_head_write(&head, wire);
    assert_false(smb_head_read(wire, &head));
    head = (struct smb_head){.type = SMB_TYPE_COUNT};
    smb_head_write(&head, wire);
    assert_false(smb_head_read(wire, &head));
    head = (struct smb_head){.type = SMB_CLOSE};
    smb_head_write(&head, wire);
    wire[6] = 1;
    assert_false(smb_head_read(wire, &head));
}

/* Every cut and every byte too many is refused, and nothing beyond the length is looked at. */
static void test_other_lengths_are_refused(void **state) {
    (void)state;
    struct smb_message message = {.type = SMB_FAILED,
                                  .failed = {.os = 2, .kind = "disk", .what = "w", .hint = "h"}};
    size_t length = smb_message_write(&message, wire) - SMB_HEAD_BYTES;
    struct smb_head head = {.type = SMB_FAILED};
    for (head.length = 0; head.length <= length + 1; head.length++) {
        struct smb_message got;
        assert_int_equal(smb_message_read(&head, wire + SMB_HEAD_BYTES, &got),
                         head.length == length);
    }
}

static bool reads_open(size_t told, const char *text, size_t length) {
    struct smb_head head = {.type = SMB_OPEN, .length = 2 + length};
    struct smb_message got;
    wire[0] = (unsigned char)told;
    wire[1] = (unsigned char)(told >> 8);
    memcpy(wire + 2, text, length);
    return smb_message_read(&head, wire, &got);
}

static void test_false_texts_are_refused(void **state) {
    (void)state;
    char full[SMB_PATH_BYTES];
    memset(full, 'x', sizeof full);
    assert_true(reads_open(3, "a/b", 3));
    assert_false(reads_open(4, "a/b", 3));
    assert_false(reads_open(3, "a\0b", 3));
    assert_true(reads_open(sizeof full - 1, full, sizeof full - 1));
    assert_false(reads_open(sizeof full, full, sizeof full));
    assert_false(reads_open(65535, full, 10));
}

static void test_numbers_out_of_range_are_refused(void **state) {
    (void)state;
    struct smb_message got;
    struct smb_message message = {.type = SMB_READ, .read = {.length = SMB_DATA_BYTES_MAX + 1}};
    struct smb_head head = {.type = SMB_READ,
                            .length = smb_message_write(&message, wire) - SMB_HEAD_BYTES};
    assert_false(smb_message_read(&head, wire + SMB_HEAD_BYTES, &got));
    message.read.length--;
    smb_message_write(&message, wire);
    assert_true(smb_message_read(&head, wire + SMB_HEAD_BYTES, &got));
    message = (struct smb_message){.type = SMB_ABSENT, .absent = {.folding = SMB_FOLDING_COUNT}};
    head = (struct smb_head){.type = SMB_ABSENT,
                             .length = smb_message_write(&message, wire) - SMB_HEAD_BYTES};
    assert_false(smb_message_read(&head, wire + SMB_HEAD_BYTES, &got));
}

/* A newer symgate's CONNECT may have another shape: its version is all that is read of it. */
static void test_another_version_is_told(void **state) {
    (void)state;
    memset(wire, 0, sizeof wire);
    wire[0] = SMB_VERSION + 1;
    struct smb_head head = {.type = SMB_CONNECT, .length = 11};
    struct smb_message got;
    assert_true(smb_message_read(&head, wire, &got));
    assert_int_equal(got.connect.version, SMB_VERSION + 1);
    head.length = 7;
    assert_false(smb_message_read(&head, wire, &got));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_arrives_whole),
        cmocka_unit_test(test_the_longest_texts_fit),
        cmocka_unit_test(test_numbers_arrive),
        cmocka_unit_test(test_errors_arrive),
        cmocka_unit_test(test_an_unknown_failure_is_one),
        cmocka_unit_test(test_heads_out_of_order_are_refused),
        cmocka_unit_test(test_other_lengths_are_refused),
        cmocka_unit_test(test_false_texts_are_refused),
        cmocka_unit_test(test_numbers_out_of_range_are_refused),
        cmocka_unit_test(test_another_version_is_told),
    };
    return cmocka_run_group_tests_name("smb/protocol", tests, NULL, NULL);
}
