// SPDX-License-Identifier: MIT
//
// Renewal: what becomes of a kept file for which there may be a better one. A hit is never held up
// by it: it is answered with the kept file, and at most one search in the background per kept copy
// asks the sources concerned.
//
//   owed      A file came from a later source while an earlier one could not be asked or had not
//             answered: that one is noted (symbols_options.owed: key and the source's label, as
//             absences are). When the file is asked for again after that source's retry time, it
//             is asked; its own file replaces the kept one, its own no does away with the note.
//   compared  A kept file of a directory or share (whose it is, its shelf or its signature tells):
//             when it has not been compared for the source's revalidate_ms, size and time at the
//             source are looked at, and another file replaces the kept one. A source that no longer
//             has it changes nothing.
#pragma once

#include "proxy/symbols.h"

struct search;
struct step;

/* A copy is about to be served as a hit: begins a renewal where one is due. Never blocks. */
void renewal_consider(struct symbols *symbols, struct roster *roster,
                      const struct question *question, uint64_t allowed, struct copy *copy);

/* A step is about to write: notes in the copy when, and whose file would have been preferred. The
   search's lock is held. */
void renewal_announce(struct search *search, const struct step *writer);

/* A step's file is about to be kept: notes who owes a better one, before it lies on the shelf, so
   that no kill comes between. No lock held. */
void renewal_promise(struct search *search, const struct step *winner);

/* A search has ended, a renewal or another, and its copy with it: notes who owes a better file, and
   does away with what a renewed file replaces. No lock held; may block on the shelf. */
void renewal_settle(struct search *search, struct copy *copy);
