// SPDX-License-Identifier: MIT
//
// A set of 64-bit hashes at 8 bytes each: a sorted array, searched by halving. It grows by whole
// batches. What was put in is always found; something else may be found in its place, as rarely as
// hashes collide. Not thread-safe: the owner says which lock guards it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct hash_set {
    uint64_t *hashes; /* in order, each once; NULL while empty */
    size_t count;
};

/* Makes *out_set of what is in both: a set, and `count` hashes in any order, which are sorted in
   place. The set stays as it is. False: there is no memory for it. */
bool hash_set_join(const struct hash_set *set, uint64_t *hashes, size_t count,
                   struct hash_set *out_set) MUST_CHECK;

/* Is it in the set? */
bool hash_set_has(const struct hash_set *set, uint64_t hash);

/* Frees; the set is empty then. */
void hash_set_release(struct hash_set *set);
