// SPDX-License-Identifier: MIT
//
// The symbol path: from a question to a copy that is good enough to begin an answer from.
#include "base/text.h"
#include "http/range.h"
#include "server/exchange.h"
#include "server/internal.h"
#include "symbol/layout.h"

enum {
    HELD_ANSWER_BYTES = 256 * 1024, /* an answer of up to this is not begun before the verdict … */
    HELD_ANSWER_MS = 2000,          /* … for at most so long */
    HURRIED_MS =
        3000, /* how long a client is held more while a source that is known to be late is asked */
};

static const char plain[] = "text/plain; charset=utf-8";

static void ask(struct exchange *exchange);

static struct symbols *symbols_of(const struct exchange *exchange) {
    return exchange->connection->loop->server->options.symbols;
}

static void wait_until(struct exchange *exchange, enum exchange_state state, int64_t deadline_ms) {
    exchange->state = state;
    exchange->deadline_ms = deadline_ms;
    list_remove(&exchange->in_loop);
    list_push_back(&exchange->connection->loop->waiting, &exchange->in_loop);
}

static void stop_watching(struct exchange *exchange) {
    if (exchange->watching)
        copy_unwatch(exchange->copy, &exchange->changed.watch);
    exchange->watching = false;
}

void serve_symbol_later(struct exchange *exchange) {
    if (exchange->state != EXCHANGE_SEARCHING)
        return;
    list_remove(&exchange->in_loop);
    stop_watching(exchange);
    exchange->leaving = COPY_LEFT_LATER;
    answer_verdict(exchange, VERDICT_LATER, verdict_sentence(VERDICT_LATER));
}

/* The reason in one sentence: the filter, the failure, or what the verdict means. */
static void answer_without_copy(struct exchange *exchange, const struct answer *answer) {
    char reason[sizeof exchange->reason];
    if (answer->verdict == VERDICT_EXCLUDED && exchange->rule)
        text_format(reason, sizeof reason,
                    exchange->rule_gave_up ? "the filter \"%s\" " REASON_GAVE_UP
                                             ", which counts as excluded"
                    : answer->globally ? "excluded by the filter \"%s\" " REASON_GLOBALLY
                                       : "excluded by the filter \"%s\"",
                    exchange->rule);
    else if (answer->why.kind != ERROR_NONE)
        text_copy(reason, sizeof reason, answer->why.what);
    else if (exchange->follow_up && answer->verdict == VERDICT_ABSENT)
        text_copy(reason, sizeof reason,
                  "another form of a file, which lies in no cache: no server is asked for such a "
                  "name");
    else
        text_copy(reason, sizeof reason,
                  answer->known ? answer->known : verdict_sentence(answer->verdict));
    answer_verdict(exchange, answer->verdict, reason);
}

static void begin(struct exchange *exchange, const struct copy_state *state) {
    exchange->verdict = symbols_served(exchange->copy, exchange->verdict);
    answer_copy(exchange, state);
}

/* Is the answer so small that it should not begin before the verdict? */
static bool is_small(const struct exchange *exchange, const struct copy_state *state) {
    if (state->size == SIZE_UNKNOWN)
        return state->written <= HELD_ANSWER_BYTES;
    uint64_t first = 0, end = state->size;
    range_resolve(&exchange->range, state->size, &first, &end);
    return end - first <= HELD_ANSWER_BYTES;
}

static void consider_arriving(struct exchange *exchange, const struct copy_state *state) {
    int64_t now_ms = exchange->connection->loop->now_ms;
    if (exchange->arriving_ms == 0)
        exchange->arriving_ms = now_ms;
    if (exchange->head_only && state->size == SIZE_UNKNOWN) {
        if (exchange->deadline_ms <= now_ms)
            serve_symbol_later(exchange);
        else
            wait_until(exchange, EXCHANGE_SEARCHING, exchange->deadline_ms);
        return;
    }
    int64_t hold_until_ms = exchange->arriving_ms + HELD_ANSWER_MS;
    bool hold = !state->certain && !exchange->head_only && is_small(exchange, state);
    if (hold && now_ms < hold_until_ms)
        wait_until(exchange, EXCHANGE_HOLDING, hold_until_ms);
    else
        begin(exchange, state);
}

static void consider_searching(struct exchange *exchange, const struct copy_state *state) {
    int64_t now_ms = exchange->connection->loop->now_ms;
    int64_t deadline_ms = exchange->deadline_ms;
    if (state->hurried_ms) {
        int64_t asked_ms = exchange->started_us / 1000;
        int64_t since_ms = asked_ms > state->hurried_ms ? asked_ms : state->hurried_ms;
        if (since_ms + HURRIED_MS < deadline_ms)
            deadline_ms = since_ms + HURRIED_MS;
    }
    wait_until(exchange, EXCHANGE_SEARCHING, deadline_ms);
    if (deadline_ms <= now_ms)
        serve_symbol_later(exchange);
}

static void take_copy(struct exchange *exchange, struct copy *copy);

static void use_newest_settings(struct exchange *exchange) {
    struct settings *newest = loop_settings(exchange->connection->loop);
    settings_unref(exchange->settings);
    exchange->settings = settings_ref(newest);
}

static void judge(struct exchange *exchange) {
    struct answer answer = {0};
    enum symbols_judgement judgement =
        symbols_judge(symbols_of(exchange), exchange->copy, &exchange->question, false,
                      exchange->asked_more, &answer);
    stop_watching(exchange);
    switch (judgement) {
    case JUDGED:
        answer_without_copy(exchange, &answer);
        return;
    case JUDGED_ASK_MORE:
        symbols_leave(symbols_of(exchange), TAKE(exchange->copy), COPY_LEFT_SERVED);
        exchange->asked_more = true;
        use_newest_settings(exchange);
        ask(exchange);
        return;
    case JUDGED_MOVED:
        symbols_leave(symbols_of(exchange), TAKE(exchange->copy), COPY_LEFT_SERVED);
        exchange->arriving_ms = 0;
        take_copy(exchange, answer.copy);
        return;
    }
}

static void consider(struct exchange *exchange, const struct copy_state *state) {
    list_remove(&exchange->in_loop);
    switch (state->phase) {
    case COPY_SEARCHING:
        consider_searching(exchange, state);
        return;
    case COPY_ARRIVING:
        consider_arriving(exchange, state);
        return;
    case COPY_WHOLE:
    case COPY_COMPLETE:
        begin(exchange, state);
        return;
    case COPY_ABSENT:
    case COPY_FAILED:
        judge(exchange);
        return;
    }
}

static void take_copy(struct exchange *exchange, struct copy *copy) {
    exchange->copy = copy;
    struct copy_state state;
    copy_look(copy, &state);
    if (state.phase != COPY_COMPLETE) {
        copy_watch(copy, &exchange->changed.watch, &state);
        exchange->watching = true;
    }
    consider(exchange, &state);
}

static void take_answer(struct exchange *exchange, const struct answer *answer) {
    exchange->verdict = answer->verdict;
    exchange->joined = answer->verdict == VERDICT_JOINED;
    exchange->rule = answer->rule;
    exchange->rule_gave_up = answer->gave_up;
    if (answer->copy)
        take_copy(exchange, answer->copy);
    else
        answer_without_copy(exchange, answer);
}

static void ask(struct exchange *exchange) {
    struct answer answer = {0};
    symbols_ask(symbols_of(exchange), exchange->settings->roster, &exchange->question, &answer);
    take_answer(exchange, &answer);
}

void serve_symbol_again(struct exchange *exchange) {
    struct copy_state state;
    copy_look(exchange->copy, &state);
    int64_t now_ms = exchange->connection->loop->now_ms;
    bool too_late = exchange->state == EXCHANGE_SEARCHING && state.phase == COPY_SEARCHING &&
                    exchange->deadline_ms <= now_ms;
    if (too_late)
        serve_symbol_later(exchange);
    else
        consider(exchange, &state);
}

/* One logical lookup has asked for every form already: such a name is answered from a shelf or not
 * at all. */
static void serve_follow_up(struct exchange *exchange, const struct symbol_path *path) {
    struct answer answer = {0};
    exchange->follow_up = true;
    symbols_find_file(symbols_of(exchange), exchange->settings->roster, path, &answer);
    take_answer(exchange, &answer);
}

static void refuse(struct exchange *exchange, int status, const char *reason) {
    text_copy(exchange->reason, sizeof exchange->reason, reason);
    answer_text(exchange, status, plain, exchange->reason);
}

static void serve_tier_mark(struct exchange *exchange) {
    answer_verdict(exchange, VERDICT_ABSENT, "this store has one tier");
}

void serve_symbol(struct exchange *exchange, const char *path, size_t length) {
    struct symbol_path parsed;
    struct error err = {0};
    exchange->about_symbol = true;
    switch (layout_parse_path(path, length, &parsed, &err)) {
    case PATH_SYMBOL:
        exchange->question.key = parsed.key;
        exchange->question.spelling = parsed.spelling;
        exchange->question.client = exchange->connection->client;
        ask(exchange);
        return;
    case PATH_FOLLOW_UP:
        exchange->question.key = parsed.key;
        exchange->question.spelling = parsed.spelling;
        serve_follow_up(exchange, &parsed);
        return;
    case PATH_TIER_MARK:
        serve_tier_mark(exchange);
        return;
    case PATH_PING:
    case PATH_ROOT:
        exchange->about_symbol = false;
        answer_text(exchange, 200, plain,
                    "This is symgate, a symbol server. Point your debugger's symbol path here: "
                    "srv*<this address>/symbols");
        return;
    case PATH_UNKNOWN:
        refuse(exchange, 404, err.what[0] ? err.what : "this path names no symbol");
        return;
    case PATH_INVALID:
        refuse(exchange, 400, err.what);
        return;
    }
}
