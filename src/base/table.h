// SPDX-License-Identifier: MIT
//
// A hash table of elements that carry a node: chained, intrusive, doubling, never allocating per
// element. The caller makes the hash (base/hash.h) and compares. Not thread-safe: the owner says
// which lock guards it.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next;
    uint64_t hash;
};

struct table {
    struct table_node **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
};

#define TABLE_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* An empty table. */
void table_init(struct table *table);

/* Frees the buckets; the elements are the caller's. */
void table_release(struct table *table);

/* Puts a node in under its hash. */
void table_insert(struct table *table, struct table_node *node, uint64_t hash);

/* Takes a node out; it must be in. */
void table_remove(struct table *table, struct table_node *node);

/* The first node with this hash, or NULL; go on with table_next. */
struct table_node *table_find(const struct table *table, uint64_t hash);

/* The next node with the same hash, or NULL. */
struct table_node *table_next(const struct table_node *node);

/* Calls visit for every node until it returns nonzero; visit may remove and free the node it is
 * given. */
int table_each(struct table *table, int (*visit)(struct table_node *node, void *context),
               void *context);
