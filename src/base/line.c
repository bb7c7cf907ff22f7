// SPDX-License-Identifier: MIT
#include "base/line.h"

#include <assert.h>
#include <string.h>

enum { DIGITS_MAX = 20, HEX_DIGITS_MAX = 16, US_PER_TENTH = 100 };

void line_begin(struct line *line, char *bytes, size_t size) {
    assert(size > 0);
    *line = (struct line){.bytes = bytes, .size = size};
    bytes[0] = '\0';
}

void line_bytes(struct line *line, const char *bytes, size_t length) {
    size_t room = line->size - 1 - line->length;
    if (length > room) {
        line->cut = true;
        length = room;
    }
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
    line->bytes[line->length] = '\0';
}

void line_text(struct line *line, const char *text) {
    line_bytes(line, text, strlen(text));
}

void line_number(struct line *line, uint64_t number) {
    char digits[DIGITS_MAX];
    char *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    line_bytes(line, first, (size_t)(digits + sizeof digits - first));
}

void line_hex(struct line *line, uint64_t number, unsigned digits) {
    char out[HEX_DIGITS_MAX];
    unsigned used = 0;
    for (; number > 0 || used < digits || used == 0; number >>= 4)
        out[sizeof out - ++used] = "0123456789abcdef"[number & 15U];
    line_bytes(line, out + sizeof out - used, used);
}

void line_ms(struct line *line, int64_t us) {
    uint64_t tenths = us > 0 ? ((uint64_t)us + US_PER_TENTH / 2) / US_PER_TENTH : 0;
    line_number(line, tenths / 10);
    char rest[2] = {'.', (char)('0' + tenths % 10)};
    line_bytes(line, rest, sizeof rest);
}
