// SPDX-License-Identifier: MIT
// ELF files.
#include "format/elf.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, elf_identify);
    return 0;
}
