// SPDX-License-Identifier: MIT
//
// A ZIP archive, whatever it says of itself.
#include "expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    expand(CODING_ZIP, bytes, length);
    return 0;
}
