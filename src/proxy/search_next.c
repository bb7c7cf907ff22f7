// SPDX-License-Identifier: MIT
//
// What follows from a search's state. The next source is asked when every attempt under way has
// been silent for its hedgeAfter (or there is none), and once more for each one that has just
// become so.
#include <limits.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/text.h"
#include "proxy/search.h"
#include "source/source_layout.h"

static struct attempt *attempt_of(struct list *node) {
    return LIST_ENTRY(node, struct attempt, in_search);
}

static struct rest *rest_of(const struct attempt *attempt) {
    return queue_rest(attempt->step->source->queue);
}

static int64_t hedge_after(const struct attempt *attempt) {
    return attempt->step->source->options.hedge_after_ms;
}

bool search_step_asked(const struct search *search, const struct step *step) {
    LIST_EACH (node, &search->attempts) {
        const struct attempt *attempt = attempt_of(node);
        if (attempt->step == step && !attempt->called_back)
            return true;
    }
    return false;
}

static bool may_have_another(const struct step *step) {
    switch (step->state) {
    case STEP_READY:
    case STEP_ASKED:
    case STEP_PAUSED:
    case STEP_BROKEN:
    case STEP_ASIDE:
        return true;
    case STEP_ABSENT:
    case STEP_FAILED:
    case STEP_UNASKED:
    case STEP_GONE:
        break;
    }
    return false;
}

bool search_chooses(const struct search *search, const struct step *step) {
    if (!search->question.checksums[0] || search->kept || search->begun || step->as_it_is)
        return false;
    for (unsigned i = 0; i < search->step_count; i++)
        if (&search->steps[i] != step && may_have_another(&search->steps[i]))
            return true;
    return false;
}

static unsigned under_way(const struct search *search) {
    unsigned found = 0;
    LIST_EACH (node, &search->attempts)
        found += !attempt_of(node)->called_back;
    return found;
}

static struct step *step_in(const struct search *search, enum step_state state) {
    for (unsigned i = 0; i < search->step_count; i++)
        if (search->steps[i].state == state)
            return &search->steps[i];
    return NULL;
}

/* Does the next source wait for something that is under way? */
static bool waits(const struct search *search) {
    LIST_EACH (node, &search->attempts) {
        const struct attempt *attempt = attempt_of(node);
        if (attempt->counts && !attempt->called_back)
            return true;
    }
    return step_in(search, STEP_PAUSED);
}

void search_call_back(struct search *search, const struct attempt *but, struct search_acts *acts) {
    LIST_EACH (node, &search->attempts) {
        struct attempt *attempt = attempt_of(node);
        if (attempt == but || attempt->called_back)
            continue;
        attempt->called_back = true;
        atomic_fetch_add_explicit(&attempt->refs, 1, memory_order_relaxed);
        list_push_back(&acts->call_back, &attempt->to_call_back);
        if (attempt->step->state == STEP_ASKED && !(but && but->step == attempt->step))
            attempt->step->state = STEP_READY;
    }
    for (unsigned i = 0; i < search->step_count; i++)
        if (search->steps[i].state == STEP_PAUSED)
            search->steps[i].state = STEP_READY;
}

/* --- the plan --- */

static void note_unasked(struct search *search, unsigned position, enum attempt_result result) {
    struct attempt_note note = {.result = result};
    const struct source_options *options = &search->roster->sources[position]->options;
    if (result == ATTEMPT_ABSENT)
        text_copy(note.what, sizeof note.what,
                  source_has_place(search->roster->sources[position], &search->question)
                      ? NOTED_UNLISTED
                      : NOTED_PLACELESS);
    if (result == ATTEMPT_UNASKED && options->unaskable) {
        note.cause = ERROR_UNMAPPED;
    } else if (result == ATTEMPT_UNASKED) {
        note.cause = ERROR_RESTING;
        attempt_note_rest(&note, search->roster->sources[position]);
    }
    text_copy(note.source, sizeof note.source, options->identifier);
    copy_note(search->copy, &note);
    if (result == ATTEMPT_UNASKED)
        search_tell_open(search, search->roster->sources[position], position);
}

static void note_all_unasked(struct search *search, uint64_t sources, enum attempt_result result) {
    for (uint64_t left = sources; left; left &= left - 1)
        note_unasked(search, (unsigned)__builtin_ctzll(left), result);
}

/* What lies on a shelf comes before all servers. */
static void plan_shelf(struct search *search) {
    struct source *reader =
        search->shelved ? search->roster->readers[search->shelved->shelf] : NULL;
    if (reader)
        search->steps[search->step_count++] =
            (struct step){.source = reader, .position = POSITION_SHELF, .priority = INT_MIN};
}

void search_plan(struct search *search, const struct plan *plan) {
    search->planned = true;
    search->unasked = plan->unasked;
    if (plan->ended)
        plan_ended_why(&search->withdrawn);
    search->steps = NEW_ARRAY(struct step, plan->count + 1);
    plan_shelf(search);
    for (unsigned i = 0; i < plan->count; i++) {
        unsigned position = plan->steps[i].source;
        search->steps[search->step_count++] = (struct step){
            .source = search->roster->sources[position],
            .position = position,
            .priority = plan->steps[i].priority,
        };
    }
    note_all_unasked(search, plan->remembered, ATTEMPT_REMEMBERED);
    note_all_unasked(search, plan->unlisted | plan->placeless, ATTEMPT_ABSENT);
    note_all_unasked(search, plan->unasked, ATTEMPT_UNASKED);
}

static void make_plan(struct search *search) {
    struct plan plan;
    plan_make(search->roster, search->allowed, search->symbols->options.absences, &search->question,
              &plan);
    plan_note_spared(search->roster, &plan);
    search_plan(search, &plan);
}

/* --- asking --- */

/* Waiting for a place is no silence of the source's. A place that came a moment after the question
   is: what is asked beside it may deliver before the rest of that moment has passed. */
static bool is_silent(const struct attempt *attempt, int64_t after_ms, int64_t now_ms) {
    bool asked_beside = !attempt->counts;
    int64_t silent_ms = asked_beside ? after_ms - after_ms / 10 : after_ms;
    return attempt->state == ATTEMPT_RUNNING && after_ms > 0 &&
           now_ms >= attempt->place_ms + silent_ms;
}

/* Since when the next source waits for it: a head alone delivers nothing. */
static int64_t quiet_since(const struct attempt *attempt) {
    return attempt->head_ms ? attempt->head_ms : attempt->submitted_ms;
}

/* Who has become silent since this was asked last. */
static void note_silence(struct search *search, int64_t now_ms) {
    LIST_EACH (node, &search->attempts) {
        struct attempt *attempt = attempt_of(node);
        int64_t after_ms = hedge_after(attempt);
        if (attempt->called_back || after_ms < 0)
            continue;
        if (attempt->counts && now_ms >= quiet_since(attempt) + after_ms) {
            attempt->counts = false;
            search->owed++;
        }
        if (attempt->head_ms == 0 && !attempt->silence_noted &&
            is_silent(attempt, after_ms, now_ms)) {
            attempt->silence_noted = true;
            rest_note_silence(rest_of(attempt), true);
        }
    }
}

static bool may_ask(const struct step *step, bool hedge) {
    return step->state == STEP_READY && !(hedge && step->passed_over);
}

/* The next step that may be asked; steps are in order of priority. */
static struct step *next_ready(const struct search *search, bool hedge) {
    for (unsigned i = 0; i < search->step_count; i++)
        if (may_ask(&search->steps[i], hedge))
            return &search->steps[i];
    return NULL;
}

/* Asks the next step and all of the same priority; false when none is left. */
static bool ask_group(struct search *search, struct search_acts *acts) {
    bool hedge = under_way(search) > 0;
    struct step *first = next_ready(search, hedge);
    if (!first)
        return false;
    for (struct step *step = first; step < search->steps + search->step_count; step++)
        if (step->priority == first->priority && may_ask(step, hedge))
            attempt_begin(search, step, hedge, false, acts);
    return true;
}

static void ask_next(struct search *search, struct search_acts *acts) {
    while (search->owed > 0 || !waits(search)) {
        if (search->owed > 0)
            search->owed--;
        if (ask_group(search, acts))
            continue;
        search->owed = 0;
        return;
    }
}

static void ask_paused(struct search *search, int64_t now_ms, struct search_acts *acts) {
    for (unsigned i = 0; i < search->step_count; i++) {
        struct step *step = &search->steps[i];
        if (step->state == STEP_PAUSED && step->due_ms <= now_ms)
            attempt_begin(search, step, false, false, acts);
    }
}

/* May the attempt's source be asked once more on a new connection, when it stays silent? */
static bool may_be_doubled(const struct search *search, const struct attempt *attempt) {
    return attempt->state == ATTEMPT_RUNNING && !attempt->called_back && attempt->head_ms == 0 &&
           !attempt->step->asked_again && !next_ready(search, true);
}

static void ask_again(struct search *search, int64_t now_ms, struct search_acts *acts) {
    LIST_EACH (node, &search->attempts) {
        struct attempt *attempt = attempt_of(node);
        if (!may_be_doubled(search, attempt) || now_ms < attempt->reask_ms)
            continue;
        if (queue_free_place(attempt->step->source->queue)) {
            attempt->step->asked_again = true;
            attempt_begin(search, attempt->step, true, true, acts);
        } else {
            attempt->reask_ms = now_ms + REASK_POLL_MS;
        }
    }
}

/* When nothing else is left, sources whose bodies broke several times are tried again. */
static bool revive_broken(struct search *search, int64_t now_ms) {
    struct step *step = step_in(search, STEP_BROKEN);
    if (!step)
        return false;
    search_pause(search, step, now_ms);
    return true;
}

/* When nobody has a better file, the first that was put aside is fetched, and believed. */
static bool take_aside(struct search *search, struct search_acts *acts) {
    struct step *step = step_in(search, STEP_ASIDE);
    if (!step)
        return false;
    step->as_it_is = true;
    attempt_begin(search, step, false, false, acts);
    return true;
}

/* The only source that is being asked is known to be late: clients should not be held long. */
static void hurry(struct search *search, struct search_acts *acts) {
    if (search->hurried || under_way(search) != 1)
        return;
    LIST_EACH (node, &search->attempts) {
        struct attempt *attempt = attempt_of(node);
        if (attempt->called_back || attempt->state != ATTEMPT_RUNNING || attempt->head_ms != 0 ||
            !rest_late(rest_of(attempt)))
            continue;
        search->hurried = true;
        acts->hurry = copy_ref(search->copy);
    }
}

/* --- the alarm --- */

static int64_t sooner(int64_t a_ms, int64_t b_ms) {
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t attempt_due(const struct search *search, const struct attempt *attempt) {
    int64_t due_ms = INT64_MAX;
    int64_t after_ms = hedge_after(attempt);
    if (attempt->called_back)
        return due_ms;
    if (after_ms >= 0 && attempt->counts)
        due_ms = quiet_since(attempt) + after_ms;
    if (attempt->head_ms != 0)
        return due_ms;
    if (after_ms > 0 && attempt->state == ATTEMPT_RUNNING && !attempt->silence_noted)
        due_ms = sooner(due_ms, attempt->place_ms + after_ms);
    if (may_be_doubled(search, attempt))
        due_ms = sooner(due_ms, attempt->reask_ms);
    return due_ms;
}

static int64_t next_due(const struct search *search) {
    int64_t due_ms = INT64_MAX;
    for (unsigned i = 0; i < search->step_count; i++)
        if (search->steps[i].state == STEP_PAUSED)
            due_ms = sooner(due_ms, search->steps[i].due_ms);
    LIST_EACH (node, &search->attempts)
        due_ms = sooner(due_ms, attempt_due(search, attempt_of(node)));
    return due_ms;
}

static void set_alarm(struct search *search, int64_t due_ms) {
    if (due_ms == INT64_MAX)
        search_stop_alarm(search);
    else if (!alarm_set(search->symbols->options.alarms, &search->alarm, due_ms))
        search_ref(search);
}

/* --- deciding --- */

static void decide_asking(struct search *search, int64_t now_ms, struct search_acts *acts) {
    if (search->writer) {
        search_stop_alarm(search);
        return;
    }
    if (search->used_up || search->closing) {
        search_conclude(search, acts);
        return;
    }
    note_silence(search, now_ms);
    ask_paused(search, now_ms, acts);
    ask_next(search, acts);
    ask_again(search, now_ms, acts);
    if (under_way(search) == 0 && !step_in(search, STEP_PAUSED) && !revive_broken(search, now_ms) &&
        !take_aside(search, acts)) {
        search_conclude(search, acts);
        return;
    }
    hurry(search, acts);
    set_alarm(search, next_due(search));
}

void search_decide(struct search *search, int64_t now_ms, struct search_acts *acts) {
    switch (search->phase) {
    case SEARCH_LOOKING:
        if (search->closing)
            search_conclude(search, acts);
        return;
    case SEARCH_REPLAYING:
        if (!search->closing && !absences_ready(search->symbols->options.absences)) {
            set_alarm(search, now_ms + REPLAY_POLL_MS);
            return;
        }
        search->phase = SEARCH_ASKING;
        break;
    case SEARCH_ASKING:
        break;
    case SEARCH_ENDED:
        return;
    }
    if (!search->planned)
        make_plan(search);
    decide_asking(search, now_ms, acts);
}
