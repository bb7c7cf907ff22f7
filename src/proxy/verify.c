// SPDX-License-Identifier: MIT
#include "proxy/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/decoder.h"
#include "format/identity.h"

enum { GUID_DIGITS = 2 * GUID_BYTES, STAMP_DIGITS = 8 };

/* What a comparison comes to. */
enum match { MATCHES, DIFFERS, UNTOLD };

bool verify_packed(const struct symbol_key *key, enum form form, const void *first, size_t length) {
    if (decoder_recognise(first, length) == CODING_NONE)
        return false;
    return form == FORM_COMPRESSED || key->kind != KIND_OTHER;
}

/* --- keys ----------------------------------------------------------------------------------- */

/* Does the text begin with these bytes in hexadecimal digits? */
static bool hex_is(const char *text, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char digits[3];
        text_format(digits, sizeof digits, "%02x", (unsigned)bytes[i]);
        if (!text_starts_folded(text + 2 * i, digits))
            return false;
    }
    return true;
}

static uint32_t hex_number(const char *digits) {
    return (uint32_t)strtoul(digits, NULL, 16);
}

static bool name_is_one_of(const char *name, const char *const *beginnings) {
    for (; *beginnings; beginnings++)
        if (text_starts(name, *beginnings))
            return true;
    return false;
}

/* Libraries that debuggers look for under the runtime's id; their PDBs have ids of their own. */
static bool is_clr_private(const struct symbol_key *key) {
    if (key->kind == KIND_PDB)
        return false;
    static const char *const beginnings[] = {"mscordac", "mscordbi", "libmscordac", "libmscordbi",
                                             "sos.",     "sos_",     "libsos.",     NULL};
    return strstr(key->id, "-coreclr-") != NULL || name_is_one_of(key->name, beginnings);
}

static bool is_of_family(const struct symbol_key *key, enum format format) {
    switch (key->identifier) {
    case IDENTIFIER_PE:
        return format == FORMAT_PE;
    case IDENTIFIER_ELF:
        return format == FORMAT_ELF;
    case IDENTIFIER_MACHO:
        return format == FORMAT_MACHO;
    case IDENTIFIER_PDB70:
    case IDENTIFIER_PORTABLE:
    case IDENTIFIER_PDB20:
    case IDENTIFIER_SHA1:
    case IDENTIFIER_OTHER:
    case IDENTIFIER_COUNT:
        break;
    }
    return true;
}

static bool names_a_pdb(const struct symbol_key *key) {
    return text_ends_folded(key->name, ".pdb");
}

static bool names_an_image(const struct symbol_key *key) {
    static const char *const endings[] = {".dll", ".exe", ".sys", ".ocx", ".dbg", ".drv", ".cpl",
                                          ".scr", ".efi", ".ax",  ".mui", ".pyd", ".node"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends_folded(key->name, endings[i]))
            return true;
    return false;
}

/* --- comparing ------------------------------------------------------------------------------ */

/* Where the format is one that the key cannot mean, the file is another; where it is unknown, only
 * names that promise a format are held to it. */
static enum match of_other_format(const struct identity *found, bool promised) {
    return found->format == FORMAT_UNKNOWN && !promised ? UNTOLD : DIFFERS;
}

static enum match match_age(const char *digits, uint32_t age) {
    return age >= hex_number(digits) ? MATCHES : DIFFERS;
}

/* A portable PDB has no age of its own, and one that is asked for as portable none that counts. */
static enum match match_pdb70(const struct symbol_key *key, const struct identity *found) {
    switch (found->format) {
    case FORMAT_PDB70:
    case FORMAT_MSFZ:
        if (!hex_is(key->id, found->guid, GUID_BYTES))
            return DIFFERS;
        return key->identifier == IDENTIFIER_PORTABLE
                   ? MATCHES
                   : match_age(key->id + GUID_DIGITS, found->age);
    case FORMAT_PORTABLE_PDB:
        return hex_is(key->id, found->guid, GUID_BYTES) ? MATCHES : DIFFERS;
    case FORMAT_UNKNOWN:
    case FORMAT_PDB20:
    case FORMAT_PE:
    case FORMAT_DBG:
    case FORMAT_ELF:
    case FORMAT_MACHO:
    case FORMAT_BREAKPAD:
    case FORMAT_COUNT:
        break;
    }
    return of_other_format(found, names_a_pdb(key));
}

static enum match match_pdb20(const struct symbol_key *key, const struct identity *found) {
    if (found->format != FORMAT_PDB20 && found->format != FORMAT_PDB70)
        return of_other_format(found, true);
    char signature[STAMP_DIGITS + 1];
    text_copy_n(signature, sizeof signature, key->id, STAMP_DIGITS);
    return hex_number(signature) == found->signature ? match_age(key->id + STAMP_DIGITS, found->age)
                                                     : DIFFERS;
}

static enum match match_image(const struct symbol_key *key, const struct identity *found) {
    if (found->format != FORMAT_PE && found->format != FORMAT_DBG)
        return of_other_format(found, names_an_image(key));
    char stamp[STAMP_DIGITS + 1];
    text_copy_n(stamp, sizeof stamp, key->id, STAMP_DIGITS);
    bool same = hex_number(stamp) == found->stamp &&
                hex_number(key->id + STAMP_DIGITS) == found->image_size;
    return same ? MATCHES : DIFFERS;
}

/* SSQP pads short build ids with zeros, others do not. */
static bool build_id_is(const char *digits, const struct identity *found) {
    if (!hex_is(digits, found->build_id, found->build_id_length))
        return false;
    const char *rest = digits + 2 * found->build_id_length;
    return rest[strspn(rest, "0")] == '\0';
}

static const char *after(const char *id, const char *prefix, const char *other) {
    if (text_starts(id, prefix))
        return id + strlen(prefix);
    return text_starts(id, other) ? id + strlen(other) : id;
}

static enum match match_elf(const struct symbol_key *key, const struct identity *found) {
    const char *digits = after(key->id, "elf-buildid-sym-", "elf-buildid-");
    if (found->format != FORMAT_ELF)
        return of_other_format(found, true);
    if (!text_is_hex(digits, 0))
        return UNTOLD;
    return found->build_id_length > 0 && build_id_is(digits, found) ? MATCHES : DIFFERS;
}

static enum match match_macho(const struct symbol_key *key, const struct identity *found) {
    const char *digits = after(key->id, "mach-uuid-sym-", "mach-uuid-");
    if (found->format != FORMAT_MACHO)
        return of_other_format(found, true);
    if (!text_is_hex(digits, GUID_DIGITS))
        return UNTOLD;
    for (unsigned i = 0; i < found->slice_count; i++)
        if (found->slices[i].has_uuid && hex_is(digits, found->slices[i].uuid, GUID_BYTES))
            return MATCHES;
    return DIFFERS;
}

static enum match match_text(const struct symbol_key *key, const struct identity *found) {
    if (found->format != FORMAT_BREAKPAD)
        return of_other_format(found, key->part == PART_SYM);
    return text_same(key->id, found->module.id) ? MATCHES : DIFFERS;
}

/* A .sym file that is no text made of another file: only Breakpad's say what they are. */
static enum match match_text_file(const struct symbol_key *key, const struct identity *found) {
    bool other = found->format == FORMAT_BREAKPAD && key->identifier != IDENTIFIER_OTHER &&
                 !text_same(key->id, found->module.id);
    return other ? DIFFERS : UNTOLD;
}

static enum match match(const struct symbol_key *key, const struct identity *found) {
    if (key->part == PART_SYM)
        return match_text(key, found);
    if (key->kind == KIND_SYM)
        return match_text_file(key, found);
    if (key->kind == KIND_OTHER)
        return UNTOLD;
    if (is_clr_private(key))
        return is_of_family(key, found->format) ? UNTOLD : DIFFERS;
    switch (key->identifier) {
    case IDENTIFIER_PDB70:
    case IDENTIFIER_PORTABLE:
        return match_pdb70(key, found);
    case IDENTIFIER_PDB20:
        return match_pdb20(key, found);
    case IDENTIFIER_PE:
        return match_image(key, found);
    case IDENTIFIER_ELF:
        return match_elf(key, found);
    case IDENTIFIER_MACHO:
        return match_macho(key, found);
    case IDENTIFIER_OTHER:
    case IDENTIFIER_SHA1:
    case IDENTIFIER_COUNT:
        break;
    }
    return UNTOLD;
}

/* --- verdicts ------------------------------------------------------------------------------- */

static bool refuse_other(const struct identity *found, struct error *err) {
    char own[96];
    identity_format(found, own, sizeof own);
    if (found->format == FORMAT_UNKNOWN)
        return error_set(err, ERROR_IDENTITY, "the file is none of the kind that was asked for");
    return error_set(err, ERROR_IDENTITY, "the file is another one: %s %s",
                     format_name(found->format), own[0] ? own : "without an id");
}

static bool refuse_cut(uint64_t length, uint64_t stated, struct error *err) {
    return error_set(err, ERROR_LENGTH,
                     "the file is cut: it has %llu bytes and its own structure wants %llu",
                     (unsigned long long)length, (unsigned long long)stated);
}

bool verify_first(const struct symbol_key *key, const struct content *content, const void *bytes,
                  size_t length, struct error *err) {
    static const struct identity unknown = {.format = FORMAT_UNKNOWN};
    if (!content_acceptable(key, content, bytes, length, err))
        return false;
    return identity_begins(bytes, length) || match(key, &unknown) != DIFFERS ||
           refuse_other(&unknown, err);
}

bool verify_view(const struct symbol_key *key, const struct view *view, bool announced,
                 struct error *err) {
    struct identity found;
    struct error damage = {0};
    enum identify_outcome outcome = identify(view, &found, &damage);
    if (outcome == IDENTIFY_FAILED) {
        *err = damage;
        return false;
    }
    enum match verdict = match(key, &found);
    bool believed = announced && found.format == FORMAT_PE;
    bool promised = verdict != UNTOLD || key->kind != KIND_OTHER;
    if (promised && found.stated_length > view->length && !believed)
        return refuse_cut(view->length, found.stated_length, err);
    if (outcome == IDENTIFY_DAMAGED && promised)
        return error_set(err, ERROR_IDENTITY, "the file is damaged: %s", damage.what);
    return verdict != DIFFERS || refuse_other(&found, err);
}

struct staging_view {
    struct view view;
    const struct staging *staging;
};

static bool read_staging(const struct view *view, void *out, size_t length, uint64_t offset,
                         struct error *err) {
    const struct staging_view *staged = (const struct staging_view *)view;
    return staging_read(staged->staging, out, length, offset, err);
}

bool verify_whole(const struct symbol_key *key, const struct staging *staging, bool announced,
                  struct error *err) {
    static const struct view_ops ops = {.read = read_staging};
    struct staging_view staged = {.view = {&ops, staging_length(staging)}, .staging = staging};
    return verify_view(key, &staged.view, announced, err);
}

bool verify_file(const struct symbol_key *key, int fd, uint64_t size, struct error *err) {
    struct file_view file = file_view_of(fd, size);
    return verify_view(key, &file.view, true, err);
}
