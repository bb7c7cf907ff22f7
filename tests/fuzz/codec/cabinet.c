// SPDX-License-Identifier: MIT
//
// A cabinet, whatever it says of itself.
#include "expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    expand(CODING_CABINET, bytes, length);
    return 0;
}
