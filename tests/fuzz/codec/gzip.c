// SPDX-License-Identifier: MIT
//
// gzip, of any number of members.
#include "expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    expand(CODING_GZIP, bytes, length);
    return 0;
}
