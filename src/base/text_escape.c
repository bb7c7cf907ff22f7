// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

/* Where escaped text goes: pieces are put whole or not at all, and nothing follows a piece that was
 * left out. */
struct piece_writer {
    char *out;
    size_t size;
    size_t used;
    bool full;
};

static struct piece_writer writer_on(char *out, size_t size) {
    if (size > 0)
        out[0] = '\0';
    return (struct piece_writer){.out = out, .size = size, .full = size == 0};
}

static bool put(struct piece_writer *writer, const char *piece, size_t length) {
    if (writer->full || length >= writer->size - writer->used) {
        writer->full = true;
        return false;
    }
    memcpy(writer->out + writer->used, piece, length);
    writer->used += length;
    writer->out[writer->used] = '\0';
    return true;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

size_t text_decode_percent(char *out, const char *text, size_t length, bool *out_ok) {
    size_t used = 0;
    *out_ok = true;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            out[used++] = text[i];
            continue;
        }
        int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low < 0) {
            *out_ok = false;
            out[used++] = '%';
            continue;
        }
        out[used++] = (char)(high * 16 + low);
        i += 2;
    }
    return used;
}

static bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_encode_percent(char *out, size_t size, const char *text, const char *keep) {
    static const char digits[] = "0123456789ABCDEF";
    struct piece_writer writer = writer_on(out, size);
    for (; *text && !writer.full; text++) {
        unsigned char byte = (unsigned char)*text;
        char piece[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        if (is_letter_or_digit(*text) || strchr("-._~", *text) || (keep && strchr(keep, *text)))
            put(&writer, text, 1);
        else
            put(&writer, piece, sizeof piece);
    }
    return !writer.full;
}

/* Is the character of `length` bytes a control character of the C0 or the C1 set, or one that turns
   the direction of writing (U+202A to U+202E, U+2066 to U+2069)? Returns its number, or -1. */
static int control_number(const unsigned char *at, size_t length) {
    if (length == 1 && (at[0] < 0x20 || at[0] == 0x7F))
        return at[0];
    if (length == 2 && at[0] == 0xC2 && at[1] < 0xA0)
        return at[1];
    bool embeds = length == 3 && at[1] == 0x80 && at[2] >= 0xAA && at[2] <= 0xAE;
    bool isolates = length == 3 && at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9;
    if (at[0] == 0xE2 && (embeds || isolates))
        return 0x2000 + ((at[1] - 0x80) << 6) + (at[2] - 0x80);
    return -1;
}

/* The part that JSON and HTML have in common. Returns 0 for a character that may stand as it is. */
static size_t escape_odd(char piece[8], const char *text, size_t length, size_t *out_used) {
    const unsigned char *at = (const unsigned char *)text;
    size_t character = utf8_length(text, length);
    *out_used = character ? character : 1;
    if (character == 0) {
        memcpy(piece, "\xEF\xBF\xBD", 4); /* U+FFFD */
        return 3;
    }
    int control = control_number(at, character);
    if (control < 0)
        return 0;
    snprintf(piece, 8, "\\u%04x", (unsigned)control & 0xFFFF);
    return 6;
}

size_t text_escape_json_one(char piece[8], const char *text, size_t length, size_t *out_used) {
    size_t escaped = escape_odd(piece, text, length, out_used);
    if (escaped > 0)
        return escaped;
    if (*text == '"' || *text == '\\') {
        piece[0] = '\\';
        piece[1] = *text;
        return 2;
    }
    memcpy(piece, text, *out_used);
    return *out_used;
}

void text_escape_json(char *out, size_t size, const char *text, size_t length) {
    struct piece_writer writer = writer_on(out, size);
    for (size_t at = 0; at < length && !writer.full;) {
        char piece[8];
        size_t used = 0;
        size_t escaped = text_escape_json_one(piece, text + at, length - at, &used);
        put(&writer, piece, escaped);
        at += used;
    }
}

static const char *html_entity(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static const char *terminal_mark(char c) {
    return c == '\n' ? "\n" : c == '\t' ? "\t" : NULL;
}

/* Escapes odd characters, and writes for others what `instead` says of them, if it says anything.
 */
static void escape_text(char *out, size_t size, const char *text, const char *(*instead)(char)) {
    struct piece_writer writer = writer_on(out, size);
    size_t length = strlen(text);
    for (size_t at = 0; at < length && !writer.full;) {
        char piece[8];
        size_t used = 1;
        const char *other = instead(text[at]);
        size_t escaped = other ? 0 : escape_odd(piece, text + at, length - at, &used);
        if (other)
            put(&writer, other, strlen(other));
        else if (escaped > 0)
            put(&writer, piece, escaped);
        else
            put(&writer, text + at, used);
        at += used;
    }
}

void text_escape_html(char *out, size_t size, const char *text) {
    escape_text(out, size, text, html_entity);
}

void text_escape_terminal(char *out, size_t size, const char *text) {
    escape_text(out, size, text, terminal_mark);
}

bool text_quote_shell(char *out, size_t size, const char *text) {
    static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "._/+@%=:,-";
    if (text[0] && text[0] != '-' && text[strspn(text, harmless)] == '\0')
        return text_copy(out, size, text);
    struct piece_writer writer = writer_on(out, size);
    const char *begin = text[0] == '-' ? "-- '" : "'";
    put(&writer, begin, strlen(begin));
    for (; *text; text++)
        put(&writer, *text == '\'' ? "'\\''" : text, *text == '\'' ? 4 : 1);
    return put(&writer, "'", 1);
}
