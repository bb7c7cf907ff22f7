// SPDX-License-Identifier: MIT
#include "record/sums.h"

#include <string.h>

#include "base/hash.h"

static uint64_t hash_of(const char *first, const char *second, uint64_t mark) {
    uint64_t hash = hash_bytes(hash_process_key(), first, strlen(first)) ^ mark;
    if (!second[0])
        return hash;
    struct hash_key chained = *hash_process_key();
    chained.words[0] ^= hash;
    return hash_bytes(&chained, second, strlen(second));
}

static struct sum_key *find(const struct table *table, uint64_t hash, const char *first,
                            const char *second, uint64_t mark) {
    for (struct table_node *node = table_find(table, hash); node; node = table_next(node)) {
        struct sum_key *key = TABLE_ENTRY(node, struct sum_key, node);
        if (key->mark == mark && strcmp(key->first, first) == 0 && strcmp(key->second, second) == 0)
            return key;
    }
    return NULL;
}

void *sum_there(const struct table *table, const char *first, const char *second, uint64_t mark) {
    return find(table, hash_of(first, second, mark), first, second, mark);
}

void *sum_find(struct table *table, struct arena *arena, size_t max, size_t bytes,
               const char *first, const char *second, uint64_t mark) {
    uint64_t hash = hash_of(first, second, mark);
    struct sum_key *key = find(table, hash, first, second, mark);
    if (key || table->count >= max)
        return key;
    size_t length = strlen(first) + 1, more = strlen(second) + 1;
    key = arena_take(arena, bytes + length + more);
    char *texts = (char *)key + bytes;
    key->first = memcpy(texts, first, length);
    key->second = memcpy(texts + length, second, more);
    key->mark = mark;
    table_insert(table, &key->node, hash);
    return key;
}
