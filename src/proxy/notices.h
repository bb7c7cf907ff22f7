// SPDX-License-Identifier: MIT
//
// What stores have said instead of having a file ("MSG: Ask Ann"), for the clients who come while
// that no is remembered. The last few, in memory: a text that is lost costs a sentence. Its own
// lock; any thread; finding nothing takes none.
#pragma once

#include <stdint.h>

#include "base/error.h"

struct notices;

/* No notice. */
struct notices *notices_new(void);

/* NULL is allowed. */
void notices_free(struct notices *notices);

/* Notes what was said of the key with this hash; of another kind than ERROR_WITHDRAWN: nothing. */
void notices_note(struct notices *notices, uint64_t key_hash, const struct error *said);

/* Fills in what was said of it, if anything was. */
void notices_find(struct notices *notices, uint64_t key_hash, struct error *out_said);
