// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64 }; /* text_distance keeps three rows of this on the stack */

static char folded(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_copy_n(char *out, size_t size, const char *text, size_t length) {
    if (size == 0)
        return false;
    size_t taken = length < size ? length : size - 1;
    if (taken > 0)
        memcpy(out, text, taken);
    out[taken] = '\0';
    return taken == length;
}

bool text_copy(char *out, size_t size, const char *text) {
    return text_copy_n(out, size, text, strlen(text));
}

bool text_format(char *out, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(out, size, format, args);
    va_end(args);
    return wanted >= 0 && (size_t)wanted < size;
}

void text_fold(char *text) {
    for (; *text; text++)
        *text = folded(*text);
}

void text_raise(char *text) {
    for (; *text; text++)
        if (*text >= 'a' && *text <= 'z')
            *text = (char)(*text - ('a' - 'A'));
}

bool text_same(const char *a, const char *b) {
    while (*a && folded(*a) == folded(*b)) {
        a++;
        b++;
    }
    return folded(*a) == folded(*b);
}

bool text_is_plain(const char *text, size_t length) {
    /* Eight bytes at a time: the top bit of each is set where one is below space, DEL or beyond.
       What borrowing does to the bytes above happens only where the answer is no already. */
    const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;
    uint64_t odd = 0;
    size_t at = 0;
    for (; at + sizeof odd <= length; at += sizeof odd) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        odd |= word | (word - ' ' * ones) | ((word ^ 0x7F * ones) - ones);
    }
    for (; at < length; at++)
        odd |= (unsigned char)text[at] < ' ' || (unsigned char)text[at] >= 0x7F ? tops : 0;
    return (odd & tops) == 0;
}

bool text_starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_starts_folded(const char *text, const char *prefix) {
    while (*prefix && folded(*text) == folded(*prefix)) {
        text++;
        prefix++;
    }
    return *prefix == '\0';
}

bool text_ends_folded(const char *text, const char *suffix) {
    size_t length = strlen(text);
    size_t wanted = strlen(suffix);
    return length >= wanted && text_same(text + (length - wanted), suffix);
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (folded(c) >= 'a' && folded(c) <= 'f');
}

bool text_is_hex(const char *text, size_t length) {
    size_t count = 0;
    while (is_hex(text[count]))
        count++;
    if (text[count] != '\0' || count == 0)
        return false;
    return length == 0 || count == length;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b) {
    size_t a_length = strnlen(a, WORD_MAX + 1);
    size_t b_length = strnlen(b, WORD_MAX + 1);
    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return SIZE_MAX;
    size_t rows[3][WORD_MAX + 1] = {{0}};
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3];
        const size_t *before_last = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            now[j] = smaller(replaced, smaller(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], before_last[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}
