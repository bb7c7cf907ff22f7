// SPDX-License-Identifier: MIT
#include "symbol/python_set.h"

enum { SET_BYTES_MAX = 256 * 1024 };

/* str.isspace(), which is neither PCRE2's \s nor its [:space:]; and everything else. */
#define SPACES                                                                                     \
    "\\x{9}-\\x{d}\\x{1c}-\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"     \
    "\\x{202f}\\x{205f}\\x{3000}"
#define NOT_SPACES                                                                                 \
    "\\x{0}-\\x{8}\\x{e}-\\x{1b}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{"     \
    "1fff}"                                                                                        \
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{"   \
    "d7ff}"                                                                                        \
    "\\x{e000}-\\x{10ffff}"
#define NOT_ASCII "\\x{7f}-\\x{d7ff}\\x{e000}-\\x{10ffff}"
#define WORDS                                                                                      \
    "\\p{L}\\p{N}_" /* str.isalnum() and the underscore; newer PCRE2s take more for \w             \
                     */

struct category_text {
    const char *these;
    const char *others; /* NULL: cannot be written as part of a set */
};

static const struct category_text unicode_texts[] = {
    [CATEGORY_DIGIT] = {"\\p{Nd}", "\\P{Nd}"},
    [CATEGORY_SPACE] = {SPACES, NOT_SPACES},
    [CATEGORY_WORD] = {WORDS, NULL},
};

static const struct category_text ascii_texts[] = {
    [CATEGORY_DIGIT] = {"0-9", "\\x{0}-\\x{2f}\\x{3a}-\\x{7e}" NOT_ASCII},
    [CATEGORY_SPACE] = {"\\x{9}-\\x{d}\\x{20}",
                        "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{7e}" NOT_ASCII},
    [CATEGORY_WORD] = {"0-9A-Z_a-z", "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}"
                                     "\\x{7b}-\\x{7e}" NOT_ASCII},
};

/* Letters that are equal under (?i) for Python but not for Unicode's simple case folding, by which
   PCRE2 goes: found by comparing both for every letter that has a case. */
static const struct family {
    uint32_t letters[4];
    const char *text;
} families[] = {
    {{'I', 'i', 0x130, 0x131}, "Ii\\x{130}\\x{131}"},
    {{0x390, 0x1fd3}, "\\x{390}\\x{1fd3}"},
    {{0x3b0, 0x1fe3}, "\\x{3b0}\\x{1fe3}"},
    {{0xfb05, 0xfb06}, "\\x{fb05}\\x{fb06}"},
};

enum { FAMILIES = sizeof families / sizeof families[0] };

static unsigned families_touched(uint32_t lo, uint32_t hi) {
    unsigned touched = 0;
    for (unsigned i = 0; i < FAMILIES; i++)
        for (unsigned k = 0; k < 4 && families[i].letters[k]; k++)
            if (families[i].letters[k] >= lo && families[i].letters[k] <= hi)
                touched |= 1U << i;
    return touched;
}

static void write_plain(uint32_t character, struct buffer *out) {
    bool digit = character >= '0' && character <= '9';
    uint32_t folded = character | 0x20;
    bool letter = character < 0x80 && folded >= 'a' && folded <= 'z';
    if (digit || letter)
        buffer_format(out, "%c", (int)character);
    else
        buffer_format(out, "\\x{%x}", (unsigned)character);
}

void set_init(struct set *set) {
    *set = (struct set){0};
    buffer_init(&set->body, SET_BYTES_MAX);
}

void set_release(struct set *set) {
    buffer_release(&set->body);
}

void set_add_range(struct set *set, uint32_t lo, uint32_t hi) {
    write_plain(lo, &set->body);
    if (hi > lo) {
        buffer_append_text(&set->body, "-");
        write_plain(hi, &set->body);
    }
    set->folds |= families_touched(lo, hi);
}

void set_add_category(struct set *set, enum category category, bool others, bool ascii) {
    const struct category_text *texts = ascii ? ascii_texts : unicode_texts;
    const char *text = others ? texts[category].others : texts[category].these;
    if (text)
        buffer_append_text(&set->body, text);
    else
        set->other_than_word = true;
}

static void write_brackets(const struct set *set, bool negated, struct buffer *out) {
    buffer_append_text(out, negated ? "[^" : "[");
    buffer_append(out, set->body.bytes, set->body.length);
    buffer_append_text(out, "]");
}

/* [a\W] is a or no word character; [^a\W] is a word character but a. */
static void write_with_other_than_word(const struct set *set, struct buffer *out) {
    bool alone = set->body.length == 0;
    buffer_append_text(out, "(?:");
    if (!alone && set->negated)
        buffer_append_text(out, "(?!");
    if (!alone)
        write_brackets(set, false, out);
    if (!alone)
        buffer_append_text(out, set->negated ? ")" : "|");
    buffer_append_text(out, set->negated ? "[" WORDS "]" : "[^" WORDS "]");
    buffer_append_text(out, ")");
}

void set_write(struct set *set, bool ignore_case, struct buffer *out) {
    for (unsigned i = 0; ignore_case && i < FAMILIES; i++)
        if (set->folds & 1U << i)
            buffer_append_text(&set->body, families[i].text);
    if (set->body.failed)
        out->failed = true;
    if (set->other_than_word)
        write_with_other_than_word(set, out);
    else
        write_brackets(set, set->negated, out);
}

void set_write_character(uint32_t character, bool ignore_case, struct buffer *out) {
    unsigned touched = ignore_case ? families_touched(character, character) : 0;
    for (unsigned i = 0; i < FAMILIES; i++) {
        if (touched & 1U << i) {
            buffer_format(out, "[%s]", families[i].text);
            return;
        }
    }
    write_plain(character, out);
}
