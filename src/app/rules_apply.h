// SPDX-License-Identifier: MIT
//
// Rules into a configuration: what proxy/rules.h keeps, as if it stood in the file.
#pragma once

#include "app/config.h"
#include "proxy/rules.h"

/* Puts the rules, the oldest first, into a configuration that was read. One about a server that is
   not there has no effect and is logged. */
void rules_apply(struct rules *rules, struct config *config);
