// SPDX-License-Identifier: MIT
//
// Attempts as the JSON in which the API shows them and the database keeps them.
#pragma once

#include "base/buffer.h"
#include "symbol/attempt.h"

/* Appends a JSON list of attempts. */
void attempts_text(struct buffer *out, const struct attempt_note *notes, unsigned count);
