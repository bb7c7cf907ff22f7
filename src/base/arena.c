// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include "base/memory.h"

enum { PAGES_BYTES = 256 * 1024 };

struct arena_pages {
    struct arena_pages *next;
    size_t bytes;
};

static void add_pages(struct arena *arena, size_t least) {
    size_t bytes = least > PAGES_BYTES ? least : PAGES_BYTES;
    struct arena_pages *pages = memory_pages(bytes);
    *pages = (struct arena_pages){arena->pages, bytes};
    arena->pages = pages;
    arena->used = sizeof *pages;
}

void *arena_take(struct arena *arena, size_t bytes) {
    size_t rounded = (bytes + 7) & ~(size_t)7;
    if (!arena->pages || arena->pages->bytes - arena->used < rounded)
        add_pages(arena, rounded + sizeof *arena->pages);
    void *block = (char *)arena->pages + arena->used;
    arena->used += rounded;
    return block;
}

void arena_release(struct arena *arena) {
    for (struct arena_pages *pages = arena->pages, *next; pages; pages = next) {
        next = pages->next;
        memory_pages_free(pages, pages->bytes);
    }
    *arena = (struct arena){0};
}
