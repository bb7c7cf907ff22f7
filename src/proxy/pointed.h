// SPDX-License-Identifier: MIT
//
// Follows a pointer file (symbol/pointer.h) under the place of the attempt that found it. A target
// may lie in the source's own tree or below one of its pointer roots, plain or compressed; any
// other is refused with the root to add. A message instead of a path is the store's own no.
#pragma once

#include "proxy/delivery.h"

/* Reads the pointer that delivery's reader holds (which is closed) and asks for what it names:
   FOUND: reader and content are the target's, *out_form its form. ABSENT: nothing is there
   (ERROR_WITHDRAWN in err: a message, for the user; ERROR_UNINDEXED: one that ends the search).
   FAILED: err. `call->path` is the pointer's. */
enum source_answer pointed_ask(struct delivery *delivery, struct source_call *call,
                               enum form *out_form, struct error *err);
