// SPDX-License-Identifier: MIT
#include "symbol/key.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum {
    GUID_DIGITS = 32,  /* a GUID without hyphens */
    STAMP_DIGITS = 8,  /* a time stamp, or the signature of a PDB 2.0 */
    NUMBER_DIGITS = 8, /* an age or a size is at most this long */
};

static const char *const kind_names[] = {
    [KIND_OTHER] = "other", [KIND_PDB] = "pdb",     [KIND_PE] = "pe",
    [KIND_ELF] = "elf",     [KIND_MACHO] = "macho", [KIND_SYM] = "sym",
};

static const struct prefix {
    const char *text;
    enum identifier identifier;
} prefixes[] = {
    {"elf-buildid-", IDENTIFIER_ELF},
    {"mach-uuid-", IDENTIFIER_MACHO},
    {"sha1-", IDENTIFIER_SHA1},
};

/* Only asked where the identifier itself does not tell. */
static const struct suffix {
    const char *text;
    enum symbol_kind kind;
} suffixes[] = {
    {".pdb", KIND_PDB},     {".dll", KIND_PE},      {".exe", KIND_PE},  {".sys", KIND_PE},
    {".ocx", KIND_PE},      {".dbg", KIND_PE},      {".so", KIND_ELF},  {".debug", KIND_ELF},
    {".dwarf", KIND_MACHO}, {".dylib", KIND_MACHO}, {".sym", KIND_SYM},
};

static bool component_has_bad_byte(const char *text) {
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\' || byte == ':')
            return true;
    }
    return false;
}

static bool component_check(const char *text, size_t size, const char *what, struct error *err) {
    if (!memchr(text, '\0', size))
        return error_set(err, ERROR_INVALID, "the %s is longer than %zu bytes", what, size - 1);
    if (text[0] == '\0')
        return error_set(err, ERROR_INVALID, "the %s is empty", what);
    if (text[0] == '.')
        return error_set(err, ERROR_INVALID, "the %s begins with a dot", what);
    if (component_has_bad_byte(text))
        return error_set(err, ERROR_INVALID,
                         "the %s has a slash, backslash, colon or control character", what);
    return true;
}

static bool ends_in_pdb(const char *name) {
    return text_ends_folded(name, ".pdb");
}

/* A build id of 20 bytes is as long as a GUID with an age written in full, so the name decides. */
static bool looks_like_guid_and_age(const char *name, const char *id, size_t length) {
    if (length <= GUID_DIGITS || length > GUID_DIGITS + NUMBER_DIGITS)
        return false;
    return length < GUID_DIGITS + NUMBER_DIGITS || ends_in_pdb(name) ||
           text_same(id + GUID_DIGITS, "ffffffff");
}

static enum identifier identifier_of(const char *name, const char *id) {
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (text_starts_folded(id, prefixes[i].text))
            return prefixes[i].identifier;
    size_t length = strlen(id);
    if (!text_is_hex(id, length))
        return IDENTIFIER_OTHER;
    if (looks_like_guid_and_age(name, id, length))
        return text_same(id + GUID_DIGITS, "ffffffff") ? IDENTIFIER_PORTABLE : IDENTIFIER_PDB70;
    if (length > STAMP_DIGITS && length <= STAMP_DIGITS + NUMBER_DIGITS)
        return ends_in_pdb(name) ? IDENTIFIER_PDB20 : IDENTIFIER_PE;
    return IDENTIFIER_OTHER;
}

/* The first `fixed` digits upper, the number after them lower and without leading zeros. */
static void id_canonical(char out[ID_BYTES_MAX + 1], const char *id, size_t fixed) {
    memcpy(out, id, fixed);
    out[fixed] = '\0';
    text_raise(out);
    const char *number = id + fixed;
    while (number[0] == '0' && number[1] != '\0')
        number++;
    char *tail = out + fixed;
    memcpy(tail, number, strlen(number) + 1);
    text_fold(tail);
}

static void key_set_id(struct symbol_key *key, const char *id) {
    switch (key->identifier) {
    case IDENTIFIER_PDB70:
        id_canonical(key->id, id, GUID_DIGITS);
        return;
    case IDENTIFIER_PDB20:
    case IDENTIFIER_PE:
        id_canonical(key->id, id, STAMP_DIGITS);
        return;
    case IDENTIFIER_PORTABLE:
        memcpy(key->id, id, strlen(id) + 1);
        text_raise(key->id);
        return;
    case IDENTIFIER_ELF:
    case IDENTIFIER_MACHO:
    case IDENTIFIER_SHA1:
    case IDENTIFIER_OTHER:
    case IDENTIFIER_COUNT:
        memcpy(key->id, id, strlen(id) + 1);
        text_fold(key->id);
    }
}

static enum symbol_kind kind_by_name(const char *name) {
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (text_ends_folded(name, suffixes[i].text))
            return suffixes[i].kind;
    return KIND_OTHER;
}

/* "app.src.zip", "libxul.so.dbg.gz": what was asked for is the archive, whatever is in it. */
static bool names_an_archive(const char *name) {
    static const char *const endings[] = {".zip", ".gz", ".cab", ".7z", ".xz", ".zst", ".bz2"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (text_ends_folded(name, endings[i]))
            return true;
    return false;
}

static enum symbol_kind kind_of(enum identifier identifier, const char *name) {
    if (names_an_archive(name))
        return KIND_OTHER;
    switch (identifier) {
    case IDENTIFIER_ELF:
        return KIND_ELF;
    case IDENTIFIER_MACHO:
        return KIND_MACHO;
    case IDENTIFIER_SHA1:
        return KIND_OTHER; /* sources of any type */
    case IDENTIFIER_PDB70:
    case IDENTIFIER_PORTABLE:
    case IDENTIFIER_PDB20:
        return text_ends_folded(name, ".sym") ? KIND_SYM : KIND_PDB;
    case IDENTIFIER_PE:
        return text_ends_folded(name, ".sym") ? KIND_SYM : KIND_PE;
    case IDENTIFIER_OTHER:
    case IDENTIFIER_COUNT:
        break;
    }
    return kind_by_name(name);
}

static uint64_t key_hash(const struct symbol_key *key) {
    char all[sizeof key->name + sizeof key->id + 1];
    size_t name_length = strlen(key->name) + 1;
    size_t id_length = strlen(key->id) + 1;
    memcpy(all, key->name, name_length);
    memcpy(all + name_length, key->id, id_length);
    all[name_length + id_length] = (char)key->part;
    return hash_bytes(hash_process_key(), all, name_length + id_length + 1);
}

bool symbol_key_make(const struct spelling *spelling, struct symbol_key *out_key,
                     struct error *err) {
    if (!component_check(spelling->name, sizeof spelling->name, "name", err) ||
        !component_check(spelling->id, sizeof spelling->id, "id", err))
        return false;
    memcpy(out_key->name, spelling->name, strlen(spelling->name) + 1);
    text_fold(out_key->name);
    out_key->identifier = identifier_of(out_key->name, spelling->id);
    out_key->part = spelling->part;
    out_key->kind =
        out_key->part == PART_SYM ? KIND_SYM : kind_of(out_key->identifier, out_key->name);
    key_set_id(out_key, spelling->id);
    out_key->hash = key_hash(out_key);
    return true;
}

bool symbol_key_equal(const struct symbol_key *a, const struct symbol_key *b) {
    return a->hash == b->hash && a->part == b->part && strcmp(a->id, b->id) == 0 &&
           strcmp(a->name, b->name) == 0;
}

bool spelling_read(const char *text, struct spelling *out_spelling) {
    const char *slash = strchr(text, '/');
    out_spelling->part = PART_ITSELF;
    return slash && slash != text && slash[1] && !strchr(slash + 1, '/') &&
           text_copy_n(out_spelling->name, sizeof out_spelling->name, text,
                       (size_t)(slash - text)) &&
           text_copy(out_spelling->id, sizeof out_spelling->id, slash + 1);
}

bool spelling_equal(const struct spelling *a, const struct spelling *b) {
    return a->part == b->part && strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0;
}

const char *symbol_kind_name(enum symbol_kind kind) {
    assert((unsigned)kind < KIND_COUNT);
    return kind_names[kind];
}

bool symbol_kind_parse(const char *name, enum symbol_kind *out_kind) {
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (strcmp(name, kind_names[kind]) == 0) {
            *out_kind = (enum symbol_kind)kind;
            return true;
        }
    }
    return false;
}
