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
struct part {
    const char *text;
    size_t length;
};

struct parts {
    struct part each[COMPONENTS_MAX];
    size_t count; /* may be more than are kept */
};

/* "C:\x\app.pdb" → "app.pdb" */
static struct part part_after_windows_path(struct part part) {
    for (size_t i = part.length; i > 0; i--)
        if (part.text[i - 1] == '\\' || part.text[i - 1] == ':')
            return (struct part){part.text + i, part.length - i};
    return part;
}

static bool part_has_control(struct part part) {
    for (size_t i = 0; i < part.length; i++) {
        unsigned char byte = (unsigned char)part.text[i];
        if (byte < 0x20 || byte == 0x7f)
            return true;
    }
    return false;
}

static bool part_check(struct part part, struct error *err) {
    if (part_has_control(part))
        return error_set(err, ERROR_INVALID, "the path has a control character");
    struct part last = part_after_windows_path(part);
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
static bool parts_split(struct parts *parts, const char *path, size_t length, struct error *err) {
    const char *end = path + length;
    parts->count = 0;
    while (path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *stop = slash ? slash : end;
        struct part part = {path, (size_t)(stop - path)};
        path = slash ? slash + 1 : end;
        if (part.length == 0)
            continue;
        if (!part_check(part, err))
            return false;
        if (parts->count < COMPONENTS_MAX)
            parts->each[parts->count] = part;
        parts->count++;
    }
    return true;
}

static bool part_is(struct part part, const char *text) {
    return strlen(text) == part.length && strncasecmp(part.text, text, part.length) == 0;
}

/* How many characters, counting UTF-8 by its first bytes. */
static size_t part_characters(struct part part) {
    size_t count = 0;
    for (size_t i = 0; i < part.length; i++)
        count += ((unsigned char)part.text[i] & 0xc0) != 0x80;
    return count;
}

/* A one-character tier is written before names such as "_.debug". */
static bool part_is_tier_of(struct part tier, struct part name) {
    name = part_after_windows_path(name);
    return tier.length <= name.length && part_characters(tier) <= 2 &&
           strncasecmp(tier.text, name.text, tier.length) == 0;
}

static enum path_meaning meaning_of_one(struct part part) {
    if (part_is(part, "index2.txt"))
        return PATH_TIER_MARK;
    return part_is(part, "pingme.txt") ? PATH_PING : PATH_UNKNOWN;
}

/* Which form of `name` the last component asks for; false when it is another file. */
static bool form_of_file(const char *name, const char *file, enum form *out_form) {
    char compressed[NAME_BYTES_MAX + 1];
    layout_compressed_name(name, compressed);
    if (text_same(file, name))
        *out_form = FORM_PLAIN;
    else if (text_same(file, compressed))
        *out_form = FORM_COMPRESSED;
    else if (text_same(file, "file.ptr"))
        *out_form = FORM_POINTER;
    else
        return false;
    return true;
}

static void part_copy(char *out, struct part part) {
    memcpy(out, part.text, part.length);
    out[part.length] = '\0';
}

static enum path_meaning meaning_of_three(const struct part part[3], struct symbol_path *out,
                                          struct error *err) {
    struct part name = part_after_windows_path(part[0]);
    struct part id = part[1];
    struct part file = part_after_windows_path(part[2]);
    if (id.length > ID_BYTES_MAX) {
        error_set(err, ERROR_INVALID, "the id is longer than %d bytes", ID_BYTES_MAX);
        return PATH_INVALID;
    }
    if (name.text[0] == '.' || id.text[0] == '.')
        return PATH_UNKNOWN;
    part_copy(out->spelling.name, name);
    part_copy(out->spelling.id, id);
    part_copy(out->file, file);
    if (!symbol_key_make(&out->spelling, &out->key, err))
        return PATH_INVALID;
    if (!form_of_file(out->spelling.name, out->file, &out->form))
        return PATH_UNKNOWN;
    return out->form == FORM_PLAIN ? PATH_SYMBOL : PATH_FOLLOW_UP;
}

static enum path_meaning meaning_of_parts(const struct parts *parts, struct symbol_path *out,
                                          struct error *err) {
    if (parts->count == 0)
        return PATH_ROOT;
    if (parts->count == 1)
        return meaning_of_one(parts->each[0]);
    if (parts->count == 3)
        return meaning_of_three(parts->each, out, err);
    if (parts->count == 4 && part_is_tier_of(parts->each[0], parts->each[1]))
        return meaning_of_three(parts->each + 1, out, err);
    return PATH_UNKNOWN;
}

enum path_meaning layout_parse_path(const char *path, size_t length, struct symbol_path *out,
                                    struct error *err) {
    char decoded[PATH_BYTES_MAX];
    struct parts parts;
    if (length > sizeof decoded) {
        error_set(err, ERROR_INVALID, "the path is longer than %d bytes", PATH_BYTES_MAX);
        return PATH_INVALID;
    }
    if (length > 0 && memchr(path, '%', length)) {
        bool escapes_ok = true; /* a lone "%" stands for itself: names may hold one */
        length = text_decode_percent(decoded, path, length, &escapes_ok);
        path = decoded;
    }
    if (!parts_split(&parts, path, length, err))
        return PATH_INVALID;
    return meaning_of_parts(&parts, out, err);
}

static void path_join(const char *name, const char *id, char out[LAYOUT_PATH_BYTES]) {
    size_t name_length = strlen(name);
    size_t id_length = strlen(id);
    assert(2 * name_length + id_length + 3 <= LAYOUT_PATH_BYTES);
    memcpy(out, name, name_length);
    out += name_length;
    *out++ = '/';
    memcpy(out, id, id_length);
    out += id_length;
    *out++ = '/';
    memcpy(out, name, name_length + 1);
}

void layout_shelf_path(const struct symbol_key *key, char out[LAYOUT_PATH_BYTES]) {
    path_join(key->name, key->id, out);
}

void layout_spelled_path(const struct spelling *spelling, char out[LAYOUT_PATH_BYTES]) {
    path_join(spelling->name, spelling->id, out);
}

bool layout_url_path(const struct spelling *spelling, char *out, size_t size) {
    char path[LAYOUT_PATH_BYTES];
    path_join(spelling->name, spelling->id, path);
    return text_encode_percent(out, size, path, "/");
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
