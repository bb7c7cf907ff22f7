// SPDX-License-Identifier: MIT
#include "http/hop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

void hop_write(char out[HOP_BYTES]) {
    uint64_t mark = hash_bytes(hash_process_key(), HOP_HEADER, sizeof HOP_HEADER);
    snprintf(out, HOP_BYTES, "%016" PRIx64, mark);
}

bool hop_is_own(const char *mark) {
    char own[HOP_BYTES];
    hop_write(own);
    return strcmp(mark, own) == 0;
}
