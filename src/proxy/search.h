// SPDX-License-Identifier: MIT
//
// A search is one symbol looked for; an attempt is one question of it to one source. A search costs
// no thread: events drive it (a claim, an attempt's end, a job handed back, an alarm, interest that
// changes), and each event does the same: lock, note what happened, decide what follows from the
// state alone (search_decide), unlock, act (search_go). Acting twice is impossible because deciding
// marks what will be done before the lock is given back.
//
//   phase      entered by                      what goes on                     left when
//   LOOKING    a claim that found it COLD      cache_look_cold                  it found or did not
//   REPLAYING  a claim, or LOOKING             waits for the absences' replay   absences_ready
//   ASKING     the plan is made                attempts                         see below
//   ENDED      found, absent, failed, dropped  attempts run out, nothing else   the last reference
//
//   step       entered by                                     next
//   READY      the plan; lost or called back for a leader;    ASKED in its turn
//              refused in one form, and there is another
//   ASKED      an attempt (two when asked again) under way    any below, READY
//   PAUSED     its body broke; asked again at `due_ms`        ASKED, READY when another one leads
//   BROKEN     broke several times; asked when no other left  PAUSED
//   ASIDE      has the file of another build                  ASKED when nothing better is left
//   ABSENT     its own no                                     -
//   FAILED     an error, or a body that proved false          -
//   UNASKED    full, or resting                               -
//   GONE       removed from the configuration                 -
//
//   attempt    entered by                                 held by
//   SUBMITTED  search_decide (being put into the queue)   the search's list, whoever submits
//   RUNNING    its job runs (it has a place)              the search's list, the worker
//   OVER       ran, was handed back or withdrawn          whoever still acts on it
//
// Who writes: the attempt that may_write let pass (`writer`); all others are called back in the
// same step, and no other is begun while there is one. A break leaves the copy as it is and makes
// the next writer take it up; a false body, or one that differs, replaces the copy and goes on.
//
// References of a search: symbols' list and the copy it drives (both until ENDED; a copy that ended
// without a file keeps its owner, whose question tells who may believe that end), each attempt, the
// alarm while set, a cold look under way. A search holds its copy until ENDED.
//
// Lock order: search, source queue, cache, copy; rests, absences, alarms and the ledger are leaves.
// Never held over queue_submit (it may hand another search's job back), a callback or I/O.
#pragma once

#include <pthread.h>

#include "base/alarm.h"
#include "base/list.h"
#include "proxy/fetcher.h"
#include "proxy/plan.h"
#include "proxy/symbols.h"

enum {
    TAKES_MAX = 5,      /* breaks after which a body is given up */
    TAKES_IN_A_ROW = 3, /* at one source, while others are left */
    REPLAY_POLL_MS = 50,
    REASK_AFTER_MS = 10 * 1000,   /* silent so long, a source is asked on a new connection too */
    REASK_POLL_MS = 1000,         /* where it had no free place */
    CLIENT_LIMIT_MS = 25 * 1000,  /* an answer within it makes a source not late */
    POSITION_SHELF = SOURCES_MAX, /* of the step that reads what lies on a shelf in another form */
};

enum search_phase { SEARCH_LOOKING, SEARCH_REPLAYING, SEARCH_ASKING, SEARCH_ENDED };

enum step_state {
    STEP_READY,
    STEP_ASKED,
    STEP_PAUSED,
    STEP_BROKEN,
    STEP_ASIDE,
    STEP_ABSENT,
    STEP_FAILED,
    STEP_UNASKED,
    STEP_GONE,
};

/* One source of the plan. Guarded by the search's lock. */
struct step {
    struct source *source;
    unsigned position; /* in the roster, or POSITION_SHELF */
    int priority;
    enum step_state state;
    enum error_kind unasked; /* UNASKED: ERROR_BUSY or ERROR_RESTING */
    unsigned breaks;         /* bodies from here that broke */
    unsigned forms_but; /* forms that it is not asked for any more: refused, or asked for before */
    int64_t due_ms;     /* PAUSED */
    bool passed_over;   /* as a hedge it found the queue full */
    bool asked_again;   /* on a new connection */
    bool as_it_is;      /* was put aside: what it has is taken now */
    bool delivered;     /* some bytes of the copy came from here */
};

enum attempt_state { ATTEMPT_SUBMITTED, ATTEMPT_RUNNING, ATTEMPT_OVER };

struct attempt {
    struct queue_job job;
    _Atomic unsigned refs;
    struct search *search; /* a reference; set at creation */
    struct step *step;     /* set at creation */
    struct copy *copy;     /* a reference; set at creation */
    unsigned note_number;  /* in the copy; set at creation */
    bool hedge;            /* set at creation, as are the next three */
    bool fresh_connection;
    bool takes_up;
    int64_t submitted_ms;
    struct cancel cancel;
    struct attempt_note note; /* the worker's while it runs */
    struct fetch fetch;       /* the worker's */
    /* Guarded by the search's lock: */
    struct list in_search;
    struct list to_submit;    /* in the acts of whoever submits it */
    struct list to_call_back; /* in the acts of whoever calls it back */
    enum attempt_state state;
    bool queued;      /* queue_submit has taken it */
    bool wanted;      /* what its queue was told last */
    bool called_back; /* withdrawn or cancelled: only its own no counts any more */
    bool counts;      /* the next source waits for it: not silent yet */
    bool silence_noted;
    int64_t head_ms;       /* when a good head came; 0: none has */
    bool led;              /* has been the writer */
    bool told;             /* its last note stands in the copy */
    struct error twin_why; /* the failure of the other attempt at the same step */
    int64_t place_ms;      /* when it got its place; 0 before */
    int64_t reask_ms;      /* when its source is asked once more if it stays silent */
};

struct search {
    struct copy_owner owner; /* first */
    _Atomic unsigned refs;
    struct symbols *symbols; /* a reference; set at creation, as all up to in_symbols */
    struct roster *roster;   /* a reference */
    struct question question;
    struct absence_mark mark;
    uint64_t allowed;
    int64_t began_ms;
    struct copy
        *kept; /* a renewal: the COMPLETE copy that it may replace, a reference; else NULL */
    struct kept compared;   /* … and what the source's file is compared with first */
    struct list in_symbols; /* guarded by symbols' lock */

    pthread_mutex_t lock; /* guards all below */
    enum search_phase phase;
    struct copy *copy; /* a reference; NULL when ENDED */
    struct step *steps;
    unsigned step_count;
    uint64_t unasked; /* sources that could not be asked when the plan was made */
    struct list attempts;
    struct attempt *writer;       /* also while its end is being seen to */
    unsigned owed;                /* silent attempts whose next source has not been asked yet */
    unsigned breaks;              /* bodies that broke, of all sources */
    struct step *winner;          /* whose file it ended with, or NULL */
    struct shelved_form *shelved; /* owned; the first step, NULL: none */
    struct shelved_form
        *shelved_then; /* owned; what lies beside it, once that was refused, or NULL */
    bool planned;
    bool begun;   /* the copy has begun: attempts take it up */
    bool used_up; /* no more takes: fails as soon as nothing runs */
    bool placed;  /* some attempt has got a place once: nobody drops it any more */
    bool waited;  /* somebody waits for it at present */
    bool hurried;
    bool closing;             /* symbols_free */
    struct error why;         /* the first failure */
    struct error withdrawn;   /* what a store said instead of having it */
    struct staging *staging;  /* the begun copy's */
    struct resume resume;     /* how its last writer's source could go on */
    struct step *resume_step; /* that source */
    struct alarm alarm;
};

struct symbols {
    struct symbols_options options;
    struct symbols_counters counters;
    _Atomic unsigned refs;
    _Atomic unsigned alive;  /* searches, and readings of indexes, that are not freed yet */
    pthread_mutex_t lock;    /* guards searches and closing */
    pthread_cond_t ended;    /* one of them was freed */
    struct list searches;    /* not ENDED */
    struct list index_loads; /* index_load.h; guarded by the lock, too */
    struct notices *notices;
    bool closing;
};

/* References of the struct that all searches share. */
struct symbols *symbols_ref(struct symbols *symbols);
void symbols_unref(struct symbols *symbols);

/* One less that is alive; gives its reference back. */
void symbols_one_less(struct symbols *symbols);

/* What a decision asks for, done after the lock was given back. */
struct search_acts {
    struct list submit;    /* attempts by to_submit, a reference each */
    struct list call_back; /* attempts by to_call_back, a reference each */
    struct copy *hurry;    /* a reference, or NULL */
    bool ended;            /* the search has ended in this decision: */
    struct copy *copy;     /* the copy it drove, with the search's reference */
    enum copy_phase phase; /* ABSENT and FAILED: how the copy is to be ended */
    bool dropped;          /* it has ended already */
    struct error why;
};

/* --- search.c: its life ----------------------------------------------------------------------- */

/* Begins for a copy that was just claimed (a reference is taken, the search becomes its owner).
   `plan` may be NULL: made later. `cold`: the shelves are looked at first. May end at once. */
void search_begin(struct symbols *symbols, struct roster *roster, const struct question *question,
                  uint64_t allowed, const struct plan *plan, bool cold, struct copy *copy);

/* The same for a renewal: in the background, with a copy that nobody can join. `plan` names the
   sources to ask; compare: what they have is compared with `kept` before it is read. */
void search_begin_renewal(struct symbols *symbols, struct roster *roster,
                          const struct question *question, const struct plan *plan,
                          struct copy *kept, bool compare);

/* A reference more. */
void search_ref(struct search *search);

/* One less; the last one frees. */
void search_unref(struct search *search);

/* Decides and acts until nothing more follows. No lock held; any thread; does not block. */
void search_go(struct search *search);

/* Empty acts, and doing them: true when something was refused, so that more has to be decided. */
void search_acts_init(struct search_acts *acts);
bool search_act(struct search *search, struct search_acts *acts);

/* Cancels everything; the copy fails unless it is being written to its end this moment. */
void search_close(struct search *search);

/* A client was told "later": noted with the sources that are being asked. */
void search_told_later(struct search *search);

/* The search that drives (or drove) a copy, a reference; NULL when there is none. */
struct search *search_of(struct copy *copy);

/* --- search_next.c: what follows. The search's lock is held. -----------------------------------
 */

/* Looks at the state and says what is to be done; sets the alarm. The caller holds a reference. */
void search_decide(struct search *search, int64_t now_ms, struct search_acts *acts);

/* Takes a plan over and notes in the copy whom it leaves out. */
void search_plan(struct search *search, const struct plan *plan);

/* Calls back every attempt but one (NULL: all); steps that were asked or paused are READY again. */
void search_call_back(struct search *search, const struct attempt *but, struct search_acts *acts);

/* May a step's file be put aside for another build's: the client tells which one it wants, and
   somebody else is left to be asked? */
bool search_chooses(const struct search *search, const struct step *step);

/* Is some attempt of this step under way, those called back apart? */
bool search_step_asked(const struct search *search, const struct step *step);

/* --- search_end.c: ends of bodies and of the search ------------------------------------------- */

/* A body broke: the step is paused, put last or given up. Lock held. */
void search_broke(struct search *search, struct step *step, const struct error *err,
                  int64_t now_ms);

/* Has a step asked again after the pause that is due. Lock held. */
void search_pause(struct search *search, struct step *step, int64_t now_ms);

/* Takes the alarm back, with its reference. Lock held; the caller holds a reference. */
void search_stop_alarm(struct search *search);

/* What an attempt of this step brought was refused: is its source, or the shelf, to be asked for
   another form? Then the step is READY for that. Lock held. */
bool search_asks_other_form(const struct search *search, struct step *step,
                            const struct fetch *fetch);

/* Notes another form that lies beside the refused one. */
void search_note_shelved(struct search *search, unsigned shelf, const struct shelf_found *found);

/* Remembers the first failure. Lock held. */
void search_keep_why(struct search *search, const struct error *err);

/* The writer's body proved false or differs: replaces the copy if the plan has more. No lock held.
 */
void search_replace(struct search *search, struct attempt *writer, bool differs,
                    const struct error *err);

/* Ends: with a file (WHOLE) or as `phase`; what is left to do goes to acts. Lock held; the caller
   holds a reference. */
void search_end(struct search *search, enum copy_phase phase, struct search_acts *acts);

/* Nothing is left to ask: ends as absent or failed. Lock held. */
void search_conclude(struct search *search, struct search_acts *acts);

/* --- search_attempt.c --------------------------------------------------------------------------
 */

/* A new attempt, in the search's list and, with a reference, among the acts; its step is ASKED.
   Lock held. */
void attempt_begin(struct search *search, struct step *step, bool hedge, bool fresh_connection,
                   struct search_acts *acts);
void attempt_unref(struct attempt *attempt);

/* Puts it into its source's queue; false when it was refused, which has been noted: decide again.
   No lock held. */
bool attempt_submit(struct attempt *attempt);

/* Takes it out of the queue, or cancels it. No lock held. */
void attempt_call_back(struct attempt *attempt);

/* --- search_outcome.c: what came of it ----------------------------------------------------------
 */

/* Tells the ledger that a source's answer is not known: it was not asked, or has not answered yet.
   Its answer ends that. Nothing is told of a shelf, nor of a renewal, whose file is here. */
void search_tell_open(const struct search *search, const struct source *source, unsigned position);

/* Notes in the copy what is known outside the worker; the worker's own note replaces it. */
void attempt_show(struct attempt *attempt, enum attempt_result result, enum error_kind cause);

/* Notes for what cause a source rests that was not asked. */
void attempt_note_rest(struct attempt_note *note, const struct source *source);

/* The source has answered, or failed before its head: noted with its rest. No lock held. */
void attempt_answered(struct attempt *attempt, enum error_kind kind);

/* It ran: notes it, changes the state, goes on with the search, and gives a reference back. */
void attempt_ended(struct attempt *attempt, enum fetch_end end, struct error *err);

/* It did not run and will not: notes it and changes the state; deciding is the caller's. */
void attempt_not_asked(struct attempt *attempt, enum error_kind why);
