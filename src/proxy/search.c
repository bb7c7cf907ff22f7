// SPDX-License-Identifier: MIT
#include "proxy/search.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "proxy/renewal.h"

static struct search *search_of_owner(struct copy_owner *owner) {
    return LIST_ENTRY(owner, struct search, owner);
}

void search_ref(struct search *search) {
    atomic_fetch_add_explicit(&search->refs, 1, memory_order_relaxed);
}

void search_unref(struct search *search) {
    if (atomic_fetch_sub_explicit(&search->refs, 1, memory_order_acq_rel) > 1)
        return;
    struct symbols *symbols = search->symbols;
    roster_unref(search->roster);
    copy_unref(search->kept);
    free(search->steps);
    free(search->shelved);
    free(search->shelved_then);
    pthread_mutex_destroy(&search->lock);
    free(search);
    symbols_one_less(symbols);
}

/* --- what happens to it --- */

static void owner_ref(struct copy_owner *owner) {
    search_ref(search_of_owner(owner));
}

static void owner_unref(struct copy_owner *owner) {
    search_unref(search_of_owner(owner));
}

/* Dropped is only what nobody ever had a place for: the same step takes the cache's entry out, so
 * nobody can join it. */
static bool drop(struct search *search, struct search_acts *acts) {
    if (search->placed || search->closing || copy_wanted(search->copy))
        return false;
    if (!cache_drop_unwanted(search->symbols->options.cache, search->copy))
        return false;
    count(&search->symbols->counters.dropped);
    acts->dropped = true;
    search_end(search, COPY_FAILED, acts);
    return true;
}

static void tell_queues(struct search *search) {
    LIST_EACH (node, &search->attempts) {
        struct attempt *attempt = LIST_ENTRY(node, struct attempt, in_search);
        if (!attempt->queued || attempt->wanted == search->waited)
            continue;
        attempt->wanted = search->waited;
        queue_want(attempt->step->source->queue, &attempt->job, search->waited);
    }
}

static void owner_interest(struct copy_owner *owner) {
    struct search *search = search_of_owner(owner);
    struct search_acts acts;
    search_acts_init(&acts);
    lock_take(&search->lock);
    if (search->phase != SEARCH_ENDED && !drop(search, &acts)) {
        search->waited = copy_waited_for(search->copy);
        tell_queues(search);
    }
    lock_give(&search->lock);
    search_act(search, &acts);
}

static const struct copy_owner_ops owner_ops = {
    .ref = owner_ref,
    .unref = owner_unref,
    .interest = owner_interest,
};

static void ring(struct alarm *alarm) {
    struct search *search = LIST_ENTRY(alarm, struct search, alarm);
    search_go(search);
    search_unref(search);
}

static void looked(void *context, bool found, const struct shelved_form *other) {
    struct search *search = context;
    struct search_acts acts;
    search_acts_init(&acts);
    lock_take(&search->lock);
    CLEANUP(copy_unref_at)
    struct copy *copy = found && search->copy ? copy_ref(search->copy) : NULL;
    if (search->phase == SEARCH_LOOKING && found)
        search_end(search, COPY_COMPLETE, &acts);
    else if (search->phase == SEARCH_LOOKING) {
        search->phase = SEARCH_REPLAYING;
        if (other) {
            search->shelved = NEW(struct shelved_form);
            *search->shelved = *other;
        }
    }
    lock_give(&search->lock);
    search_act(search, &acts);
    search_go(search);
    if (copy)
        renewal_consider(search->symbols, search->roster, &search->question, search->allowed, copy);
    search_unref(search);
}

/* --- acting --- */

void search_acts_init(struct search_acts *acts) {
    *acts = (struct search_acts){0};
    list_init(&acts->submit);
    list_init(&acts->call_back);
}

static void act_end(struct search *search, const struct search_acts *acts) {
    struct symbols *symbols = search->symbols;
    lock_take(&symbols->lock);
    bool listed = list_linked(&search->in_symbols);
    list_remove(&search->in_symbols);
    lock_give(&symbols->lock);
    bool without_file = acts->phase == COPY_ABSENT || acts->phase == COPY_FAILED;
    if (!without_file)
        copy_own(acts->copy, NULL);
    else if (!acts->dropped)
        cache_end(symbols->options.cache, acts->copy, acts->phase, &acts->why);
    renewal_settle(search, acts->copy);
    copy_unref(acts->copy);
    if (listed)
        search_unref(search);
}

bool search_act(struct search *search, struct search_acts *acts) {
    struct list *node;
    while ((node = list_pop_front(&acts->call_back))) {
        struct attempt *attempt = LIST_ENTRY(node, struct attempt, to_call_back);
        attempt_call_back(attempt);
        attempt_unref(attempt);
    }
    if (acts->hurry) {
        copy_hurry(acts->hurry);
        copy_unref(acts->hurry);
    }
    if (acts->ended)
        act_end(search, acts);
    bool refused = false;
    while ((node = list_pop_front(&acts->submit))) {
        struct attempt *attempt = LIST_ENTRY(node, struct attempt, to_submit);
        refused |= !attempt_submit(attempt);
        attempt_unref(attempt);
    }
    return refused;
}

void search_go(struct search *search) {
    bool more = true;
    while (more) {
        struct search_acts acts;
        search_acts_init(&acts);
        lock_take(&search->lock);
        search_decide(search, clock_ms(), &acts);
        lock_give(&search->lock);
        more = search_act(search, &acts);
    }
}

/* --- from outside --- */

static struct search *search_new(struct symbols *symbols, struct roster *roster,
                                 const struct question *question, uint64_t allowed) {
    struct search *search = NEW(struct search);
    search->owner.ops = &owner_ops;
    atomic_init(&search->refs, 1);
    search->symbols = symbols_ref(symbols);
    search->roster = roster_ref(roster);
    search->question = *question;
    search->mark = absence_mark(symbols->options.absences, question);
    search->allowed = allowed;
    search->began_ms = clock_ms();
    search->waited = true;
    search->alarm.ring = ring;
    pthread_mutex_init(&search->lock, NULL);
    list_init(&search->attempts);
    return search;
}

static void enlist(struct symbols *symbols, struct search *search) {
    SCOPED_LOCK(&symbols->lock);
    symbols->alive++;
    search_ref(search);
    list_push_back(&symbols->searches, &search->in_symbols);
    search->closing = symbols->closing;
}

void search_begin(struct symbols *symbols, struct roster *roster, const struct question *question,
                  uint64_t allowed, const struct plan *plan, bool cold, struct copy *copy) {
    struct search *search = search_new(symbols, roster, question, allowed);
    search->copy = copy_ref(copy);
    search->phase = cold ? SEARCH_LOOKING : SEARCH_REPLAYING;
    if (plan)
        search_plan(search, plan);
    count(&symbols->counters.searches);
    enlist(symbols, search);
    copy_own(copy, &search->owner);
    if (cold) {
        search_ref(search);
        cache_look_cold(symbols->options.cache, copy, question, roster_shelves(roster, allowed),
                        looked, search);
    }
    search_go(search);
    search_unref(search);
}

void search_begin_renewal(struct symbols *symbols, struct roster *roster,
                          const struct question *question, const struct plan *plan,
                          struct copy *kept, bool compare) {
    struct search *search = search_new(symbols, roster, question, plan->allowed);
    search->copy = cache_detached(symbols->options.cache, &question->key);
    search->phase = SEARCH_REPLAYING;
    search->waited = false;
    search->kept = copy_ref(kept);
    struct copy_state state;
    copy_look(kept, &state);
    search->compared = (struct kept){
        .compare = compare, .size = state.size, .modified_s = state.modified_ns / 1000000000};
    search_plan(search, plan);
    count(&symbols->counters.renewals);
    enlist(symbols, search);
    copy_own(search->copy, &search->owner);
    search_go(search);
    search_unref(search);
}

void search_close(struct search *search) {
    struct search_acts acts;
    search_acts_init(&acts);
    lock_take(&search->lock);
    search->closing = true;
    search_call_back(search, NULL, &acts);
    lock_give(&search->lock);
    search_act(search, &acts);
    search_go(search);
}

void search_told_later(struct search *search) {
    SCOPED_LOCK(&search->lock);
    LIST_EACH (node, &search->attempts) {
        struct attempt *attempt = LIST_ENTRY(node, struct attempt, in_search);
        if (attempt->state == ATTEMPT_RUNNING && attempt->head_ms == 0 && !attempt->called_back)
            rest_note_late(queue_rest(attempt->step->source->queue), true);
    }
}

struct search *search_of(struct copy *copy) {
    struct copy_owner *owner = copy_owner(copy);
    return owner ? search_of_owner(owner) : NULL;
}
