// SPDX-License-Identifier: MIT
//
// Attempts: from the queue to what their end means for the step.
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"
#include "proxy/index_load.h"
#include "proxy/provenance.h"
#include "proxy/renewal.h"
#include "proxy/search.h"

enum { OVERLAP_BYTES = 256 * 1024 }; /* that is read again where another source goes on */

static struct attempt *attempt_of_job(struct queue_job *job) {
    return LIST_ENTRY(job, struct attempt, job);
}

static struct attempt *attempt_of_fetch(struct fetch *fetch) {
    return LIST_ENTRY(fetch, struct attempt, fetch);
}

static struct source *source_of(const struct attempt *attempt) {
    return attempt->step->source;
}

static struct rest *rest_of(const struct attempt *attempt) {
    return queue_rest(source_of(attempt)->queue);
}

void attempt_unref(struct attempt *attempt) {
    if (atomic_fetch_sub_explicit(&attempt->refs, 1, memory_order_acq_rel) > 1)
        return;
    cancel_release(&attempt->cancel);
    copy_unref(attempt->copy);
    search_unref(attempt->search);
    free(attempt);
}

/* --- what the fetcher tells --- */

static void head_came(struct fetch *fetch) {
    struct attempt *attempt = attempt_of_fetch(fetch);
    attempt_answered(attempt, ERROR_NONE);
    SCOPED_LOCK(&attempt->search->lock);
    attempt->head_ms = clock_ms();
}

static bool claim_pen(struct attempt *attempt, struct search_acts *acts) {
    struct search *search = attempt->search;
    SCOPED_LOCK(&search->lock);
    if (search->phase != SEARCH_ASKING || search->writer || search->closing || attempt->called_back)
        return false;
    search->writer = attempt;
    attempt->led = true;
    renewal_announce(search, attempt->step);
    search_call_back(search, attempt, acts);
    return true;
}

static bool may_write(struct fetch *fetch) {
    struct attempt *attempt = attempt_of_fetch(fetch);
    struct search_acts acts;
    search_acts_init(&acts);
    bool leads = claim_pen(attempt, &acts);
    if (leads) {
        attempt->note.result = ATTEMPT_FOUND;
        copy_note_again(attempt->copy, attempt->note_number, &attempt->note);
    }
    search_act(attempt->search, &acts);
    return leads;
}

static void body_came(struct fetch *fetch) {
    struct attempt *attempt = attempt_of_fetch(fetch);
    copy_note_again(attempt->copy, attempt->note_number, &attempt->note);
}

static void keeps(struct fetch *fetch) {
    struct attempt *attempt = attempt_of_fetch(fetch);
    renewal_promise(attempt->search, attempt->step);
}

static const struct fetch_ops fetch_ops = {
    .head_came = head_came,
    .may_write = may_write,
    .body_came = body_came,
    .keeps = keeps,
};

/* --- the queue's side --- */

/* From where the body is gone on with; offset 0: from the start. Another source may do so by the
   same strong validator, and what overlaps is compared. The last take is read from the start: a
   server may break off whatever is asked for by range. Lock held. */
static struct resume resume_of(const struct attempt *attempt) {
    const struct search *search = attempt->search;
    struct resume resume = search->resume;
    bool own = search->resume_step == attempt->step;
    if (!search->begun || search->breaks + 1 >= TAKES_MAX || (!own && !resume.validator[0]))
        return (struct resume){.size = SIZE_UNKNOWN};
    if (!own)
        resume.offset -= resume.offset < OVERLAP_BYTES ? resume.offset : OVERLAP_BYTES;
    return resume;
}

/* It has its place: false when it was called back on the way. */
static bool take_place(struct attempt *attempt) {
    struct search *search = attempt->search;
    struct fetch *fetch = &attempt->fetch;
    int64_t now_ms = clock_ms();
    SCOPED_LOCK(&search->lock);
    if (attempt->called_back)
        return false;
    search->placed = true;
    attempt->state = ATTEMPT_RUNNING;
    attempt->place_ms = now_ms;
    attempt->reask_ms = now_ms + REASK_AFTER_MS;
    attempt->note.place_ms = now_ms - attempt->submitted_ms;
    attempt->note.cause = ERROR_NONE;
    fetch->chooses = search_chooses(search, attempt->step);
    fetch->taking_up = search->begun;
    fetch->staging = search->staging;
    fetch->resume = resume_of(attempt);
    return true;
}

static void run(struct queue_job *job, void *worker) {
    struct attempt *attempt = attempt_of_job(job);
    struct error err = {0};
    if (!take_place(attempt)) {
        error_set(&err, ERROR_CANCELLED, "nobody needs the answer any more");
        attempt_ended(attempt, FETCH_CANCELLED, &err);
        return;
    }
    count(&source_of(attempt)->counters->asked);
    search_tell_open(attempt->search, source_of(attempt), attempt->step->position);
    copy_note_again(attempt->copy, attempt->note_number, &attempt->note);
    search_go(attempt->search);
    attempt->fetch.worker = worker;
    enum fetch_end end = fetcher_run(&attempt->fetch, &err);
    if (end == FETCH_WHOLE)
        provenance_add(symbols_provenance(attempt->search->symbols), attempt->copy, &attempt->note);
    attempt_ended(attempt, end, &err);
}

static void handed_back(struct queue_job *job, enum error_kind why) {
    struct attempt *attempt = attempt_of_job(job);
    attempt_not_asked(attempt, why);
    search_go(attempt->search);
    attempt_unref(attempt);
}

static void count_submitted(const struct attempt *attempt) {
    struct symbols_counters *counters = &attempt->search->symbols->counters;
    count(&counters->attempts);
    if (attempt->hedge)
        count(&counters->hedges);
    if (attempt->takes_up)
        count(&counters->take_ups);
}

bool attempt_submit(struct attempt *attempt) {
    struct search *search = attempt->search;
    struct source_queue *queue = source_of(attempt)->queue;
    enum error_kind why = ERROR_BUSY;
    index_load_consider(search->symbols, search->roster, source_of(attempt));
    if (!queue_submit(queue, &attempt->job, &why)) {
        attempt_not_asked(attempt, why);
        attempt_unref(attempt);
        return false;
    }
    count_submitted(attempt);
    lock_take(&search->lock);
    attempt->queued = true;
    bool called_back = attempt->called_back;
    if (attempt->wanted != search->waited) {
        attempt->wanted = search->waited;
        queue_want(queue, &attempt->job, search->waited);
    }
    lock_give(&search->lock);
    /* Who called it back meanwhile could not take it out yet. */
    if (called_back)
        attempt_call_back(attempt);
    return true;
}

static bool is_queued(const struct attempt *attempt) {
    SCOPED_LOCK(&attempt->search->lock);
    return attempt->queued;
}

void attempt_call_back(struct attempt *attempt) {
    cancel_raise(&attempt->cancel);
    /* Not in the queue yet: who submits it looks again. */
    if (!is_queued(attempt))
        return;
    if (queue_withdraw(source_of(attempt)->queue, &attempt->job)) {
        attempt_not_asked(attempt, ERROR_CANCELLED);
        attempt_unref(attempt);
        return;
    }
    /* It ends by itself, but may do so after those who ask have been answered. */
    SCOPED_LOCK(&attempt->search->lock);
    if (attempt->state == ATTEMPT_RUNNING && !attempt->told && !attempt->led)
        attempt_show(attempt, ATTEMPT_LOST, ERROR_NONE);
}

/* --- beginning --- */

static void fill_fetch(struct attempt *attempt) {
    struct search *search = attempt->search;
    unsigned position = attempt->step->position;
    const struct shelved_form *on_shelf =
        search->shelved_then ? search->shelved_then : search->shelved;
    const struct shelved_form *shelved = position == POSITION_SHELF ? on_shelf : NULL;
    attempt->fetch = (struct fetch){
        .ops = &fetch_ops,
        .source = attempt->step->source,
        .question = &search->question,
        .cache = search->symbols->options.cache,
        .quarantine = search->symbols->options.quarantine,
        .copy = attempt->copy,
        .shelf = shelved ? shelved->shelf : search->roster->shelf[position],
        .shelved = shelved,
        .forms_but = attempt->step->forms_but,
        .in_place = !shelved && search->roster->in_place[position],
        .fresh_connection = attempt->fresh_connection,
        .kept = search->compared,
        .cancel = &attempt->cancel,
        .job = &attempt->job,
        .note = &attempt->note,
        .retry_after_s = -1,
    };
}

static void fill_job(struct attempt *attempt) {
    struct search *search = attempt->search;
    attempt->wanted = search->waited;
    attempt->job.wanted = search->waited;
    attempt->job.at_head = search->begun && !search->kept;
    attempt->job.optional = attempt->hedge || search->kept;
    attempt->job.background = search->kept != NULL;
    attempt->job.client = search->question.client;
    attempt->job.run = run;
    attempt->job.handed_back = handed_back;
}

void attempt_begin(struct search *search, struct step *step, bool hedge, bool fresh_connection,
                   struct search_acts *acts) {
    struct attempt *attempt = NEW(struct attempt);
    atomic_init(&attempt->refs, 2);
    search_ref(search);
    attempt->search = search;
    attempt->step = step;
    attempt->copy = copy_ref(search->copy);
    attempt->hedge = hedge;
    attempt->fresh_connection = fresh_connection;
    attempt->takes_up = search->begun;
    attempt->submitted_ms = clock_ms();
    cancel_init(&attempt->cancel);
    fill_fetch(attempt);
    fill_job(attempt);
    attempt->note.started_ms = attempt->submitted_ms - search->began_ms;
    attempt->note.cause = ERROR_BUSY;
    text_copy(attempt->note.source, sizeof attempt->note.source, step->source->options.identifier);
    attempt->note_number = copy_note(search->copy, &attempt->note);
    step->state = STEP_ASKED;
    /* A slow source's next is asked together with it. */
    bool slow = step->source->options.hedge_after_ms == 0 || rest_slow(rest_of(attempt));
    attempt->counts = !slow && !fresh_connection;
    if (slow && !fresh_connection)
        search->owed++;
    list_push_back(&search->attempts, &attempt->in_search);
    list_push_back(&acts->submit, &attempt->to_submit);
}
