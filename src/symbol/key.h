// SPDX-License-Identifier: MIT
//
// What names a symbol file. A *spelling* is name and id as a client wrote them, decoded; a *key* is
// their canonical form: two spellings of the same symbol have equal keys, and the cache is keyed
// with it. Names are folded (ASCII), ids are brought to the form in which the field's tools write
// them:
//
// - PDB 7.0: the 32 digits of the GUID upper, the age lower and without leading zeros.
// - Portable PDB: the 32 digits of the GUID upper, FFFFFFFF.
// - PDB 2.0, which a name in .pdb tells from PE: 8 digits of the signature upper, the age lower.
// - PE: 8 digits of the time stamp upper, the size of the image lower and without leading zeros.
// - SSQP's elf-buildid-…, mach-uuid-…, sha1-…, and whatever else: lower.
//
// 40 digits are a GUID with a full age only where the name ends in .pdb or the age is FFFFFFFF:
// build ids of 20 bytes are as long.
//
// Sources: the Windows debugger documentation ("SymStore"), SSQP key conventions of
// dotnet/symstore. Only this module makes a path out of what came from the network, by way of
// symbol/layout.h. Pure; no I/O.
#pragma once

#include <stdint.h>

#include "base/error.h"

enum {
    NAME_BYTES_MAX = 255,
    ID_BYTES_MAX = 160,
};

enum identifier {
    IDENTIFIER_OTHER,
    IDENTIFIER_PDB70,
    IDENTIFIER_PORTABLE,
    IDENTIFIER_PDB20,
    IDENTIFIER_PE,
    IDENTIFIER_ELF,   /* elf-buildid-… and elf-buildid-sym-… */
    IDENTIFIER_MACHO, /* mach-uuid-… and mach-uuid-sym-… */
    IDENTIFIER_SHA1,
    IDENTIFIER_COUNT
};

/* What sort of file a key should lead to; servers may be limited to some kinds. */
enum symbol_kind {
    KIND_OTHER,
    KIND_PDB,
    KIND_PE,
    KIND_ELF,
    KIND_MACHO,
    KIND_SYM, /* Breakpad text */
    KIND_COUNT
};

/* Which file of those that name and id stand for. */
enum part {
    PART_ITSELF,
    PART_SYM, /* the Breakpad text made of it, <stem>.sym */
};

struct spelling {
    char name[NAME_BYTES_MAX + 1];
    char id[ID_BYTES_MAX + 1];
    enum part part;
};

struct symbol_key {
    enum identifier identifier;
    enum symbol_kind kind;
    enum part part;
    uint64_t hash; /* of all that counts, under the process key; equal keys have equal hashes */
    char name[NAME_BYTES_MAX + 1];
    char id[ID_BYTES_MAX + 1];
};

/* Makes the key of a spelling. Refuses (ERROR_INVALID) empty names and ids, ".", "..", a leading
   dot, slashes, backslashes, colons and control characters; Windows device names are ordinary names
   here. */
bool symbol_key_make(const struct spelling *spelling, struct symbol_key *out_key,
                     struct error *err) MUST_CHECK;

/* Reads "NAME/ID", as commands, records and the API have it. False: it is not of that form, or a
   part is too long for a key. */
bool spelling_read(const char *text, struct spelling *out_spelling) MUST_CHECK;

/* Do both name the same symbol? */
bool symbol_key_equal(const struct symbol_key *a, const struct symbol_key *b);

/* Are both written the same, byte for byte? */
bool spelling_equal(const struct spelling *a, const struct spelling *b);

/* "pdb", "pe", "elf", "macho", "sym", "other": as in a server's `kinds`. */
const char *symbol_kind_name(enum symbol_kind kind);

/* The other way; false for an unknown name. */
bool symbol_kind_parse(const char *name, enum symbol_kind *out_kind) MUST_CHECK;
