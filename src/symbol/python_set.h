// SPDX-License-Identifier: MIT
//
// Sets of characters on their way from Python's syntax to PCRE2's: what stands in brackets, \w and
// its like, and single letters under (?i). Used by symbol/python.c alone. A set lies on the stack
// and owns its buffer.
#pragma once

#include <stdint.h>

#include "base/buffer.h"

enum category { CATEGORY_DIGIT, CATEGORY_SPACE, CATEGORY_WORD, CATEGORY_COUNT };

struct set {
    struct buffer body; /* what will stand between the brackets */
    bool negated;       /* [^…] */
    bool
        other_than_word; /* \W, which PCRE2 cannot write inside of brackets with Python's meaning */
    unsigned folds;      /* bits: which of the letter families below are touched */
};

/* An empty set. */
void set_init(struct set *set);
void set_release(struct set *set);

/* Adds the characters from lo to hi. */
void set_add_range(struct set *set, uint32_t lo, uint32_t hi);

/* Adds \d, \s or \w, or all others (\D, \S, \W); ASCII only as under (?a). */
void set_add_category(struct set *set, enum category category, bool others, bool ascii);

/* Appends the set to out as one item. With ignore_case the letters are added that Python takes for
   equal and PCRE2's caseless matching does not. */
void set_write(struct set *set, bool ignore_case, struct buffer *out);

/* Appends one character as itself. */
void set_write_character(uint32_t character, bool ignore_case, struct buffer *out);
