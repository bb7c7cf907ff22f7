// SPDX-License-Identifier: MIT
//
// Any bytes as the beginning of a body. What is looked at must not depend on what lies behind the
// first few KiB.
#include <stdint.h>
#include <stdlib.h>

#include "symbol/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct symbol_key page = {.kind = KIND_OTHER, .name = "a.html", .id = "1"};
static const struct symbol_key pdb = {.kind = KIND_PDB, .name = "a.pdb", .id = "1"};

static void require(bool right) {
    if (!right)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    const struct content content = {.size = SIZE_UNKNOWN};
    struct error err = {0};
    enum content_look look = content_look(bytes, length);
    require((look == CONTENT_EMPTY) == (length == 0));
    if (length > CONTENT_LOOK_BYTES)
        require(look == content_look(bytes, CONTENT_LOOK_BYTES));
    require(content_acceptable(&page, &content, bytes, length, &err) == (length > 0));
    require(content_acceptable(&pdb, &content, bytes, length, &err) == (look == CONTENT_BINARY));
    return 0;
}
