// SPDX-License-Identifier: MIT
//
// What the end of an attempt means: for its note, for what is known of its source, and for its
// step.
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/text.h"
#include "proxy/notices.h"
#include "proxy/search.h"
#include "record/ledger.h"

static struct source *source_of(const struct attempt *attempt) {
    return attempt->step->source;
}

static struct rest *rest_of(const struct attempt *attempt) {
    return queue_rest(source_of(attempt)->queue);
}

/* --- notes --- */

void attempt_note_rest(struct attempt_note *note, const struct source *source) {
    text_copy(note->what, sizeof note->what,
              rest_cause_told(rest_view(queue_rest(source->queue)).cause));
}

void attempt_show(struct attempt *attempt, enum attempt_result result, enum error_kind cause) {
    struct attempt_note note = {
        .result = result,
        .cause = cause,
        .started_ms = attempt->submitted_ms - attempt->search->began_ms,
        .place_ms = attempt->place_ms ? attempt->place_ms - attempt->submitted_ms : 0,
    };
    text_copy(note.source, sizeof note.source, source_of(attempt)->options.identifier);
    if (cause == ERROR_RESTING)
        attempt_note_rest(&note, source_of(attempt));
    copy_note_again(attempt->copy, attempt->note_number, &note);
}

static enum attempt_result result_of(const struct attempt *attempt, enum fetch_end end) {
    switch (end) {
    case FETCH_WHOLE:
    case FETCH_LOCAL:
        return ATTEMPT_FOUND;
    case FETCH_ABSENT:
        return ATTEMPT_ABSENT;
    case FETCH_ASIDE:
    case FETCH_LOST:
    case FETCH_KEPT:
        return ATTEMPT_LOST;
    case FETCH_CANCELLED:
        return attempt->place_ms ? ATTEMPT_LOST : ATTEMPT_UNASKED;
    case FETCH_FAILED:
    case FETCH_BROKEN:
    case FETCH_FALSE:
    case FETCH_DIFFERENT:
        break;
    }
    return ATTEMPT_FAILED;
}

static void show_end(struct attempt *attempt, enum fetch_end end, const struct error *err) {
    struct attempt_note *note = &attempt->note;
    note->result = result_of(attempt, end);
    if (note->result == ATTEMPT_FAILED || note->result == ATTEMPT_UNASKED ||
        err->kind == ERROR_WITHDRAWN || err->kind == ERROR_UNINDEXED || end == FETCH_ASIDE) {
        note->cause = err->kind;
        text_copy(note->what, sizeof note->what, err->what);
    }
    SCOPED_LOCK(&attempt->search->lock);
    attempt->told = true;
    copy_note_again(attempt->copy, attempt->note_number, note);
}

/* How long an answer took, whatever it said. */
static void count_time(struct source_counters *counters, const struct attempt_note *note) {
    uint64_t head_us = note->head_ms > 0 ? (uint64_t)note->head_ms * 1000 : 0;
    count(&counters->times[histogram_step(SCALE_TIME, head_us)]);
    count_many(&counters->time_us, head_us);
}

static void count_end(const struct attempt *attempt, enum fetch_end end, const struct error *err) {
    struct source_counters *counters = source_of(attempt)->counters;
    switch (end) {
    case FETCH_WHOLE:
    case FETCH_LOCAL:
        count(&counters->found);
        count_time(counters, &attempt->note);
        break;
    case FETCH_ABSENT:
        count(&counters->absent);
        count_time(counters, &attempt->note);
        break;
    case FETCH_ASIDE:
    case FETCH_LOST:
        count(&counters->lost);
        break;
    case FETCH_FAILED:
    case FETCH_BROKEN:
    case FETCH_FALSE:
    case FETCH_DIFFERENT:
        count(&counters->failed);
        atomic_store(&counters->failed_ms, (uint64_t)(clock_wall_ns() / 1000000));
        count(&counters->failed_by[err->kind]);
        break;
    case FETCH_CANCELLED:
    case FETCH_KEPT:
        break;
    }
}

/* --- what the source's answer says about the source --- */

/* It has answered, whatever it said: how fast was it? The search's lock is held. */
static void note_speed(struct attempt *attempt, int64_t now_ms) {
    int64_t hedge_ms = source_of(attempt)->options.hedge_after_ms;
    if (hedge_ms > 0 && !attempt->silence_noted)
        rest_note_silence(rest_of(attempt), now_ms - attempt->place_ms >= hedge_ms);
    if (now_ms - attempt->search->began_ms <= CLIENT_LIMIT_MS)
        rest_note_late(rest_of(attempt), false);
    attempt->silence_noted = true;
}

void attempt_answered(struct attempt *attempt, enum error_kind kind) {
    /* What fails at a host behind a redirect has its own rest: the source itself has answered. */
    rest_note(rest_of(attempt), attempt->fetch.behind ? ERROR_NONE : kind,
              attempt->fetch.behind ? 0 : attempt->note.status, attempt->search->question.key.hash,
              attempt->fetch.retry_after_s);
    if (kind != ERROR_NONE && attempt->note.status == 0)
        return;
    SCOPED_LOCK(&attempt->search->lock);
    note_speed(attempt, clock_ms());
}

/* Breaks in mid-body say nothing about the source; a good head has been noted when it came. */
static void note_rest(struct attempt *attempt, enum fetch_end end, const struct error *err) {
    if (end == FETCH_ABSENT)
        attempt_answered(attempt, ERROR_NONE);
    else if (end == FETCH_FAILED && !attempt->fetch.head_good)
        attempt_answered(attempt, err->kind);
}

/* --- over --- */

/* Takes it off the search's list. Lock held; the list's reference is the caller's from now on. */
static void leave(struct attempt *attempt) {
    attempt->state = ATTEMPT_OVER;
    list_remove(&attempt->in_search);
    if (attempt->search->writer == attempt)
        attempt->search->writer = NULL;
}

/* An error after a good head that asking again may cure, though nothing was written yet. */
static bool cut_short(const struct attempt *attempt, const struct error *err) {
    return attempt->fetch.head_good && !attempt->fetch.refused &&
           (err->kind == ERROR_RESET || err->kind == ERROR_STALLED || err->kind == ERROR_LENGTH ||
            err->kind == ERROR_TIMEOUT);
}

/* The step is settled: whoever else asks its source needs not. */
static void call_back_twins(struct search *search, const struct step *step,
                            struct search_acts *acts) {
    LIST_EACH (node, &search->attempts) {
        struct attempt *twin = LIST_ENTRY(node, struct attempt, in_search);
        if (twin->step != step || twin->called_back)
            continue;
        twin->called_back = true;
        atomic_fetch_add_explicit(&twin->refs, 1, memory_order_relaxed);
        list_push_back(&acts->call_back, &twin->to_call_back);
    }
}

static void step_absent(struct attempt *attempt, const struct error *said,
                        struct search_acts *acts) {
    struct search *search = attempt->search;
    bool ends = said->kind == ERROR_UNINDEXED;
    if (ends || (said->kind == ERROR_WITHDRAWN && search->withdrawn.kind != ERROR_UNINDEXED))
        search->withdrawn = *said;
    struct step *step = attempt->step;
    if (step->delivered) {
        struct error err = {0};
        error_set(&err, ERROR_STATUS,
                  "\"%s\" delivered a part and then said that it has no such file",
                  step->source->options.identifier);
        search_broke(search, step, &err, clock_ms());
        return;
    }
    /* What it has in another form is false: that is no no. */
    step->state = attempt->fetch.forms_but ? STEP_FAILED : STEP_ABSENT;
    if (ends && !search->begun) {
        search_conclude(search, acts);
        return;
    }
    call_back_twins(search, step, acts);
}

static void step_failed(struct attempt *attempt, const struct error *err) {
    struct search *search = attempt->search;
    struct step *step = attempt->step;
    if (err->kind == ERROR_DISK && attempt->led) {
        /* No source can cure it. */
        search_keep_why(search, err);
        step->state = STEP_FAILED;
        search->used_up = true;
    } else if (attempt->fetch.refused && search_asks_other_form(search, step, &attempt->fetch)) {
        if (step->source->options.is_cache)
            search->withdrawn = *err;
        else
            search_keep_why(search, err);
    } else if ((step->source->options.is_cache || err->kind == ERROR_LOOP) && !step->delivered) {
        /* As if it were not there; but who asks is told why. */
        search->withdrawn = *err;
        step->state = STEP_ABSENT;
    } else if (cut_short(attempt, err) || step->delivered) {
        search_broke(search, step, err, clock_ms());
    } else {
        search_keep_why(search, err);
        step->state = STEP_FAILED;
    }
}

static void step_broken(struct attempt *attempt, const struct error *err) {
    struct search *search = attempt->search;
    search->begun = true;
    search->staging = attempt->fetch.staging;
    search->resume = attempt->fetch.resume;
    search->resume_step = attempt->step;
    attempt->step->delivered = true;
    step_failed(attempt, err);
}

/* Asked twice at the same time: the other one may still bring it, and has the last word. */
static bool leave_to_twin(struct attempt *attempt, const struct error *err) {
    LIST_EACH (node, &attempt->search->attempts) {
        struct attempt *twin = LIST_ENTRY(node, struct attempt, in_search);
        if (twin->step != attempt->step || twin->called_back)
            continue;
        twin->twin_why = *err;
        return true;
    }
    return false;
}

/* What the end of an attempt that was not called back means. It has left the list. Lock held. */
static void apply(struct attempt *attempt, enum fetch_end end, const struct error *err,
                  struct search_acts *acts) {
    struct search *search = attempt->search;
    if (search->phase == SEARCH_ENDED)
        return;
    switch (end) {
    case FETCH_WHOLE:
        search->winner = attempt->step;
        search_end(search, COPY_WHOLE, acts);
        return;
    case FETCH_LOCAL:
        search->winner = attempt->step;
        search_end(search, COPY_COMPLETE, acts);
        return;
    case FETCH_KEPT:
        error_set(&acts->why, ERROR_CANCELLED, "the kept file is the source's");
        search_end(search, COPY_FAILED, acts);
        return;
    case FETCH_ABSENT:
        step_absent(attempt, err, acts);
        return;
    case FETCH_ASIDE:
        attempt->step->state = STEP_ASIDE;
        call_back_twins(search, attempt->step, acts);
        return;
    case FETCH_BROKEN:
        step_broken(attempt, err);
        return;
    case FETCH_FAILED:
    case FETCH_LOST:
    case FETCH_CANCELLED:
        if (!leave_to_twin(attempt, err))
            step_failed(attempt, err);
        return;
    case FETCH_FALSE:
    case FETCH_DIFFERENT:
        return; /* seen to by search_replace */
    }
}

static void settle(struct attempt *attempt, enum fetch_end end, const struct error *err,
                   struct search_acts *acts) {
    struct search *search = attempt->search;
    SCOPED_LOCK(&search->lock);
    leave(attempt);
    if (!attempt->called_back || end == FETCH_WHOLE || end == FETCH_LOCAL)
        apply(attempt, end, err, acts);
    else if (end == FETCH_ABSENT && attempt->step->state == STEP_READY)
        attempt->step->state = STEP_ABSENT;
}

/* A source that has delivered a part of it, or something false, is not believed to have no such
   file. */
static bool may_remember(const struct attempt *attempt) {
    SCOPED_LOCK(&attempt->search->lock);
    return !attempt->step->delivered && !attempt->fetch.forms_but;
}

static void remember_no(const struct attempt *attempt, const struct error *said) {
    const struct source *source = source_of(attempt);
    int64_t retry_s = (source->options.retry_ms + 999) / 1000;
    if (retry_s <= 0 || !may_remember(attempt))
        return;
    unsigned forms =
        said->kind == ERROR_UNINDEXED ? source_forms_ended(source) : source_forms(source);
    notices_note(attempt->search->symbols->notices, &attempt->search->mark, source->fingerprint,
                 said);
    absence_add(attempt->search->symbols->options.absences, &attempt->search->mark,
                source->fingerprint, forms, retry_s < UINT32_MAX ? (uint32_t)retry_s : UINT32_MAX);
}

/* An archive on a shelf that was refused is known to be false from then on, and passed over; what
   lies beside it is next. */
static void condemn_shelved(const struct attempt *attempt, enum fetch_end end,
                            const struct error *err) {
    const struct fetch *fetch = &attempt->fetch;
    const struct shelved_form *shelved = fetch->shelved;
    if (!shelved || shelved->form != FORM_COMPRESSED || (end != FETCH_FALSE && !fetch->refused))
        return;
    struct shelf *shelf = cache_shelf(fetch->cache, shelved->shelf);
    const struct question *question = fetch->question;
    const char *file = strrchr(shelved->path, '/') + 1;
    struct shelf_found found;
    if (!shelf)
        return;
    shelf_condemn(shelf, &question->key,
                  text_same(file, question->key.name) ? FORM_PLAIN : FORM_COMPRESSED, shelved->path,
                  err->what);
    enum shelf_look there = shelf_look(shelf, &question->spelling, &question->key, false, &found);
    if (there == SHELF_FOUND)
        close(found.fd);
    else if (there == SHELF_OTHER_FORM)
        search_note_shelved(attempt->search, shelved->shelf, &found);
}

/* `certain`: a no is one. */
static void tell_ledger(const struct search *search, const struct source *source, unsigned position,
                        bool certain, const struct attempt_note *note) {
    struct ledger *ledger = search->symbols->options.ledger;
    if (ledger)
        ledger_take_answer(ledger, &(struct reply){
                                       .key = &search->question.key,
                                       .spelling = &search->question.spelling,
                                       .place = source->fingerprint,
                                       .mark = source_mark(source),
                                       .from_shelf = position == POSITION_SHELF,
                                       .certain = certain,
                                       .note = note,
                                   });
}

void search_tell_open(const struct search *search, const struct source *source, unsigned position) {
    struct attempt_note note = {.result = ATTEMPT_UNASKED};
    if (search->kept || position == POSITION_SHELF)
        return;
    text_copy(note.source, sizeof note.source, source->options.identifier);
    tell_ledger(search, source, position, false, &note);
}

void attempt_ended(struct attempt *attempt, enum fetch_end end, struct error *err) {
    struct search *search = attempt->search;
    struct search_acts acts;
    search_acts_init(&acts);
    if (end == FETCH_LOST && err->kind == ERROR_NONE)
        error_set(err, ERROR_CANCELLED, "another server delivered first");
    show_end(attempt, end, err);
    condemn_shelved(attempt, end, err);
    count_end(attempt, end, err);
    if (end != FETCH_KEPT) /* of a kept file that is the source's nothing new is known */
        tell_ledger(search, source_of(attempt), attempt->step->position, may_remember(attempt),
                    &attempt->note);
    note_rest(attempt, end, err);
    if (end == FETCH_ABSENT)
        remember_no(attempt, err);
    if (end == FETCH_FALSE || end == FETCH_DIFFERENT)
        search_replace(search, attempt, end == FETCH_DIFFERENT, err);
    settle(attempt, end, err, &acts);
    /* What follows may wait for a place: never while this one is held. */
    queue_give(source_of(attempt)->queue, &attempt->job);
    search_act(search, &acts);
    search_go(search);
    attempt_unref(attempt);
}

void attempt_not_asked(struct attempt *attempt, enum error_kind why) {
    struct search *search = attempt->search;
    struct step *step = attempt->step;
    attempt_show(attempt, ATTEMPT_UNASKED, why);
    search_tell_open(search, source_of(attempt), step->position);
    SCOPED_LOCK(&search->lock);
    leave(attempt);
    if (attempt->called_back || search_step_asked(search, step))
        return;
    if (attempt->twin_why.kind != ERROR_NONE) {
        step_failed(attempt, &attempt->twin_why);
    } else if (why == ERROR_CANCELLED) {
        step->state = STEP_GONE;
    } else if (why == ERROR_BUSY && attempt->hedge) {
        step->state = STEP_READY;
        step->passed_over = true;
        search->owed++;
    } else if (step->source->options.is_cache) {
        step->state = STEP_ABSENT;
    } else {
        step->state = STEP_UNASKED;
        step->unasked = why;
    }
}
