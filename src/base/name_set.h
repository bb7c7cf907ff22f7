// SPDX-License-Identifier: MIT
//
// The names in a directory, to be found whatever their case (of ASCII). Read once and never
// changed, so it is shared by references and searched without a lock. It remembers which directory
// it was read from and that directory's time, which say whether it is still true.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct name_entry {
    uint64_t hash; /* of the folded name, under the process key */
    uint32_t at;   /* where the name begins in `text` */
};

struct name_set {
    atomic_uint references;
    uint64_t device; /* the directory's, as is what follows */
    uint64_t inode;
    int64_t modified_ns; /* -1: it had just changed, so another change may hide behind the same time
                            (file systems keep times as coarsely as 2 s) */
    bool cut;            /* not all names are in */
    uint32_t count;
    struct name_entry *entries; /* by hash */
    char *text;
    uint32_t *others;     /* with choice.count_others: one half of the hashes of all other names */
    uint32_t other_count; /* in order */
    bool others_known;    /* they are all there */
    size_t bytes;         /* memory in all */
};

/* Which names are to be kept. */
struct name_choice {
    bool (*wanted)(const char *name, const void *context); /* NULL: all */
    const void *context;
    size_t bytes_max;   /* what comes when the set is as large as this is left out: it is cut */
    const char *always; /* NULL, or a name whose spellings are kept all the same */
    bool count_others; /* remember of names that are not wanted that they are there, at 4 bytes each
                          and within bytes_max: see name_set_lacks */
};

/* Reads a directory (names with a leading dot are left out); NULL, with err, when it cannot be read
   to its end. Blocks. */
struct name_set *name_set_read(int directory_fd, const struct name_choice *choice,
                               struct error *err) MUST_CHECK;

/* References; unref takes NULL. */
struct name_set *name_set_ref(struct name_set *set);
void name_set_unref(struct name_set *set);
void name_set_unref_at(struct name_set **set);

/* The n-th name (from 0) that is the same but for case; NULL when there are no more. */
const char *name_set_find(const struct name_set *set, const char *name, unsigned n);

/* Has the directory certainly no name that is the same but for case, neither a wanted nor another
   one? False as well when it cannot be told. */
bool name_set_lacks(const struct name_set *set, const char *name);

/* Is this the directory that the set was read from, and unchanged since? `cached`: without asking a
   file server, and never blocking; what cannot be told is false. */
bool name_set_current(const struct name_set *set, int directory_fd, bool cached);
