// SPDX-License-Identifier: MIT
//
// What lies in a directory, looked up without regard to ASCII case. The names of the directories
// read last are kept, with a ceiling, until a directory's modification time changes: in a store
// with a hundred thousand names a miss costs no reading. A directory that changed within the last
// seconds is read each time, for its time may not show the next change. Its own lock, which is not
// held while a directory is read; any thread. Blocks on the disk.
#pragma once

#include <stddef.h>

#include "base/error.h"

enum { LISTING_MATCHES_MAX = 8, LISTING_NAME_BYTES = 256 };

struct listings;

struct listing_matches {
    unsigned count; /* more than LISTING_MATCHES_MAX spellings of one name are passed over */
    char names[LISTING_MATCHES_MAX][LISTING_NAME_BYTES];
};

/* An empty memory of at most bytes_max. */
struct listings *folder_listings_new(size_t bytes_max);

/* NULL is allowed. */
void folder_listings_free(struct listings *listings);

/* Finds the entries of a directory that are called `name` but for ASCII case. */
bool folder_listings_find(struct listings *listings, int directory_fd, const char *name,
                          struct listing_matches *out_matches, struct error *err) MUST_CHECK;

/* How many directories have been read since the start. */
unsigned folder_listings_read(struct listings *listings);
