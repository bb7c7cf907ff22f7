// SPDX-License-Identifier: MIT
//
// Sums by text: elements of a table that are found by two texts and a mark, and made on the way.
// Not thread-safe: the owner says which lock guards them.
#pragma once

#include "base/arena.h"
#include "base/table.h"

/* What a sum is about. The texts lie behind the sum. */
struct sum_key {
    struct table_node node;
    const char *first;
    const char *second;
    uint64_t mark; /* tells sums of the same texts apart */
};

/* The sum of a key, zeroed and made if need be: `bytes` is the size of its struct, which begins
   with its sum_key. It lives as long as the arena. NULL: the table has `max` already. */
void *sum_find(struct table *table, struct arena *arena, size_t max, size_t bytes,
               const char *first, const char *second, uint64_t mark);

/* The same, but never made: NULL when there is none. */
void *sum_there(const struct table *table, const char *first, const char *second, uint64_t mark);
