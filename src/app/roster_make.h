// SPDX-License-Identifier: MIT
//
// From the configuration's servers to sources, filters and their roster.
#pragma once

#include "app/config.h"
#include "proxy/roster.h"

/* Makes a roster. Takes the servers' patterns out of the configuration (they are compiled once). A
   server that cannot be asked stays in its place, switched off, so that positions and identifiers
   hold. */
struct roster *roster_make(struct config *config, const struct hash_key *key,
                           const char *state_directory, struct error *err) MUST_CHECK;

/* Has the roster read what lies on these shelves (some may be NULL) in another form: compressed, or
   pointed at. A pointer may lead below its own shelf, as the configuration or pathMap writes it,
   and, from a server's own shelf, below that server's pointerRoots. */
bool roster_make_readers(struct roster *roster, const struct config *config,
                         struct shelf *const *shelves, unsigned count, const struct hash_key *key,
                         struct error *err) MUST_CHECK;
