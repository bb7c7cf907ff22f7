// SPDX-License-Identifier: MIT
#include "symbol/question.h"

#include <string.h>

#include "base/text.h"

enum {
    ALGORITHM_BYTES_MAX = 16,
    DIGITS_MIN = 32,
    DIGITS_MAX = 128,
};

bool question_same(const struct question *a, const struct question *b) {
    return spelling_equal(&a->spelling, &b->spelling);
}

static bool is_letter_or_digit(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || byte == '-';
}

static bool is_digit(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

/* "SHA256:0123…" */
static bool is_checksum(const char *word, size_t length) {
    const char *colon = memchr(word, ':', length);
    if (!colon || colon == word || colon - word > ALGORITHM_BYTES_MAX)
        return false;
    for (const char *at = word; at < colon; at++)
        if (!is_letter_or_digit(*at))
            return false;
    size_t digits = (size_t)(word + length - colon) - 1;
    if (digits < DIGITS_MIN || digits > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits; i++)
        if (!is_digit(colon[1 + i]))
            return false;
    return true;
}

/* Takes out what is from `at` up to the next ";", and that. */
static void take_out(char *at) {
    const char *next = strchr(at, ';');
    if (next)
        memmove(at, next + 1, strlen(next + 1) + 1);
    else
        *at = '\0';
}

static void take_out_same(char *checksums, const char *word, size_t length) {
    for (char *at = checksums; *at;) {
        if (strncmp(at, word, length) == 0 && (at[length] == ';' || !at[length])) {
            take_out(at);
            return;
        }
        at += strcspn(at, ";");
        at += *at == ';';
    }
}

static void add(struct question *question, const char *word, size_t length) {
    char *checksums = question->checksums;
    take_out_same(checksums, word, length);
    size_t used = strlen(checksums);
    if (used > 0 && checksums[used - 1] == ';')
        checksums[--used] = '\0';
    while (used > 0 && used + 1 + length >= CHECKSUMS_BYTES) {
        take_out(checksums);
        used = strlen(checksums);
    }
    if (used > 0)
        checksums[used++] = ';';
    text_copy_n(checksums + used, CHECKSUMS_BYTES - used, word, length);
}

void question_add_checksums(struct question *question, const char *value, size_t length) {
    const char *end = value + length;
    while (value < end) {
        const char *word = value;
        while (value < end && *value != ';' && *value != ',' && *value != ' ' && *value != '\t')
            value++;
        if (is_checksum(word, (size_t)(value - word)))
            add(question, word, (size_t)(value - word));
        value++;
    }
}
