// SPDX-License-Identifier: MIT
//
// The log's one line a request (docs/logging.md).
#pragma once

#include "record/outcome.h"

/* Writes it to the log, with the time at which the request ended. */
void request_line_write(const struct outcome *outcome, const struct attempt_note *notes);
