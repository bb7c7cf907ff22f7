// SPDX-License-Identifier: MIT
//
// Listings: for directories of a shelf, the identifiers in them that are not canonically written.
// Read on the shelf's threads only, kept while the directory's time stays the same, the ones used
// last, within a bound of memory.
#pragma once

#include <pthread.h>

#include "base/list.h"
#include "base/table.h"
#include "store/name_set.h"

struct listings {
    pthread_mutex_t lock; /* guards all below */
    struct table table;   /* by directory */
    struct list recent;   /* used last at the end */
    size_t bytes;
    size_t bytes_max;
};

/* Empty ones. */
void listings_init(struct listings *listings, size_t bytes_max);
void listings_release(struct listings *listings);

enum listing_found {
    LISTING_FOUND,   /* *out_set is a new reference */
    LISTING_NOTHING, /* there is no such directory */
    LISTING_COLD,    /* only with `cached` */
};

/* The listing of a directory below root_fd. `cached`: never blocks. Else it is read when it is not
   there or not true any more. A directory that was looked at within the last second or two is not
   looked at again. */
enum listing_found listings_find(struct listings *listings, int root_fd, const char *directory,
                                 bool cached, struct name_set **out_set);
