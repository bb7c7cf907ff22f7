// SPDX-License-Identifier: MIT
//
// An arena: many small blocks that are given back all at once. They lie in pages of the kernel's,
// which get back to it, so that what is gathered and thrown away again and again leaves no holes in
// the heap. Not thread-safe: the owner says which lock guards it.
#pragma once

#include <stddef.h>

struct arena_pages;

struct arena {
    struct arena_pages *pages; /* the newest first; NULL while empty */
    size_t used;               /* of the newest */
};

/* A zeroed block, aligned to 8 bytes; never NULL. Lives until arena_release. A zeroed struct is an
   empty arena. */
void *arena_take(struct arena *arena, size_t bytes);

/* Gives everything back; the arena is empty again. */
void arena_release(struct arena *arena);
