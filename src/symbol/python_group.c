// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>

#include "symbol/python_reading.h"

/* A stretch of the pattern. */
struct name {
    const char *text;
    size_t length;
};

static bool is_name_byte(char byte, bool first) {
    bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_';
    return letter || (!first && byte >= '0' && byte <= '9');
}

static bool is_name(struct name name) {
    for (size_t i = 0; i < name.length; i++)
        if (!is_name_byte(name.text[i], i == 0))
            return false;
    return name.length > 0;
}

/* Up to a terminator, which is taken too. */
static bool take_until(struct reading *reading, char terminator, struct name *out) {
    const char *begin = reading->at;
    while (!reading_at_end(reading) && !reading_next_is(reading, terminator))
        reading_skip_token(reading);
    if (reading_at_end(reading))
        return reading_fail(reading, begin, "missing end of the group name");
    *out = (struct name){begin, (size_t)(reading->at - begin)};
    reading->at++;
    return true;
}

static bool take_name(struct reading *reading, char terminator, struct name *out) {
    if (!take_until(reading, terminator, out))
        return false;
    /* Python takes letters of every script; nobody's filters do. */
    return is_name(*out) ||
           reading_fail(reading, out->text, "a group name must be ASCII letters, digits and \"_\"");
}

/* 0 when there is none of this name. */
static unsigned find_group(const struct reading *reading, struct name name) {
    for (unsigned i = 1; i < reading->group_count; i++) {
        const struct group *group = &reading->groups[i];
        if (group->name && group->name_length == name.length &&
            memcmp(group->name, name.text, name.length) == 0)
            return i;
    }
    return 0;
}

static bool enter(struct reading *reading, const char *begin) {
    if (reading->nesting == PYTHON_NESTING_MAX)
        return reading_fail(reading, begin, "groups are nested too deeply");
    reading->nesting++;
    return true;
}

static bool leave(struct reading *reading, const char *begin) {
    reading->nesting--;
    if (!reading_take_byte(reading, ')'))
        return reading_fail(reading, begin, "missing ), unterminated subpattern");
    reading_write(reading, ")");
    return true;
}

/* The inside of a group whose beginning has been written, and its end. */
static bool parse_inside(struct reading *reading, struct scope scope, const char *begin,
                         struct width *out_width) {
    return enter(reading, begin) && reading_parse_alternatives(reading, scope, false, out_width) &&
           leave(reading, begin);
}

static bool parse_plain(struct reading *reading, struct sequence *sequence, struct scope scope,
                        const char *opening, const char *begin) {
    struct width width;
    reading_write(reading, opening);
    if (!parse_inside(reading, scope, begin, &width))
        return false;
    sequence_add(sequence, ITEM_ATOM, width);
    return true;
}

/* Names are left behind: in the result all groups are numbered. */
static bool parse_capture(struct reading *reading, struct sequence *sequence, struct name name,
                          const char *begin) {
    if (reading->group_count == PYTHON_GROUPS_MAX)
        return reading_fail(reading, begin, "too many groups");
    if (name.length > 0 && find_group(reading, name))
        return reading_fail(reading, begin, "redefinition of a group name");
    struct group *group = &reading->groups[reading->group_count++];
    *group = (struct group){.name = name.length > 0 ? name.text : NULL, .name_length = name.length};
    if (!parse_plain(reading, sequence, sequence->scope, "(", begin))
        return false;
    group->closed = true;
    group->width = sequence->last_width;
    return true;
}

static bool parse_named_reference(struct reading *reading, struct sequence *sequence,
                                  const char *begin) {
    struct name name;
    if (!take_name(reading, ')', &name))
        return false;
    unsigned group = find_group(reading, name);
    if (!group)
        return reading_fail(reading, name.text, "unknown group name");
    return reading_check_group(reading, group, begin) &&
           reading_parse_reference(reading, sequence, group, begin);
}

/* After "(?P" */
static bool parse_python_extension(struct reading *reading, struct sequence *sequence,
                                   const char *begin) {
    struct name name;
    if (reading_take_byte(reading, '<'))
        return take_name(reading, '>', &name) && parse_capture(reading, sequence, name, begin);
    if (reading_take_byte(reading, '='))
        return parse_named_reference(reading, sequence, begin);
    return reading_fail(reading, begin, "unknown extension after (?P");
}

static bool skip_comment(struct reading *reading, const char *begin) {
    while (!reading_at_end(reading)) {
        if (reading_take_byte(reading, ')'))
            return true;
        reading_skip_token(reading);
    }
    return reading_fail(reading, begin, "missing ), unterminated comment");
}

static bool parse_look(struct reading *reading, struct sequence *sequence, bool behind,
                       const char *begin) {
    bool negative = *reading->at++ == '!';
    static const char *const openings[2][2] = {{"(?=", "(?!"}, {"(?<=", "(?<!"}};
    struct width width;
    if (behind && reading->lookbehinds++ == 0)
        reading->lookbehind_groups = reading->group_count;
    reading_write(reading, openings[behind][negative]);
    if (!parse_inside(reading, sequence->scope, begin, &width))
        return false;
    if (behind)
        reading->lookbehinds--;
    if (behind && width.lo != width.hi)
        return reading_fail(reading, begin, "look-behind requires fixed-width pattern");
    sequence_add(sequence, ITEM_LOOK, width_none);
    return true;
}

/* After "(?<" */
static bool parse_look_behind(struct reading *reading, struct sequence *sequence,
                              const char *begin) {
    if (!reading_next_is(reading, '=') && !reading_next_is(reading, '!'))
        return reading_fail(reading, begin,
                            "unknown extension after (?<; a named group is (?P<name>…)");
    return parse_look(reading, sequence, true, begin);
}

/* A condition's group. In a repeat, Python's matcher can forget an open one in ways that PCRE2 does
 * not. */
static bool take_condition(struct reading *reading, const char *begin, unsigned *out_group) {
    struct name name;
    if (!take_until(reading, ')', &name))
        return false;
    bool named = is_name(name);
    unsigned group = named ? find_group(reading, name) : 0;
    if (named && !group)
        return reading_fail(reading, name.text, "unknown group name");
    for (size_t i = 0; !named && i < name.length; i++) {
        if (name.text[i] < '0' || name.text[i] > '9')
            return reading_fail(reading, name.text, "bad character in group name");
        group = width_cap((uint64_t)group * 10 + (unsigned)(name.text[i] - '0'));
    }
    if (group == 0)
        return reading_fail(reading, name.text, "bad group number");
    if (group >= reading->group_count || !reading->groups[group].closed)
        return reading_fail(reading, name.text,
                            "a condition on a group that is not closed before is not supported");
    *out_group = group;
    return reading_check_group(reading, group, begin);
}

static bool parse_branches(struct reading *reading, struct sequence *sequence,
                           struct width *out_width) {
    struct width no = width_none;
    if (!reading_parse_sequence(reading, sequence->scope, false, out_width))
        return false;
    if (reading_take_byte(reading, '|')) {
        reading_write(reading, "|");
        if (!reading_parse_sequence(reading, sequence->scope, false, &no))
            return false;
        if (reading_next_is(reading, '|'))
            return reading_fail(reading, reading->at,
                                "conditional backref with more than two branches");
    }
    *out_width = width_either(*out_width, no);
    return true;
}

/* After "(?(" */
static bool parse_condition(struct reading *reading, struct sequence *sequence, const char *begin) {
    unsigned group = 0;
    struct width width;
    if (!take_condition(reading, begin, &group))
        return false;
    buffer_format(reading->out, "(?(%u)", group);
    if (!enter(reading, begin) || !parse_branches(reading, sequence, &width) ||
        !leave(reading, begin))
        return false;
    sequence_add(sequence, ITEM_ATOM, width);
    return true;
}

/* Which flag a letter stands for, in a set of flags; NULL: none that can be set here. */
static bool *flag_of(struct scope *scope, char letter) {
    switch (letter) {
    case 'i':
        return &scope->ignore_case;
    case 'm':
        return &scope->multiline;
    case 's':
        return &scope->dot_all;
    case 'x':
        return &scope->verbose;
    case 'a':
        return &scope->ascii;
    case 'u':
        return &scope->unicode;
    default:
        return NULL;
    }
}

/* The letters that are next. */
static bool take_flags(struct reading *reading, const char *begin, struct scope *out) {
    *out = (struct scope){0};
    const char *first = reading->at;
    for (; !reading_at_end(reading) && !strchr(")-:", *reading->at); reading->at++) {
        if (*reading->at == 'L')
            return reading_fail(reading, begin, "cannot use flag L: patterns are Unicode");
        if (*reading->at == 't')
            return reading_fail(reading, begin, "flag t is not supported");
        bool *flag = flag_of(out, *reading->at);
        if (!flag)
            return reading_fail(reading, begin, "unknown flag, or unknown extension after (?");
        *flag = true;
    }
    if (reading_at_end(reading))
        return reading_fail(reading, begin, "missing -, : or )");
    if (reading->at == first && *first != '-')
        return reading_fail(reading, begin, "missing flag");
    if (out->ascii && out->unicode)
        return reading_fail(reading, begin, "flags a and u are incompatible");
    return true;
}

static bool check_scope(struct reading *reading, struct scope scope, const char *begin) {
    if (scope.ascii && scope.ignore_case)
        return reading_fail(reading, begin, "(?a) together with (?i) is not supported");
    return true;
}

static void scope_set(struct scope *scope, const struct scope *on, const struct scope *off) {
    scope->ignore_case = (scope->ignore_case || on->ignore_case) && !off->ignore_case;
    scope->multiline = (scope->multiline || on->multiline) && !off->multiline;
    scope->dot_all = (scope->dot_all || on->dot_all) && !off->dot_all;
    scope->verbose = (scope->verbose || on->verbose) && !off->verbose;
    if (on->ascii || on->unicode) {
        scope->ascii = on->ascii;
        scope->unicode = on->unicode;
    }
}

/* "(?i)": counts for the whole pattern, and must stand at its start. */
static bool set_global(struct reading *reading, struct sequence *sequence, const struct scope *on,
                       const char *begin) {
    static const struct scope nothing;
    reading->at++;
    if (!sequence->may_set_global || sequence->last != ITEM_NONE)
        return reading_fail(reading, begin, "global flags not at the start of the expression");
    if ((reading->global.ascii && on->unicode) || (reading->global.unicode && on->ascii))
        return reading_fail(reading, begin, "flags a and u are incompatible");
    scope_set(&reading->global, on, &nothing);
    sequence->scope = reading->global;
    if (on->ignore_case)
        reading_write(reading, "(?i)");
    return check_scope(reading, reading->global, begin);
}

/* After "(?", with flags next */
static bool parse_flags(struct reading *reading, struct sequence *sequence, const char *begin) {
    struct scope on;
    struct scope off = {0};
    if (!take_flags(reading, begin, &on))
        return false;
    if (reading_next_is(reading, ')'))
        return set_global(reading, sequence, &on, begin);
    if (reading_take_byte(reading, '-') && !take_flags(reading, begin, &off))
        return false;
    if (!reading_take_byte(reading, ':'))
        return reading_fail(reading, begin, "missing :");
    if (off.ascii || off.unicode)
        return reading_fail(reading, begin, "cannot turn off flags a and u");
    if ((on.ignore_case && off.ignore_case) || (on.multiline && off.multiline) ||
        (on.dot_all && off.dot_all) || (on.verbose && off.verbose))
        return reading_fail(reading, begin, "flag turned on and off");
    struct scope scope = sequence->scope;
    scope_set(&scope, &on, &off);
    return check_scope(reading, scope, begin) &&
           parse_plain(reading, sequence, scope, scope.ignore_case ? "(?i:" : "(?-i:", begin);
}

static bool parse_extension(struct reading *reading, struct sequence *sequence, const char *begin) {
    if (reading_at_end(reading))
        return reading_fail(reading, begin, "unexpected end of pattern");
    if (reading_next_is(reading, '=') || reading_next_is(reading, '!'))
        return parse_look(reading, sequence, false, begin);
    if (reading_take_byte(reading, 'P'))
        return parse_python_extension(reading, sequence, begin);
    if (reading_take_byte(reading, ':'))
        return parse_plain(reading, sequence, sequence->scope, "(?:", begin);
    if (reading_take_byte(reading, '>'))
        return parse_plain(reading, sequence, sequence->scope, "(?>", begin);
    if (reading_take_byte(reading, '#'))
        return skip_comment(reading, begin);
    if (reading_take_byte(reading, '<'))
        return parse_look_behind(reading, sequence, begin);
    if (reading_take_byte(reading, '('))
        return parse_condition(reading, sequence, begin);
    return parse_flags(reading, sequence, begin);
}

bool reading_parse_group(struct reading *reading, struct sequence *sequence) {
    static const struct name no_name = {"", 0};
    const char *begin = reading->at++;
    if (reading_take_byte(reading, '?'))
        return parse_extension(reading, sequence, begin);
    return parse_capture(reading, sequence, no_name, begin);
}
