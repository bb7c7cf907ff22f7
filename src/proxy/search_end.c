// SPDX-License-Identifier: MIT
//
// How bodies and searches end.
#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "proxy/notices.h"
#include "proxy/search.h"

/* Before the second take, the third and so on. */
static const int64_t pauses_ms[TAKES_MAX - 1] = {100, 500, 2000, 5000};

void search_keep_why(struct search *search, const struct error *err) {
    if (search->why.kind == ERROR_NONE)
        search->why = *err;
}

void search_pause(struct search *search, struct step *step, int64_t now_ms) {
    unsigned at = search->breaks > 0 ? search->breaks - 1 : 0;
    step->state = STEP_PAUSED;
    step->due_ms = now_ms + pauses_ms[at < TAKES_MAX - 1 ? at : TAKES_MAX - 2];
}

/* The forms that were asked for up to this one: the others have said no. */
static unsigned forms_up_to(const struct source *source, enum form last) {
    unsigned forms = 0;
    for (unsigned i = 0; i < source->options.form_count && !(forms & last); i++)
        forms |= source->options.forms[i];
    return forms;
}

bool search_asks_other_form(const struct search *search, struct step *step,
                            const struct fetch *fetch) {
    unsigned but = step->forms_but | forms_up_to(step->source, fetch->form);
    bool other = fetch->shelved ? search->shelved_then && fetch->shelved != search->shelved_then
                                : (source_forms(step->source) & ~but) != 0;
    if (!other)
        return false;
    if (!fetch->shelved)
        step->forms_but = but;
    step->state = STEP_READY;
    return true;
}

void search_note_shelved(struct search *search, unsigned shelf, const struct shelf_found *found) {
    SCOPED_LOCK(&search->lock);
    if (search->shelved_then)
        return;
    struct shelved_form *then = NEW(struct shelved_form);
    then->shelf = shelf;
    then->form = found->form;
    text_copy(then->path, sizeof then->path, found->path);
    search->shelved_then = then;
}

static bool others_left(const struct search *search) {
    for (unsigned i = 0; i < search->step_count; i++)
        if (search->steps[i].state == STEP_READY)
            return true;
    return false;
}

void search_broke(struct search *search, struct step *step, const struct error *err,
                  int64_t now_ms) {
    search_keep_why(search, err);
    search->breaks++;
    /* A stall has cost its client more than a reset: two in a row are as many as three. */
    step->breaks += err->kind == ERROR_STALLED ? 2 : 1;
    if (search->breaks >= TAKES_MAX) {
        step->state = STEP_FAILED;
        /* What was begun needs no other source: nobody may take it up any more. */
        search->used_up |= search->begun;
    } else if (step->breaks >= TAKES_IN_A_ROW && others_left(search)) {
        step->state = STEP_BROKEN;
    } else {
        search_pause(search, step, now_ms);
    }
}

/* --- another copy --- */

static bool plan_left(const struct search *search) {
    for (unsigned i = 0; i < search->step_count; i++)
        switch (search->steps[i].state) {
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

static void begin_anew(struct search *search, struct copy *copy) {
    search->copy = copy;
    search->begun = false;
    search->hurried = false;
    search->staging = NULL;
    search->resume_step = NULL;
    for (unsigned i = 0; i < search->step_count; i++)
        search->steps[i].delivered = false;
}

/* Notes what the writer's body proved to be; is there anything left to go on with? */
static bool note_false(struct search *search, struct attempt *writer, bool differs,
                       const struct error *err) {
    struct step *step = writer->step;
    SCOPED_LOCK(&search->lock);
    search->begun = true;
    if (differs) {
        search_broke(search, step, err, clock_ms());
    } else {
        search_keep_why(search, err);
        if (!search_asks_other_form(search, step, &writer->fetch))
            step->state = STEP_FAILED;
    }
    if (!search->closing && !search->used_up && plan_left(search))
        return true;
    search->used_up = true;
    return false;
}

void search_replace(struct search *search, struct attempt *writer, bool differs,
                    const struct error *err) {
    if (!note_false(search, writer, differs, err))
        return;
    /* The search's copy is the writer's until `writer` is taken back, so nobody changes it
     * meanwhile. */
    CLEANUP(copy_unref_at) struct copy *old = search->copy;
    struct copy *copy = cache_replace(search->symbols->options.cache, old, err);
    count(&search->symbols->counters.replaced);
    SCOPED_LOCK(&search->lock);
    begin_anew(search, copy);
}

/* --- the search's end --- */

void search_stop_alarm(struct search *search) {
    if (alarm_cancel(search->symbols->options.alarms, &search->alarm))
        search_unref(search);
}

/* Without an answer for anybody, what the sources that were still to be asked have stays open. */
static void tell_left(const struct search *search) {
    for (unsigned i = 0; i < search->step_count; i++) {
        const struct step *step = &search->steps[i];
        if (step->state == STEP_READY || step->state == STEP_PAUSED || step->state == STEP_BROKEN ||
            step->state == STEP_ASIDE)
            search_tell_open(search, step->source, step->position);
    }
}

void search_end(struct search *search, enum copy_phase phase, struct search_acts *acts) {
    if (phase == COPY_FAILED)
        tell_left(search);
    search_call_back(search, NULL, acts);
    search_stop_alarm(search);
    search->phase = SEARCH_ENDED;
    acts->ended = true;
    acts->phase = phase;
    acts->copy = TAKE(search->copy);
}

/* What the steps that could not be asked say; ERROR_NONE: none. */
static enum error_kind unasked_why(const struct search *search) {
    enum error_kind why = search->unasked ? ERROR_RESTING : ERROR_NONE;
    for (unsigned i = 0; i < search->step_count; i++)
        if (search->steps[i].state == STEP_UNASKED && why != ERROR_RESTING)
            why = search->steps[i].unasked;
    return why;
}

static bool some_are_gone(const struct search *search) {
    for (unsigned i = 0; i < search->step_count; i++)
        if (search->steps[i].state == STEP_GONE)
            return true;
    return false;
}

/* Why nothing was found; ERROR_NONE: every source said no, or one that counts for all. */
static void find_why(const struct search *search, struct error *why) {
    enum error_kind unasked = unasked_why(search);
    bool ended = search->withdrawn.kind == ERROR_UNINDEXED && !search->begun;
    if (search->closing)
        error_set(why, ERROR_CANCELLED, "symgate is ending");
    else if (ended)
        error_clear(why);
    else if (search->why.kind != ERROR_NONE)
        *why = search->why;
    else if (search->allowed == 0)
        error_set(why, ERROR_CONFIG, "no server may be asked for it");
    else if (unasked == ERROR_BUSY)
        error_set(why, ERROR_BUSY, "the queues of the servers that may have it are full");
    else if (search->unasked)
        plan_unasked_why(search->roster, search->unasked, why);
    else if (unasked != ERROR_NONE)
        error_set(why, unasked, "a server that may have it rests");
    else if (some_are_gone(search))
        error_set(why, ERROR_REMOVED,
                  "a server was removed from the configuration or changed in it");
}

void search_conclude(struct search *search, struct search_acts *acts) {
    find_why(search, &acts->why);
    enum copy_phase phase = acts->why.kind == ERROR_NONE ? COPY_ABSENT : COPY_FAILED;
    if (phase == COPY_ABSENT) {
        acts->why = search->withdrawn;
        if (acts->why.kind == ERROR_NONE)
            notices_find(search->symbols->notices, search->roster, search->allowed, &search->mark,
                         &acts->why);
    }
    search_end(search, phase, acts);
}
