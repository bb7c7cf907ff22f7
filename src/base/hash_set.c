// SPDX-License-Identifier: MIT
#include "base/hash_set.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    const uint64_t *first = a;
    const uint64_t *second = b;
    return (*first > *second) - (*first < *second);
}

static size_t merge(const struct hash_set *set, const uint64_t *hashes, size_t count,
                    uint64_t *out) {
    size_t filled = 0;
    for (size_t at = 0, other = 0; at < set->count || other < count;) {
        bool from_set = other == count || (at < set->count && set->hashes[at] <= hashes[other]);
        uint64_t next = from_set ? set->hashes[at++] : hashes[other++];
        if (filled == 0 || out[filled - 1] != next)
            out[filled++] = next;
    }
    return filled;
}

bool hash_set_join(const struct hash_set *set, uint64_t *hashes, size_t count,
                   struct hash_set *out_set) {
    *out_set = (struct hash_set){0};
    if (set->count + count == 0)
        return true;
    if (count > 0)
        qsort(hashes, count, sizeof *hashes, by_value);
    uint64_t *joined = malloc((set->count + count) * sizeof *joined);
    if (!joined)
        return false;
    out_set->count = merge(set, hashes, count, joined);
    uint64_t *fitting = realloc(joined, out_set->count * sizeof *joined);
    out_set->hashes = fitting ? fitting : joined;
    return true;
}

bool hash_set_has(const struct hash_set *set, uint64_t hash) {
    return set->count > 0 && bsearch(&hash, set->hashes, set->count, sizeof hash, by_value) != NULL;
}

void hash_set_release(struct hash_set *set) {
    free(set->hashes);
    *set = (struct hash_set){0};
}
