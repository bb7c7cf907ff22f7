// SPDX-License-Identifier: MIT
// The SymbolChecksum header: what clients send.
#include "format/checksum.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct memory_view view = memory_view_of(bytes, length);
    struct identity identity = {.format = FORMAT_PORTABLE_PDB, .portable_id_at = length / 2};
    char *header = malloc(length + 1);
    if (length > 0)
        memcpy(header, bytes, length);
    header[length] = '\0';
    enum checksum_outcome outcome = checksum_compare(&view.view, &identity, header, NULL);
    if (outcome == CHECKSUM_FAILED)
        abort();
    free(header);
    return 0;
}
