// SPDX-License-Identifier: MIT
#include "source/http_transfer.h"

#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "source/http_fault.h"

enum {
    CONNECTIONS_KEPT = 8, /* the server, where it redirects to, and those of parallel ranges */
    SOCKETS_MAX = 32,
    GATHER_FIRST_BYTES = 64 * 1024,
    GATHER_MAX_BYTES = 2 * 1024 * 1024,
    DRAIN_BYTES_MAX = 64 * 1024,
    DRAIN_MS = 100,
    POLL_MS = 1000,
};

struct http_worker {
    CURLM *multi;
    unsigned transfers;       /* under way */
    int sockets[SOCKETS_MAX]; /* of all connections, kept or in use */
    unsigned socket_count;
    CURL *learned; /* a handle that knows a server's nonce; NULL: none, or in use */
};

struct http_transfer {
    struct http_worker *worker;
    const char *source;
    struct cancel *cancel;
    CURL *easy;
    bool learns;    /* the handle is kept */
    bool remembers; /* it has been kept */
    struct curl_slist *fields;
    struct http_answer answer;
    bool shakes_hands; /* 401 and 407 need not be the end */
    bool body_begun;
    bool done; /* code and text say how it ended */
    CURLcode code;
    char text[CURL_ERROR_SIZE];
    uint64_t received; /* body bytes that came over the line, those beyond the announced end too */
    bool discard;      /* nobody wants the body */
    bool paused;
    char *target; /* where a read that waits wants its bytes */
    size_t target_room;
    size_t target_filled;
    char *gather; /* what came beyond that: [gather_at, gather_end) */
    size_t gather_at;
    size_t gather_end;
    size_t gather_size;
    size_t gather_max;
};

static CURLM *multi_new(void) {
    CURLM *multi = curl_multi_init();
    if (!multi)
        abort(); /* out of memory for a small block */
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return multi;
}

struct http_worker *http_worker_new(void) {
    struct http_worker *worker = NEW(struct http_worker);
    worker->multi = multi_new();
    return worker;
}

void http_worker_free(struct http_worker *worker) {
    curl_easy_cleanup(worker->learned);
    curl_multi_cleanup(worker->multi);
    free(worker);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    struct http_worker *worker = context;
    (void)purpose;
    if (worker->socket_count == SOCKETS_MAX)
        return CURL_SOCKET_BAD;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0)
        worker->sockets[worker->socket_count++] = fd;
    return fd;
}

static int close_socket(void *context, curl_socket_t fd) {
    struct http_worker *worker = context;
    for (unsigned i = 0; i < worker->socket_count; i++)
        if (worker->sockets[i] == fd)
            worker->sockets[i] = worker->sockets[--worker->socket_count];
    return close(fd);
}

/* Bytes that came on a connection between two answers would be taken for the next one: libcurl does
   not look. With no transfer under way all connections are idle, and none is worth more than
   certainty. */
static void drop_unclean(struct http_worker *worker) {
    char byte;
    for (unsigned i = 0; worker->transfers == 0 && i < worker->socket_count; i++) {
        if (recv(worker->sockets[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
            continue;
        curl_multi_cleanup(worker->multi);
        worker->multi = multi_new();
        return;
    }
}

static size_t take_head(char *line, size_t size, size_t count, void *context) {
    struct http_transfer *transfer = context;
    if (transfer->answer.complete)
        transfer->received = 0; /* what came belonged to the answer before */
    http_answer_line(&transfer->answer, line, size * count);
    return http_answer_endless(&transfer->answer) ? 0 : size * count;
}

size_t http_transfer_gathered(const struct http_transfer *transfer) {
    return transfer->gather_end - transfer->gather_at;
}

/* Makes room at the end; false at the ceiling. */
static bool gather_room(struct http_transfer *transfer, size_t length) {
    size_t kept = http_transfer_gathered(transfer);
    if (kept + length > transfer->gather_max)
        return false;
    if (transfer->gather_end + length <= transfer->gather_size)
        return true;
    if (transfer->gather_at > 0)
        memmove(transfer->gather, transfer->gather + transfer->gather_at, kept);
    transfer->gather_at = 0;
    transfer->gather_end = kept;
    size_t size = transfer->gather_size ? transfer->gather_size : GATHER_FIRST_BYTES;
    while (size < kept + length)
        size *= 2;
    if (size == transfer->gather_size)
        return true;
    char *grown = realloc(transfer->gather, size);
    if (!grown)
        return false;
    transfer->gather = grown;
    transfer->gather_size = size;
    return true;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    struct http_transfer *transfer = context;
    size_t length = size * count;
    transfer->body_begun = true;
    if (transfer->discard)
        return transfer->received > DRAIN_BYTES_MAX ? 0 : length;
    size_t direct =
        http_transfer_gathered(transfer) > 0 ? 0 : transfer->target_room - transfer->target_filled;
    if (direct > length)
        direct = length;
    if (length > direct && !gather_room(transfer, length - direct)) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (direct > 0)
        memcpy(transfer->target + transfer->target_filled, bytes, direct);
    transfer->target_filled += direct;
    if (length > direct)
        memcpy(transfer->gather + transfer->gather_end, bytes + direct, length - direct);
    transfer->gather_end += length - direct;
    return length;
}

/* libcurl cuts a body where its announced length ends and says nothing of what came behind; here it
 * is still whole. */
static int take_trace(CURL *easy, curl_infotype type, char *bytes, size_t length, void *context) {
    (void)easy;
    (void)bytes;
    struct http_transfer *transfer = context;
    if (type == CURLINFO_DATA_IN && http_answer_final(&transfer->answer))
        transfer->received += length;
    return 0;
}

static void set_callbacks(struct http_transfer *transfer) {
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, take_trace);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer->worker);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->worker);
}

/* One that has learned something, where this question may profit by it, else a new one. */
static void take_handle(struct http_transfer *transfer) {
    transfer->easy = transfer->learns ? TAKE(transfer->worker->learned) : NULL;
    transfer->remembers = transfer->easy != NULL;
    if (!transfer->easy)
        transfer->easy = curl_easy_init();
    if (!transfer->easy)
        abort(); /* out of memory for a small block */
}

/* With what status a proxy refused to lead through to the server, or 0. A step of a handshake that
   something else has ended is no refusal. */
static int refused_by_proxy(const struct http_transfer *transfer) {
    long status = 0;
    if (transfer->done && text_starts(transfer->text, "CONNECT tunnel failed"))
        curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return (int)status;
}

static bool not_let_in(const struct http_transfer *transfer) {
    return transfer->answer.status == 401 || transfer->answer.status == 407 ||
           refused_by_proxy(transfer) == 407;
}

static void give_handle(struct http_transfer *transfer) {
    struct http_worker *worker = transfer->worker;
    if (!transfer->learns || worker->learned || not_let_in(transfer)) {
        curl_easy_cleanup(transfer->easy);
        return;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 0L); /* no word to a transfer that is gone */
    worker->learned = transfer->easy;
}

struct http_transfer *http_transfer_new(struct http_worker *worker,
                                        const struct http_request *request, struct error *err) {
    drop_unclean(worker);
    struct http_transfer *transfer = NEW(struct http_transfer);
    transfer->worker = worker;
    worker->transfers++;
    transfer->source = request->source;
    transfer->gather_max = GATHER_MAX_BYTES;
    transfer->cancel = request->cancel;
    transfer->shakes_hands = http_shakes_hands(request);
    transfer->learns = http_handle_learns(request);
    http_answer_init(&transfer->answer);
    take_handle(transfer);
    http_setup(transfer->easy, request, &transfer->fields);
    set_callbacks(transfer);
    CURLMcode rc = curl_multi_add_handle(worker->multi, transfer->easy);
    if (rc == CURLM_OK)
        return transfer;
    error_set(err, ERROR_SYSTEM, "source \"%s\": %s", request->source, curl_multi_strerror(rc));
    http_transfer_free(transfer);
    return NULL;
}

void http_transfer_free(struct http_transfer *transfer) {
    if (!transfer)
        return;
    struct http_worker *worker = transfer->worker;
    curl_multi_remove_handle(worker->multi, transfer->easy);
    give_handle(transfer);
    http_fields_free(transfer->fields);
    free(transfer->gather);
    free(transfer);
    worker->transfers--;
}

bool http_transfer_outdated(const struct http_transfer *transfer) {
    return transfer->remembers && not_let_in(transfer);
}

const char *http_transfer_location(const struct http_transfer *transfer) {
    struct curl_header *header;
    if (!http_answer_leads_on(&transfer->answer) ||
        curl_easy_header(transfer->easy, "Location", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

const char *http_transfer_url(const struct http_transfer *transfer) {
    char *url = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    return url;
}

const struct http_answer *http_transfer_answer(const struct http_transfer *transfer) {
    return &transfer->answer;
}

static void wake(void *multi) {
    curl_multi_wakeup(multi);
}

/* Each transfer that has ended is told how. */
static void take_messages(struct http_worker *worker) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(worker->multi, &left));) {
        struct http_transfer *ended = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                          &ended); /* DONE is all there is */
        ended->done = true;
        ended->code = message->data.result;
    }
}

bool http_worker_perform(struct http_worker *worker) {
    int running;
    if (curl_multi_perform(worker->multi, &running) != CURLM_OK)
        return false;
    take_messages(worker);
    return true;
}

/* Lets libcurl do what can be done without waiting. */
static void perform(struct http_transfer *transfer) {
    if (!http_worker_perform(transfer->worker)) {
        transfer->done = true;
        transfer->code = CURLE_FAILED_INIT;
    }
}

bool http_worker_wait(struct http_worker *worker, struct cancel *cancel, int64_t deadline_ms,
                      struct error *err) {
    CURLM *multi = worker->multi;
    int64_t left_ms = deadline_ms < clock_ms() + POLL_MS ? deadline_ms - clock_ms() : POLL_MS;
    if (cancel)
        cancel_attach(cancel, wake, multi);
    curl_multi_poll(multi, NULL, 0, left_ms > 0 ? (int)left_ms : 0, NULL);
    if (cancel)
        cancel_detach(cancel);
    return !cancel || !cancel_raised(cancel) ||
           error_set(err, ERROR_CANCELLED, "nobody needs the answer any more");
}

bool http_transfer_why(const struct http_transfer *transfer, struct error *err) {
    const char *endless = http_answer_endless(&transfer->answer);
    if (endless)
        return error_set(err, ERROR_STATUS, "source \"%s\": %s", transfer->source, endless);
    int refused = refused_by_proxy(transfer);
    if (refused)
        return error_set(
            err, ERROR_CONNECT, "source \"%s\": the proxy does not lead there: status %d%s",
            transfer->source, refused,
            refused == 407 ? ", it wants other proxyUser, proxyPassword or proxyAuthentication"
                           : "");
    bool unknown = transfer->code == CURLE_PEER_FAILED_VERIFICATION;
    return error_set(err, http_fault_kind(transfer->code, &transfer->answer), "source \"%s\": %s%s",
                     transfer->source, http_fault_words(transfer->code, transfer->text),
                     unknown ? " (has it an authority for caFile?)" : "");
}

/* Is the head one that stays, whatever libcurl does next? */
static bool head_stands(const struct http_transfer *transfer) {
    if (!http_answer_final(&transfer->answer))
        return false;
    if (!transfer->shakes_hands || !not_let_in(transfer))
        return true;
    return transfer->body_begun || (transfer->done && transfer->code == CURLE_OK);
}

bool http_transfer_head(struct http_transfer *transfer, int64_t deadline_ms, struct error *err) {
    int64_t began_ms = clock_ms();
    for (;;) {
        perform(transfer);
        if (head_stands(transfer))
            return true;
        if (transfer->done)
            return http_transfer_why(transfer, err);
        if (clock_ms() >= deadline_ms)
            return error_set(err, ERROR_TIMEOUT, "source \"%s\" was silent for %lld s",
                             transfer->source, (long long)((clock_ms() - began_ms) / 1000));
        if (!http_worker_wait(transfer->worker, transfer->cancel, deadline_ms, err))
            return false;
    }
}

/* Do bytes wait on the connection behind the body's end? They cannot be told apart from TLS's own.
 */
static bool bytes_wait(struct http_transfer *transfer) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    char *scheme = NULL;
    char byte;
    curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &socket);
    curl_easy_getinfo(transfer->easy, CURLINFO_SCHEME, &scheme);
    return socket != CURL_SOCKET_BAD && scheme && text_same(scheme, "http") &&
           recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* The end: 0 when it is where it was announced, else -1 and err. */
static ssize_t end_of_body(struct http_transfer *transfer, struct error *err) {
    if (transfer->code != CURLE_OK) {
        http_transfer_why(transfer, err);
        return -1;
    }
    if (transfer->answer.chunked || transfer->answer.length == SIZE_UNKNOWN)
        return 0;
    if (!bytes_wait(transfer) && transfer->received <= transfer->answer.length)
        return 0;
    error_set(err, ERROR_LENGTH, "source \"%s\" sent more than the %llu bytes it announced",
              transfer->source, (unsigned long long)transfer->answer.length);
    return -1;
}

/* Performs into a buffer for as long as bytes come without waiting. */
static size_t fill(struct http_transfer *transfer, void *bytes, size_t length) {
    transfer->target = bytes;
    transfer->target_room = length;
    transfer->target_filled = 0;
    size_t before;
    do {
        before = transfer->target_filled;
        perform(transfer);
    } while (!transfer->done && transfer->target_filled > before &&
             transfer->target_filled < length);
    transfer->target_room = 0;
    size_t filled = transfer->target_filled;
    transfer->target_filled = 0;
    return filled;
}

static size_t take_gathered(struct http_transfer *transfer, void *bytes, size_t length) {
    size_t taken =
        http_transfer_gathered(transfer) < length ? http_transfer_gathered(transfer) : length;
    memcpy(bytes, transfer->gather + transfer->gather_at, taken);
    transfer->gather_at += taken;
    return taken;
}

static void unpause(struct http_transfer *transfer) {
    if (!transfer->paused || http_transfer_gathered(transfer) > 0)
        return;
    transfer->paused = false;
    curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

ssize_t http_transfer_try(struct http_transfer *transfer, void *bytes, size_t length,
                          struct error *err) {
    unpause(transfer);
    if (http_transfer_gathered(transfer) > 0)
        return (ssize_t)take_gathered(transfer, bytes, length);
    if (transfer->done)
        return end_of_body(transfer, err);
    size_t filled = fill(transfer, bytes, length);
    if (filled > 0)
        return (ssize_t)filled;
    return transfer->done ? end_of_body(transfer, err) : HTTP_TRANSFER_NOTHING;
}

ssize_t http_transfer_read(struct http_transfer *transfer, void *bytes, size_t length,
                           int64_t stall_ms, struct error *err) {
    int64_t deadline_ms = clock_ms() + stall_ms;
    for (;;) {
        ssize_t got = http_transfer_try(transfer, bytes, length, err);
        if (got != HTTP_TRANSFER_NOTHING)
            return got;
        if (clock_ms() >= deadline_ms) {
            error_set(err, ERROR_STALLED, "source \"%s\" stopped in the middle of the body",
                      transfer->source);
            return -1;
        }
        if (!http_worker_wait(transfer->worker, transfer->cancel, deadline_ms, err))
            return -1;
    }
}

bool http_transfer_over(const struct http_transfer *transfer) {
    return transfer->done;
}

void http_transfer_gather_up_to(struct http_transfer *transfer, size_t bytes_max) {
    transfer->gather_max = bytes_max;
}

void http_transfer_stop(struct http_transfer *transfer) {
    curl_multi_remove_handle(transfer->worker->multi, transfer->easy);
    transfer->done = true;
    transfer->paused = false;
}

bool http_transfer_ready(struct http_transfer *transfer) {
    unpause(transfer);
    if (http_transfer_gathered(transfer) == 0 && !transfer->done)
        perform(transfer);
    return http_transfer_gathered(transfer) > 0 || transfer->done;
}

void http_transfer_drain(struct http_transfer *transfer) {
    int64_t deadline_ms = clock_ms() + DRAIN_MS;
    const struct http_answer *answer = &transfer->answer;
    if (!answer->chunked && answer->length != SIZE_UNKNOWN && answer->length > DRAIN_BYTES_MAX)
        return;
    transfer->discard = true;
    while (!transfer->done && clock_ms() < deadline_ms) {
        if (!http_worker_wait(transfer->worker, transfer->cancel, deadline_ms, NULL))
            return;
        perform(transfer);
    }
}
