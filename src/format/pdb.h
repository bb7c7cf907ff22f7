// SPDX-License-Identifier: MIT
//
// PDB files: streams in a multi-stream file (MSF), of which stream 1 ("PDB info") holds GUID or
// signature and an age, and stream 3 (DBI) the age that symbol stores go by. Both versions of the
// container are read, with blocks of 512 to 65536 bytes: 7.00, whose directory is listed by blocks
// that the superblock lists, and 2.00, whose directory the superblock lists itself.
//
// Sources: LLVM's documentation ("The PDB File Format": MSF, PDB info stream, DBI stream) and the
// sources that Microsoft published as microsoft-pdb (PDB/msf/msf.cpp, langapi/include/pdb.h).
#pragma once

#include "format/identity.h"
#include "format/probe.h"

#define MSF_7_MAGIC                                                                                \
    "Microsoft C/C++ MSF 7.00\r\n\x1a"                                                             \
    "DS\0\0"
#define MSF_2_MAGIC "Microsoft C/C++ program database 2.00\r\n\x1aJG\0"

enum {
    PDB_INFO_STREAM = 1,
    PDB_DBI_STREAM = 3,
    PDB_INFO_BYTES = 28, /* as much of the info stream as is read */
    PDB_DBI_BYTES = 12,  /* as much of the DBI stream */
};

/* Reads an MSF 7.00. */
bool pdb_identify_7(struct probe *probe, struct identity *out) MUST_CHECK;

/* Reads an MSF 2.00. */
bool pdb_identify_2(struct probe *probe, struct identity *out) MUST_CHECK;

/* Reads the info stream's first PDB_INFO_BYTES, or all of a shorter one; sets the format too. */
bool pdb_read_info(const struct probe *probe, const unsigned char *bytes, uint64_t length,
                   struct identity *out) MUST_CHECK;

/* Reads the DBI stream's first PDB_DBI_BYTES, or all of a shorter one, after the info stream. */
void pdb_read_dbi(const unsigned char *bytes, uint64_t length, struct identity *out);
