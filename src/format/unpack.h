// SPDX-License-Identifier: MIT
//
// A packed piece of a file, unpacked from its beginning as far as is wanted, whatever its size: by
// zstd (RFC 8878), raw deflate (RFC 1951), or as it lies there. What is unpacked counts as read
// (probe.h); zstd may take UNPACK_WINDOW_MAX of memory besides, deflate 40 KiB.
#pragma once

#include "format/probe.h"

enum { UNPACK_WINDOW_MAX = 1 << 24 };

enum packing {
    PACKING_NONE = 0,
    PACKING_ZSTD = 1,
    PACKING_DEFLATE = 2,
};

struct unpack;

/* Begins with `packed_bytes` at `offset`; NULL, with err, for a packing that is not known. Never
   reads by itself. */
struct unpack *unpack_new(struct probe *probe, uint32_t packing, uint64_t offset,
                          uint64_t packed_bytes) MUST_CHECK;

/* NULL is allowed. */
void unpack_free(struct unpack *unpack);

/* For CLEANUP. */
void unpack_free_at(struct unpack **unpack);

/* The next `length` bytes (out NULL: steps over them). False, with err, where they end early, are
 * broken, or the look fails or has cost too much. */
bool unpack_read(struct unpack *unpack, void *out, uint64_t length) MUST_CHECK;
