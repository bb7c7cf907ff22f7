// SPDX-License-Identifier: MIT
//
// The checkup of one source: does it answer as a symbol server does? It is asked for a file that
// nobody can have, which is to be told by a plain no, and for one that it should have, where one is
// known, in its own layout and then in all others. Only the source itself is asked, past its queue,
// rests, absences and counters. Blocks, on a thread of the caller's.
#pragma once

#include "proxy/roster.h"
#include "record/reading.h"

enum checkup_word {
    CHECKUP_GOOD,
    CHECKUP_OFF,       /* it is switched off, so nothing was asked */
    CHECKUP_UNASKABLE, /* there is no way to its remote */
    CHECKUP_FAILED,    /* it cannot be asked: `why` */
    CHECKUP_FORBIDS,   /* it says 401 or 403 where it should say no, or for the known file */
    CHECKUP_PLACELESS, /* its layout has no place for any kind that it may be asked for */
    CHECKUP_GUESSED,   /* what would tell its layout failed (`why`), so that its no is none */
    CHECKUP_PAGE,      /* a page comes for what nobody can have */
    CHECKUP_ANYTHING,  /* something else does */
    CHECKUP_LOGIN,     /* the same, from elsewhere: a sign-in after a redirect */
    CHECKUP_FALSE,     /* something comes for the known file that is another: `why` */
    CHECKUP_MISSING,   /* it does not have the known file, in any layout */
    CHECKUP_POINTER,   /* it has a pointer for it, of which no file comes: `why`, a message or
                          ERROR_ELSEWHERE: nothing is there */
    CHECKUP_LAYOUT,    /* it has the known file in another layout: `layout`; `form`: and in a form,
                          too, that it is not asked for, else 0 */
    CHECKUP_FORM,      /* it has the known file in a form that it is not asked for: `form` */
    CHECKUP_WORDS
};

struct checkup {
    enum checkup_word word;
    bool sought;        /* the known file was asked for (its layout has a place for it) … */
    bool found;         /* … and is there, in the layout that is configured */
    int forbids;        /* 401 or 403: what it says of a file that nobody can have; 0: a plain no */
    enum layout layout; /* where it was found */
    enum form form;
    unsigned answers; /* that came at all */
    int status;       /* HTTP status of the last answer, or 0 */
    int64_t took_ms;  /* to the slowest head */
    int64_t cut_ms;   /* how long the question had lasted that was cut off, or 0 */
    int64_t ahead_s;  /* its clock less ours; 0 when it does not tell */
    char url[256];    /* of the question that decided; masked */
    struct error why;
};

enum {
    CHECKUP_BYTES_MAX = 64 << 20, /* so much of a known file is read, to see what it is, … */
    CHECKUP_READ_MS = 5000,       /* … for at most so long */
};

/* Checks a source. `known`: a file that it should have, or NULL. Raising the cancel ends it
   early (CHECKUP_FAILED, ERROR_CANCELLED). */
void checkup_source(struct source *source, const struct question *known, struct cancel *cancel,
                    struct checkup *out_checkup);

/* The same on a thread of its own, for at most limit_ms. What hangs then and does not heed the
   cancel (a dead mount) is left alone with a reference to the roster. */
void checkup_within(struct roster *roster, unsigned index, const struct question *known,
                    int64_t limit_ms, struct checkup *out_checkup);

/* ntkrnlmp.pdb of Windows 7 SP1. */
#define CHECKUP_MICROSOFT_NAME "ntkrnlmp.pdb"
#define CHECKUP_MICROSOFT_ID "3844DBB920174967BE7AA4A2C20430FA2"

/* A file that a server should have: the last one that it has delivered, as far as the statistics
   tell (NULL: there are none), else one that its vendor has always had. False: none is known. */
bool checkup_find_known(struct reading *reading, const struct source *source,
                        struct question *out_known);

/* May the source be asked for it? Its filters count for a checkup too: names stay in the house. */
bool checkup_may_ask(const struct roster *roster, unsigned index, const struct question *known);

enum checkup_weight { CHECKUP_FINE, CHECKUP_WARNING, CHECKUP_PROBLEM };

struct checkup_told {
    enum checkup_weight weight;
    char name[32]; /* for programs: "layout", "certificate", … */
    char sentence[700];
    char cure[700]; /* may be empty */
};

/* Tells in words what was found, and what to do. */
void checkup_tell(const struct source *source, const struct checkup *checkup,
                  struct checkup_told *out_told);

/* Tells of a clock that is wrong; false: it is right, or not known. */
bool checkup_tell_clock(const struct checkup *checkup, struct checkup_told *out_told);
