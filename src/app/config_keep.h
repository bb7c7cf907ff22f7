// SPDX-License-Identifier: MIT
//
// What a reload cannot change: it keeps its value until the next start, which is told in the log.
#pragma once

#include "app/config.h"

/* Tells of every such value of `general` that is another one now. */
void config_keep(const struct config_general *old, const struct config_general *new);

/* Tells of one value. */
void config_keep_value(const char *name, bool differs);
