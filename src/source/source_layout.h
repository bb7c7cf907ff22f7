// SPDX-License-Identifier: MIT
//
// Which layout a source has where its configuration says "auto": a store that has the file
// index2.txt at its root keeps two tiers ("SymStore", Windows debugger documentation), any other is
// taken for one of one tier. Asked once, remembered as long as the source lives, reloads included.
#pragma once

#include "source/source.h"

/* Tells the layout; may ask the source (blocks, on a worker, under the attempt's place, with the
   call's cancel). False: it could not be asked, err says why, and what the call tells of an answer
   is filled in; nothing is remembered then. */
bool source_layout(struct source *source, void *worker, struct source_call *call,
                   enum layout *out_layout, struct error *err) MUST_CHECK;
