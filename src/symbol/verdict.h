// SPDX-License-Identifier: MIT
//
// How a request ended, in one word: the X-Symgate-Verdict of its answer, the column of its log
// line, the label of its counter.
#pragma once

#include <stdbool.h>

enum verdict {
    VERDICT_HIT,      /* from a copy that was whole already */
    VERDICT_JOINED,   /* from a copy that another request had begun */
    VERDICT_FETCHED,  /* from a copy that this request began */
    VERDICT_LOCAL,    /* a directory's file, served in place */
    VERDICT_ABSENT,   /* every source that may be asked said no */
    VERDICT_EXCLUDED, /* a filter left no source to ask */
    VERDICT_LATER,    /* not yet: the search goes on */
    VERDICT_BUSY,     /* full queues or a ceiling are the only reason that a source was not asked */
    VERDICT_FAILED,   /* some source could not answer */
    VERDICT_INVALID,  /* not a request for a symbol, or not a proper one */
    VERDICT_COUNT
};

/* Was a file delivered? */
bool verdict_delivered(enum verdict verdict);

/* Is it open whether somebody has the file: later, busy, failed? */
bool verdict_open(enum verdict verdict);

/* "hit", "joined", …; never NULL. */
const char *verdict_name(enum verdict verdict);

/* What it means, as a sentence for people without full stop; never NULL. */
const char *verdict_sentence(enum verdict verdict);
