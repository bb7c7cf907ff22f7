// SPDX-License-Identifier: MIT
#include "symbol/layout.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum {
    PATH_BYTES_MAX = 8 * 1024, /* no request line is longer */
    COMPONENTS_MAX = 4,        /* tier, name, id, file */
};

/* A stretch of the decoded path. */
struct component {
    const char *text;
    size_t length;
};

struct components {
    struct component each[COMPONENTS_MAX];
    size_t count; /* may be more than are kept */
};

/* "C:\x\app.pdb" → "app.pdb" */
static struct component component_after_windows_path(struct component part) {
    for (size_t i = part.length; i > 0; i--)
        if (part.text[i - 1] == '\\' || part.text[i - 1] == ':')
            return (struct component){part.text + i, part.length - i};
    return part;
}

static bool component_has_control(struct component part) {
    for (size_t i = 0; i < part.length; i++) {
        unsigned char byte = (unsigned char)part.text[i];
        if (byte < 0x20 || byte == 0x7f)
            return true;
    }
    return false;
}

static bool component_check(struct component part, struct error *err) {
    if (component_has_control(part))
        return error_set(err, ERROR_INVALID, "the path has a control character");
    struct component last = component_after_windows_path(part);
    if (last.length == 0)
        return error_set(err, ERROR_INVALID, "the path has an empty component");
    if (last.length > NAME_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "a component of the path is longer than %d bytes",
                         NAME_BYTES_MAX);
    if (last.text[0] == '.' && (last.length == 1 || (last.length == 2 && last.text[1] == '.')))
        return error_set(err, ERROR_INVALID, "the path has a component \"%.*s\"", (int)last.length,
                         last.text);
    return true;
}

/* Every component is checked, also those that are too many to be kept. */
static bool components_split(struct components *parts, const char *path, size_t length,
                             struct error *err) {
    const char *end = path + length;
    parts->count = 0;
    while (path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *stop = slash ? slash : end;
        struct component part = {path, (size_t)(stop - path)};
        path = slash ? slash + 1 : end;
        if (part.length == 0)
            continue;
        if (!component_check(part, err))
            return false;
        if (parts->count < COMPONENTS_MAX)
            parts->each[parts->count] = part;
        parts->count++;
    }
    return true;
}

static bool component_is(struct component part, const char *text) {
    return strlen(text) == part.length && strncasecmp(part.text, text, part.length) == 0;
}

/* How many characters, counting UTF-8 by its first bytes. */
static size_t component_characters(struct component part) {
    size_t count = 0;
    for (size_t i = 0; i < part.length; i++)
        count += ((unsigned char)part.text[i] & 0xc0) != 0x80;
    return count;
}

/* A one-character tier is written before names such as "_.debug". */
static bool component_is_tier_of(struct component tier, struct component name) {
    name = component_after_windows_path(name);
    return tier.length <= name.length && component_characters(tier) <= 2 &&
           strncasecmp(tier.text, name.text, tier.length) == 0;
}

static enum path_meaning meaning_of_one(struct component part) {
    if (component_is(part, "index2.txt"))
        return PATH_TIER_MARK;
    return component_is(part, "pingme.txt") ? PATH_PING : PATH_UNKNOWN;
}

/* Which part and form of `spelling` the last component asks for; false when it is another file. */
static bool read_file(struct spelling *spelling, const char *file, enum form *out_form) {
    char compressed[NAME_BYTES_MAX + 1];
    layout_compressed_name(spelling->name, compressed);
    spelling->part = PART_ITSELF;
    *out_form = FORM_PLAIN;
    if (text_same(file, spelling->name))
        return true;
    if (text_same(file, compressed)) {
        *out_form = FORM_COMPRESSED;
        return true;
    }
    if (text_same(file, "file.ptr")) {
        *out_form = FORM_POINTER;
        return true;
    }
    char symbols[NAME_BYTES_MAX + 1];
    spelling->part = PART_SYM;
    return layout_file_name(spelling, symbols) && text_same(file, symbols);
}

static void component_copy(char *out, struct component part) {
    memcpy(out, part.text, part.length);
    out[part.length] = '\0';
}

static enum path_meaning meaning_of_three(const struct component part[3], struct symbol_path *out,
                                          struct error *err) {
    struct component name = component_after_windows_path(part[0]);
    struct component id = part[1];
    struct component file = component_after_windows_path(part[2]);
    if (id.length > ID_BYTES_MAX) {
        error_set(err, ERROR_INVALID, "the id is longer than %d bytes", ID_BYTES_MAX);
        return PATH_INVALID;
    }
    if (name.text[0] == '.' || id.text[0] == '.')
        return PATH_UNKNOWN;
    component_copy(out->spelling.name, name);
    component_copy(out->spelling.id, id);
    char asked[NAME_BYTES_MAX + 1];
    component_copy(asked, file);
    bool known = read_file(&out->spelling, asked, &out->form);
    if (!symbol_key_make(&out->spelling, &out->key, err))
        return PATH_INVALID;
    if (!known)
        return PATH_UNKNOWN;
    return out->form == FORM_PLAIN ? PATH_SYMBOL : PATH_FOLLOW_UP;
}

static enum path_meaning meaning_of_parts(const struct components *parts, struct symbol_path *out,
                                          struct error *err) {
    if (parts->count == 0)
        return PATH_ROOT;
    if (parts->count == 1)
        return meaning_of_one(parts->each[0]);
    if (parts->count == 3)
        return meaning_of_three(parts->each, out, err);
    if (parts->count == 4 && component_is_tier_of(parts->each[0], parts->each[1]))
        return meaning_of_three(parts->each + 1, out, err);
    return PATH_UNKNOWN;
}

enum path_meaning layout_parse_path(const char *path, size_t length, struct symbol_path *out,
                                    struct error *err) {
    char decoded[PATH_BYTES_MAX];
    struct components parts;
    if (length > sizeof decoded) {
        error_set(err, ERROR_INVALID, "the path is longer than %d bytes", PATH_BYTES_MAX);
        return PATH_INVALID;
    }
    if (length > 0 && memchr(path, '%', length)) {
        bool escapes_ok = true; /* a lone "%" stands for itself: names may hold one */
        length = text_decode_percent(decoded, path, length, &escapes_ok);
        path = decoded;
    }
    if (!components_split(&parts, path, length, err))
        return PATH_INVALID;
    return meaning_of_parts(&parts, out, err);
}

bool layout_file_name(const struct spelling *spelling, char out[NAME_BYTES_MAX + 1]) {
    size_t length = strlen(spelling->name);
    if (spelling->part == PART_SYM) {
        if (text_ends_folded(spelling->name, ".pdb"))
            length -= strlen(".pdb");
        return text_format(out, NAME_BYTES_MAX + 1, "%.*s.sym", (int)length, spelling->name);
    }
    memcpy(out, spelling->name, length + 1);
    return true;
}

static char *append(char *out, const char *text) {
    size_t length = strlen(text);
    memcpy(out, text, length + 1);
    return out + length;
}

bool layout_spelled_path(const struct spelling *spelling, enum form form,
                         char out[LAYOUT_PATH_BYTES]) {
    char plain[NAME_BYTES_MAX + 1], file[NAME_BYTES_MAX + 1];
    if (!layout_file_name(spelling, plain) || !layout_form_name(form, plain, file))
        return false;
    out = append(out, spelling->name);
    out = append(out, "/");
    out = append(out, spelling->id);
    out = append(out, "/");
    append(out, file);
    return true;
}

bool layout_shelf_form_path(const struct symbol_key *key, enum form form,
                            char out[LAYOUT_PATH_BYTES]) {
    struct spelling spelling = {.part = key->part};
    append(spelling.name, key->name);
    append(spelling.id, key->id);
    return layout_spelled_path(&spelling, form, out);
}

void layout_shelf_path(const struct symbol_key *key, char out[LAYOUT_PATH_BYTES]) {
    bool there = layout_shelf_form_path(key, FORM_PLAIN, out);
    assert(there); /* or it would be no key */
    (void)there;
}

/* Bytes of the first `count` characters of UTF-8. */
static size_t bytes_of_characters(const char *text, unsigned count) {
    size_t at = 0;
    while (text[at] && count-- > 0)
        do
            at++;
        while (((unsigned char)text[at] & 0xc0) == 0x80);
    return at;
}

void layout_tier(const char *name, char out[LAYOUT_TIER_BYTES]) {
    size_t length = bytes_of_characters(name, 2);
    if (length > 0 && name[length - 1] == '.')
        length = bytes_of_characters(name, 1);
    /* What is no UTF-8 may have longer characters. */
    if (!text_format(out, LAYOUT_TIER_BYTES, "%.*s/", (int)length, name))
        text_format(out, LAYOUT_TIER_BYTES, "%.*s/", LAYOUT_TIER_BYTES - 2, name);
}

void layout_compressed_name(const char *name, char out[NAME_BYTES_MAX + 1]) {
    size_t length = strlen(name);
    assert(length > 0 && length <= NAME_BYTES_MAX);
    /* The last character may be several bytes of UTF-8. */
    while (length > 1 && ((unsigned char)name[length - 1] & 0xc0) == 0x80)
        length--;
    memcpy(out, name, length - 1);
    out[length - 1] = '_';
    out[length] = '\0';
}

bool layout_form_name(enum form form, const char *plain, char out[NAME_BYTES_MAX + 1]) {
    switch (form) {
    case FORM_PLAIN:
        return text_copy(out, NAME_BYTES_MAX + 1, plain);
    case FORM_COMPRESSED:
        layout_compressed_name(plain, out);
        return strcmp(out, plain) != 0;
    case FORM_POINTER:
        return text_copy(out, NAME_BYTES_MAX + 1, "file.ptr");
    }
    return false;
}
