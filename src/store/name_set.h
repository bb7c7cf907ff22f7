// SPDX-License-Identifier: MIT
//
// The names in a directory, to be found whatever their case. Read once and never changed, so it is
// shared by references and searched without a lock. It remembers the directory's time, which says
// whether it is still true.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_entry {
    uint64_t hash; /* of the folded name, under the process key */
    uint32_t at;   /* where the name begins in `text` */
};

struct name_set {
    atomic_uint references;
    int64_t modified_ns; /* the directory's; -1: it had just changed, so another change may hide
                            behind the same time */
    bool cut;            /* there were more names than names_max */
    uint32_t count;
    struct name_entry *entries; /* by hash */
    char *text;
    size_t bytes; /* memory in all */
};

/* Which names are to be kept. */
struct name_choice {
    bool (*wanted)(const char *name, const void *context);
    const void *context;
    uint32_t names_max;
};

/* Reads a directory (names with a leading dot are left out); NULL when it cannot be read. Blocks.
 */
struct name_set *name_set_read(int directory_fd, const struct name_choice *choice);

/* References; unref takes NULL. */
struct name_set *name_set_ref(struct name_set *set);
void name_set_unref(struct name_set *set);
void name_set_unref_at(struct name_set **set);

/* The n-th name (from 0) that is the same but for case; NULL when there are no more. */
const char *name_set_find(const struct name_set *set, const char *name, unsigned n);

/* A directory's modification time without asking a file server; 0 when it cannot be told. Never
 * blocks. */
int64_t name_set_time(int directory_fd);
