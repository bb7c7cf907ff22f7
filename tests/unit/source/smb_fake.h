// SPDX-License-Identifier: MIT
//
// What the fake helper (smb_fake.c) serves: one file.
#pragma once

#include <stdint.h>

#define SMB_FAKE_MODIFIED_NS (INT64_C(1700000000) * 1000000000 + 5)

enum { SMB_FAKE_SIZE = 3 * 1024 * 1024 + 17 };

/* The byte at an offset of it. */
static inline unsigned char smb_fake_byte(uint64_t offset) {
    return (unsigned char)(offset ^ (offset >> 8) ^ (offset >> 16));
}
