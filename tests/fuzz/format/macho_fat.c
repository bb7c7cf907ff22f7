// SPDX-License-Identifier: MIT
// Fat Mach-O files.
#include "format/macho.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, macho_identify_fat);
    return 0;
}
