// SPDX-License-Identifier: MIT
// Files of debug information that was split off from PE images.
#include "format/pe.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, pe_identify_debug);
    return 0;
}
