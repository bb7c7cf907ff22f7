// SPDX-License-Identifier: MIT
// PDB files in an MSF 7.00.
#include "format/pdb.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, pdb_identify_7);
    return 0;
}
