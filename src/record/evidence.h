// SPDX-License-Identifier: MIT
//
// Evidence: what servers were heard to say about names, and which questions are open: put to a
// server and not answered, or never put to it since it rested, was full or was called back. The
// adviser (proxy/adviser.h) may only call a file missing where the evidence is whole, so evidence
// is either whole since a moment that is known or begins anew:
//
// - when the server is asked in another way, or another place: its mark tells;
// - when something found no room, here or in the book (record/book_evidence.c);
// - when the book was not closed in order, or is another one than was closed (record/seal.h).
//
// Begun anew, the noes and the open questions are forgotten; what speaks for a file stays.
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

/* What came of a question to a server. Borrowed. */
struct reply {
    const struct symbol_key *key;
    const struct spelling *spelling; /* as it was asked: servers may count case */
    uint64_t place;                  /* where and by whom it was asked: its fingerprint */
    uint64_t mark;                   /* … and in which way (source_mark); 0: not known yet */
    bool from_shelf; /* what lies on a shelf in another form was read, and no server asked */
    bool certain;    /* a no is one: nothing speaks against it, as a body that was refused */
    const struct attempt_note *note;
};

/* What a server said about a name: first the server, second the name, with its mark. */
struct evidence_sum {
    struct sum_key key;
    uint64_t found, absent, failed, time_us;
    uint64_t kept; /* files of it that were here already and bear its name; only with mark 0. Of the
                      server "": nobody knows whose */
};

/* One question, by server and "name/id" as they were spelled. Of the server "", in canonical form
   and small letters: the lookup ended without anybody having been asked. */
struct evidence_question {
    struct sum_key key;
    uint64_t mark; /* of the server when this was so; 0: not known */
    bool open;
};

/* How a server was asked last: first the server, second "". */
struct evidence_mark {
    struct sum_key key;
    uint64_t place, mark;
    bool moved;       /* it had another place before, within this sheet */
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
void evidence_add(struct evidence *evidence, struct arena *arena, const struct reply *reply,
                  int64_t wall_ms);

/* A file of this name was here already; `source`: whose it is, "": not known. The sum, to be
   counted in; NULL: no room. */
struct evidence_sum *evidence_kept(struct evidence *evidence, struct arena *arena,
                                   const char *source, const char *name);

/* A lookup failed without anybody having been asked. */
void evidence_open(struct evidence *evidence, struct arena *arena, const char *name,
                   const char *id);
