// SPDX-License-Identifier: MIT
#include "base/table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

enum { BUCKETS_AT_FIRST = 64 };

void table_init(struct table *table) {
    table->bucket_count = BUCKETS_AT_FIRST;
    table->buckets = NEW_ARRAY(struct table_node *, BUCKETS_AT_FIRST);
    table->count = 0;
}

void table_release(struct table *table) {
    free(table->buckets);
    *table = (struct table){0};
}

static struct table_node **bucket_of(const struct table *table, uint64_t hash) {
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static void grow(struct table *table) {
    struct table bigger = {.bucket_count = table->bucket_count * 2};
    bigger.buckets = NEW_ARRAY(struct table_node *, bigger.bucket_count);
    for (size_t i = 0; i < table->bucket_count; i++) {
        struct table_node *node = table->buckets[i];
        while (node) {
            struct table_node *next = node->next;
            struct table_node **bucket = bucket_of(&bigger, node->hash);
            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
    bigger.count = table->count;
    free(table->buckets);
    *table = bigger;
}

void table_insert(struct table *table, struct table_node *node, uint64_t hash) {
    if (table->count >= table->bucket_count)
        grow(table);
    struct table_node **bucket = bucket_of(table, hash);
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    table->count++;
}

void table_remove(struct table *table, struct table_node *node) {
    struct table_node **at = bucket_of(table, node->hash);
    while (*at && *at != node)
        at = &(*at)->next;
    assert(*at == node);
    *at = node->next;
    node->next = NULL;
    table->count--;
}

static struct table_node *with_hash(struct table_node *node, uint64_t hash) {
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

struct table_node *table_find(const struct table *table, uint64_t hash) {
    return with_hash(*bucket_of(table, hash), hash);
}

struct table_node *table_next(const struct table_node *node) {
    return with_hash(node->next, node->hash);
}

int table_each(struct table *table, int (*visit)(struct table_node *node, void *context),
               void *context) {
    for (size_t i = 0; i < table->bucket_count; i++) {
        struct table_node *node = table->buckets[i];
        while (node) {
            struct table_node *next = node->next;
            int stop = visit(node, context);
            if (stop)
                return stop;
            node = next;
        }
    }
    return 0;
}
