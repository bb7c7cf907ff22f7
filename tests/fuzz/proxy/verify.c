// SPDX-License-Identifier: MIT
//
// The structures by which a cut file is found. The first byte chooses the kind.
#include <stdlib.h>

#include "proxy/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length == 0)
        return 0;
    static struct spill *spill;
    if (!spill)
        spill = spill_new("/dev/shm", UINT64_C(1) << 24);
    struct error err;
    struct staging *staging = NULL;
    if (!staging_new(NULL, spill, SIZE_UNKNOWN, &staging, &err))
        abort();
    struct symbol_key key = {.kind = bytes[0] & 1 ? KIND_PE : KIND_PDB};
    struct content content = {.size = SIZE_UNKNOWN};
    bool good = verify_first(&key, &content, bytes + 1, length - 1, &err);
    if (length > 1 && !staging_append(staging, bytes + 1, length - 1, &err))
        abort();
    /* An announced length is believed for PE files, so it can never be judged more harshly. */
    if (verify_whole(&key, staging, false, &err) && !verify_whole(&key, staging, true, &err))
        abort();
    staging_free(staging);
    (void)good;
    return 0;
}
