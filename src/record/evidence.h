// SPDX-License-Identifier: MIT
//
// Evidence: what servers were heard to say about names, and which questions are open: put to a
// server and not answered, or never put to it since it rested, was full or was called back. The
// adviser (proxy/adviser.h) may only call a file missing where the evidence is whole, so evidence
// is either whole since a moment that is known or begins anew:
//
// - when the server is asked in another way, or another place: its fingerprint tells;
// - when something found no room, here or in the book (record/book_evidence.c).
//
// Statistics (record/sheet.h) go on beside it whatever happens. This part gathers for a sheet, with
// the sheet's arena and lock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "record/sums.h"
#include "symbol/attempt.h"
#include "symbol/key.h"

enum { EVIDENCE_SUMS_MAX = 50000, EVIDENCE_QUESTIONS_MAX = 50000, EVIDENCE_MARKS_MAX = 256 };

/* What a server said about a name: first the server, second the name, the mark its fingerprint. */
struct evidence_sum {
    struct sum_key key;
    uint64_t found, absent, failed, time_us;
    uint64_t kept; /* files of it that were here already and are its own; only with mark 0. Of the
                      server "": nobody knows whose */
};

/* One question, by server and "name/id". Of the server "", with mark 0: the lookup ended without
   anybody having been asked. */
struct evidence_question {
    struct sum_key key;
    bool open;
};

/* How a server was asked last: first the server, second "". */
struct evidence_mark {
    struct sum_key key;
    uint64_t fingerprint;
    int64_t since_ms; /* when that was first so, within this sheet */
};

struct evidence {
    struct table sums, questions, marks;
    bool gap; /* something found no room */
};

/* None. */
void evidence_init(struct evidence *evidence);

/* Gives back what the arena does not hold. */
void evidence_release(struct evidence *evidence);

/* Adds what a question came to: an answer closes it, anything else leaves it open. */
void evidence_add(struct evidence *evidence, struct arena *arena, const struct symbol_key *key,
                  uint64_t fingerprint, const struct attempt_note *note, int64_t wall_ms);

/* A file of this name was here already; `source`: whose it is, "": not known. The sum, to be
   counted in; NULL: no room. */
struct evidence_sum *evidence_kept(struct evidence *evidence, struct arena *arena,
                                   const char *source, const char *name);

/* A lookup failed without anybody having been asked. */
void evidence_open(struct evidence *evidence, struct arena *arena, const char *name,
                   const char *id);
