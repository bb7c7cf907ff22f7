// SPDX-License-Identifier: MIT
//
// Part of the checkup: what came where a body came.
#pragma once

#include "proxy/checkup.h"

/* What one question came to. */
enum said { SAID_NO, SAID_YES, SAID_PAGE, SAID_FALSE, SAID_FAILED };

/* Looks at a body in a form of the key's file, a pointer's apart. `known`: it should be that very
   file, and is read for it as far as CHECKUP_BYTES_MAX and CHECKUP_READ_MS let it; what is longer
   or slower is believed by how it begins; FAILED where even that does not come. Blocks. */
enum said checkup_body(const struct symbol_key *key, enum form form, bool known,
                       const struct content *content, struct reader *reader, struct error *err);
