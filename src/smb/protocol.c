// SPDX-License-Identifier: MIT
#include "smb/protocol.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

enum { FIELDS_MAX = 14, NUMBER_BYTES = 8, LENGTH_BYTES = 2 };

struct field {
    size_t at;     /* in struct smb_message */
    size_t size;   /* of a text with its NUL; 0: a number */
    uint64_t most; /* that a number may be */
};

#define NUMBER(member, most)                                                                       \
    { offsetof(struct smb_message, member), 0, (most) }
#define TEXT(member)                                                                               \
    { offsetof(struct smb_message, member), sizeof((struct smb_message *)NULL)->member, 0 }

/* The order is the order on the wire. */
static const struct field shapes[SMB_TYPE_COUNT][FIELDS_MAX + 1] = {
    [SMB_CONNECT] = {NUMBER(connect.version, UINT64_MAX), NUMBER(connect.port, UINT16_MAX),
                     NUMBER(connect.connect_ms, INT32_MAX), NUMBER(connect.silence_ms, INT32_MAX),
                     NUMBER(connect.folding, SMB_FOLDING_COUNT - 1), TEXT(connect.host),
                     TEXT(connect.share), TEXT(connect.directory), TEXT(connect.user),
                     TEXT(connect.domain), TEXT(connect.password), TEXT(connect.principal),
                     TEXT(connect.keytab), TEXT(connect.tickets)},
    [SMB_OPEN] = {TEXT(open.path)},
    [SMB_READ] = {NUMBER(read.offset, INT64_MAX), NUMBER(read.length, SMB_DATA_BYTES_MAX)},
    [SMB_OPENED] = {NUMBER(opened.size, INT64_MAX), NUMBER(opened.modified_ns, INT64_MAX),
                    NUMBER(opened.folding, SMB_FOLDING_COUNT - 1)},
    [SMB_ABSENT] = {NUMBER(absent.folding, SMB_FOLDING_COUNT - 1)},
    [SMB_FAILED] = {NUMBER(failed.os, INT32_MAX), TEXT(failed.kind), TEXT(failed.what),
                    TEXT(failed.hint)},
};

/* Offset 0 is the message's type, which is no field. */
static bool is_field(const struct field *field) {
    return field->at != 0;
}

static void put(unsigned char *out, uint64_t number, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        out[i] = (unsigned char)(number >> (8 * i));
}

static uint64_t get(const unsigned char *bytes, size_t count) {
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

void smb_head_write(const struct smb_head *head, unsigned char out[SMB_HEAD_BYTES]) {
    memset(out, 0, SMB_HEAD_BYTES);
    put(out, head->length, 4);
    out[4] = (unsigned char)head->type;
}

bool smb_head_read(const unsigned char bytes[SMB_HEAD_BYTES], struct smb_head *out_head) {
    size_t length = (size_t)get(bytes, 4);
    unsigned type = bytes[4];
    if (type >= SMB_TYPE_COUNT || get(bytes + 5, 3) != 0)
        return false;
    if (length > (type == SMB_DATA ? SMB_DATA_BYTES_MAX : SMB_FIELDS_BYTES_MAX))
        return false;
    *out_head = (struct smb_head){.type = (enum smb_type)type, .length = length};
    return true;
}

static size_t write_field(const struct field *field, const struct smb_message *message,
                          unsigned char *out) {
    const char *from = (const char *)message + field->at;
    if (field->size == 0) {
        uint64_t number;
        memcpy(&number, from, sizeof number);
        put(out, number, NUMBER_BYTES);
        return NUMBER_BYTES;
    }
    size_t length = strnlen(from, field->size - 1);
    put(out, length, LENGTH_BYTES);
    memcpy(out + LENGTH_BYTES, from, length);
    return LENGTH_BYTES + length;
}

size_t smb_message_write(const struct smb_message *message,
                         unsigned char out[SMB_HEAD_BYTES + SMB_FIELDS_BYTES_MAX]) {
    assert(message->type < SMB_TYPE_COUNT && message->type != SMB_DATA);
    size_t length = 0;
    for (const struct field *field = shapes[message->type]; is_field(field); field++)
        length += write_field(field, message, out + SMB_HEAD_BYTES + length);
    struct smb_head head = {.type = message->type, .length = length};
    smb_head_write(&head, out);
    return SMB_HEAD_BYTES + length;
}

/* How many bytes the field took; 0 when they are not one. */
static size_t read_field(const struct field *field, const unsigned char *bytes, size_t left,
                         struct smb_message *message) {
    char *to = (char *)message + field->at;
    if (field->size == 0) {
        uint64_t number = left >= NUMBER_BYTES ? get(bytes, NUMBER_BYTES) : 0;
        if (left < NUMBER_BYTES || number > field->most)
            return 0;
        memcpy(to, &number, sizeof number);
        return NUMBER_BYTES;
    }
    size_t length = left >= LENGTH_BYTES ? (size_t)get(bytes, LENGTH_BYTES) : SIZE_MAX;
    if (length >= field->size || length > left - LENGTH_BYTES ||
        memchr(bytes + LENGTH_BYTES, '\0', length))
        return 0;
    memcpy(to, bytes + LENGTH_BYTES, length);
    to[length] = '\0';
    return LENGTH_BYTES + length;
}

bool smb_message_read(const struct smb_head *head, const unsigned char *bytes,
                      struct smb_message *out_message) {
    *out_message = (struct smb_message){.type = head->type};
    size_t at = 0;
    for (const struct field *field = shapes[head->type]; is_field(field); field++) {
        size_t took = read_field(field, bytes + at, head->length - at, out_message);
        if (took == 0)
            return false;
        at += took;
        if (head->type == SMB_CONNECT && out_message->connect.version != SMB_VERSION)
            return true;
    }
    return at == head->length;
}

void smb_failed_write(const struct error *err, struct smb_message *out_message) {
    *out_message = (struct smb_message){.type = SMB_FAILED, .failed = {.os = (uint64_t)err->os}};
    struct smb_failed *failed = &out_message->failed;
    text_copy(failed->kind, sizeof failed->kind, error_kind_name(err->kind));
    text_copy(failed->what, sizeof failed->what, err->what);
    text_copy(failed->hint, sizeof failed->hint, err->hint);
}

void smb_failed_read(const struct smb_failed *failed, struct error *err) {
    enum error_kind kind = ERROR_NONE;
    for (unsigned i = 0; i < ERROR_KIND_COUNT; i++)
        if (strcmp(failed->kind, error_kind_name((enum error_kind)i)) == 0)
            kind = (enum error_kind)i;
    /* A failure stays one, whatever it calls itself. */
    error_set(err, kind == ERROR_NONE ? ERROR_SYSTEM : kind, "%s", failed->what);
    if (!err)
        return;
    err->os = (int)failed->os;
    if (failed->hint[0])
        error_hint(err, "%s", failed->hint);
}
