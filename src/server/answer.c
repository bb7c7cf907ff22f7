// SPDX-License-Identifier: MIT
//
// The heads of answers.
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/conditional.h"
#include "http/head.h"
#include "server/api.h"
#include "server/exchange.h"
#include "server/internal.h"
#include "server/status.h"

static const char octets[] = "application/octet-stream";

static void begin(struct exchange *exchange, struct head *head, int status) {
    exchange->status = status;
    exchange->state = EXCHANGE_SENDING;
    exchange->answered_us = clock_us();
    head_begin(head, exchange->head, sizeof exchange->head, status);
    head_field(head, "Server", "symgate");
    head_field(head, "X-Request-Id", exchange->id);
    if (!exchange->keep_alive)
        head_field(head, "Connection", "close");
    else if (exchange->request.minor_version == 0)
        head_field(head, "Connection", "keep-alive");
}

static void end(struct exchange *exchange, struct head *head) {
    exchange->head_length = (uint32_t)head_end(head);
    exchange->head_sent = 0;
}

/* A route that refuses GET takes POST alone. */
static bool wants_post(const struct exchange *exchange) {
    enum method method = exchange->request.method;
    return !exchange->request.refusal && (method == METHOD_GET || method == METHOD_HEAD);
}

void answer_buffer(struct exchange *exchange, int status, const char *type) {
    struct head head;
    if (exchange->text.failed) { /* what could not be gathered whole is not shown in part */
        buffer_clear(&exchange->text);
        text_copy(exchange->reason, sizeof exchange->reason, "no memory for the answer");
        status = 500;
    }
    begin(exchange, &head, status);
    if (status != 200 && status != 206 && status != 304)
        head_field(&head, "Cache-Control", "no-store");
    if (status == 405)
        head_field(&head, "Allow", wants_post(exchange) ? "POST" : "GET, HEAD");
    if (status >= 400) {
        head_field(&head, "X-Symgate-Verdict", verdict_name(VERDICT_INVALID));
        head_field(&head, "X-Symgate-Reason", exchange->reason);
    }
    if (exchange->text.length > 0)
        head_field(&head, "Content-Type", type);
    head_number(&head, "Content-Length", exchange->text.length);
    end(exchange, &head);
    if (exchange->head_only)
        buffer_clear(&exchange->text);
}

void answer_document(struct exchange *exchange, const char *type, const char *caching) {
    static const char policy[] =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    struct head head;
    if (exchange->text.failed) {
        answer_buffer(exchange, 500, type);
        return;
    }
    begin(exchange, &head, 200);
    head_field(&head, "Content-Type", type);
    head_field(&head, "Cache-Control", caching);
    head_field(&head, "Content-Security-Policy", policy);
    head_field(&head, "X-Content-Type-Options", "nosniff");
    head_field(&head, "Referrer-Policy", "no-referrer");
    head_number(&head, "Content-Length", exchange->text.length);
    end(exchange, &head);
    if (exchange->head_only)
        buffer_clear(&exchange->text);
}

void answer_spool(struct exchange *exchange, const char *type) {
    struct head head;
    begin(exchange, &head, 200);
    head_field(&head, "Content-Type", type);
    head_number(&head, "Content-Length", exchange->call->spool.end - exchange->call->spool.at);
    if (exchange->call->tells_begin)
        head_number(&head, "X-Symgate-From", exchange->call->spool.at);
    end(exchange, &head);
    exchange->body = (struct body_cursor){.framing = FRAMING_SPOOL};
    if (exchange->head_only)
        exchange->body = (struct body_cursor){.framing = FRAMING_NONE, .ended = true};
}

void answer_stream(struct exchange *exchange, const char *type) {
    struct head head;
    begin(exchange, &head, 200);
    head_field(&head, "Content-Type", type);
    head_field(&head, "Cache-Control", "no-store");
    end(exchange, &head);
    exchange->body = (struct body_cursor){.framing = FRAMING_EVENTS};
    if (exchange->head_only)
        exchange->body = (struct body_cursor){.framing = FRAMING_NONE, .ended = true};
}

void answer_text(struct exchange *exchange, int status, const char *type, const char *text) {
    buffer_clear(&exchange->text);
    buffer_append_text(&exchange->text, text);
    if (text[0])
        buffer_append_text(&exchange->text, "\n");
    answer_buffer(exchange, status, type);
}

void answer_verdict(struct exchange *exchange, enum verdict verdict, const char *reason) {
    struct head head;
    exchange->verdict = verdict;
    text_copy(exchange->reason, sizeof exchange->reason, reason);
    begin(exchange, &head, status_of_verdict(verdict, exchange->settings->failure_status));
    head_field(&head, "Cache-Control", "no-store");
    head_field(&head, "X-Symgate-Verdict", verdict_name(verdict));
    head_field(&head, "X-Symgate-Reason", reason);
    if (verdict == VERDICT_LATER)
        head_field(&head, "Symbol-Agent-Status", SYMBOL_AGENT_LATER);
    head_number(&head, "Content-Length", 0);
    end(exchange, &head);
}

/* Another server's file would be preferred, had it been able to answer. */
static void describe_preferred(struct exchange *exchange, struct head *head) {
    char sentence[sizeof exchange->reason];
    copy_preferred(exchange->copy, sentence, sizeof sentence);
    if (sentence[0])
        head_field(head, "X-Symgate-Reason", sentence);
}

/* A file that bears no server's name is the one's on whose own shelf it lies. */
static void describe_source(struct exchange *exchange) {
    struct cache *cache = exchange->connection->loop->server->options.cache;
    const struct roster *roster = exchange->settings->roster;
    copy_source(exchange->copy, exchange->source, sizeof exchange->source);
    if (exchange->verdict != VERDICT_HIT || !roster->own_shelves ||
        roster_find(roster, exchange->source) >= 0)
        return;
    int owner = roster_owner(roster, cache_shelves_of(cache, exchange->copy));
    if (owner >= 0)
        text_copy(exchange->source, sizeof exchange->source,
                  roster->sources[owner]->options.identifier);
}

static void describe_copy(struct exchange *exchange, struct head *head,
                          const struct copy_state *state) {
    char etag[ETAG_BYTES];
    conditional_etag(state->modified_ns, etag);
    head_field(head, "ETag", etag);
    head_date(head, "Last-Modified", state->modified_ns / 1000000000);
    head_field(head, "X-Symgate-Verdict", verdict_name(exchange->verdict));
    describe_source(exchange);
    if (exchange->source[0])
        head_field(head, "X-Symgate-Source", exchange->source);
    struct error why = {0};
    if (exchange->verdict != VERDICT_HIT)
        copy_why(exchange->copy, &why);
    exchange->not_kept = why.kind != ERROR_NONE;
    if (exchange->not_kept)
        head_field(head, "X-Symgate-Reason", why.what);
    else if (exchange->verdict == VERDICT_FETCHED || exchange->verdict == VERDICT_JOINED)
        describe_preferred(exchange, head);
}

static bool not_modified(struct exchange *exchange, const struct copy_state *state) {
    /* Only a body that is certain can vouch for what a client has. */
    if (!state->certain || (!exchange->if_none_match[0] && !exchange->if_modified_since[0]))
        return false;
    char etag[ETAG_BYTES];
    conditional_etag(state->modified_ns, etag);
    return conditional_not_modified(exchange->if_none_match, exchange->if_modified_since, etag,
                                    state->modified_ns / 1000000000);
}

static void answer_without_body(struct exchange *exchange, const struct copy_state *state,
                                int status) {
    struct head head;
    begin(exchange, &head, status);
    describe_copy(exchange, &head, state);
    if (status == 416) {
        char range[48];
        text_format(range, sizeof range, "bytes */%llu", (unsigned long long)state->size);
        head_field(&head, "Content-Range", range);
        head_field(&head, "Cache-Control", "no-store");
        head_number(&head, "Content-Length", 0);
    }
    end(exchange, &head);
    exchange->body = (struct body_cursor){.framing = FRAMING_NONE, .ended = true};
}

static enum range_fit fit_range(struct exchange *exchange, const struct copy_state *state,
                                struct body_cursor *body) {
    body->at = 0;
    body->end = state->size;
    if (exchange->range.kind == RANGE_NONE || state->size == SIZE_UNKNOWN)
        return RANGE_WHOLE;
    char etag[ETAG_BYTES];
    conditional_etag(state->modified_ns, etag);
    if (!conditional_range_allowed(exchange->if_range, etag, state->modified_ns / 1000000000))
        return RANGE_WHOLE;
    return range_resolve(&exchange->range, state->size, &body->at, &body->end);
}

static void frame(struct exchange *exchange, struct head *head, const struct copy_state *state,
                  enum range_fit fit) {
    struct body_cursor *body = &exchange->body;
    if (fit == RANGE_PART) {
        char range[80];
        text_format(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)body->at,
                    (unsigned long long)body->end - 1, (unsigned long long)state->size);
        head_field(head, "Content-Range", range);
    }
    if (state->size != SIZE_UNKNOWN) {
        body->framing = FRAMING_LENGTH;
        head_number(head, "Content-Length", body->end - body->at);
    } else if (exchange->request.minor_version > 0) {
        body->framing = FRAMING_CHUNKED;
        head_field(head, "Transfer-Encoding", "chunked");
    } else {
        body->framing = FRAMING_CLOSE;
    }
}

void answer_copy(struct exchange *exchange, const struct copy_state *state) {
    if (not_modified(exchange, state)) {
        answer_without_body(exchange, state, 304);
        return;
    }
    struct body_cursor body = {0};
    enum range_fit fit = fit_range(exchange, state, &body);
    if (fit == RANGE_UNSATISFIABLE) {
        answer_without_body(exchange, state, 416);
        return;
    }
    exchange->body = body;
    if (state->size == SIZE_UNKNOWN && exchange->request.minor_version == 0)
        exchange->keep_alive = false;
    struct head head;
    begin(exchange, &head, fit == RANGE_PART ? 206 : 200);
    describe_copy(exchange, &head, state);
    head_field(&head, "Content-Type", octets);
    head_field(&head, "Accept-Ranges", "bytes");
    frame(exchange, &head, state, fit);
    end(exchange, &head);
    if (exchange->head_only)
        exchange->body = (struct body_cursor){.framing = FRAMING_NONE, .ended = true};
}
