// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>

#include "symbol/python_reading.h"
#include "symbol/python_set.h"

#define WORD "[\\p{L}\\p{N}_]"
#define ASCII_WORD "[0-9A-Z_a-z]"
#define BOUNDARY(word) "(?:(?<=" word ")(?!" word ")|(?<!" word ")(?=" word "))"
#define NO_BOUNDARY(word) "(?:(?<=" word ")(?=" word ")|(?<!" word ")(?!" word "))"

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_octal(char byte) {
    return byte >= '0' && byte <= '7';
}

static bool is_letter(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static bool next_is_octal(const struct reading *reading) {
    return !reading_at_end(reading) && is_octal(*reading->at);
}

enum escape_kind { ESCAPE_CHARACTER, ESCAPE_CATEGORY, ESCAPE_ANCHOR, ESCAPE_REFERENCE };

struct escape {
    enum escape_kind kind;
    uint32_t character;
    enum category category;
    bool others;
    char anchor; /* its letter */
    unsigned group;
};

static bool take_hex(struct reading *reading, unsigned digits, const char *begin,
                     struct escape *out) {
    uint32_t number = 0;
    for (unsigned i = 0; i < digits; i++) {
        char byte = reading_at_end(reading) ? '\0' : *reading->at;
        unsigned folded = (unsigned)byte | 0x20U;
        if (is_digit(byte))
            number = number << 4 | (uint32_t)(byte - '0');
        else if (folded >= 'a' && folded <= 'f')
            number = number << 4 | (folded - 'a' + 10);
        else
            return reading_fail(reading, begin, "incomplete escape");
        reading->at++;
    }
    if (number > 0x10ffff)
        return reading_fail(reading, begin, "bad escape: there is no such character");
    if (number >= 0xd800 && number <= 0xdfff)
        return reading_fail(reading, begin, "half of a surrogate pair is not supported");
    out->character = number;
    return true;
}

static bool take_octal(struct reading *reading, unsigned digits_max, const char *begin,
                       struct escape *out) {
    uint32_t number = 0;
    for (unsigned i = 0; i < digits_max && next_is_octal(reading); i++)
        number = number * 8 + (uint32_t)(*reading->at++ - '0');
    if (number > 0377)
        return reading_fail(reading, begin, "octal escape outside of range 0-0o377");
    out->character = number;
    return true;
}

bool reading_check_group(struct reading *reading, unsigned group, const char *begin) {
    if (!reading->groups[group].closed)
        return reading_fail(reading, begin, "cannot refer to an open group");
    if (reading->lookbehinds > 0 && group >= reading->lookbehind_groups)
        return reading_fail(reading, begin,
                            "cannot refer to a group defined in the same look-behind");
    if (reading->groups[group].repeated)
        return reading_fail(reading, begin, REFERENCE_IN_REPEAT);
    reading->groups[group].referred = true;
    return true;
}

/* "\1" to "\99", or three octal digits; the first digit is next and not "0". */
static bool take_digits_escape(struct reading *reading, const char *begin, struct escape *out) {
    const char *digits = reading->at;
    ptrdiff_t left = reading->end - digits;
    if (left >= 3 && is_octal(digits[0]) && is_octal(digits[1]) && is_octal(digits[2]))
        return take_octal(reading, 3, begin, out);
    unsigned group = 0;
    for (int i = 0; i < 2 && reading_next_is_digit(reading); i++)
        group = group * 10 + (unsigned)(*reading->at++ - '0');
    if (group >= reading->group_count)
        return reading_fail(reading, begin, "invalid group reference");
    out->kind = ESCAPE_REFERENCE;
    out->group = group;
    return reading_check_group(reading, group, begin);
}

static bool escape_of_letter(char letter, struct escape *out) {
    static const char letters[] = "afnrtv";
    static const char characters[] = "\a\f\n\r\t\v";
    const char *found = strchr(letters, letter);
    if (!found)
        return false;
    out->character = (unsigned char)characters[found - letters];
    return true;
}

static bool escape_of_category(char letter, struct escape *out) {
    static const char letters[] = "dswDSW";
    const char *found = strchr(letters, letter);
    if (!found)
        return false;
    size_t index = (size_t)(found - letters);
    out->kind = ESCAPE_CATEGORY;
    out->category = (enum category)(index % CATEGORY_COUNT);
    out->others = index >= CATEGORY_COUNT;
    return true;
}

static bool take_letter_escape(struct reading *reading, const char *begin, bool in_set,
                               struct escape *out) {
    char letter = *reading->at++;
    if (escape_of_letter(letter, out) || escape_of_category(letter, out))
        return true;
    if (in_set && letter == 'b') {
        out->character = '\b';
        return true;
    }
    if (!in_set && strchr("AbBZ", letter)) {
        out->kind = ESCAPE_ANCHOR;
        out->anchor = letter;
        return true;
    }
    if (letter == 'x')
        return take_hex(reading, 2, begin, out);
    if (letter == 'u')
        return take_hex(reading, 4, begin, out);
    if (letter == 'U')
        return take_hex(reading, 8, begin, out);
    if (letter == 'N')
        return reading_fail(reading, begin, "names of characters (\\N{…}) are not supported");
    return reading_fail(reading, begin, "bad escape");
}

/* What follows a backslash, which is taken too. */
static bool take_escape(struct reading *reading, bool in_set, struct escape *out) {
    const char *begin = reading->at++;
    *out = (struct escape){ESCAPE_CHARACTER};
    if (reading_at_end(reading))
        return reading_fail(reading, begin, "bad escape (end of pattern)");
    char byte = *reading->at;
    if (is_letter(byte))
        return take_letter_escape(reading, begin, in_set, out);
    if (!in_set && byte == '0')
        return take_octal(reading, 3, begin, out);
    if (is_digit(byte) && !in_set)
        return take_digits_escape(reading, begin, out);
    if (is_octal(byte))
        return take_octal(reading, 3, begin, out);
    if (is_digit(byte))
        return reading_fail(reading, begin, "bad escape");
    out->character = reading_take_character(reading);
    return true;
}

static void write_anchor(struct reading *reading, char letter, bool ascii) {
    if (letter == 'A')
        reading_write(reading, "\\A");
    else if (letter == 'Z')
        reading_write(reading, "\\z");
    else if (letter == 'b')
        reading_write(reading, ascii ? BOUNDARY(ASCII_WORD) : BOUNDARY(WORD));
    else
        reading_write(reading, ascii ? NO_BOUNDARY(ASCII_WORD) : NO_BOUNDARY(WORD));
}

bool reading_parse_reference(struct reading *reading, struct sequence *sequence, unsigned group,
                             const char *begin) {
    if (sequence->scope.ignore_case)
        return reading_fail(reading, begin, "a back reference together with (?i) is not supported");
    buffer_format(reading->out, "\\g{%u}", group);
    sequence_add(sequence, ITEM_ATOM, reading->groups[group].width);
    return true;
}

bool reading_parse_escape(struct reading *reading, struct sequence *sequence) {
    const char *begin = reading->at;
    const struct scope *scope = &sequence->scope;
    struct escape escape;
    if (!take_escape(reading, false, &escape))
        return false;
    switch (escape.kind) {
    case ESCAPE_CHARACTER:
        set_write_character(escape.character, scope->ignore_case, reading->out);
        break;
    case ESCAPE_CATEGORY: {
        CLEANUP(set_release) struct set set;
        set_init(&set);
        set_add_category(&set, escape.category, escape.others, scope->ascii);
        set_write(&set, false, reading->out);
        break;
    }
    case ESCAPE_ANCHOR:
        write_anchor(reading, escape.anchor, scope->ascii);
        sequence_add(sequence, ITEM_ANCHOR, width_none);
        return true;
    case ESCAPE_REFERENCE:
        return reading_parse_reference(reading, sequence, escape.group, begin);
    }
    sequence_add(sequence, ITEM_ATOM, width_one);
    return true;
}

static bool take_member(struct reading *reading, struct escape *out) {
    if (reading_next_is(reading, '\\'))
        return take_escape(reading, true, out);
    *out = (struct escape){ESCAPE_CHARACTER, .character = reading_take_character(reading)};
    return true;
}

static void set_add_member(struct set *set, const struct escape *member, bool ascii) {
    if (member->kind == ESCAPE_CATEGORY)
        set_add_category(set, member->category, member->others, ascii);
    else
        set_add_range(set, member->character, member->character);
}

/* A member, or a range of members. The hyphen before the closing bracket stands for itself. */
static bool parse_member(struct reading *reading, struct set *set, bool ascii) {
    const char *begin = reading->at;
    struct escape first;
    struct escape last;
    if (!take_member(reading, &first))
        return false;
    bool range =
        reading_next_is(reading, '-') && reading->at + 1 < reading->end && reading->at[1] != ']';
    if (!range) {
        set_add_member(set, &first, ascii);
        return true;
    }
    reading->at++;
    if (!take_member(reading, &last))
        return false;
    if (first.kind != ESCAPE_CHARACTER || last.kind != ESCAPE_CHARACTER ||
        last.character < first.character)
        return reading_fail(reading, begin, "bad character range");
    set_add_range(set, first.character, last.character);
    return true;
}

bool reading_parse_set(struct reading *reading, struct sequence *sequence) {
    const char *begin = reading->at++;
    CLEANUP(set_release) struct set set;
    set_init(&set);
    set.negated = reading_take_byte(reading, '^');
    bool first = true;
    while (first || !reading_next_is(reading, ']')) {
        if (reading_at_end(reading))
            return reading_fail(reading, begin, "unterminated character set");
        if (!parse_member(reading, &set, sequence->scope.ascii))
            return false;
        first = false;
    }
    reading->at++;
    set_write(&set, sequence->scope.ignore_case, reading->out);
    sequence_add(sequence, ITEM_ATOM, width_one);
    return true;
}
