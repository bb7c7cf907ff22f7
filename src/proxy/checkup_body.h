// SPDX-License-Identifier: MIT
//
// Part of the checkup: what came where a body came.
#pragma once

#include "proxy/checkup.h"

/* What one question came to. */
enum said { SAID_NO, SAID_YES, SAID_PAGE, SAID_FALSE, SAID_FAILED };

/* Follows the pointer that a source has for the key's file, and looks at what it leads to as
   checkup_body does. The call is the pointer's; its cancel counts. Blocks. */
enum said checkup_pointer(struct source *source, const struct source_call *call,
                          const struct symbol_key *key, const struct content *content,
                          struct reader *reader, struct error *err);

/* Looks at a body in a form of the key's file. `known`: it should be that very file, and is read
   for it as far as CHECKUP_BYTES_MAX and CHECKUP_READ_MS let it; what is longer or slower is judged
   by its first bytes. Blocks. */
enum said checkup_body(const struct symbol_key *key, enum form form, bool known,
                       const struct content *content, struct reader *reader, struct error *err);
