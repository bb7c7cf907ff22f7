// SPDX-License-Identifier: MIT
#include "server/exchange.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/line.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/conditional.h"
#include "http/head.h"
#include "proxy/dialect.h"
#include "server/api.h"
#include "server/internal.h"

enum { TEXT_BYTES_MAX = 8 * 1024 * 1024, SPARES_MAX = 128, QUERY_BYTES_MAX = 4095 };

/* Made anew for every request: those that have ended lately are used again, wiped. */
static struct exchange *take_spare(struct loop *loop) {
    struct list *node = list_pop_front(&loop->spares);
    if (!node)
        return NEW(struct exchange);
    loop->spare_count--;
    struct exchange *exchange = LIST_ENTRY(node, struct exchange, in_loop);
    /* The block that heads are made in is the larger part, and never read before it is written. */
    memset(exchange, 0, offsetof(struct exchange, head));
    return exchange;
}

struct exchange *exchange_new(struct connection *connection) {
    struct loop *loop = connection->loop;
    struct exchange *exchange = take_spare(loop);
    exchange->connection = connection;
    /* Who was told that they are in force is answered under them. */
    exchange->settings = settings_ref(loop_settings(loop));
    exchange->changed = (struct waker){.watch.inbox = &loop->inbox, .exchange = exchange};
    exchange->job_done =
        (struct waker){.watch.inbox = &loop->inbox, .exchange = exchange, .for_job = true};
    exchange->verdict = VERDICT_INVALID;
    exchange->started_us = clock_us();
    exchange->dialect = "";
    request_init(&exchange->request);
    buffer_init(&exchange->text, TEXT_BYTES_MAX);
    return exchange;
}

/* Weyl sequence: distinct for 2^64 requests, without a lock or the kernel. */
static void make_id(struct exchange *exchange) {
    struct loop *loop = exchange->connection->loop;
    loop->id_seed += 0x9e3779b97f4a7c15U;
    uint64_t mixed = (loop->id_seed ^ (loop->id_seed >> 31)) * 0xbf58476d1ce4e5b9U;
    struct line line;
    line_begin(&line, exchange->id, sizeof exchange->id);
    line_hex(&line, mixed, 16);
}

/* A client's own id is taken over only when it is one that can stand in any log. */
static void choose_id(struct exchange *exchange, const char *bytes) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    char own[REQUEST_ID_BYTES + 1];
    request_field(&exchange->request, bytes, FIELD_REQUEST_ID, own, sizeof own);
    size_t length = strlen(own);
    if (length > 0 && length < REQUEST_ID_BYTES && strspn(own, plain) == length) {
        text_copy(exchange->id, sizeof exchange->id, own);
        return;
    }
    make_id(exchange);
}

static void take_checksums(const char *value, size_t length, void *question) {
    question_add_checksums(question, value, length);
}

static void read_fields(struct exchange *exchange, const char *bytes) {
    struct request *request = &exchange->request;
    char text[256];
    choose_id(exchange, bytes);
    exchange->head_only = request->method == METHOD_HEAD;
    exchange->keep_alive = request->keep_alive;
    request_field(request, bytes, FIELD_RANGE, text, sizeof text);
    exchange->range = range_parse(text);
    request_field(request, bytes, FIELD_IF_RANGE, exchange->if_range, sizeof exchange->if_range);
    request_field(request, bytes, FIELD_IF_NONE_MATCH, exchange->if_none_match,
                  sizeof exchange->if_none_match);
    request_field(request, bytes, FIELD_IF_MODIFIED_SINCE, exchange->if_modified_since,
                  sizeof exchange->if_modified_since);
    if (request_has(request, FIELD_SYMBOL_CHECKSUM))
        request_each(request, bytes, "SymbolChecksum", take_checksums, &exchange->question);
    request_field(request, bytes, FIELD_USER_AGENT, text, sizeof text);
    exchange->dialect = dialect_name(dialect_recognise(text));
    request_field(request, bytes, FIELD_RECEIVE_TIMEOUT, text, sizeof text);
    exchange->deadline_ms =
        exchange->connection->loop->now_ms + dialect_limit_ms(text, exchange->settings->limit_ms);
}

/* Queries may hold secrets that are none of the log's business. */
static void keep_path(struct exchange *exchange, const char *target, size_t path_length,
                      size_t target_length) {
    text_copy_n(exchange->path, sizeof exchange->path, target, path_length);
    if (path_length < target_length && path_length + 5 < sizeof exchange->path)
        memcpy(exchange->path + path_length, "?***", 5);
}

void exchange_dispatch(struct exchange *exchange, const char *bytes, const struct buffer *body) {
    exchange->started_us = clock_us();
    exchange->wall_ns = clock_wall_ns();
    read_fields(exchange, bytes);
    const char *target = bytes + exchange->request.target.offset;
    size_t length = exchange->request.target.length;
    const char *question_mark = memchr(target, '?', length);
    size_t path_length = question_mark ? (size_t)(question_mark - target) : length;
    keep_path(exchange, target, path_length, length);
    char query[QUERY_BYTES_MAX + 1];
    query[0] = '\0'; /* and no more: this is on every request's way */
    if (question_mark &&
        !text_copy_n(query, sizeof query, question_mark + 1, length - path_length - 1)) {
        if (text_starts(exchange->path, "/api/")) {
            exchange_refuse(exchange, 414, "the query is too long");
            return;
        }
        query[0] = '\0'; /* a part of it might mean something else */
    }
    exchange->posted = body;
    router_serve(exchange, target, path_length, query, bytes);
    exchange->posted = NULL;
}

void exchange_refuse(struct exchange *exchange, int status, const char *reason) {
    exchange->wall_ns = clock_wall_ns();
    exchange->request.refusal = status;
    exchange->keep_alive = false;
    if (!exchange->id[0])
        make_id(exchange);
    text_copy(exchange->reason, sizeof exchange->reason, reason);
    answer_text(exchange, status, "text/plain; charset=utf-8", reason);
}

static enum exchange_step send_text(struct exchange *exchange) {
    enum exchange_step step;
    while (exchange->text_sent < exchange->text.length) {
        if (!send_head(exchange, true, &step))
            return step;
        size_t left = exchange->text.length - exchange->text_sent;
        size_t room = sizeof exchange->head;
        exchange->head_length = (uint32_t)(left < room ? left : room);
        memcpy(exchange->head, exchange->text.bytes + exchange->text_sent, exchange->head_length);
        exchange->head_sent = 0;
        exchange->text_sent += exchange->head_length;
        exchange->sent += exchange->head_length;
    }
    return send_head(exchange, false, &step) ? STEP_DONE : step;
}

static enum exchange_step send_events(struct exchange *exchange) {
    enum exchange_step step;
    do
        step = send_text(exchange);
    while (step == STEP_DONE && events_next(exchange));
    return step == STEP_DONE ? STEP_WAIT : step;
}

static enum exchange_step send_some(struct exchange *exchange) {
    switch (exchange->body.framing) {
    case FRAMING_TEXT:
        return send_text(exchange);
    case FRAMING_SPOOL:
        return send_spool(exchange);
    case FRAMING_EVENTS:
        return send_events(exchange);
    case FRAMING_NONE:
    case FRAMING_LENGTH:
    case FRAMING_CHUNKED:
    case FRAMING_CLOSE:
        break;
    }
    return send_body(exchange);
}

enum exchange_step exchange_go(struct exchange *exchange) {
    switch (exchange->state) {
    case EXCHANGE_HEAD:
    case EXCHANGE_SEARCHING:
    case EXCHANGE_HOLDING:
    case EXCHANGE_WORKING:
        return STEP_WAIT;
    case EXCHANGE_SENDING:
        break;
    case EXCHANGE_ENDED:
        return STEP_DONE;
    }
    if (!(exchange->connection->ready & READY_OUT))
        return STEP_BLOCKED;
    enum exchange_step step = send_some(exchange);
    list_remove(&exchange->in_loop);
    struct loop *loop = exchange->connection->loop;
    if (exchange->body.framing == FRAMING_EVENTS)
        list_push_back(&loop->streams, &exchange->in_loop);
    else if (step == STEP_WAIT)
        list_push_back(&loop->growing, &exchange->in_loop);
    if (step == STEP_DONE)
        exchange->state = EXCHANGE_ENDED;
    return step;
}

static void describe_client(const struct exchange *exchange, char *out, size_t size) {
    struct in6_addr ip = exchange->connection->client.ip;
    bool v4 = IN6_IS_ADDR_V4MAPPED(&ip);
    out[0] = '\0';
    switch (exchange->settings->log_clients) {
    case LOG_CLIENTS_NONE:
        return;
    case LOG_CLIENTS_SHORTENED:
        if (v4)
            ip.s6_addr[15] = 0;
        else
            memset(&ip.s6_addr[6], 0, 10);
        break;
    case LOG_CLIENTS_FULL:
        break;
    }
    if (!v4) {
        inet_ntop(AF_INET6, &ip, out, (socklen_t)size);
        return;
    }
    struct line line;
    line_begin(&line, out, size);
    for (unsigned i = 12; i < 16; i++) {
        if (i > 12)
            line_text(&line, ".");
        line_number(&line, ip.s6_addr[i]);
    }
}

static const char *method_name(enum method method) {
    switch (method) {
    case METHOD_GET:
        return "GET";
    case METHOD_HEAD:
        return "HEAD";
    case METHOD_POST:
        return "POST";
    case METHOD_OTHER:
        break;
    }
    return "-";
}

/* A shelf may have become full only behind the head that would have said so. */
static bool was_kept(const struct exchange *exchange, bool broken, struct error *out_why) {
    bool delivered = exchange->verdict == VERDICT_FETCHED || exchange->verdict == VERDICT_JOINED;
    error_clear(out_why);
    if (!broken && delivered && exchange->copy)
        copy_why(exchange->copy, out_why);
    return !exchange->not_kept && out_why->kind == ERROR_NONE;
}

/* Did what was being sent prove false, or stop coming for good? Then it was cut off. */
static bool was_cut_off(const struct exchange *exchange, bool broken, bool hung_up) {
    struct copy_state state;
    if (!broken || hung_up || !exchange->copy)
        return false;
    copy_look(exchange->copy, &state);
    return state.phase == COPY_FAILED;
}

/* What a lookup would have come to is nobody's who left before it was known. */
static enum verdict verdict_of(const struct exchange *exchange, bool cut_off, bool hung_up) {
    bool lookup = exchange->about_symbol && !exchange->follow_up;
    if (lookup && hung_up && exchange->status == 0)
        return VERDICT_LATER;
    return cut_off ? VERDICT_FAILED : exchange->verdict;
}

static void record(const struct exchange *exchange, bool broken, bool hung_up) {
    char client[CLIENT_BYTES];
    describe_client(exchange, client, sizeof client);
    int64_t now_us = clock_us();
    int64_t answered_us = exchange->answered_us ? exchange->answered_us : now_us;
    bool ruled = exchange->verdict == VERDICT_EXCLUDED && exchange->rule;
    struct error why;
    bool kept = was_kept(exchange, broken, &why);
    bool cut_off = was_cut_off(exchange, broken, hung_up);
    if (cut_off)
        copy_why(exchange->copy, &why);
    struct outcome outcome = {
        .wall_ns = exchange->wall_ns,
        .waited_us = answered_us - exchange->started_us,
        .total_us = now_us - exchange->started_us,
        .dialect = exchange->dialect,
        .method = method_name(exchange->request.method),
        .about_symbol = exchange->about_symbol,
        .follow_up = exchange->follow_up,
        .joined = exchange->joined,
        .verdict = verdict_of(exchange, cut_off, hung_up),
        .status = exchange->status,
        .bytes = exchange->sent,
        .broken = broken,
        .hung_up = hung_up,
        .not_kept = !kept,
        .text = {.id = exchange->id,
                 .client = client,
                 .path = exchange->path,
                 .name = exchange->question.key.name,
                 .key_id = exchange->question.key.id,
                 .rule = ruled ? exchange->rule : "",
                 .source = exchange->source,
                 .reason = exchange->reason[0] ? exchange->reason : why.what},
    };
    struct attempt_note notes[COPY_NOTES_MAX];
    static_assert((int)COPY_NOTES_MAX <= (int)OUTCOME_NOTES_MAX, "all notes can be recorded");
    if (exchange->copy && exchange->verdict != VERDICT_HIT)
        outcome.note_count = copy_notes(exchange->copy, notes, COPY_NOTES_MAX);
    struct loop *loop = exchange->connection->loop;
    recorder_put(loop->server->options.recorder, loop->lane, &outcome, notes);
}

static void let_copy_go(struct exchange *exchange, bool hung_up) {
    if (!exchange->copy)
        return;
    if (exchange->watching)
        copy_unwatch(exchange->copy, &exchange->changed.watch);
    exchange->watching = false;
    symbols_leave(exchange->connection->loop->server->options.symbols, TAKE(exchange->copy),
                  hung_up && exchange->leaving == COPY_LEFT_SERVED ? COPY_LEFT_HUNG_UP
                                                                   : exchange->leaving);
}

static void free_exchange(struct exchange *exchange) {
    settings_unref(exchange->settings);
    buffer_release(&exchange->text);
    copy_unref(exchange->warming);
    api_call_free(exchange->call);
    free(exchange);
}

static void give_spare(struct loop *loop, struct exchange *exchange) {
    if (loop->spare_count >= SPARES_MAX) {
        free_exchange(exchange);
        return;
    }
    settings_unref(exchange->settings);
    buffer_release(&exchange->text);
    api_call_free(TAKE(exchange->call));
    loop->spare_count++;
    list_push_front(&loop->spares, &exchange->in_loop);
}

void exchange_end(struct exchange *exchange, bool broken, bool hung_up) {
    bool asked = exchange->wall_ns != 0;
    bool endless = exchange->body.framing == FRAMING_EVENTS;
    if (asked)
        record(exchange, broken && !endless, hung_up && !endless);
    list_remove(&exchange->in_loop);
    let_copy_go(exchange, hung_up);
    struct loop *loop = exchange->connection->loop;
    inbox_remove(&loop->inbox, &exchange->changed.watch);
    exchange->state = EXCHANGE_ENDED;
    exchange->connection = NULL;
    /* A running job comes back through the inbox once more, and frees it then. */
    if (!exchange->job_running)
        give_spare(loop, exchange);
}

void exchange_woken(struct exchange *exchange) {
    struct connection *connection = exchange->connection;
    if (exchange->state == EXCHANGE_SEARCHING || exchange->state == EXCHANGE_HOLDING)
        serve_symbol_again(exchange);
    connection_run(connection);
}

/* Also when the connection is gone. */
static struct loop *loop_of_job(const struct exchange *exchange) {
    return LIST_ENTRY(exchange->job_done.watch.inbox, struct loop, inbox);
}

void exchange_worked(struct exchange *exchange) {
    exchange->job_running = false;
    loop_of_job(exchange)->jobs--;
    if (!exchange->connection) {
        free_exchange(exchange);
        return;
    }
    copy_unref(TAKE(exchange->warming));
    if (exchange->worked)
        exchange->worked(exchange);
    connection_run(exchange->connection);
}

static void run_job(struct pool_job *job) {
    struct exchange *exchange = LIST_ENTRY(job, struct exchange, job);
    struct inbox *inbox = exchange->job_done.watch.inbox;
    exchange->work(exchange);
    /* From here on the loop may free the exchange. */
    inbox_put(inbox, &exchange->job_done.watch);
}

bool exchange_work(struct exchange *exchange, struct pool *pool,
                   void (*work)(struct exchange *exchange),
                   void (*worked)(struct exchange *exchange)) {
    assert(!exchange->job_running);
    exchange->work = work;
    exchange->worked = worked;
    exchange->job.run = run_job;
    exchange->job_running = true;
    loop_of_job(exchange)->jobs++;
    if (pool_post(pool, &exchange->job))
        return true;
    loop_of_job(exchange)->jobs--;
    exchange->job_running = false;
    return false;
}
