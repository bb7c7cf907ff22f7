// SPDX-License-Identifier: MIT
#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { CAPACITY_AT_FIRST = 128 };

void buffer_init(struct buffer *buffer, size_t bytes_max) {
    /* One less than everything, so that the NUL behind the contents has its place too. */
    *buffer = (struct buffer){.bytes_max = bytes_max < SIZE_MAX ? bytes_max : SIZE_MAX - 1};
}

void buffer_release(struct buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct buffer){.bytes_max = buffer->bytes_max};
}

void buffer_cut(struct buffer *buffer, size_t length) {
    assert(length <= buffer->length);
    buffer->length = length;
    buffer->failed = false;
    if (buffer->bytes)
        buffer->bytes[length] = '\0';
}

void buffer_clear(struct buffer *buffer) {
    buffer_cut(buffer, 0);
}

/* Makes place for `length` more bytes and the NUL. */
static bool reserve(struct buffer *buffer, size_t length) {
    if (length > buffer->bytes_max - buffer->length)
        return false;
    size_t wanted = buffer->length + length + 1;
    if (buffer->bytes && wanted <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_AT_FIRST;
    while (capacity < wanted && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity < wanted || capacity > buffer->bytes_max + 1)
        capacity = buffer->bytes_max + 1;
    char *bytes = realloc(buffer->bytes, capacity);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    buffer->bytes[buffer->length] = '\0';
    return true;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length) {
    if (buffer->failed || !reserve(buffer, length)) {
        buffer->failed = true;
        return false;
    }
    if (length > 0)
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer_filled(buffer, length);
    return true;
}

bool buffer_append_text(struct buffer *buffer, const char *text) {
    return buffer_append(buffer, text, strlen(text));
}

static int format_behind(struct buffer *buffer, const char *format, va_list args) {
    size_t left = buffer->capacity - buffer->length;
    return vsnprintf(buffer->bytes + buffer->length, left, format, args);
}

bool buffer_format(struct buffer *buffer, const char *format, ...) {
    if (buffer->failed || !reserve(buffer, 0)) {
        buffer->failed = true;
        return false;
    }
    va_list args;
    va_start(args, format);
    int wanted = format_behind(buffer, format, args);
    va_end(args);
    if (wanted < 0 || !reserve(buffer, (size_t)wanted)) {
        buffer->bytes[buffer->length] = '\0';
        buffer->failed = true;
        return false;
    }
    va_start(args, format);
    format_behind(buffer, format, args);
    va_end(args);
    buffer_filled(buffer, (size_t)wanted);
    return true;
}

static size_t plain_length(const char *text) {
    size_t length = 0;
    while (text[length] >= ' ' && text[length] < 0x7F && text[length] != '"' &&
           text[length] != '\\')
        length++;
    return length;
}

bool buffer_append_json(struct buffer *buffer, const char *text) {
    size_t left = strlen(text);
    while (left > 0 && !buffer->failed) {
        size_t used = plain_length(text);
        if (used > 0) {
            buffer_append(buffer, text, used);
        } else {
            char piece[8];
            size_t escaped = text_escape_json_one(piece, text, left, &used);
            buffer_append(buffer, piece, escaped);
        }
        text += used;
        left -= used;
    }
    return !buffer->failed;
}

char *buffer_room(struct buffer *buffer, size_t length) {
    if (buffer->failed || !reserve(buffer, length))
        return NULL;
    return buffer->bytes + buffer->length;
}

void buffer_filled(struct buffer *buffer, size_t length) {
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void buffer_consume(struct buffer *buffer, size_t length) {
    if (length == 0)
        return;
    buffer->length -= length;
    memmove(buffer->bytes, buffer->bytes + length, buffer->length + 1);
}
