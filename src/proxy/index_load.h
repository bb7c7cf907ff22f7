// SPDX-License-Identifier: MIT
//
// Reads the published indexes of sources (source/source_index.h) in the background: when a question
// is about to be put to a source whose index does not count, the index is read by jobs in that
// source's queue, one for each of its files, which go after everybody who waits and give their
// place back at once. So no answer is held up by it, and a source that rests is left alone. What
// comes of it is logged, each failure once.
#pragma once

#include "proxy/symbols.h"

/* A question is about to be put to the source of this roster: begins to read its index where that
   is due. No lock held; does not block. */
void index_load_consider(struct symbols *symbols, struct roster *roster, struct source *source);

/* Calls all back: those that run end by themselves, and count in symbols->alive until then. */
void index_loads_close(struct symbols *symbols);
