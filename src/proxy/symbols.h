// SPDX-License-Identifier: MIT
//
// The one entry to the proxy: a question comes in, an answer or a copy to be watched goes out.
// Never blocks; called by the loops.
//
//   symbols_ask ── answer at once (excluded, absent, failed, busy) or a copy: complete, arriving,
//                  searching
//        then   ── copy_watch / copy_look until the copy is good enough or has ended
//        then   ── symbols_judge: the verdict of an ended search for this asker, or "ask once more"
//        last   ── symbols_leave, exactly once for every answer with a copy
#pragma once

#include "proxy/roster.h"
#include "store/absence.h"
#include "store/cache.h"
#include "symbol/layout.h"
#include "symbol/verdict.h"

struct alarm_clock;
struct ledger;
struct provenance;
struct quarantine;
struct symbols;

struct symbols_options {
    struct cache *cache; /* not owned, as all here */
    struct absences *absences;
    struct alarm_clock *alarms;
    unsigned searches_max; /* 10,000 */
    struct absences *owed; /* who may have a better file than the kept one; NULL: not noted */
    struct provenance *provenance; /* NULL: it is not written down where files came from */
    struct quarantine *quarantine; /* NULL: nor what was refused */
    struct ledger *ledger;         /* NULL: nobody counts what sources answer */
};

struct symbols_counters {
    counter searches;       /* begun */
    counter attempts;       /* questions put into queues */
    counter hedges;         /* of them, asked beside one that is silent */
    counter take_ups;       /* bodies taken up after a break */
    counter replaced;       /* copies replaced because another file had to take their place */
    counter dropped;        /* searches dropped because nobody wanted them any more */
    counter renewals;       /* begun in the background, to see whether a kept file is the best */
    counter renewed;        /* of them, kept files that were replaced */
    counter pattern_limits; /* patterns that gave up */
};

/* Owns nothing of the options, which must outlive it. */
struct symbols *symbols_new(const struct symbols_options *options);

/* Ends running searches (their attempts are cancelled), waits for them up to 5 s, frees. False:
   some hang in a disk or a server, and what the options name must be left to them. */
bool symbols_free(struct symbols *symbols);

/* What knows where kept files came from; NULL when nothing does. */
struct provenance *symbols_provenance(const struct symbols *symbols);

/* What knows what was refused; NULL when nothing does. */
struct quarantine *symbols_quarantine(const struct symbols *symbols);

/* Why nobody was asked: what clients are told, and what tells so in the records of such requests.
 */
#define REASON_REMEMBERED "every server that may be asked has said earlier that it does not have it"
#define REASON_UNLISTED "no server that may be asked lists it in its index"
#define REASON_PLACELESS "no server that may be asked has a place for such a file in its layout"
#define REASON_KNOWN                                                                               \
    "every server that may be asked is known not to have it, by an earlier no, its index or its "  \
    "layout"
#define REASON_GAVE_UP "gave up at its match limit"
#define REASON_GLOBALLY "of general.blacklist"

struct answer {
    enum verdict verdict; /* HIT, JOINED, FETCHED, LOCAL with a copy; ABSENT, EXCLUDED, BUSY, FAILED
                             without */
    struct copy *copy;    /* a reference and interest, or NULL */
    const char *rule; /* EXCLUDED: the pattern that decided, or NULL; lives as long as the roster */
    struct error why; /* FAILED, BUSY; ABSENT where a store said more than no */
    bool gave_up;     /* that pattern did not decide but gave up at its limit */
    bool globally;    /* EXCLUDED: by everybody's blacklist */
    const char
        *known; /* ABSENT at once, by what was known: REASON_REMEMBERED and the like; or NULL */
    uint64_t allowed; /* the sources that the filters allow */
};

/* Asks. The roster is the caller's snapshot; a search that begins takes a reference. */
void symbols_ask(struct symbols *symbols, struct roster *roster, const struct question *question,
                 struct answer *out_answer);

enum symbols_judgement {
    JUDGED,          /* out_answer has verdict and why: the search's end counts for this asker */
    JUDGED_ASK_MORE, /* the search was led by another spelling, or lost a source to a new
                        configuration: leave, and ask once more with the own one and under it */
    JUDGED_MOVED, /* another copy has taken this one's place: out_answer->copy is it, with interest;
                     leave the old one */
};

/* What the end of a copy (ABSENT or FAILED) means for one asker. `had_bytes`: bytes of the body
   were sent already, so moving is not possible. `asked_before`: it has asked once more already. */
enum symbols_judgement symbols_judge(struct symbols *symbols, struct copy *copy,
                                     const struct question *question, bool had_bytes,
                                     bool asked_before, struct answer *out_answer);

/* The verdict of a request that was served from this copy: what symbols_ask said, but that a file
   found on a cold shelf is a hit, and a directory's file is local. */
enum verdict symbols_served(struct copy *copy, enum verdict asked);

/* The asker is done with its copy; releases the reference. LATER is noted with the sources that are
 * being asked. */
void symbols_leave(struct symbols *symbols, struct copy *copy, enum copy_left how);

/* Another form's file (".pd_", file.ptr): from a shelf where that very file lies (HIT with a copy),
   else ABSENT at once; the global blacklist counts. Starts no search. */
void symbols_find_file(struct symbols *symbols, struct roster *roster,
                       const struct symbol_path *path, struct answer *out_answer);

/* Forgets absences and files of a key; how many of each. May block: not on a loop. */
void symbols_forget(struct symbols *symbols, const struct symbol_key *key, unsigned *out_absences,
                    unsigned *out_files);

/* What has happened since the start. */
const struct symbols_counters *symbols_counters(const struct symbols *symbols);
