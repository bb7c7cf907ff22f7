// SPDX-License-Identifier: MIT
//
// Which layout a source has where its configuration says "auto": a store that has the file
// index2.txt at its root keeps two tiers ("SymStore", Windows debugger documentation), any other is
// taken for one of one tier. Asked once, remembered as long as the source lives, reloads included.
#pragma once

#include "source/source.h"

enum layout_answer {
    LAYOUT_KNOWN,
    LAYOUT_GUESSED, /* one tier: the source answers, but not to this question. A file that it does
                       not have there may lie in another place, so that is no absence */
    LAYOUT_UNKNOWN, /* it could not be asked */
};

/* Has the configured layout a place for such a file? A Breakpad store has none for a PDB: then the
   source cannot be asked for it. Pure. */
bool source_has_place(const struct source *source, const struct question *question);

/* Tells the layout; may ask the source (blocks, on a worker, under the attempt's place, with the
   call's cancel). What is not known is not remembered; then err says why, and what the call tells
   of an answer is filled in. */
enum layout_answer source_layout(struct source *source, void *worker, struct source_call *call,
                                 enum layout *out_layout, struct error *err) MUST_CHECK;
