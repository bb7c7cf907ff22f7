// SPDX-License-Identifier: MIT
#include "http/head.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/line.h"
#include "base/text.h"
#include "http/date.h"

enum {
    END_BYTES = 2,        /* kept free for the empty line */
    HEAD_BYTES_MIN = 128, /* status line, Date and end fit for sure */
    NUMBER_BYTES = 21,
};

static const struct status_text {
    int status;
    const char *text;
} status_texts[] = {
    {200, "OK"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
};

const char *head_status_text(int status) {
    for (size_t i = 0; i < sizeof status_texts / sizeof status_texts[0]; i++)
        if (status_texts[i].status == status)
            return status_texts[i].text;
    return "Status";
}

/* The line "Date: …" of the present second, made once a second and thread. */
static const char *date_line(void) {
    static _Thread_local int64_t made_for = INT64_MIN;
    static _Thread_local char line[sizeof "Date: \r\n" + DATE_BYTES];
    int64_t now = clock_wall_s();
    if (now != made_for) {
        char date[DATE_BYTES];
        date_format(now, date);
        snprintf(line, sizeof line, "Date: %s\r\n", date);
        made_for = now;
    }
    return line;
}

static char *put(char *out, const char *text, size_t length) {
    memcpy(out, text, length);
    return out + length;
}

static size_t head_room(const struct head *head) {
    return head->size - head->length - END_BYTES;
}

void head_begin(struct head *head, char *bytes, size_t size, int status) {
    assert(size >= HEAD_BYTES_MIN);
    *head = (struct head){.bytes = bytes, .size = size};
    assert(status >= 100 && status <= 999);
    struct line line;
    line_begin(&line, bytes, size);
    line_text(&line, "HTTP/1.1 ");
    line_number(&line, (uint64_t)status);
    line_text(&line, " ");
    line_text(&line, head_status_text(status));
    line_text(&line, "\r\n");
    line_text(&line, date_line());
    assert(line.length + END_BYTES <= size);
    head->length = line.length;
}

static void clean(char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
}

/* A line goes in whole or not at all. */
static void head_line(struct head *head, const char *name, const char *value, size_t length) {
    size_t name_length = strlen(name);
    size_t line_length = name_length + length + sizeof ": \r\n" - 1;
    if (line_length > head_room(head)) {
        head->overflow = true;
        return;
    }
    char *out = put(head->bytes + head->length, name, name_length);
    out = put(out, ": ", 2);
    char *value_at = out;
    out = put(out, value, length);
    put(out, "\r\n", 2);
    if (!text_is_plain(value_at, length))
        clean(value_at, length);
    head->length += line_length;
}

void head_field(struct head *head, const char *name, const char *value) {
    head_line(head, name, value, strlen(value));
}

void head_number(struct head *head, const char *name, uint64_t value) {
    char digits[NUMBER_BYTES];
    struct line line;
    line_begin(&line, digits, sizeof digits);
    line_number(&line, value);
    head_line(head, name, digits, line.length);
}

void head_date(struct head *head, const char *name, int64_t seconds) {
    char date[DATE_BYTES];
    date_format(seconds, date);
    head_field(head, name, date);
}

size_t head_end(struct head *head) {
    put(head->bytes + head->length, "\r\n", END_BYTES);
    head->length += END_BYTES;
    return head->length;
}
