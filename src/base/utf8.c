// SPDX-License-Identifier: MIT
#include "base/utf8.h"

/* How many bytes follow the first of a character; -1 for a byte that begins none. */
static int bytes_after(unsigned char first) {
    if (first < 0x80)
        return 0;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

/* The first two bytes say whether a form is overlong, a surrogate, or too high. */
static bool second_fits(unsigned char first, unsigned char second) {
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

size_t utf8_length(const char *text, size_t left) {
    const unsigned char *at = (const unsigned char *)text;
    int after = left > 0 ? bytes_after(*at) : -1;
    if (after < 0 || (size_t)after >= left || (after > 0 && !second_fits(at[0], at[1])))
        return 0;
    for (int i = 1; i <= after; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return (size_t)after + 1;
}

bool utf8_valid(const char *text, size_t length) {
    for (size_t at = 0, character; at < length; at += character)
        if ((character = utf8_length(text + at, length - at)) == 0)
            return false;
    return true;
}

uint32_t utf8_take(const char **at) {
    const unsigned char *bytes = (const unsigned char *)*at;
    int after = bytes_after(bytes[0]);
    uint32_t character = after == 0 ? bytes[0] : bytes[0] & (0x3fU >> after);
    for (int i = 1; i <= after; i++)
        character = character << 6 | (bytes[i] & 0x3fU);
    *at += after + 1;
    return character;
}

static size_t put_character(char *out, uint32_t character) {
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    size_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const unsigned char firsts[] = {[2] = 0xc0, [3] = 0xe0, [4] = 0xf0};
    for (size_t i = length - 1; i > 0; i--, character >>= 6)
        out[i] = (char)(0x80 | (character & 0x3f));
    out[0] = (char)(firsts[length] | character);
    return length;
}

static uint32_t unit_at(const char *bytes, bool big_endian) {
    unsigned char first = (unsigned char)bytes[0], second = (unsigned char)bytes[1];
    return big_endian ? (uint32_t)first << 8 | second : (uint32_t)second << 8 | first;
}

size_t utf8_from_utf16(char *out, const char *bytes, size_t length, bool big_endian) {
    char *put = out;
    for (size_t at = 0; at + 2 <= length; at += 2) {
        uint32_t unit = unit_at(bytes + at, big_endian);
        uint32_t next = at + 4 <= length ? unit_at(bytes + at + 2, big_endian) : 0;
        bool pair = unit >> 10 == 0x36 && next >> 10 == 0x37;
        if (pair)
            unit = 0x10000 + ((unit & 0x3ff) << 10 | (next & 0x3ff));
        else if (unit >> 11 == 0x1b)
            unit = 0xfffd;
        put += put_character(put, unit);
        at += pair ? 2 : 0;
    }
    return (size_t)(put - out);
}

size_t utf8_from_latin1(char *out, const char *bytes, size_t length) {
    char *put = out;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x80) {
            *put++ = (char)byte;
            continue;
        }
        *put++ = (char)(0xc0 | byte >> 6);
        *put++ = (char)(0x80 | (byte & 0x3f));
    }
    return (size_t)(put - out);
}
