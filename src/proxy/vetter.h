// SPDX-License-Identifier: MIT
//
// What a file on a shelf is, which another program may have put there: it is judged as what comes
// from a server is, by its first bytes and as a whole. An archive is expanded into a spill file for
// that, one at a time and for 0.3 s; what is larger cannot be told (ERROR_DISK). A pointer must say
// something. Any thread.
#pragma once

#include "store/spill.h"
#include "store/vetting.h"

/* For vetting_options.verify, with a spill as its context. Packed: an archive under the plain
   form's name, which is not expanded here. May block. */
enum vetted vetter_verify(void *spill, const struct symbol_key *key,
                          const struct shelf_found *found, struct error *err);

/* The same where there is no spill at hand: what an archive holds may be 1 GiB. */
enum vetted vetter_verify_alone(const struct symbol_key *key, const struct shelf_found *found,
                                struct error *err);
