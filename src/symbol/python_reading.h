// SPDX-License-Identifier: MIT
//
// How a Python pattern is read, shared by the files python*.c and nobody else: a recursive descent
// in one pass, in which each item is written out as soon as it is understood. An item is always
// written as one PCRE2 item, so a repeat can follow it as it is. Widths are kept because Python
// wants look-behinds of one fixed width.
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/utf8.h"
#include "symbol/python.h"

/* Which of its turns a repeated group keeps depends on how a matcher goes back, and there Python
 * and PCRE2 differ. */
#define REFERENCE_IN_REPEAT "a reference to a group inside of a repeat is not supported"

enum { WIDTH_MAX = 1 << 24 };

/* How many characters something matches; past WIDTH_MAX it does not matter. */
struct width {
    unsigned lo;
    unsigned hi;
};

/* The flags in force at some place. */
struct scope {
    bool ignore_case;
    bool multiline;
    bool dot_all;
    bool ascii;
    bool unicode; /* (?u) was written, which then excludes (?a) */
    bool verbose;
};

struct group {
    const char *name; /* NULL: has none */
    size_t name_length;
    bool closed;
    bool referred; /* a back reference or condition names it */
    bool repeated; /* lies in something that may match several times */
    struct width width;
};

struct reading {
    const char *text;
    const char *at;
    const char *end;
    const char *failed_at;
    struct error *err;
    struct buffer *out;
    struct scope global;
    unsigned nesting;
    unsigned lookbehinds;       /* open ones */
    unsigned lookbehind_groups; /* groups there were when the outermost of them was opened */
    unsigned
        condition_group;  /* the highest that a condition names by number: it may follow later */
    unsigned group_count; /* group 0, the whole, included */
    struct group groups[PYTHON_GROUPS_MAX];
};

enum item {
    ITEM_NONE,
    ITEM_ANCHOR, /* may not be repeated */
    ITEM_ATOM,
    ITEM_LOOK,
    ITEM_REPEAT,
};

/* One run of items, between bars and parentheses. */
struct sequence {
    struct scope scope;
    bool may_set_global; /* at the start of the whole pattern */
    enum item last;
    unsigned last_group; /* the first group that the last item may hold */
    struct width before; /* of all items but the last */
    struct width last_width;
};

static inline unsigned width_cap(uint64_t width) {
    return width < WIDTH_MAX ? (unsigned)width : WIDTH_MAX;
}

static inline struct width width_add(struct width a, struct width b) {
    return (struct width){width_cap((uint64_t)a.lo + b.lo), width_cap((uint64_t)a.hi + b.hi)};
}

static inline struct width width_either(struct width a, struct width b) {
    return (struct width){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

static const struct width width_none = {0, 0};
static const struct width width_one = {1, 1};

/* Counts one more item of a sequence, which has been written. */
static inline void sequence_add(struct sequence *sequence, enum item item, struct width width) {
    sequence->before = width_add(sequence->before, sequence->last_width);
    sequence->last = item;
    sequence->last_width = width;
}

static inline bool reading_at_end(const struct reading *reading) {
    return reading->at == reading->end;
}

static inline bool reading_next_is(const struct reading *reading, char byte) {
    return !reading_at_end(reading) && *reading->at == byte;
}

static inline bool reading_next_is_digit(const struct reading *reading) {
    return !reading_at_end(reading) && *reading->at >= '0' && *reading->at <= '9';
}

static inline bool reading_take_byte(struct reading *reading, char byte) {
    if (!reading_next_is(reading, byte))
        return false;
    reading->at++;
    return true;
}

/* The text was found to be UTF-8 before. */
static inline uint32_t reading_take_character(struct reading *reading) {
    return utf8_take(&reading->at);
}

/* Python reads a backslash and what follows as one, also where neither means anything. */
static inline void reading_skip_token(struct reading *reading) {
    if (reading_take_character(reading) == '\\' && !reading_at_end(reading))
        reading_take_character(reading);
}

static inline void reading_write(struct reading *reading, const char *text) {
    buffer_append_text(reading->out, text);
}

/* Ends the reading with a complaint about what stands at `at`; returns false. */
bool reading_fail(struct reading *reading, const char *at, const char *what);

/* Alternatives up to a closing parenthesis or the end. (python.c) */
bool reading_parse_alternatives(struct reading *reading, struct scope scope, bool outermost,
                                struct width *out_width);

/* One of the alternatives. (python.c) */
bool reading_parse_sequence(struct reading *reading, struct scope scope, bool may_set_global,
                            struct width *out_width);

/* An item that begins with a backslash. (python_escape.c) */
bool reading_parse_escape(struct reading *reading, struct sequence *sequence);

/* An item in brackets. (python_escape.c) */
bool reading_parse_set(struct reading *reading, struct sequence *sequence);

/* A back reference that was read from `begin` on. (python_escape.c) */
bool reading_parse_reference(struct reading *reading, struct sequence *sequence, unsigned group,
                             const char *begin);

/* May a group be referred to here: is it closed, and older than the look-behind that this is in?
 * (python_escape.c) */
bool reading_check_group(struct reading *reading, unsigned group, const char *begin);

/* An item in parentheses, or flags for the whole pattern. (python_group.c) */
bool reading_parse_group(struct reading *reading, struct sequence *sequence);
