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
