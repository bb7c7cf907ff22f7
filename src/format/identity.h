// SPDX-License-Identifier: MIT
//
// What a symbol file says of itself: of which format it is, by what it wants to be found, and how
// long its own structure says it is. Each family of formats has a module beside this one, which
// names where the format is described. No file costs more than probe.h says, and memory only where
// an MSFZ is compressed (unpack.h).
#pragma once

#include "format/view.h"

enum format {
    FORMAT_UNKNOWN,
    FORMAT_PDB70, /* with a GUID, in a multi-stream file of either version */
    FORMAT_PDB20, /* with a signature of 32 bits */
    FORMAT_PORTABLE_PDB,
    FORMAT_MSFZ, /* a PDB in the compressed container */
    FORMAT_PE,
    FORMAT_DBG,
    FORMAT_ELF,
    FORMAT_MACHO,
    FORMAT_BREAKPAD,
    FORMAT_COUNT
};

enum {
    GUID_BYTES = 16,
    PORTABLE_ID_BYTES = 20,
    BUILD_ID_BYTES_MAX = 64,
    SLICES_MAX = 32,
};

struct macho_slice {
    uint32_t cpu; /* Mach-O's cputype */
    bool has_uuid;
    unsigned char uuid[GUID_BYTES];
};

/* A Breakpad file's first line, as it stands there. */
struct breakpad_module {
    char os[32];
    char arch[32];
    char id[64];
    char name[256];
};

struct identity {
    enum format format;
    uint64_t stated_length; /* the least length that the structure demands, 0: it says nothing */

    unsigned char guid[GUID_BYTES]; /* PDB70, MSFZ, PORTABLE_PDB: in the order of its 32 digits */
    uint32_t signature;             /* PDB70, PDB20, MSFZ */
    uint32_t age; /* of the DBI stream where it has one, else of the info stream */
    uint32_t info_age;
    uint32_t dbi_age; /* 0 without */
    bool has_dbi_age;

    unsigned char portable_id[PORTABLE_ID_BYTES]; /* PORTABLE_PDB: GUID, then stamp, as on disk */
    uint64_t portable_id_at;                      /* where in the file */

    uint32_t stamp; /* PE, DBG */
    uint32_t image_size;

    unsigned char build_id[BUILD_ID_BYTES_MAX]; /* ELF */
    unsigned build_id_length;                   /* 0: it has none */

    struct macho_slice slices[SLICES_MAX]; /* MACHO: one, or each of a fat file */
    unsigned slice_count;

    struct breakpad_module module; /* BREAKPAD */
};

/* For the families: the structure demands that the file reaches to `end`. */
static inline void identity_demand(struct identity *identity, uint64_t end) {
    if (end > identity->stated_length)
        identity->stated_length = end;
}

enum identify_outcome {
    IDENTIFY_READ, /* *out holds all that the file says; it may still be shorter than it states */
    IDENTIFY_UNKNOWN, /* no format that is known here */
    IDENTIFY_DAMAGED, /* err says what contradicts; *out holds its format and, once that is known,
                         the stated length */
    IDENTIFY_FAILED,  /* the view could not be read (err): nothing follows for the file */
};

/* Reads what a file says of itself. *out is always written. May block as the view does. */
enum identify_outcome identify(const struct view *view, struct identity *out,
                               struct error *err) MUST_CHECK;

/* May a file that begins so be of a format that is known here? True where too few bytes are there
   to tell. */
bool identity_begins(const void *first, size_t length);

/* "PDB 7.0", "MSFZ", "ELF": as it is called in messages; never NULL. */
const char *format_name(enum format format);

/* What the file is found by, as symbol stores write it: GUID and age, stamp and size, the build id,
   the first slice's UUID, the MODULE line's id; empty where it has none. Cuts at size. */
void identity_format(const struct identity *identity, char *out, size_t size);
