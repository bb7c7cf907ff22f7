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
