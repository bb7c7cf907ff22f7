// SPDX-License-Identifier: MIT
//
// The check sum by which a debugger tells portable PDBs with the same id apart, which development
// builds make: of the whole file with the 20 bytes of its id taken as zero. Sources: "PE-COFF.md"
// (PDB Checksum Debug Directory Entry) of dotnet/runtime, the SSQP specification of
// dotnet/symstore for the header.
#pragma once

#include "format/identity.h"

enum { CHECKSUMS_MAX = 8 }; /* more than a question holds */

enum checksum_outcome {
    CHECKSUM_EQUAL,     /* one of the sums is the file's */
    CHECKSUM_DIFFERENT, /* there are sums, and none is */
    CHECKSUM_UNSAID,    /* no sum by an algorithm that is known here */
    CHECKSUM_FAILED,    /* the file could not be read (err) */
};

/* Compares with a SymbolChecksum header, "SHA256:…;SHA1:…" (also SHA384, SHA512; hexadecimal
   digits): the sum of the whole file with the 20 bytes of its id taken as zero. `identity` is what
   identify said of this portable PDB. At most CHECKSUMS_MAX sums are looked at. Reads the whole
   file, blocks as the view does. */
enum checksum_outcome checksum_compare(const struct view *view, const struct identity *identity,
                                       const char *wanted, struct error *err) MUST_CHECK;
