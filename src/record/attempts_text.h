// SPDX-License-Identifier: MIT
//
// Attempts as the JSON in which the API shows them and the database keeps them.
#pragma once

#include "base/buffer.h"
#include "symbol/attempt.h"

/* Appends a JSON list of attempts. */
void attempts_text(struct buffer *out, const struct attempt_note *notes, unsigned count);

/* Reads such a list back: how many there were, at most notes_max. What is no list of attempts has
   none; words of a later version count as none of those there are. */
unsigned attempts_read(const char *text, struct attempt_note *out_notes, unsigned notes_max);
