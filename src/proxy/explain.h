// SPDX-License-Identifier: MIT
//
// What would become of a question now, and why: what the filters say for each server and by which
// pattern, what lies on the shelves, what is under way, which "no" of earlier still counts and for
// how long, who rests. It goes the way that symbols_ask goes, but asks nobody, begins nothing and
// counts nothing. And what became of a request of earlier, from what was recorded of it.
#pragma once

#include "proxy/symbols.h"
#include "proxy/telling.h"
#include "record/outcome.h"
#include "source/rest.h"

struct explained_shelf {
    const char *path; /* as configured; lives as long as the shelf */
    enum told told;   /* TOLD_SHELF_… */
    uint64_t size;    /* of the plain file, where it is there */
    struct telling telling;
};

struct explained_server {
    const struct source *source;
    enum told told;            /* TOLD_SERVER_…, or the filter that keeps it out */
    const char *rule;          /* the pattern that decided, or NULL; lives as long as the roster */
    const struct shelf *shelf; /* its own cache, or NULL: the global one */
    unsigned turn;             /* when it would be asked: 1 is first; 0: not at all */
    int64_t said_s;            /* since when its "no" is remembered (wall clock); 0: it is not */
    int64_t left_ms;           /* until it is asked again: absences and rests */
    struct rest_view rest;
    struct telling telling;
};

struct explanation {
    enum told told;
    bool globally;    /* general.blacklist excludes the name … */
    const char *rule; /* … by this pattern; else NULL */
    bool has_copy;
    struct cache_listing copy; /* in the table, under way or just ended; when there is one */
    unsigned shelf_count;
    struct explained_shelf shelves[CACHE_SHELVES_MAX]; /* those that would be looked at */
    unsigned server_count;
    struct explained_server servers[SOURCES_MAX]; /* all, in their order */
    struct telling telling;
};

/* Explains a question under a roster, which must outlive the explanation. Looks on the shelves, so
   it may block: not on a loop. The caller frees with explanation_free. */
struct explanation *explain_now(struct symbols *symbols, const struct roster *roster,
                                const struct question *question);

/* NULL is allowed. */
void explanation_free(struct explanation *explanation);

/* Explains a path below /symbols/ that is no question for a file. `key`: of the file that it is
   another form of, or "". */
void explain_path(enum path_meaning meaning, const struct error *why, const char *key,
                  struct telling *out_telling);

/* Tells what became of a request, by its record alone; `now`, which may be NULL, says what helps
   against a filter or a rest that lasts. */
void explain_outcome(const struct outcome *outcome, const struct attempt_note *notes,
                     const char *key, const struct explanation *now, struct telling *out_telling);

/* Tells what the attempt notes[index] of an outcome came to: where its answer was not waited for,
   the others say why. */
void explain_attempt(const struct outcome *outcome, const struct attempt_note *notes,
                     unsigned index, const char *key, struct telling *out_telling);
