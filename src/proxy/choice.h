// SPDX-License-Identifier: MIT
//
// Choosing among portable PDBs. Builds that are repeated make files with one id and different
// contents, so that only the sums which a client sends (SymbolChecksum) tell its own from another
// build's. While a search has another source to ask, such a body is held back until its end, and
// put aside when none of the sums is its own: the next source is asked, and if none has a better
// one, the first is asked again and believed. So a sum chooses, and never refuses.
//
// Held back are bodies up to CHOICE_BYTES_MAX, and CHOICE_ALL_BYTES_MAX in all; what is larger, or
// comes when there is no room, is taken as it comes.
#pragma once

#include "proxy/delivery.h"

enum {
    CHOICE_BYTES_MAX = 8 * 1024 * 1024,
    CHOICE_ALL_BYTES_MAX = 64 * 1024 * 1024,
};

enum choice {
    CHOICE_TAKE,
    CHOICE_WAIT,  /* gather more: there is room in delivery->bytes */
    CHOICE_ASIDE, /* err says why: the ERROR_IDENTITY of another build */
};

/* What is to become of a body whose first bytes have gathered, and that nobody writes yet. */
enum choice choice_make(struct delivery *delivery, struct error *err);

/* The same for a file that would be served in place: TAKE or ASIDE. It is what its key says. */
enum choice choice_make_local(const struct fetch *fetch, int fd, uint64_t size, struct error *err);

/* Gives back what was held for a delivery. */
void choice_release(struct delivery *delivery);
