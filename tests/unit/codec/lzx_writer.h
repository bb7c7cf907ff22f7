// SPDX-License-Identifier: MIT
//
// Compresses with LZX as cabinets have it ([MS-PATCH] chapter 2): verbatim blocks, each with trees
// of its own, matches found by chains of hashes, no translation of x86 calls. For tests.
#pragma once

#include <stddef.h>

#include "base/buffer.h"

enum { LZX_FRAME_BYTES = 32 * 1024 };

struct lzx_writer;

/* A writer for these bytes, which stay the caller's; window_bits is 15 to 21. */
struct lzx_writer *lzx_writer_new(unsigned window_bits, const unsigned char *plain, size_t length);

/* Appends the next frame: LZX_FRAME_BYTES of the plain bytes, or the rest. */
void lzx_writer_frame(struct lzx_writer *writer, struct buffer *out);

/* NULL is allowed. */
void lzx_writer_free(struct lzx_writer *writer);
