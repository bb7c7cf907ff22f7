// SPDX-License-Identifier: MIT
#include "proxy/renewal.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/text.h"
#include "proxy/search.h"
#include "source/source_index.h"

enum {
    AGAIN_MS =
        1000, /* until a source that rests, or a search that could not begin, is tried again */
};

/* --- who owes --- */

/* The note belongs to the file, however it was spelled, and to the source by its identifier: that
   it got another password or address is the very reason why it may have the file now. */
static struct absence_mark mark_of(const struct symbols *symbols, const struct question *question) {
    struct absence_mark mark = absence_mark(symbols->options.owed, question);
    mark.spelling = 0;
    return mark;
}

static bool find_owed(const struct symbols *symbols, const struct absence_mark *mark,
                      const struct source *source, int64_t *out_wall_s) {
    return absence_find(symbols->options.owed, mark, source->label, 0, out_wall_s);
}

static void add_owed(const struct symbols *symbols, const struct absence_mark *mark,
                     const struct source *source) {
    int64_t retry_s = source->options.retry_ms / 1000;
    absence_add(symbols->options.owed, mark, source->label, 0,
                retry_s < UINT32_MAX ? (uint32_t)retry_s : UINT32_MAX);
}

/* All of the roster that owe the file. */
static uint64_t owed_by(const struct search *search, const struct absence_mark *mark) {
    uint64_t owed = 0;
    int64_t when_s;
    for (unsigned i = 0; i < search->roster->count; i++)
        if (find_owed(search->symbols, mark, search->roster->sources[i], &when_s))
            owed |= UINT64_C(1) << i;
    return owed;
}

/* The sources of these that come before the winner. */
static uint64_t earlier_of(const struct search *search, uint64_t sources,
                           const struct step *winner) {
    uint64_t earlier = 0;
    for (uint64_t left = sources; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct source_options *options = &search->roster->sources[i]->options;
        if (options->priority < winner->priority && !options->unaskable && !options->is_cache)
            earlier |= UINT64_C(1) << i;
    }
    return earlier;
}

/* No server's step has none. */
static uint64_t bit_of(const struct step *step) {
    return step->position == POSITION_SHELF ? 0 : UINT64_C(1) << step->position;
}

/* The sources of the plan that have not said no. Lock held. */
static uint64_t unsettled(const struct search *search) {
    uint64_t sources = 0;
    for (unsigned i = 0; i < search->step_count; i++)
        switch (search->steps[i].state) {
        case STEP_ASIDE: /* it has another, which the client did not want */
        case STEP_ABSENT:
        case STEP_GONE:
            break;
        case STEP_READY:
        case STEP_ASKED:
        case STEP_PAUSED:
        case STEP_BROKEN:
        case STEP_FAILED:
        case STEP_UNASKED:
            sources |= bit_of(&search->steps[i]);
        }
    return sources;
}

/* The sources that may have a better file than the winner's. Lock held. */
static uint64_t better_than(const struct search *search, const struct step *winner) {
    return earlier_of(search, unsettled(search) | search->unasked, winner);
}

static bool not_answered_yet(const struct search *search, unsigned position) {
    for (unsigned i = 0; i < search->step_count; i++)
        if (search->steps[i].position == position)
            return search->steps[i].state == STEP_ASKED;
    return false;
}

void renewal_announce(struct search *search, const struct step *writer) {
    copy_note_compared(search->copy, clock_ms());
    uint64_t better = search->kept ? 0 : better_than(search, writer);
    if (!better || !search->symbols->options.owed)
        return;
    unsigned first = (unsigned)__builtin_ctzll(better);
    char sentence[160];
    text_format(sentence, sizeof sentence, "server \"%s\" %s; its file will be preferred later",
                search->roster->sources[first]->options.identifier,
                not_answered_yet(search, first) ? "had not answered yet" : "could not be asked");
    copy_prefer(search->copy, sentence);
}

/* --- at a hit --- */

struct due {
    const struct question *question;
    struct plan plan;
    bool compare;
    int64_t next_ms; /* when to look again, if nothing is due */
};

static void look_again(struct due *due, int64_t at_ms) {
    if (at_ms < due->next_ms)
        due->next_ms = at_ms;
}

/* Puts a source into the plan, by priority, unless it rests or its index has no such file. */
static void ask(struct due *due, const struct roster *roster, unsigned source, int64_t now_ms) {
    const struct source *asked = roster->sources[source];
    if (source_index_lacks(asked, &due->question->key) || asked->options.unaskable ||
        rest_refuses(queue_rest(asked->queue))) {
        look_again(due, now_ms + AGAIN_MS);
        return;
    }
    struct plan *plan = &due->plan;
    unsigned at = plan->count++;
    for (; at > 0 && plan->steps[at - 1].priority > asked->options.priority; at--)
        plan->steps[at] = plan->steps[at - 1];
    plan->steps[at] =
        (struct plan_step){.source = (uint8_t)source, .priority = asked->options.priority};
}

/* Whose file it is: the shelf's that it lies on, or on a shared one, whose signature it bears. */
static int source_of_copy(const struct symbols *symbols, const struct roster *roster,
                          struct copy *copy) {
    char identifier[64];
    uint64_t shelves = cache_shelves_of(symbols->options.cache, copy);
    int owner = roster_owner(roster, shelves);
    if (owner >= 0)
        return owner;
    copy_source(copy, identifier, sizeof identifier);
    return roster_find(roster, identifier);
}

/* Does this source come before the one whose file it is? The order may be another by now than when
   the note was made. */
static bool comes_before(const struct roster *roster, unsigned source, int own) {
    return own < 0 ||
           roster->sources[source]->options.priority < roster->sources[own]->options.priority;
}

static void look_owed(const struct symbols *symbols, const struct roster *roster, struct copy *copy,
                      int64_t now_ms, struct due *due) {
    struct absences *owed = symbols->options.owed;
    if (!owed)
        return;
    if (!absences_ready(owed)) {
        look_again(due, now_ms + AGAIN_MS);
        return;
    }
    if (counted(&absences_counters(owed)->entries) == 0)
        return;
    struct absence_mark mark = mark_of(symbols, due->question);
    int64_t now_s = clock_wall_s();
    int own = source_of_copy(symbols, roster, copy);
    for (uint64_t left = due->plan.allowed; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        int64_t when_s;
        if (!comes_before(roster, i, own) ||
            !find_owed(symbols, &mark, roster->sources[i], &when_s))
            continue;
        int64_t retry_s = (roster->sources[i]->options.retry_ms + 999) / 1000;
        int64_t age_s = now_s - when_s;
        if (age_s < 0 || age_s >= retry_s) /* a clock that was set back must not hold it up */
            ask(due, roster, i, now_ms);
        else
            look_again(due, now_ms + (retry_s - age_s) * 1000);
    }
}

static void look_compared(const struct symbols *symbols, const struct roster *roster,
                          struct copy *copy, int64_t now_ms, struct due *due) {
    if (!roster->compares)
        return;
    int i = source_of_copy(symbols, roster, copy);
    if (i < 0 || !(due->plan.allowed >> i & 1))
        return;
    int64_t revalidate_ms = roster->sources[i]->options.revalidate_ms;
    int64_t compared_ms = copy_compared(copy);
    if (revalidate_ms <= 0)
        return;
    if (compared_ms > 0 && now_ms - compared_ms < revalidate_ms) {
        look_again(due, compared_ms + revalidate_ms);
        return;
    }
    ask(due, roster, (unsigned)i, now_ms);
    due->compare = due->plan.count > 0;
}

void renewal_consider(struct symbols *symbols, struct roster *roster,
                      const struct question *question, uint64_t allowed, struct copy *copy) {
    int64_t seen_ms = copy_renewal(copy);
    if (seen_ms == INT64_MAX)
        return;
    int64_t now_ms = clock_ms();
    if (seen_ms > now_ms)
        return;
    struct due due = {.question = question, .plan.allowed = allowed, .next_ms = INT64_MAX};
    look_owed(symbols, roster, copy, now_ms, &due);
    if (due.plan.count == 0)
        look_compared(symbols, roster, copy, now_ms, &due);
    bool begins = due.plan.count > 0 && symbols->alive < symbols->options.searches_max / 2;
    if (begins)
        due.next_ms = INT64_MAX; /* until it has ended */
    else if (due.plan.count > 0)
        look_again(&due, now_ms + AGAIN_MS);
    if (!copy_renewal_move(copy, seen_ms, due.next_ms) || !begins)
        return;
    if (due.compare)
        copy_note_compared(copy, now_ms);
    search_begin_renewal(symbols, roster, question, &due.plan, copy, due.compare);
}

/* --- at the end --- */

/* Replaces what is noted: `have` before, `want` from now on. Notes of sources in `tried` are new.
 */
static void note(const struct search *search, const struct absence_mark *mark, uint64_t have,
                 uint64_t want, uint64_t tried) {
    bool anew = (have & ~want) != 0;
    if (anew)
        absence_forget(search->symbols->options.owed, &search->question.key);
    for (uint64_t left = anew ? want : (want & (tried | ~have)); left; left &= left - 1)
        add_owed(search->symbols, mark, search->roster->sources[__builtin_ctzll(left)]);
}

static uint64_t tried_by(const struct search *search) {
    uint64_t tried = 0;
    for (unsigned i = 0; i < search->step_count; i++)
        tried |= bit_of(&search->steps[i]);
    return tried;
}

static void note_owed(struct search *search, const struct step *winner) {
    if (!search->symbols->options.owed || !absences_ready(search->symbols->options.owed))
        return;
    struct absence_mark mark = mark_of(search->symbols, &search->question);
    uint64_t have = owed_by(search, &mark);
    uint64_t tried = 0, want;
    {
        SCOPED_LOCK(&search->lock);
        if (search->kept) {
            tried = tried_by(search) | search->unasked;
            want = have & (unsettled(search) | ~tried);
            want = winner ? earlier_of(search, want, winner) : want;
        } else {
            want = better_than(search, winner);
        }
    }
    if (have | want)
        note(search, &mark, have, want, tried);
}

void renewal_promise(struct search *search, const struct step *winner) {
    if (!search->kept)
        note_owed(search, winner);
}

/* Is the copy a file that stays, and not one that somebody may still be writing? */
static bool stays(struct copy *copy) {
    struct copy_state state;
    copy_look(copy, &state);
    return state.phase == COPY_COMPLETE &&
           (!state.in_place || content_settled(state.modified_ns, clock_wall_ns()));
}

static void tell_gone(struct search *search) {
    lock_take(&search->lock);
    bool gone = search->compared.compare && search->steps[0].state == STEP_ABSENT;
    lock_give(&search->lock);
    if (gone)
        log_info("server \"%s\" no longer has \"%s/%s\"; the kept file stays",
                 search->steps[0].source->options.identifier, search->question.key.name,
                 search->question.key.id);
}

static void settle_renewal(struct search *search, struct copy *copy) {
    bool renewed = search->winner && stays(copy);
    note_owed(search, renewed ? search->winner : NULL);
    tell_gone(search);
    if (renewed) {
        count(&search->symbols->counters.renewed);
        copy_renewal_set(copy, 0);
        cache_supersede(search->symbols->options.cache, search->kept, copy);
    }
    copy_renewal_set(search->kept, clock_ms() + AGAIN_MS);
}

void renewal_settle(struct search *search, struct copy *copy) {
    struct copy_state state;
    copy_look(copy, &state);
    lock_take(&search->lock);
    bool closing = search->closing;
    lock_give(&search->lock);
    if (closing && !search->winner)
        return; /* who was called back has said nothing */
    if (search->kept) {
        settle_renewal(search, copy);
    } else if (search->winner && state.phase == COPY_COMPLETE && !state.in_place) {
        note_owed(search, search->winner);
        copy_renewal_set(copy, 0); /* a hit may have looked before it was noted */
    }
}
