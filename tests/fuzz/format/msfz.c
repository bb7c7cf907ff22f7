// SPDX-License-Identifier: MIT
// MSFZ files, packed in every way.
#include "format/msfz.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, msfz_identify);
    return 0;
}
