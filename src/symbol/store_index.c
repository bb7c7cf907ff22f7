// SPDX-License-Identifier: MIT
#include "symbol/store_index.h"

#include <string.h>

#include "base/text.h"

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void trim(const char **text, size_t *length) {
    for (; *length > 0 && is_blank(**text); (*length)--)
        (*text)++;
    while (*length > 0 && is_blank((*text)[*length - 1]))
        (*length)--;
}

/* Exactly ten digits at the start. */
static bool read_number(const char *text, size_t length, uint64_t *out_number) {
    uint64_t number = 0;
    if (length < STORE_INDEX_DIGITS)
        return false;
    for (size_t i = 0; i < STORE_INDEX_DIGITS; i++) {
        if (!is_digit(text[i]))
            return false;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    *out_number = number;
    return true;
}

void store_index_path(uint64_t transaction, char out[STORE_INDEX_PATH_BYTES]) {
    text_format(out, STORE_INDEX_PATH_BYTES, "000Admin/%010llu", (unsigned long long)transaction);
}

bool store_index_last(const char *bytes, size_t length, uint64_t *out_transaction) {
    trim(&bytes, &length);
    return length == STORE_INDEX_DIGITS && read_number(bytes, length, out_transaction);
}

/* Does the rest of a line begin with this word and a comma? Steps over both. */
static bool step_over(const char **at, size_t *length, const char *word) {
    size_t wanted = strlen(word);
    if (*length <= wanted || memcmp(*at, word, wanted) != 0 || (*at)[wanted] != ',')
        return false;
    *at += wanted + 1;
    *length -= wanted + 1;
    return true;
}

enum store_line store_index_transaction(const char *line, size_t length,
                                        uint64_t *out_transaction) {
    uint64_t number;
    trim(&line, &length);
    if (length == 0)
        return STORE_LINE_NONE;
    if (!read_number(line, length, &number))
        return STORE_LINE_BAD;
    line += STORE_INDEX_DIGITS;
    length -= STORE_INDEX_DIGITS;
    if (!step_over(&line, &length, ""))
        return STORE_LINE_BAD;
    if (step_over(&line, &length, "del"))
        return STORE_LINE_NONE;
    if (!step_over(&line, &length, "add") ||
        (!step_over(&line, &length, "file") && !step_over(&line, &length, "ptr")))
        return STORE_LINE_BAD;
    *out_transaction = number;
    return STORE_LINE_GOOD;
}

/* The first field, which a comma must follow: a line that was cut in it is not taken for whole. */
static bool first_field(const char *line, size_t length, const char **out_field,
                        size_t *out_length) {
    bool quoted = length > 0 && line[0] == '"';
    const char *begin = quoted ? line + 1 : line;
    const char *end = memchr(begin, quoted ? '"' : ',', length - (size_t)(begin - line));
    if (!end || (quoted && ((size_t)(end + 1 - line) >= length || end[1] != ',')))
        return false;
    *out_field = begin;
    *out_length = (size_t)(end - begin);
    return true;
}

static bool is_plain(const char *text) {
    return text_is_plain(text, strlen(text));
}

bool store_index_covers(const struct symbol_key *key) {
    return key->part == PART_ITSELF && is_plain(key->name) && is_plain(key->id);
}

/* "name\id", with one separator and no other: what could mean something else is not guessed at. */
static enum store_line read_field(const char *field, size_t length, struct symbol_key *out_key) {
    const char *separator = NULL;
    for (const char *at = field; at < field + length; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return STORE_LINE_BAD;
        if (*at != '\\' && *at != '/')
            continue;
        if (separator)
            return STORE_LINE_BAD;
        separator = at;
    }
    if (!separator || separator == field || separator + 1 == field + length)
        return STORE_LINE_BAD;
    struct spelling spelling = {.part = PART_ITSELF};
    size_t name = (size_t)(separator - field);
    bool fits = text_copy_n(spelling.name, sizeof spelling.name, field, name) &&
                text_copy_n(spelling.id, sizeof spelling.id, separator + 1, length - name - 1);
    if (!fits || !symbol_key_make(&spelling, out_key, NULL) || !store_index_covers(out_key))
        return STORE_LINE_NONE;
    return STORE_LINE_GOOD;
}

enum store_line store_index_file(const char *line, size_t length, struct symbol_key *out_key) {
    trim(&line, &length);
    const char *field;
    size_t field_length;
    if (length == 0)
        return STORE_LINE_NONE;
    if (!first_field(line, length, &field, &field_length))
        return STORE_LINE_BAD;
    return read_field(field, field_length, out_key);
}

/* --- lines ---------------------------------------------------------------------------------- */

static const char mark[] = {'\xef', '\xbb', '\xbf'};

static bool give(struct store_lines *lines) {
    const char *line = lines->line;
    size_t length = lines->length;
    if (!lines->begun && length >= sizeof mark && memcmp(line, mark, sizeof mark) == 0) {
        line += sizeof mark;
        length -= sizeof mark;
    }
    lines->begun = true;
    lines->length = 0;
    lines->number++;
    return lines->take(lines, line, length);
}

bool store_lines_add(struct store_lines *lines, const char *bytes, size_t length) {
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end ? (size_t)(end - bytes) : length;
        size_t room = sizeof lines->line - lines->length;
        memcpy(lines->line + lines->length, bytes, part < room ? part : room);
        lines->length += part < room ? part : room;
        if (end && !give(lines))
            return false;
        bytes += part + (end != NULL);
        length -= part + (end != NULL);
    }
    return true;
}

bool store_lines_end(struct store_lines *lines) {
    return lines->length == 0 || give(lines);
}
