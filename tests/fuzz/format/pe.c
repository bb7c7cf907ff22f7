// SPDX-License-Identifier: MIT
// PE images.
#include "format/pe.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, pe_identify);
    return 0;
}
