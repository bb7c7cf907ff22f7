// SPDX-License-Identifier: MIT
//
// What stores have said instead of having a file ("MSG: Ask Ann"), for the clients who come while
// that no is remembered: one for a spelling and a source, as absences are. The last few, in memory:
// a text that is lost costs a sentence. Its own lock; any thread; finding nothing takes none.
#pragma once

#include "proxy/roster.h"
#include "store/absence.h"

struct notices;

/* No notice. */
struct notices *notices_new(void);

/* NULL is allowed. */
void notices_free(struct notices *notices);

/* Notes what a source said; of another kind than ERROR_WITHDRAWN: nothing any more. */
void notices_note(struct notices *notices, const struct absence_mark *mark, uint64_t fingerprint,
                  const struct error *said);

/* Was anything noted ever? */
bool notices_any(const struct notices *notices);

/* Fills in what the first of these sources (bits) said, if one said anything. */
void notices_find(struct notices *notices, const struct roster *roster, uint64_t sources,
                  const struct absence_mark *mark, struct error *out_said);
