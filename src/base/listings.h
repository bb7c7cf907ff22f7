// SPDX-License-Identifier: MIT
//
// Listings: the names in directories below a root, whatever their case, without reading a directory
// for each look. The ones used last are kept, within a bound of memory, as long as their directory
// stays what it was; one that has changed within the last seconds is true for the moment only, for
// its time may not show the next change. The lock is not held while a directory is read; any
// thread.
#pragma once

#include "base/files.h"
#include "base/name_set.h"

struct listings_options {
    size_t bytes_max;
    int64_t trust_ms; /* how long a listing is used without looking at its directory; 0: never */
    /* Which names of a directory are kept; NULL: all. */
    bool (*wanted)(const char *name, const void *directory);
};

struct listings;

/* An empty memory. */
struct listings *listings_new(const struct listings_options *options);

/* NULL is allowed. */
void listings_free(struct listings *listings);

/* Which directory, and how it may be looked at. */
struct listings_place {
    int root_fd;
    const char *directory; /* below the root; "." is the root itself */
    const char *name;     /* its spellings are in the set however many others there are; NULL: a set
                             that     is too large is cut, and kept so */
    unsigned files_flags; /* how the directory is opened */
    bool cached;          /* never reads a directory: FILE_COLD instead */
};

/* The listing of a directory: with FILE_FOUND, *out_set is a new reference. FILE_FAILED also when
   it cannot be read to its end. */
enum file_found listings_find(struct listings *listings, const struct listings_place *place,
                              struct name_set **out_set, struct error *err) MUST_CHECK;

/* How often a directory has been read. */
unsigned listings_reads(struct listings *listings);
