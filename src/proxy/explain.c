// SPDX-License-Identifier: MIT
#include "proxy/explain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "proxy/explain_order.h"
#include "proxy/plan.h"
#include "proxy/search.h"
#include "proxy/vetter.h"

enum { KEY_BYTES = NAME_BYTES_MAX + ID_BYTES_MAX + 2, TIME_BYTES = 32, WHY_BYTES = 400 };

/* What an explanation is made from. */
struct explaining {
    struct symbols *symbols;
    const struct roster *roster;
    const struct question *question;
    struct policy_verdict verdict;
    struct plan plan;
    struct ordered_step order[SOURCES_MAX]; /* of the plan's steps */
    enum plan_end end;
    char key[KEY_BYTES];
    struct explanation *out;
};

static const char *time_text(char out[TIME_BYTES], int64_t ms) {
    number_format_time(out, TIME_BYTES, (ms + 999) / 1000 * 1000);
    return out;
}

/* --- servers --- */

/* Would it be asked, and as which? 0: no. Those of one priority are asked together. */
static unsigned turn_of(const struct plan *plan, unsigned source) {
    unsigned turn = 0;
    for (unsigned i = 0; i < plan->count; i++) {
        if (i == 0 || plan->steps[i].priority != plan->steps[i - 1].priority)
            turn++;
        if (plan->steps[i].source == source)
            return turn;
    }
    return 0;
}

/* An allowed one. */
static enum told tell_allowed(const struct explaining *view, unsigned index,
                              struct explained_server *out) {
    const struct source *source = out->source;
    uint64_t bit = UINT64_C(1) << index;
    if (view->plan.remembered & bit) {
        struct absence_mark mark = absence_mark(view->symbols->options.absences, view->question);
        int64_t now_s = clock_wall_s();
        bool ends;
        if (plan_remembers(source, view->symbols->options.absences, &mark, now_s, &out->said_s,
                           &ends))
            out->left_ms = source->options.retry_ms - (now_s - out->said_s) * 1000;
        return TOLD_SERVER_REMEMBERED;
    }
    if (view->plan.unlisted & bit)
        return TOLD_SERVER_UNLISTED;
    if (view->plan.placeless & bit)
        return TOLD_SERVER_PLACELESS;
    if (source->options.unaskable)
        return TOLD_SERVER_UNASKABLE;
    if (out->turn && out->rest.cause == REST_ASKED_FOR && out->rest.left_ms > 0) {
        out->left_ms = out->rest.left_ms;
        return TOLD_SERVER_PAUSED;
    }
    if (out->turn && out->rest.cause != REST_NONE)
        return TOLD_SERVER_PROBED;
    if (out->turn)
        return queue_full(source->queue) ? TOLD_SERVER_CROWDED : TOLD_SERVER_ASKED;
    if (view->plan.ended)
        return TOLD_SERVER_ENDED;
    out->left_ms = out->rest.left_ms;
    return TOLD_SERVER_RESTING;
}

static void explain_server(struct explaining *view, unsigned index) {
    struct explained_server *out = &view->out->servers[index];
    out->source = view->roster->sources[index];
    out->rest = rest_view(queue_rest(out->source->queue));
    out->turn = turn_of(&view->plan, index);
    if (view->roster->own_shelves >> index & 1)
        out->shelf = cache_shelf(view->symbols->options.cache, view->roster->shelf[index]);
    enum policy_word word = policy_explain(view->roster->policy, index, view->question, &out->rule);
    out->told = word == POLICY_ADMITTED ? tell_allowed(view, index, out) : told_of_policy(word);
    char left[TIME_BYTES];
    const char *what = rest_cause_told(out->rest.cause);
    if (word == POLICY_KIND)
        what = symbol_kind_name(view->question->key.kind);
    tell(out->told,
         &(struct facts){
             .server = out->source->options.identifier,
             .rule = out->rule,
             .what = what,
             .key = view->key,
             .time = time_text(left, out->left_ms),
         },
         &out->telling);
}

/* --- shelves --- */

static enum told tell_false_form(const struct shelf_found *other, struct error *why) {
    error_set(why, ERROR_IDENTITY, "\"%.160s\" is damaged, or holds another file", other->path);
    return TOLD_SHELF_FALSE;
}

/* Where nothing good lies: is something there that was left out? */
static enum told look_for_false(const struct explaining *view, struct shelf *shelf,
                                struct error *why) {
    struct shelf_found found = {.fd = -1};
    const struct question *question = view->question;
    switch (shelf_look_unvetted(shelf, &question->spelling, &question->key, FORM_PLAIN, &found)) {
    case SHELF_FOUND:
        break;
    case SHELF_OTHER_FORM:
        return tell_false_form(&found, why);
    case SHELF_NOTHING:
    case SHELF_COLD:
        return TOLD_SHELF_NOTHING;
    }
    enum vetted vetted = vetter_verify_alone(&question->key, &found, why);
    close(found.fd);
    if (vetted == VETTED_PACKED)
        return tell_false_form(&found, why);
    return vetted == VETTED_FALSE ? TOLD_SHELF_FALSE : TOLD_SHELF_NOTHING;
}

/* Is the other form that lies there what it should be? An archive under the plain name is
   believed until it has been read. */
static bool is_good_form(const struct explaining *view, struct shelf *shelf,
                         const struct shelf_found *other) {
    struct shelf_found found;
    const struct question *question = view->question;
    if (text_same(strrchr(other->path, '/') + 1, question->key.name))
        return true;
    if (shelf_look_form(shelf, &question->spelling, &question->key, other->form, false, &found) ==
        SHELF_FOUND) {
        close(found.fd);
        return true;
    }
    if (shelf_look_unvetted(shelf, &question->spelling, &question->key, other->form, &found) !=
        SHELF_FOUND)
        return false;
    struct error why = {0};
    enum vetted vetted = vetter_verify_alone(&question->key, &found, &why);
    close(found.fd);
    return vetted != VETTED_FALSE || why.kind == ERROR_DISK; /* too large to be told */
}

static enum told look_on_shelf(const struct explaining *view, struct shelf *shelf,
                               uint64_t *out_size, struct error *why) {
    struct shelf_found found = {.fd = -1};
    const struct question *question = view->question;
    if (shelf_hangs(shelf))
        return TOLD_SHELF_HANGS;
    switch (shelf_look(shelf, &question->spelling, &question->key, false, &found)) {
    case SHELF_FOUND:
        close(found.fd);
        *out_size = found.size;
        return TOLD_SHELF_GOOD;
    case SHELF_OTHER_FORM:
        return is_good_form(view, shelf, &found) ? TOLD_SHELF_OTHER : tell_false_form(&found, why);
    case SHELF_NOTHING:
    case SHELF_COLD:
        break;
    }
    return look_for_false(view, shelf, why);
}

static void explain_shelves(struct explaining *view) {
    uint64_t mask = roster_shelves(view->roster, view->verdict.allowed);
    for (; mask; mask &= mask - 1) {
        struct shelf *shelf =
            cache_shelf(view->symbols->options.cache, (unsigned)__builtin_ctzll(mask));
        if (!shelf)
            continue;
        struct explained_shelf *out = &view->out->shelves[view->out->shelf_count++];
        out->path = shelf_path(shelf);
        struct error why = {0};
        out->told = look_on_shelf(view, shelf, &out->size, &why);
        tell(out->told, &(struct facts){.place = out->path, .key = view->key, .what = why.what},
             &out->telling);
    }
}

/* --- all of it --- */

/* The server that is asked again first of those in the mask; NULL: there are none. */
static const struct explained_server *first_again(const struct explaining *view, uint64_t mask) {
    const struct explained_server *first = NULL;
    for (; mask; mask &= mask - 1) {
        const struct explained_server *server = &view->out->servers[__builtin_ctzll(mask)];
        if (!first || server->left_ms < first->left_ms)
            first = server;
    }
    return first;
}

static const struct explained_shelf *place_of_file(const struct explanation *out) {
    for (unsigned i = 0; i < out->shelf_count; i++)
        if (out->shelves[i].told == TOLD_SHELF_GOOD)
            return &out->shelves[i];
    for (unsigned i = 0; i < out->shelf_count; i++)
        if (out->shelves[i].told == TOLD_SHELF_OTHER)
            return &out->shelves[i];
    return NULL;
}

/* When each step of the plan would be taken if nobody answered. */
static void foresee(struct explaining *view) {
    for (unsigned i = 0; i < view->plan.count; i++) {
        const struct plan_step *step = &view->plan.steps[i];
        const struct source *source = view->roster->sources[step->source];
        const struct explained_server *server = &view->out->servers[step->source];
        view->order[i] = (struct ordered_step){
            .priority = step->priority,
            .silent_ms = source->options.hedge_after_ms,
            .slow = rest_slow(queue_rest(source->queue)),
            .rests_ms = server->told == TOLD_SERVER_PAUSED ? server->left_ms : 0,
        };
    }
    explain_order(view->order, view->plan.count);
}

/* The server that is asked before the first one, whose turn it is, and which keeps to a pause;
   NULL: whoever could be waits longer than that. */
static const struct explained_server *asked_beside(const struct explaining *view,
                                                   int64_t *out_after_ms) {
    const struct ordered_step *sooner = explain_order_first(view->order, view->plan.count);
    if (sooner == view->order)
        return NULL;
    *out_after_ms = sooner->asked_ms;
    return &view->out->servers[view->plan.steps[sooner - view->order].source];
}

static void beside_why(const struct explaining *view, const struct explained_server *first,
                       char *out, size_t size) {
    char left[TIME_BYTES], after[TIME_BYTES], told[TIME_BYTES + 8];
    int64_t after_ms = 0;
    const struct explained_server *next = asked_beside(view, &after_ms);
    bool rests_too = next->told == TOLD_SERVER_PAUSED;
    if (rests_too)
        time_text(after, after_ms);
    else
        number_format_time(after, sizeof after, after_ms);
    text_format(told, sizeof told, after_ms ? "after %s" : "at once", after);
    text_format(out, size, "rests %s for %s more: \"%s\"%s %s", rest_cause_told(first->rest.cause),
                time_text(left, first->left_ms), next->source->options.identifier,
                rests_too ? ", which rests too, is asked before it," : " is asked beside it", told);
}

/* By the plan, when nothing is here. *out_server: whom the sentence is about. */
static enum told judge_plan(const struct explaining *view,
                            const struct explained_server **out_server) {
    int64_t after_ms;
    *out_server = NULL;
    if (view->verdict.allowed && !absences_ready(view->symbols->options.absences))
        return TOLD_NOW_REPLAY;
    switch (view->end) {
    case PLAN_ASK:
        *out_server = &view->out->servers[view->plan.steps[0].source];
        if ((*out_server)->told != TOLD_SERVER_PAUSED)
            return TOLD_NOW_ASKED;
        return asked_beside(view, &after_ms) ? TOLD_NOW_PAUSED_BESIDE : TOLD_NOW_PAUSED;
    case PLAN_EXCLUDED:
        return TOLD_NOBODY;
    case PLAN_ABSENT:
        *out_server = first_again(view, view->plan.remembered);
        if (view->plan.ended)
            return TOLD_UNINDEXED;
        if (*out_server)
            return TOLD_NOW_ABSENT;
        return view->plan.unlisted ? TOLD_NOW_UNLISTED : TOLD_NOW_PLACELESS;
    case PLAN_UNASKED:
        break;
    }
    *out_server = first_again(view, view->plan.unasked);
    return (*out_server)->told == TOLD_SERVER_UNASKABLE ? TOLD_NOW_UNASKABLE : TOLD_NOW_RESTING;
}

/* What keeps each server out, in a clause; with one server alone, by name. */
static void nobody_why(const struct explaining *view, char *out, size_t size) {
    const struct explained_server *only = &view->out->servers[0];
    if (view->roster->count == 0)
        text_copy(out, size, "the configuration has no server");
    else if (view->roster->count > 1)
        text_copy(out, size, "their filters keep each of them out");
    else if (only->rule)
        text_format(out, size, "\"%s\" keeps the only one out, \"%s\"", only->rule,
                    only->source->options.identifier);
    else
        text_format(out, size, "its whitelist, kinds or enabled keep the only one out, \"%s\"",
                    only->source->options.identifier);
}

/* Nobody is asked for what is here or on its way. */
static void spare_servers(struct explanation *out) {
    for (unsigned i = 0; i < out->server_count; i++) {
        struct explained_server *server = &out->servers[i];
        if (server->turn == 0)
            continue;
        server->turn = 0;
        server->told = TOLD_SERVER_SPARED;
        tell(server->told, &(struct facts){.server = server->source->options.identifier},
             &server->telling);
    }
}

static void conclude(struct explaining *view) {
    struct explanation *out = view->out;
    const struct explained_server *server = NULL;
    const struct explained_shelf *place = place_of_file(out);
    out->globally = view->verdict.globally;
    if (out->globally)
        out->told = view->verdict.gave_up ? TOLD_GIVEN_UP : TOLD_GLOBAL;
    else if (out->has_copy && out->copy.state.phase < COPY_WHOLE)
        out->told = TOLD_NOW_UNDER_WAY;
    else if (out->has_copy && out->copy.state.phase <= COPY_COMPLETE)
        out->told = TOLD_NOW_HERE; /* though it may not lie in its place yet */
    else if (place)
        out->told = place->told == TOLD_SHELF_GOOD ? TOLD_NOW_HERE : TOLD_NOW_OTHER_FORM;
    else
        out->told = judge_plan(view, &server);
    if (out->told == TOLD_NOW_HERE || out->told == TOLD_NOW_OTHER_FORM ||
        out->told == TOLD_NOW_UNDER_WAY)
        spare_servers(out);
    if (out->globally)
        out->rule = view->verdict.rule;
    const char *what = NULL;
    char clause[WHY_BYTES];
    if (out->told == TOLD_NOBODY) {
        nobody_why(view, clause, sizeof clause);
        what = clause;
    } else if (out->told == TOLD_NOW_PAUSED_BESIDE) {
        beside_why(view, server, clause, sizeof clause);
        what = clause;
    } else if (out->told == TOLD_UNINDEXED)
        what = "the store said: NoLongerIndexed";
    else if (server)
        what = rest_cause_told(server->rest.cause);
    char left[TIME_BYTES];
    tell(out->told,
         &(struct facts){
             .server = server ? server->source->options.identifier : NULL,
             .rule = out->rule,
             .what = what,
             .key = view->key,
             .time = time_text(left, server ? server->left_ms : 0),
             .place = place ? place->path : NULL,
         },
         &out->telling);
}

struct explanation *explain_now(struct symbols *symbols, const struct roster *roster,
                                const struct question *question) {
    struct explaining view = {.symbols = symbols, .roster = roster, .question = question};
    view.out = NEW(struct explanation);
    text_format(view.key, sizeof view.key, "%s/%s", question->key.name, question->key.id);
    policy_judge(roster->policy, question, &view.verdict);
    view.end =
        plan_make(roster, view.verdict.allowed, symbols->options.absences, question, &view.plan);
    view.out->server_count = roster->count;
    for (unsigned i = 0; i < roster->count; i++)
        explain_server(&view, i);
    foresee(&view);
    if (!view.verdict.globally) {
        view.out->has_copy = cache_show(symbols->options.cache, &question->key, &view.out->copy);
        explain_shelves(&view);
    }
    conclude(&view);
    return view.out;
}

void explanation_free(struct explanation *explanation) {
    free(explanation);
}

void explain_path(enum path_meaning meaning, const struct error *why, const char *key,
                  struct telling *out_telling) {
    enum told told = TOLD_NOW_UNKNOWN;
    switch (meaning) {
    case PATH_FOLLOW_UP:
        told = TOLD_NOW_FOLLOW_UP;
        break;
    case PATH_TIER_MARK:
        told = TOLD_NOW_TIER_MARK;
        break;
    case PATH_PING:
    case PATH_ROOT:
        told = TOLD_NOW_PING;
        break;
    case PATH_INVALID:
        told = TOLD_NOW_INVALID;
        break;
    case PATH_SYMBOL:
    case PATH_UNKNOWN:
        break;
    }
    const char *what = why->what[0] ? why->what : "it is not of the form <name>/<id>/<name>";
    tell(told, &(struct facts){.what = what, .key = key}, out_telling);
}
