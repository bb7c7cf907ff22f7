// SPDX-License-Identifier: MIT
//
// Where a key's file is put below a shelf's directory, and what may keep it from being put there:
// whatever a file cannot replace. symgate makes no such thing, but a hand or a script may.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "symbol/key.h"
#include "symbol/layout.h"

/* The canonical place, behind its tier where the shelf has two. */
void shelf_place_write(const struct symbol_key *key, bool two_tier, char out[LAYOUT_PATH_BYTES]);

/* Can a file be put at a path below the open directory of a shelf? Not where a directory lies
   there, nor where a file lies in place of one of its folders: err says so, with the cure. True
   where that cannot be seen. `shelf`: its path, for the error. May block. */
bool shelf_place_free(int root_fd, const char *shelf, const char *path,
                      struct error *err) MUST_CHECK;

/* The same for a key's place on a shelf that nobody has opened, by its path; true where there is no
   such directory. May block. */
bool shelf_place_free_on(const char *shelf, const struct symbol_key *key,
                         struct error *err) MUST_CHECK;
