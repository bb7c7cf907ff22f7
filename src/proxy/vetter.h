// SPDX-License-Identifier: MIT
//
// What a file on a shelf is, which another program may have put there: it is judged as what comes
// from a server is, by its first bytes and as a whole. An archive is expanded into a spill file for
// that, and forgotten there, as far as room and 0.3 s go; what is larger is believed; a pointer
// must say something. No state: any thread.
#pragma once

#include "store/spill.h"
#include "store/vetting.h"

/* For vetting_options.verify, with a spill as its context. Packed: a good archive under the plain
   form's name. May block. */
enum vetted vetter_verify(void *spill, const struct symbol_key *key,
                          const struct shelf_found *found, struct error *err);

/* The same where there is no spill at hand: what an archive holds may be 1 GiB. */
enum vetted vetter_verify_alone(const struct symbol_key *key, const struct shelf_found *found,
                                struct error *err);
