// SPDX-License-Identifier: MIT
// The first line of Breakpad's text symbols.
#include "format/breakpad.h"

#include "look.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    look_at(bytes, length, breakpad_identify);
    return 0;
}
