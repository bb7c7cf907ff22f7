// SPDX-License-Identifier: MIT
//
// Writes cabinets of one file, as symstore and makecab do, for tests: nothing that is packaged
// writes LZX. Format: [MS-CAB], [MS-MCI] for MSZIP, [MS-PATCH] chapter 2 for LZX.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum cabinet_method { CABINET_STORED = 0, CABINET_MSZIP = 1, CABINET_LZX = 3 };

enum { CABINET_FRAME_BYTES = 32 * 1024 }; /* what one block unfolds to */

struct cabinet_shape {
    enum cabinet_method method;
    unsigned window_bits; /* LZX: 15 to 21 */
    bool unsummed;        /* blocks have no check sum */
    const char *name;     /* inside; NULL: foo.pdb */
    uint16_t head_reserve;
    uint8_t folder_reserve;
    uint8_t block_reserve;
    uint8_t gap; /* bytes of nobody before the file's entry, and before the blocks */
};

/* Appends the cabinet. Aborts where the file is too large for one. */
void cabinet_write(const struct cabinet_shape *shape, const unsigned char *plain, size_t length,
                   struct buffer *out);

/* Where in a cabinet of that shape the folder's entry, the file's entry and the first block begin.
 */
size_t cabinet_folder_at(const struct cabinet_shape *shape);
size_t cabinet_file_at(const struct cabinet_shape *shape);
size_t cabinet_blocks_at(const struct cabinet_shape *shape);

/* Makes the check sum of the block at this offset right again. */
void cabinet_sum(const struct cabinet_shape *shape, unsigned char *block);
