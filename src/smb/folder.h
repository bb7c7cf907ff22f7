// SPDX-License-Identifier: MIT
//
// What lies in a folder of a share, looked up without regard to ASCII case. The names of one
// folder, the root, are kept while its time says that nothing changed: it may hold a hundred
// thousand.
#pragma once

#include <sys/stat.h>

#include "base/buffer.h"
#include "base/error.h"

struct _SMBCCTX; /* libsmbclient's SMBCCTX */

enum { FOLDER_MATCHES_MAX = 8, FOLDER_NAME_BYTES = 256 };

struct folder_matches {
    unsigned count; /* more than FOLDER_MATCHES_MAX spellings of one name are passed over */
    char names[FOLDER_MATCHES_MAX][FOLDER_NAME_BYTES];
};

/* The names in a folder. */
struct folder {
    struct buffer names; /* each with its NUL */
    struct timespec modified;
    int64_t read_ms; /* when; 0: never */
    bool settled;    /* its time was old enough to show the next change */
};

/* An empty one, nothing read; at most bytes_max of names are kept. */
void folder_init(struct folder *folder, size_t bytes_max);

/* Gives back what was read. */
void folder_release(struct folder *folder);

/* Reads the names, unless those at hand are still good (`as_it_is` has the folder's time now). */
bool folder_read(struct folder *folder, struct _SMBCCTX *context, const char *url,
                 const struct stat *as_it_is, struct error *err) MUST_CHECK;

/* The names that are `name` but for ASCII case. */
void folder_find(const struct folder *folder, const char *name, struct folder_matches *out_matches);

/* A name whose letters may be turned to the other case without meeting another one's; NULL: none.
 */
const char *folder_name_to_try(const struct folder *folder);

/* Turns all ASCII letters to the other case. */
void folder_swap_case(char *name);
