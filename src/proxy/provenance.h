// SPDX-License-Identifier: MIT
//
// Where kept files came from: a line for each file that was put on a shelf, in
// "<shelf>/.symgate/provenance": key, server, masked URL, time, size, SHA-256, what the file says
// of itself. Written after the file has its place, on a thread of its own, which reads it back for
// its sum; so no answer waits for it. What finds the thread too far behind is not written down,
// counted.
//
// The file: JSON, an object a line; the first says the format's version. Only ever appended to,
// each line in one write, so a kill costs the last line at most, and a torn line is passed over. At
// 32 MiB it becomes "provenance.old", in the place of the one before.
#pragma once

#include "base/buffer.h"
#include "store/cache.h"

struct provenance;

/* For these shelves (some may be NULL; not owned, must outlive). */
struct provenance *provenance_new(struct shelf *const *shelves, unsigned shelf_count);

/* Writes what waits, without sums that are not made yet, and ends the thread. NULL is allowed. */
void provenance_free(struct provenance *provenance);

/* Writes down where a COMPLETE copy came from; one that was not kept, or NULL for provenance, is
   passed over. Never blocks. */
void provenance_add(struct provenance *provenance, struct copy *copy,
                    const struct attempt_note *note);

/* Appends what is written of a key, as a JSON list, oldest first; at most 100. Blocks. */
void provenance_find(struct provenance *provenance, const struct symbol_key *key,
                     struct buffer *out);

/* Records that were not written, since the start. */
uint64_t provenance_lost(const struct provenance *provenance);
