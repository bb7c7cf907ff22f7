// SPDX-License-Identifier: MIT
// Portable PDBs.
#include "format/portable_pdb.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, portable_pdb_identify);
    return 0;
}
