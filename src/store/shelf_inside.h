// SPDX-License-Identifier: MIT
//
// What the parts of a shelf share: shelf.c (making, state), shelf_look.c (finding), shelf_remove.c
// and shelf_stage.c (writing).
#pragma once

#include <pthread.h>

#include "base/listings.h"
#include "store/shelf.h"
#include "store/shelf_root.h"

struct shelf {
    struct shelf_options options; /* set at creation, then read-only */
    char *path;
    struct pool *pool;
    counter kept_bytes, gone_bytes; /* put in place since the start, and replaced or removed */
    struct listings *listings; /* the identifiers in a directory that are not canonically written */

    pthread_mutex_t lock;    /* guards all below */
    struct shelf_root *root; /* NULL: the directory cannot be used at present */
    struct name_set
        *index; /* the root's names that are not folded; NULL: not made yet, or of an older root */
    int64_t retry_ms;       /* when the directory may be looked at again */
    int64_t index_check_ms; /* when the root's time may be compared again */
    int64_t index_build_ms; /* when the index may be made again */
    int64_t index_true_ms;  /* when the root's time was last seen to be the index's */
    bool index_building;
    bool complained;
};

/* The memory for what its directories hold. */
struct listings *shelf_listings_new(void);

/* The open directory (a new reference), or NULL. Never blocks. */
struct shelf_root *shelf_take_root(struct shelf *shelf);

/* Is it time to look at the directory itself again? Never blocks. */
bool shelf_refresh_due(struct shelf *shelf);

/* Opens the directory, or opens it anew where it has been replaced or may be writable now; at most
   every few seconds. May block. */
void shelf_refresh(struct shelf *shelf);

/* Is its file system one in memory, so that nothing on it needs a disk? */
bool shelf_quick(struct shelf *shelf);

/* The index of the root's names that are not folded: a reference. NULL when there is none to be
   had, with *cold set where the disk could give one. `cached`: never blocks. */
struct name_set *shelf_index_take(struct shelf *shelf, struct shelf_root *root, bool cached,
                                  bool *cold);

/* Is there certainly nothing of that folded name, in any case? Most unknown symbols are told so,
   without a look at the disk: the root's time says that nobody has added a name since the index was
   made. Never blocks. */
bool shelf_index_lacks(struct shelf *shelf, struct shelf_root *root, const char *name);

/* What the kernel knows of an open file, without asking a file server; path is left alone. Never
 * blocks. */
bool shelf_describe(int fd, struct shelf_found *out_found);
