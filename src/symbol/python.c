// SPDX-License-Identifier: MIT
#include "symbol/python.h"

#include <string.h>

#include "symbol/python_reading.h"
#include "symbol/python_set.h"

bool reading_fail(struct reading *reading, const char *at, const char *what) {
    reading->failed_at = at;
    return error_set(reading->err, ERROR_INVALID, "%s", what);
}

struct repeat {
    unsigned min;
    unsigned max;
    bool endless;
};

static bool take_count(struct reading *reading, unsigned *count) {
    bool any = false;
    for (; reading_next_is_digit(reading); reading->at++, any = true)
        *count = width_cap((uint64_t)*count * 10 + (unsigned)(*reading->at - '0'));
    return any;
}

/* "{2}", "{2,}", "{,3}" and "{2,3}"; anything else after the brace makes it stand for itself. */
static bool take_braces(struct reading *reading, struct repeat *out) {
    const char *begin = reading->at++;
    *out = (struct repeat){0};
    bool has_min = take_count(reading, &out->min);
    bool has_comma = reading_take_byte(reading, ',');
    bool has_max = has_comma && take_count(reading, &out->max);
    if (!has_comma)
        out->max = out->min;
    out->endless = has_comma && !has_max;
    if ((has_min || has_comma) && reading_take_byte(reading, '}'))
        return true;
    reading->at = begin;
    return false;
}

static bool take_repeat(struct reading *reading, struct repeat *out) {
    if (reading_next_is(reading, '{'))
        return take_braces(reading, out);
    char byte = *reading->at++;
    *out = (struct repeat){byte == '+' ? 1 : 0, 1, byte != '?'};
    return true;
}

static bool check_repeat(struct reading *reading, const struct sequence *sequence,
                         const struct repeat *repeat, const char *begin) {
    if (!repeat->endless && repeat->max < repeat->min)
        return reading_fail(reading, begin, "min repeat greater than max repeat");
    if (repeat->min > PYTHON_REPEAT_MAX || repeat->max > PYTHON_REPEAT_MAX)
        return reading_fail(reading, begin, "a repeat over 65535 is not supported");
    switch (sequence->last) {
    case ITEM_NONE:
    case ITEM_ANCHOR:
        return reading_fail(reading, begin, "nothing to repeat");
    case ITEM_REPEAT:
        return reading_fail(reading, begin, "multiple repeat");
    case ITEM_LOOK:
        return reading_fail(reading, begin,
                            "a repeated look-ahead or look-behind is not supported");
    case ITEM_ATOM:
        break;
    }
    return true;
}

static struct width width_repeat(struct width width, const struct repeat *repeat) {
    uint64_t max = repeat->endless ? WIDTH_MAX : repeat->max;
    return (struct width){width_cap((uint64_t)width.lo * repeat->min),
                          width_cap((uint64_t)width.hi * max)};
}

/* The groups from first on. One that is referred to already is so from inside of the same item. */
static bool mark_repeated(struct reading *reading, unsigned first, const char *begin) {
    for (unsigned i = first; i < reading->group_count; i++) {
        if (reading->groups[i].referred)
            return reading_fail(reading, begin, REFERENCE_IN_REPEAT);
        reading->groups[i].repeated = true;
    }
    return true;
}

static bool parse_repeat(struct reading *reading, struct sequence *sequence) {
    const char *begin = reading->at;
    struct repeat repeat;
    if (!take_repeat(reading, &repeat)) {
        reading->at++;
        set_write_character('{', false, reading->out);
        sequence_add(sequence, ITEM_ATOM, width_one);
        return true;
    }
    if (!check_repeat(reading, sequence, &repeat, begin))
        return false;
    if (repeat.endless)
        buffer_format(reading->out, "{%u,}", repeat.min);
    else
        buffer_format(reading->out, "{%u,%u}", repeat.min, repeat.max);
    if (reading_take_byte(reading, '?'))
        reading_write(reading, "?");
    else if (reading_take_byte(reading, '+'))
        reading_write(reading, "+");
    bool several = repeat.endless || repeat.max > 1;
    if (several && !mark_repeated(reading, sequence->last_group, begin))
        return false;
    sequence->last = ITEM_REPEAT;
    sequence->last_width = width_repeat(sequence->last_width, &repeat);
    return true;
}

static bool is_repeat(char byte) {
    return byte == '*' || byte == '+' || byte == '?' || byte == '{';
}

static bool parse_dot(struct reading *reading, struct sequence *sequence) {
    reading->at++;
    reading_write(reading, sequence->scope.dot_all ? "(?s:.)" : "[^\\x{a}]");
    sequence_add(sequence, ITEM_ATOM, width_one);
    return true;
}

/* "$" is also right before a line end at the end. PCRE2's multi-line mode is not used: it differs
 * at the end. */
static bool parse_line_anchor(struct reading *reading, struct sequence *sequence) {
    bool start = *reading->at++ == '^';
    if (sequence->scope.multiline)
        reading_write(reading, start ? "(?<![^\\x{a}])" : "(?![^\\x{a}])");
    else
        reading_write(reading, start ? "\\A" : "\\Z");
    sequence_add(sequence, ITEM_ANCHOR, width_none);
    return true;
}

static bool parse_literal(struct reading *reading, struct sequence *sequence) {
    uint32_t character = reading_take_character(reading);
    set_write_character(character, sequence->scope.ignore_case, reading->out);
    sequence_add(sequence, ITEM_ATOM, width_one);
    return true;
}

static bool parse_item(struct reading *reading, struct sequence *sequence) {
    char byte = *reading->at;
    if (is_repeat(byte))
        return parse_repeat(reading, sequence);
    sequence->last_group = reading->group_count;
    switch (byte) {
    case '\\':
        return reading_parse_escape(reading, sequence);
    case '[':
        return reading_parse_set(reading, sequence);
    case '(':
        return reading_parse_group(reading, sequence);
    case '.':
        return parse_dot(reading, sequence);
    case '^':
    case '$':
        return parse_line_anchor(reading, sequence);
    default:
        return parse_literal(reading, sequence);
    }
}

/* Space and comments under (?x). */
static bool skip_verbose(struct reading *reading) {
    if (strchr(" \t\n\r\v\f", *reading->at)) {
        reading->at++;
        return true;
    }
    if (!reading_take_byte(reading, '#'))
        return false;
    while (!reading_at_end(reading) && !reading_take_byte(reading, '\n'))
        reading_skip_token(reading);
    return true;
}

bool reading_parse_sequence(struct reading *reading, struct scope scope, bool may_set_global,
                            struct width *out_width) {
    struct sequence sequence = {.scope = scope, .may_set_global = may_set_global};
    while (!reading_at_end(reading) && *reading->at != '|' && *reading->at != ')') {
        if (sequence.scope.verbose && skip_verbose(reading))
            continue;
        if (!parse_item(reading, &sequence))
            return false;
    }
    *out_width = width_add(sequence.before, sequence.last_width);
    return true;
}

bool reading_parse_alternatives(struct reading *reading, struct scope scope, bool outermost,
                                struct width *out_width) {
    if (!reading_parse_sequence(reading, scope, outermost, out_width))
        return false;
    while (reading_take_byte(reading, '|')) {
        struct width width;
        reading_write(reading, "|");
        if (!reading_parse_sequence(reading, outermost ? reading->global : scope, false, &width))
            return false;
        *out_width = width_either(*out_width, width);
    }
    return true;
}

static bool read_all(struct reading *reading) {
    struct width width;
    if (!utf8_valid(reading->text, (size_t)(reading->end - reading->text)))
        return reading_fail(reading, reading->text, "the pattern is not UTF-8");
    if (!reading_parse_alternatives(reading, reading->global, true, &width))
        return false;
    if (!reading_at_end(reading))
        return reading_fail(reading, reading->at, "unbalanced parenthesis");
    if (reading->out->failed)
        return reading_fail(reading, reading->text, "the pattern is too large");
    return true;
}

bool python_translate(const char *text, struct buffer *out, size_t *out_offset, struct error *err) {
    size_t length = strlen(text);
    struct reading reading = {.text = text, .at = text, .end = text + length};
    reading.failed_at = text;
    reading.err = err;
    reading.out = out;
    reading.group_count = 1;
    bool read = length <= PYTHON_BYTES_MAX
                    ? read_all(&reading)
                    : reading_fail(&reading, text, "the pattern is too long");
    if (!read)
        *out_offset = (size_t)(reading.failed_at - text);
    return read;
}
