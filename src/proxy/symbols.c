// SPDX-License-Identifier: MIT
#include "proxy/symbols.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "proxy/index_load.h"
#include "proxy/notices.h"
#include "proxy/renewal.h"
#include "proxy/search.h"

enum { FREE_WAIT_MS = 5000 };

struct symbols *symbols_new(const struct symbols_options *options) {
    struct symbols *symbols = NEW(struct symbols);
    symbols->options = *options;
    atomic_init(&symbols->refs, 1);
    symbols->notices = notices_new();
    pthread_mutex_init(&symbols->lock, NULL);
    condition_init(&symbols->ended);
    list_init(&symbols->searches);
    list_init(&symbols->index_loads);
    return symbols;
}

struct symbols *symbols_ref(struct symbols *symbols) {
    atomic_fetch_add_explicit(&symbols->refs, 1, memory_order_relaxed);
    return symbols;
}

void symbols_unref(struct symbols *symbols) {
    if (atomic_fetch_sub_explicit(&symbols->refs, 1, memory_order_acq_rel) > 1)
        return;
    pthread_cond_destroy(&symbols->ended);
    pthread_mutex_destroy(&symbols->lock);
    notices_free(symbols->notices);
    free(symbols);
}

void symbols_one_less(struct symbols *symbols) {
    lock_take(&symbols->lock);
    symbols->alive--;
    pthread_cond_broadcast(&symbols->ended);
    lock_give(&symbols->lock);
    symbols_unref(symbols);
}

/* A search with the list's reference; NULL when there is none left. */
static struct search *next_to_close(struct symbols *symbols) {
    SCOPED_LOCK(&symbols->lock);
    symbols->closing = true;
    struct list *node = list_pop_front(&symbols->searches);
    return node ? LIST_ENTRY(node, struct search, in_symbols) : NULL;
}

bool symbols_free(struct symbols *symbols) {
    if (!symbols)
        return true;
    struct search *search;
    while ((search = next_to_close(symbols))) {
        search_close(search);
        search_unref(search);
    }
    index_loads_close(symbols);
    lock_take(&symbols->lock);
    int64_t deadline_ms = clock_ms() + FREE_WAIT_MS;
    while (symbols->alive > 0 && condition_wait(&symbols->ended, &symbols->lock, deadline_ms))
        continue;
    bool all_ended = symbols->alive == 0;
    lock_give(&symbols->lock);
    symbols_unref(symbols);
    return all_ended;
}

struct provenance *symbols_provenance(const struct symbols *symbols) {
    return symbols->options.provenance;
}

struct quarantine *symbols_quarantine(const struct symbols *symbols) {
    return symbols->options.quarantine;
}

const struct symbols_counters *symbols_counters(const struct symbols *symbols) {
    return &symbols->counters;
}

/* --- asking --- */

static void answer_with(struct answer *answer, struct copy *copy, enum verdict under_way) {
    struct copy_state state;
    copy_look(copy, &state);
    answer->copy = copy;
    if (state.in_place)
        answer->verdict = VERDICT_LOCAL;
    else if (state.phase == COPY_WHOLE || state.phase == COPY_COMPLETE)
        answer->verdict = VERDICT_HIT;
    else
        answer->verdict = under_way;
}

static void answer_failed(struct answer *answer, const struct error *why) {
    answer->why = *why;
    answer->verdict = why->kind == ERROR_BUSY ? VERDICT_BUSY : VERDICT_FAILED;
}

/* Joins the search for the copy or begins it. `plan` NULL: it is not known yet. */
static void claim(struct symbols *symbols, struct roster *roster, const struct question *question,
                  const struct plan *plan, bool cold, struct answer *answer) {
    struct error err = {0};
    if (symbols->alive >= symbols->options.searches_max) {
        error_set(&err, ERROR_BUSY, "too many searches are under way");
        answer_failed(answer, &err);
        return;
    }
    bool leading;
    struct copy *copy = cache_claim(symbols->options.cache, &question->key, &leading, &err);
    if (!copy) {
        answer_failed(answer, &err);
        return;
    }
    if (!leading) {
        answer_with(answer, copy, VERDICT_JOINED);
        return;
    }
    answer->copy = copy;
    answer->verdict = VERDICT_FETCHED;
    search_begin(symbols, roster, question, answer->allowed, plan, cold, copy);
}

/* A store may have said more than no. */
static void tell_notice(struct symbols *symbols, const struct roster *roster,
                        const struct question *question, uint64_t sources, struct answer *answer) {
    if (!notices_any(symbols->notices))
        return;
    const struct absence_mark mark = absence_mark(symbols->options.absences, question);
    notices_find(symbols->notices, roster, sources, &mark, &answer->why);
}

/* By what nobody needs to be asked. */
static const char *known_by(const struct plan *plan) {
    if (!plan->unlisted && !plan->placeless)
        return REASON_REMEMBERED;
    if (plan->remembered || (plan->unlisted && plan->placeless))
        return REASON_KNOWN;
    return plan->unlisted ? REASON_UNLISTED : REASON_PLACELESS;
}

/* No copy and no file: the answer is known, or a search begins. */
static void look_further(struct symbols *symbols, struct roster *roster,
                         const struct question *question, struct answer *answer) {
    struct absences *absences = symbols->options.absences;
    if (answer->allowed && !absences_ready(absences)) {
        claim(symbols, roster, question, NULL, false, answer);
        return;
    }
    struct plan plan;
    enum plan_end end = plan_make(roster, answer->allowed, absences, question, &plan);
    plan_note_spared(roster, &plan);
    switch (end) {
    case PLAN_ASK:
        claim(symbols, roster, question, &plan, false, answer);
        return;
    case PLAN_ABSENT:
        answer->verdict = VERDICT_ABSENT;
        answer->known = known_by(&plan);
        if (plan.ended)
            plan_ended_why(&answer->why);
        else
            tell_notice(symbols, roster, question, plan.remembered, answer);
        return;
    case PLAN_EXCLUDED:
        answer->verdict = VERDICT_EXCLUDED;
        return;
    case PLAN_UNASKED:
        answer->verdict = VERDICT_FAILED;
        plan_unasked_why(roster, plan.unasked, &answer->why);
        return;
    }
}

/* It counts as excluded, though it may not have fitted: nobody would guess that. */
static void note_given_up(struct symbols *symbols, const char *pattern, const char *name) {
    static _Atomic int64_t pace;
    count(&symbols->counters.pattern_limits);
    if (log_due(&pace))
        log_warning("the filter \"%s\" gave up at its match limit on \"%s\", which counts as "
                    "excluded: write it more simply",
                    pattern, name);
}

void symbols_ask(struct symbols *symbols, struct roster *roster, const struct question *question,
                 struct answer *out_answer) {
    *out_answer = (struct answer){0};
    struct policy_verdict verdict;
    policy_judge(roster->policy, question, &verdict);
    if (verdict.gave_up)
        note_given_up(symbols, verdict.gave_up, question->spelling.name);
    out_answer->allowed = verdict.allowed;
    out_answer->rule = verdict.rule;
    out_answer->gave_up = verdict.rule && verdict.rule == verdict.gave_up;
    out_answer->globally = verdict.globally;
    if (verdict.globally) {
        out_answer->verdict = VERDICT_EXCLUDED;
        return;
    }
    struct copy *copy = NULL;
    uint64_t shelves = roster_shelves(roster, verdict.allowed);
    switch (cache_find(symbols->options.cache, question, shelves, &copy)) {
    case CACHE_FOUND:
        answer_with(out_answer, copy, VERDICT_JOINED);
        renewal_consider(symbols, roster, question, verdict.allowed, copy);
        return;
    case CACHE_COLD:
        claim(symbols, roster, question, NULL, true, out_answer);
        return;
    case CACHE_NOTHING:
        look_further(symbols, roster, question, out_answer);
        return;
    }
}

void symbols_find_file(struct symbols *symbols, struct roster *roster,
                       const struct symbol_path *path, struct answer *out_answer) {
    *out_answer = (struct answer){.verdict = VERDICT_ABSENT};
    const struct question question = {.key = path->key, .spelling = path->spelling};
    struct policy_verdict verdict;
    policy_judge(roster->policy, &question, &verdict);
    out_answer->allowed = verdict.allowed;
    out_answer->rule = verdict.rule;
    out_answer->globally = verdict.globally;
    if (verdict.globally)
        out_answer->verdict = VERDICT_EXCLUDED;
    else if (cache_find_form(symbols->options.cache, path, roster_shelves(roster, verdict.allowed),
                             &out_answer->copy))
        answer_with(out_answer, out_answer->copy, VERDICT_FETCHED);
}

/* --- judging an end --- */

/* Was the search led by another spelling? Fills in what it was allowed to ask. */
static bool led_by_another(struct copy *copy, const struct question *question,
                           struct answer *answer) {
    struct search *search = search_of(copy);
    if (!search)
        return false;
    bool same = question_same(&search->question, question);
    answer->allowed = search->allowed;
    search_unref(search);
    return !same;
}

/* Did the search end because it had no server to ask? */
static bool had_nobody_to_ask(const struct answer *answer, const struct error *why) {
    return why->kind == ERROR_CONFIG && answer->allowed == 0;
}

enum symbols_judgement symbols_judge(struct symbols *symbols, struct copy *copy,
                                     const struct question *question, bool had_bytes,
                                     bool asked_before, struct answer *out_answer) {
    (void)symbols;
    *out_answer = (struct answer){0};
    struct copy_state state;
    copy_look(copy, &state);
    struct copy *successor = had_bytes ? NULL : copy_successor(copy);
    if (successor) {
        copy_join(successor);
        answer_with(out_answer, successor, VERDICT_JOINED);
        return JUDGED_MOVED;
    }
    struct error why = {0};
    copy_why(copy, &why);
    bool another = led_by_another(copy, question, out_answer) || why.kind == ERROR_REMOVED;
    if (another && !had_bytes && !asked_before)
        return JUDGED_ASK_MORE;
    if (state.phase == COPY_ABSENT) {
        out_answer->verdict = VERDICT_ABSENT;
        out_answer->why = why;
        return JUDGED;
    }
    answer_failed(out_answer, &why);
    if (had_nobody_to_ask(out_answer, &why))
        out_answer->verdict = VERDICT_EXCLUDED;
    return JUDGED;
}

enum verdict symbols_served(struct copy *copy, enum verdict asked) {
    if (asked != VERDICT_FETCHED && asked != VERDICT_JOINED)
        return asked;
    struct copy_state state;
    copy_look(copy, &state);
    if (state.in_place)
        return VERDICT_LOCAL;
    struct attempt_note note;
    bool fetched = copy_notes(copy, &note, 1) > 0;
    return state.phase == COPY_COMPLETE && !fetched ? VERDICT_HIT : asked;
}

void symbols_leave(struct symbols *symbols, struct copy *copy, enum copy_left how) {
    (void)symbols;
    struct search *search = how == COPY_LEFT_LATER ? search_of(copy) : NULL;
    if (search) {
        search_told_later(search);
        search_unref(search);
    }
    copy_leave(copy, how);
    copy_unref(copy);
}

void symbols_forget(struct symbols *symbols, const struct symbol_key *key, unsigned *out_absences,
                    unsigned *out_files) {
    *out_absences = absence_forget(symbols->options.absences, key);
    *out_files = cache_forget(symbols->options.cache, key);
    if (symbols->options.owed)
        absence_forget(symbols->options.owed, key);
}
