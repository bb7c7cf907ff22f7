// SPDX-License-Identifier: MIT
#include "format/identity.h"

#include <string.h>

#include "base/text.h"
#include "format/breakpad.h"
#include "format/elf.h"
#include "format/macho.h"
#include "format/msfz.h"
#include "format/pdb.h"
#include "format/pe.h"
#include "format/portable_pdb.h"

enum { MAGIC_BYTES_MAX = 44 };

/* A family sees a file that begins with its magic. False: damaged, or the view failed. One that
 * sets FORMAT_UNKNOWN and returns true has found that the file is none of its own after all. */
struct family {
    const char *magic;
    size_t magic_bytes;
    bool (*read)(struct probe *probe, struct identity *out);
};

/* The magic of a string literal, without or with its NUL. */
#define MAGIC(text) text, sizeof(text) - 1
#define MAGIC_AND_NUL(text) text, sizeof(text)

static const struct family families[] = {
    {MAGIC_AND_NUL(MSF_7_MAGIC), pdb_identify_7},
    {MAGIC_AND_NUL(MSF_2_MAGIC), pdb_identify_2},
    {MAGIC_AND_NUL(MSFZ_MAGIC), msfz_identify},
    {MAGIC("BSJB"), portable_pdb_identify},
    {MAGIC("MZ"), pe_identify},
    {MAGIC("DI"), pe_identify_debug},
    {MAGIC("\x7f"
           "ELF"),
     elf_identify},
    {MAGIC("\xfe\xed\xfa\xce"), macho_identify},
    {MAGIC("\xfe\xed\xfa\xcf"), macho_identify},
    {MAGIC("\xce\xfa\xed\xfe"), macho_identify},
    {MAGIC("\xcf\xfa\xed\xfe"), macho_identify},
    {MAGIC("\xca\xfe\xba\xbe"), macho_identify_fat},
    {MAGIC("\xca\xfe\xba\xbf"), macho_identify_fat},
    {MAGIC("MODULE "), breakpad_identify},
};

static const char *const format_names[FORMAT_COUNT] = {
    [FORMAT_UNKNOWN] = "unknown file",
    [FORMAT_PDB70] = "PDB 7.0",
    [FORMAT_PDB20] = "PDB 2.0",
    [FORMAT_PORTABLE_PDB] = "portable PDB",
    [FORMAT_MSFZ] = "MSFZ",
    [FORMAT_PE] = "PE",
    [FORMAT_DBG] = "DBG",
    [FORMAT_ELF] = "ELF",
    [FORMAT_MACHO] = "Mach-O",
    [FORMAT_BREAKPAD] = "Breakpad",
};

static const struct family *find_family(const char *head, size_t length) {
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (families[i].magic_bytes <= length &&
            memcmp(head, families[i].magic, families[i].magic_bytes) == 0)
            return &families[i];
    return NULL;
}

enum identify_outcome identify(const struct view *view, struct identity *out, struct error *err) {
    *out = (struct identity){.format = FORMAT_UNKNOWN};
    struct probe probe = probe_of(view, err);
    char head[MAGIC_BYTES_MAX];
    size_t length = view->length < sizeof head ? (size_t)view->length : sizeof head;
    if (!probe_read(&probe, head, length, 0))
        return IDENTIFY_FAILED;
    const struct family *family = find_family(head, length);
    if (!family)
        return IDENTIFY_UNKNOWN;
    if (!family->read(&probe, out))
        return probe.failed ? IDENTIFY_FAILED : IDENTIFY_DAMAGED;
    return out->format == FORMAT_UNKNOWN ? IDENTIFY_UNKNOWN : IDENTIFY_READ;
}

bool identity_begins(const void *first, size_t length) {
    return length < MAGIC_BYTES_MAX || find_family(first, length) != NULL;
}

const char *format_name(enum format format) {
    return format_names[format];
}

/* Hexadecimal digits of bytes. */
static void format_hex(char *out, size_t size, const char *digits, const unsigned char *bytes,
                       unsigned length) {
    size_t at = 0;
    for (unsigned i = 0; i < length && at + 2 < size; i++) {
        out[at++] = digits[bytes[i] >> 4];
        out[at++] = digits[bytes[i] & 15];
    }
    if (size > 0)
        out[at] = '\0';
}

void identity_format(const struct identity *identity, char *out, size_t size) {
    static const char upper[] = "0123456789ABCDEF";
    static const char lower[] = "0123456789abcdef";
    char hex[2 * BUILD_ID_BYTES_MAX + 1] = "";
    switch (identity->format) {
    case FORMAT_PDB70:
    case FORMAT_MSFZ:
        format_hex(hex, sizeof hex, upper, identity->guid, GUID_BYTES);
        text_format(out, size, "%s%x", hex, identity->age);
        return;
    case FORMAT_PORTABLE_PDB:
        format_hex(hex, sizeof hex, upper, identity->guid, GUID_BYTES);
        text_format(out, size, "%sFFFFFFFF", hex);
        return;
    case FORMAT_PDB20:
        text_format(out, size, "%08X%x", identity->signature, identity->age);
        return;
    case FORMAT_PE:
    case FORMAT_DBG:
        text_format(out, size, "%08X%x", identity->stamp, identity->image_size);
        return;
    case FORMAT_ELF:
        format_hex(out, size, lower, identity->build_id, identity->build_id_length);
        return;
    case FORMAT_MACHO:
        format_hex(out, size, lower, identity->slices[0].uuid,
                   identity->slices[0].has_uuid ? GUID_BYTES : 0);
        return;
    case FORMAT_BREAKPAD:
        text_copy(out, size, identity->module.id);
        return;
    case FORMAT_UNKNOWN:
    case FORMAT_COUNT:
        break;
    }
    text_copy(out, size, "");
}
