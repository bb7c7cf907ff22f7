// SPDX-License-Identifier: MIT
//
// Is a body what the key says? It is asked twice: with the first bytes, before a copy may begin,
// and at the end, before it is called whole. Until the second answer the copy is not certain and
// its readers hold the end back. At present the content's look and, for MSF and PE files, the
// length that their own structure demands; identity (GUID and age, time stamp, build id) joins
// here.
#pragma once

#include "store/copy.h"
#include "store/staging.h"
#include "symbol/content.h"

/* With the first bytes (CONTENT_LOOK_BYTES, or the whole body where it is shorter). */
bool verify_first(const struct symbol_key *key, const struct content *content, const void *bytes,
                  size_t length, struct error *err) MUST_CHECK;

/* With the whole body. `announced`: its length was announced and met; else a structure that says it
 * is longer proves a cut. */
bool verify_whole(const struct symbol_key *key, const struct staging *staging, bool announced,
                  struct error *err) MUST_CHECK;
