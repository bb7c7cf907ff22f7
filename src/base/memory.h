// SPDX-License-Identifier: MIT
//
// Small allocations of a size that we choose. They abort when memory is out: a proxy that cannot
// allocate 200 bytes cannot answer either. Whatever has a size that comes from outside goes through
// base/buffer.h, which has limits and fails politely.
#pragma once

#include <stddef.h>

/* A zeroed block; never NULL. */
void *memory_new(size_t bytes);

/* A zeroed array of count elements; never NULL. */
void *memory_array(size_t count, size_t bytes_each);

/* Zeroed pages straight from the kernel, which get back to it when freed: for tables that grow by
   moving, whose old blocks would leave holes in the heap. Never NULL. */
void *memory_pages(size_t bytes);

/* Gives pages back; `bytes` as asked for. NULL is allowed. */
void memory_pages_free(void *pages, size_t bytes);

/* A copy of text on the heap; NULL for NULL. */
char *memory_text(const char *text);

#define NEW(type) ((type *)memory_new(sizeof(type)))
#define NEW_ARRAY(type, count) ((type *)memory_array((count), sizeof(type)))
