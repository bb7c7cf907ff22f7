// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/threads.h"
#include "source/source_http.h"
#include "unit/source/origin.h"

#define PATH "/base/App.pdb/0123456789ABCDEF0123456789ABCDEF1/App.pdb"

static const struct hash_key key = {{1, 2}};

/* One source with one worker's connections, asked one question at a time. */
static struct {
    struct origin *origin;
    struct source *source;
    void *worker;
    struct question question;
    struct cancel cancel;
    struct attempt_note note;
    struct source_call call;
    struct content content;
    struct reader *reader;
    struct error err;
    const char *const
        *canned; /* what serve_canned sends, one a request, from the last on the last */
} it;

static struct source_options options_for(const char *remote) {
    return (struct source_options){.identifier = "one",
                                   .name = "One",
                                   .remote = remote,
                                   .enabled = true,
                                   .first_byte_ms = 20000,
                                   .stall_ms = 20000,
                                   .user_agent = "tester/1",
                                   .absent_statuses = {403}};
}

static void use_options(const struct source_options *options) {
    it.source = source_http_new(options, &key, &it.err);
    assert_non_null(it.source);
    it.worker = it.source->ops->worker_new();
}

static void begin(origin_script *script) {
    memset(&it, 0, sizeof it);
    cancel_init(&it.cancel);
    snprintf(it.question.spelling.name, sizeof it.question.spelling.name, "App.pdb");
    snprintf(it.question.spelling.id, sizeof it.question.spelling.id,
             "0123456789ABCDEF0123456789ABCDEF1");
    it.origin = origin_new(script);
}

static void begin_default(origin_script *script) {
    begin(script);
    struct source_options options = options_for(origin_url(it.origin, "/base"));
    use_options(&options);
}

static int finish(void **state) {
    (void)state;
    reader_close(it.reader);
    if (it.source) {
        it.source->ops->worker_free(it.worker);
        source_free(it.source);
    }
    origin_free(it.origin);
    cancel_release(&it.cancel);
    return 0;
}

static enum source_answer ask_with(const struct resume *resume, bool fresh_connection) {
    reader_close(it.reader);
    it.reader = NULL;
    error_clear(&it.err);
    it.note = (struct attempt_note){0};
    it.call = (struct source_call){.question = &it.question,
                                   .resume = resume,
                                   .cancel = &it.cancel,
                                   .fresh_connection = fresh_connection,
                                   .note = &it.note};
    struct source_local local;
    return it.source->ops->ask(it.source, it.worker, &it.call, true, &it.content, &it.reader,
                               &local, &it.err);
}

static enum source_answer ask(void) {
    return ask_with(NULL, false);
}

/* Reads to the end in pieces; the length, or -1 with it.err. */
static ssize_t read_all(char *bytes, size_t size, size_t piece) {
    size_t used = 0;
    for (;;) {
        assert_true(used < size);
        size_t room = size - used < piece ? size - used : piece;
        ssize_t got = reader_read(it.reader, bytes + used, room, &it.err);
        if (got <= 0)
            return got < 0 ? -1 : (ssize_t)used;
        used += (size_t)got;
    }
}

static void assert_body(const char *expected) {
    char bytes[4096];
    ssize_t length = read_all(bytes, sizeof bytes - 1, 7);
    assert_true(length >= 0);
    bytes[length] = '\0';
    assert_string_equal(bytes, expected);
}

static void assert_broken(enum error_kind kind) {
    static char bytes[1024 * 1024];
    assert_int_equal(read_all(bytes, sizeof bytes, sizeof bytes), -1);
    assert_string_equal(error_kind_name(it.err.kind), error_kind_name(kind));
}

static void assert_failed(enum error_kind kind) {
    assert_int_equal(ask(), SOURCE_FAILED);
    assert_string_equal(error_kind_name(it.err.kind), error_kind_name(kind));
    assert_true(it.err.what[0]);
}

enum { CANNED_MAX = 3, CANNED_BYTES = 512 };

/* What serve_canned sends, one a request, at last always the last; guarded by lock. */
static struct {
    pthread_mutex_t lock;
    char texts[CANNED_MAX][CANNED_BYTES];
    unsigned count;
    unsigned next;
} canned = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void can(const char *first, const char *then) {
    SCOPED_LOCK(&canned.lock);
    snprintf(canned.texts[0], CANNED_BYTES, "%s", first);
    snprintf(canned.texts[1], CANNED_BYTES, "%s", then ? then : "");
    canned.count = then ? 2 : 1;
    canned.next = 0;
}

static bool serve_canned(struct peer *peer) {
    char text[CANNED_BYTES];
    {
        SCOPED_LOCK(&canned.lock);
        snprintf(text, sizeof text, "%s", canned.texts[canned.next]);
        canned.next += canned.next + 1 < canned.count;
    }
    peer_send(peer, text);
    return !strcasestr(text, "connection: close");
}

static bool serve_plain(struct peer *peer) {
    if (strncmp(peer->head, "GET " PATH " HTTP/1.1\r\n", strlen(PATH) + 15) != 0 ||
        strcmp(peer_header(peer, "User-Agent"), "tester/1") != 0 ||
        strcmp(peer_header(peer, "Accept-Encoding"), "gzip") != 0 || peer_header(peer, "Range")) {
        peer_send_head(peer, "400 Not as it should be\r\nContent-Length: 0");
        return true;
    }
    peer_send_head(peer, "200 OK\r\nContent-Length: 5\r\nETag: \"abc\"\r\n"
                         "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT");
    peer_send(peer, "hello");
    return true;
}

static void a_file_is_found(void **state) {
    (void)state;
    begin_default(serve_plain);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(it.content.size, 5);
    assert_int_equal(it.content.start, 0);
    assert_string_equal(it.content.validator, "\"abc\"");
    assert_int_equal(it.content.last_modified, 1000000000);
    assert_false(it.content.encoded || it.content.redirected || it.content.announced_html);
    assert_int_equal(it.note.status, 200);
    assert_string_equal(it.note.url, origin_url(it.origin, PATH));
    assert_body("hello");
}

static void a_connection_is_kept(void **state) {
    (void)state;
    begin_default(serve_plain);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(ask(), SOURCE_FOUND);
        assert_body("hello");
    }
    assert_int_equal(origin_connections(it.origin), 1);
    assert_int_equal(ask_with(NULL, true), SOURCE_FOUND);
    assert_body("hello");
    assert_int_equal(origin_connections(it.origin), 2);
}

static void absent_is_what_the_source_calls_so(void **state) {
    (void)state;
    static const char *const names[] = {"404 Not Found", "410 Gone", "403 Forbidden"};
    begin_default(serve_canned);
    for (unsigned i = 0; i < 3; i++) {
        char answer[256];
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nnot here\n",
                 names[i]);
        can(answer, NULL);
        assert_int_equal(ask(), SOURCE_ABSENT);
    }
    assert_int_equal(it.note.status, 403);
    /* The pages have been read, so the connection serves again. */
    assert_int_equal(origin_connections(it.origin), 1);
}

static void other_statuses_are_failures(void **state) {
    (void)state;
    static const int statuses[] = {201, 203, 204, 206, 300, 302, 304, 400, 401, 416, 500, 503};
    begin_default(serve_canned);
    for (unsigned i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        char answer[128];
        snprintf(answer, sizeof answer, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", statuses[i]);
        can(answer, NULL);
        assert_failed(ERROR_STATUS);
        assert_int_equal(it.note.status, statuses[i]);
        assert_int_equal(it.call.retry_after_s, -1);
    }
}

static void retry_after_is_understood(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", NULL);
    assert_failed(ERROR_THROTTLED);
    assert_int_equal(it.call.retry_after_s, -1);
    can("HTTP/1.1 503 X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", NULL);
    assert_failed(ERROR_THROTTLED);
    assert_int_equal(it.call.retry_after_s, 120);
    char date[64];
    time_t when = (time_t)clock_wall_s() + 3600;
    struct tm parts;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&when, &parts));
    char answer[256];
    snprintf(answer, sizeof answer,
             "HTTP/1.1 503 X\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    can(answer, NULL);
    assert_failed(ERROR_THROTTLED);
    assert_in_range(it.call.retry_after_s, 3500, 3600);
}

static bool serve_redirects(struct peer *peer) {
    if (strstr(peer->head, "GET /blob?sig=secret ")) {
        peer_send_head(peer, "200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
                             "Content-Length: 4");
        peer_send(peer, "blob");
        return true;
    }
    peer_send_head(peer, "302 Found\r\nLocation: /blob?sig=secret\r\nETag: \"of the way\"\r\n"
                         "Content-Length: 5");
    peer_send(peer, "moved");
    return true;
}

static void redirects_are_followed(void **state) {
    (void)state;
    begin_default(serve_redirects);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_true(it.content.redirected);
    assert_true(it.content.announced_html);
    assert_string_equal(it.content.validator, "");
    assert_int_equal(it.content.size, 4);
    assert_null(strstr(it.note.url, "secret"));
    assert_body("blob");
}

static void a_redirect_loop_ends(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", NULL);
    assert_failed(ERROR_REDIRECT);
    assert_int_equal(origin_requests(it.origin), 11);
}

static void redirects_lead_to_http_only(void **state) {
    (void)state;
    static const char *const places[] = {"ftp://127.0.0.1/x", "file:///etc/passwd",
                                         "gopher://127.0.0.1/"};
    begin_default(serve_canned);
    for (unsigned i = 0; i < 3; i++) {
        char answer[256];
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", places[i]);
        can(answer, NULL);
        assert_failed(ERROR_REDIRECT);
    }
}

static struct origin *elsewhere;

static bool serve_away(struct peer *peer) {
    const char *given = peer_header(peer, "Authorization");
    if (!given || strcmp(given, "Basic YW5uOnMzY3JldA==") != 0) {
        peer_send_head(peer, "401 Who\r\nContent-Length: 0");
        return true;
    }
    peer_send_head(peer, "302 Found\r\nLocation: %s\r\nContent-Length: 0",
                   origin_url(elsewhere, "/blob"));
    return true;
}

static bool serve_strangers(struct peer *peer) {
    if (peer_header(peer, "Authorization"))
        peer_send_head(peer, "400 Too much\r\nContent-Length: 0");
    else
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nblob");
    return true;
}

static void credentials_stay_with_their_server(void **state) {
    (void)state;
    begin(serve_away);
    elsewhere = origin_new(serve_strangers);
    char remote[128];
    snprintf(remote, sizeof remote, "http://ann:s3cret@%s", origin_url(it.origin, "/base") + 7);
    struct source_options options = options_for(remote);
    use_options(&options);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_null(strstr(it.note.url, "s3cret"));
    assert_body("blob");
    origin_free(elsewhere);
}

static size_t gzip_of(const void *bytes, size_t length, unsigned char *out, size_t size) {
    z_stream stream = {0};
    assert_int_equal(
        deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = out;
    stream.avail_out = (uInt)size;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return size - stream.avail_out;
}

/* What serve_packed sends; guarded by the lock of what is canned. */
static unsigned char packed[256 * 1024];
static size_t packed_length;

static void pack(const void *bytes, size_t length) {
    SCOPED_LOCK(&canned.lock);
    packed_length = gzip_of(bytes, length, packed, sizeof packed);
}

static void pack_more(const void *bytes, size_t length) {
    SCOPED_LOCK(&canned.lock);
    packed_length += gzip_of(bytes, length, packed + packed_length, sizeof packed - packed_length);
}

static bool serve_packed(struct peer *peer) {
    SCOPED_LOCK(&canned.lock);
    peer_send_head(peer, "200 OK\r\nContent-Encoding: gzip\r\nETag: \"x\"\r\nContent-Length: %zu",
                   packed_length);
    peer_send_bytes(peer, packed, packed_length);
    return true;
}

static void gzip_is_undone(void **state) {
    (void)state;
    begin_default(serve_packed);
    pack("hello, hello, hello", 19);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_true(it.content.encoded);
    assert_true(it.content.size == SIZE_UNKNOWN);
    assert_string_equal(it.content.validator, "");
    assert_body("hello, hello, hello");
    pack_more(" and more", 9); /* two members are one body */
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("hello, hello, hello and more");
    assert_int_equal(origin_connections(it.origin), 1);
}

static void cut_packed(size_t bytes) {
    SCOPED_LOCK(&canned.lock);
    packed_length -= bytes;
}

static void damage_packed(size_t at) {
    SCOPED_LOCK(&canned.lock);
    packed[at] ^= 1;
}

static void broken_gzip_is_told(void **state) {
    (void)state;
    begin_default(serve_packed);
    pack("hello, hello, hello", 19);
    cut_packed(1);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_broken(ERROR_LENGTH);
    pack("hello, hello, hello", 19);
    damage_packed(packed_length - 1);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_broken(ERROR_ENCODING);
    damage_packed(0);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_broken(ERROR_ENCODING);
}

/* A little that unfolds to much is pulled piece by piece. */
static void gzip_may_unfold_to_very_much(void **state) {
    (void)state;
    enum { ZEROS = 100 * 1024 * 1024 };
    begin_default(serve_packed);
    void *zeros = calloc(1, ZEROS);
    pack(zeros, ZEROS);
    free(zeros);
    assert_int_equal(ask(), SOURCE_FOUND);
    static char piece[65536];
    size_t length = 0;
    ssize_t got;
    while ((got = reader_read(it.reader, piece, sizeof piece, &it.err)) > 0)
        length += (size_t)got;
    assert_int_equal(got, 0);
    assert_int_equal(length, ZEROS);
}

static void other_codings_are_refused(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", NULL);
    assert_failed(ERROR_ENCODING);
}

static void a_short_body_is_told(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhello", NULL);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_broken(ERROR_LENGTH);
}

static sem_t excess_sent;

static bool serve_excess_later(struct peer *peer) {
    if (peer->connection > 0) {
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue");
        return true;
    }
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    if (!peer_pass_gate(peer))
        return false;
    peer_send(peer, "helloHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse");
    return true;
}

static void a_long_body_is_told(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello world", NULL);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_broken(ERROR_LENGTH);
    can("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("hello");
}

static void what_comes_behind_a_body_is_no_next_answer(void **state) {
    (void)state;
    begin_default(serve_excess_later);
    assert_int_equal(ask(), SOURCE_FOUND);
    origin_open_gate(it.origin);
    assert_broken(ERROR_LENGTH);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("true");
}

static bool serve_excess_last(struct peer *peer) {
    if (peer->connection > 0) {
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue");
        return true;
    }
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    if (!peer_pass_gate(peer))
        return false;
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse");
    sem_post(&excess_sent);
    return true;
}

/* What comes when all has been read is seen by nobody, but it must not answer the next question. */
static void what_comes_late_is_no_next_answer(void **state) {
    (void)state;
    sem_init(&excess_sent, 0, 0);
    begin_default(serve_excess_last);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("hello");
    origin_open_gate(it.origin);
    sem_wait(&excess_sent);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("true");
}

static void two_lengths_are_refused(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n"
        "Connection: close\r\n\r\nhello!",
        NULL);
    assert_failed(ERROR_LENGTH);
}

static void a_chunked_body_is_read(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6\r\n world\r\n0\r\nETag: \"late\"\r\n\r\n",
        NULL);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ask(), SOURCE_FOUND);
        assert_true(it.content.size == SIZE_UNKNOWN);
        assert_body("hello world");
    }
    assert_int_equal(origin_connections(it.origin), 1);
}

static void a_cut_chunked_body_is_told(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "5\r\nhello\r\n6\r\n wo",
        NULL);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_broken(ERROR_RESET);
}

static void a_body_may_end_with_its_connection(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello", NULL);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_true(it.content.size == SIZE_UNKNOWN);
    assert_body("hello");
}

static void an_empty_body_is_found(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("HTTP/1.1 200 OK\r\nETag: W/\"weak\"\r\nContent-Type: text/plain\r\n"
        "Content-Length: 0\r\n\r\n",
        NULL);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(it.content.size, 0);
    assert_true(it.content.announced_text);
    assert_string_equal(it.content.validator, "");
    assert_body("");
}

static bool serve_reset(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    return peer_pass_gate(peer) ? peer_reset(peer) : false;
}

static void a_reset_in_the_body_is_told(void **state) {
    (void)state;
    begin_default(serve_reset);
    char bytes[64];
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(reader_read(it.reader, bytes, sizeof bytes, &it.err), 5);
    assert_false(reader_ready(it.reader));
    origin_open_gate(it.origin);
    assert_broken(ERROR_RESET);
}

static bool serve_nothing(struct peer *peer) {
    (void)peer;
    return false;
}

static void a_connection_closed_without_an_answer_is_a_reset(void **state) {
    (void)state;
    begin_default(serve_nothing);
    assert_failed(ERROR_RESET);
    assert_int_equal(origin_requests(it.origin), 1);
}

static bool serve_and_close_kept(struct peer *peer) {
    if (peer->connection == 0 && peer->request == 1)
        return false;
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    return true;
}

static void a_kept_connection_that_ends_is_no_failure(void **state) {
    (void)state;
    begin_default(serve_and_close_kept);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ask(), SOURCE_FOUND);
        assert_body("hello");
    }
    assert_int_equal(origin_connections(it.origin), 2);
    assert_int_equal(origin_requests(it.origin), 3);
}

static bool serve_silence(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n");
    peer_pass_gate(peer);
    return false;
}

static void a_silent_source_fails_at_its_limit(void **state) {
    (void)state;
    begin(serve_silence);
    struct source_options options = options_for(origin_url(it.origin, "/base"));
    options.first_byte_ms = 200;
    use_options(&options);
    assert_failed(ERROR_TIMEOUT);
}

static bool serve_stall(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    peer_pass_gate(peer);
    return false;
}

static void a_body_that_stops_has_stalled(void **state) {
    (void)state;
    begin(serve_stall);
    struct source_options options = options_for(origin_url(it.origin, "/base"));
    options.stall_ms = 200;
    use_options(&options);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_broken(ERROR_STALLED);
}

static void *raise_after_request(void *context) {
    (void)context;
    origin_wait_requests(it.origin, 1);
    cancel_raise(&it.cancel);
    return NULL;
}

static void a_cancel_ends_waiting_for_the_head(void **state) {
    (void)state;
    begin_default(serve_silence);
    pthread_t thread;
    assert_true(thread_start(&thread, "raise", raise_after_request, NULL, NULL));
    assert_failed(ERROR_CANCELLED);
    pthread_join(thread, NULL);
    assert_failed(ERROR_CANCELLED);
}

static void a_cancel_ends_waiting_for_the_body(void **state) {
    (void)state;
    begin_default(serve_stall);
    char bytes[64];
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_int_equal(reader_read(it.reader, bytes, sizeof bytes, &it.err), 5);
    pthread_t thread;
    assert_true(thread_start(&thread, "raise", raise_after_request, NULL, NULL));
    assert_broken(ERROR_CANCELLED);
    pthread_join(thread, NULL);
}

static void a_refused_connection_is_told(void **state) {
    (void)state;
    begin(serve_nothing);
    struct origin *gone = origin_new(serve_nothing);
    char remote[128];
    snprintf(remote, sizeof remote, "%s", origin_url(gone, ""));
    origin_free(gone);
    struct source_options options = options_for(remote);
    use_options(&options);
    assert_failed(ERROR_CONNECT);
}

static void what_is_no_http_is_told(void **state) {
    (void)state;
    begin_default(serve_canned);
    can("SSH-2.0-OpenSSH connection: close\r\n", NULL);
    assert_failed(ERROR_STATUS);
}

static bool serve_endless_head(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < 20000; i++)
        peer_send(peer, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    return false;
}

static void an_endless_head_is_cut(void **state) {
    (void)state;
    begin_default(serve_endless_head);
    assert_int_equal(ask(), SOURCE_FAILED);
    assert_int_equal(it.err.kind, ERROR_STATUS);
}

static bool serve_ranges(struct peer *peer) {
    const char *range = peer_header(peer, "Range");
    char asked[64];
    snprintf(asked, sizeof asked, "%s", range ? range : "none");
    const char *condition = peer_header(peer, "If-Range");
    bool honoured = range && condition &&
                    (strcmp(condition, "\"abc\"") == 0 ||
                     strcmp(condition, "Sun, 09 Sep 2001 01:46:40 GMT") == 0) &&
                    strcmp(asked, "bytes=6-") == 0 &&
                    strcmp(peer_header(peer, "Accept-Encoding"), "identity") == 0;
    if (honoured)
        peer_send(peer, "HTTP/1.1 206 Partial\r\nETag: \"abc\"\r\nContent-Length: 5\r\n"
                        "Content-Range: bytes 6-10/11\r\n\r\nworld");
    else
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
    return true;
}

static void a_body_is_taken_up(void **state) {
    (void)state;
    begin_default(serve_ranges);
    struct resume resume = {.offset = 6, .size = 11, .validator = "\"abc\""};
    assert_int_equal(ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(it.content.start, 6);
    assert_int_equal(it.content.size, 11);
    assert_body("world");
    resume = (struct resume){.offset = 6, .size = SIZE_UNKNOWN, .last_modified = 1000000000};
    assert_int_equal(ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(it.content.start, 6);
    assert_body("world");
}

static void a_resume_that_is_not_honoured_begins_at_the_start(void **state) {
    (void)state;
    begin_default(serve_ranges);
    struct resume resume = {.offset = 6, .size = 11, .validator = "\"other\""};
    assert_int_equal(ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(it.content.start, 0);
    assert_int_equal(it.content.size, 11);
    assert_body("hello world");
    /* Without a condition no range is asked for. */
    resume = (struct resume){.offset = 6, .size = 11};
    assert_int_equal(ask_with(&resume, false), SOURCE_FOUND);
    assert_int_equal(it.content.start, 0);
    assert_body("hello world");
}

static void a_wrong_part_is_not_taken(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "206 X\r\nContent-Range: bytes 5-10/11",
        "206 X\r\nContent-Range: bytes 6-10/12",
        "206 X\r\nContent-Range: bytes 6-9/11",
        "206 X\r\nContent-Range: bytes 6-11/12",
        "206 X\r\nContent-Range: bytes 6-10/11\r\nETag: \"other\"",
        "206 X\r\nContent-Range: bytes 6-10/11\r\nContent-Encoding: gzip",
        "206 X\r\nContent-Type: multipart/byteranges; boundary=x",
        "416 X\r\nContent-Range: bytes */11",
    };
    begin_default(serve_canned);
    struct resume resume = {.offset = 6, .size = 11, .validator = "\"abc\""};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char answer[256];
        snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: 5\r\n\r\nworld", wrong[i]);
        can(answer, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
        assert_int_equal(ask_with(&resume, false), SOURCE_FOUND);
        assert_int_equal(it.content.start, 0);
        assert_body("hello world");
    }
}

enum { LARGE = 24 * 1024 * 1024 };

static char *large; /* guarded by the lock of what is canned */

static bool serve_large(struct peer *peer) {
    SCOPED_LOCK(&canned.lock);
    peer_send_head(peer, "200 OK\r\nContent-Length: %d", LARGE);
    peer_send_bytes(peer, large, LARGE);
    return true;
}

static void a_large_body_comes_whole(void **state) {
    (void)state;
    static const size_t pieces[] = {4096, 65536, 1024 * 1024, 3 * 1024 * 1024};
    begin_default(serve_large);
    char *got = malloc(LARGE + 1);
    lock_take(&canned.lock);
    large = malloc(LARGE);
    for (unsigned i = 0; i < LARGE; i++)
        large[i] = (char)(i * 2654435761U >> 24);
    lock_give(&canned.lock);
    for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_int_equal(ask(), SOURCE_FOUND);
        assert_int_equal(read_all(got, LARGE + 1, pieces[i]), LARGE);
        assert_memory_equal(got, large, LARGE);
    }
    assert_int_equal(origin_connections(it.origin), 1);
    free(got);
    SCOPED_LOCK(&canned.lock);
    free(large);
}

static void what_is_no_remote_is_refused(void **state) {
    (void)state;
    static const char *const remotes[] = {
        "ftp://host/x",       "host/x", "http://",      "http://ann:s3cret@host/x?token=s3cret",
        "http://host/x#part", "",       "/srv/symbols", "http://host:99999/"};
    begin(serve_nothing);
    for (unsigned i = 0; i < sizeof remotes / sizeof *remotes; i++) {
        struct source_options options = options_for(remotes[i]);
        assert_null(source_http_new(&options, &key, &it.err));
        assert_int_equal(it.err.kind, ERROR_CONFIG);
        assert_null(strstr(it.err.what, "s3cret"));
    }
}

static void doubled_slashes_are_not_sent(void **state) {
    (void)state;
    begin(serve_plain);
    struct source_options options = options_for(origin_url(it.origin, "//base//"));
    use_options(&options);
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("hello");
}

static bool serve_strange_name(struct peer *peer) {
    bool encoded = strstr(peer->head, "/a%20b%25%3F%23.pdb/");
    peer_send(peer, encoded ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                            : "HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n");
    return true;
}

static void names_are_encoded(void **state) {
    (void)state;
    begin_default(serve_strange_name);
    snprintf(it.question.spelling.name, sizeof it.question.spelling.name, "a b%%?#.pdb");
    assert_int_equal(ask(), SOURCE_FOUND);
    assert_body("ok");
}

static void the_fingerprint_tells_where_is_asked(void **state) {
    (void)state;
    begin(serve_nothing);
    struct source_options options = options_for("http://ann:s3cret@host/x");
    struct source *one = source_http_new(&options, &key, &it.err);
    options = options_for("http://ann:s3cret@host/x/");
    options.identifier = "two";
    options.requests_max = 3;
    options.priority = 7;
    struct source *two = source_http_new(&options, &key, &it.err);
    options = options_for("http://ann:other@host/x");
    struct source *three = source_http_new(&options, &key, &it.err);
    assert_true(one->fingerprint == two->fingerprint);
    assert_true(one->fingerprint != three->fingerprint);
    count(&one->counters->asked);
    source_take_over(two, one);
    source_free(one);
    assert_int_equal(counted(&two->counters->asked), 1);
    source_free(two);
    source_free(three);
    source_free(NULL);
}

#define TEST(name) cmocka_unit_test_teardown(name, finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_found),
        TEST(a_connection_is_kept),
        TEST(absent_is_what_the_source_calls_so),
        TEST(other_statuses_are_failures),
        TEST(retry_after_is_understood),
        TEST(redirects_are_followed),
        TEST(a_redirect_loop_ends),
        TEST(redirects_lead_to_http_only),
        TEST(credentials_stay_with_their_server),
        TEST(gzip_is_undone),
        TEST(broken_gzip_is_told),
        TEST(gzip_may_unfold_to_very_much),
        TEST(other_codings_are_refused),
        TEST(a_short_body_is_told),
        TEST(a_long_body_is_told),
        TEST(what_comes_behind_a_body_is_no_next_answer),
        TEST(what_comes_late_is_no_next_answer),
        TEST(two_lengths_are_refused),
        TEST(a_chunked_body_is_read),
        TEST(a_cut_chunked_body_is_told),
        TEST(a_body_may_end_with_its_connection),
        TEST(an_empty_body_is_found),
        TEST(a_reset_in_the_body_is_told),
        TEST(a_connection_closed_without_an_answer_is_a_reset),
        TEST(a_kept_connection_that_ends_is_no_failure),
        TEST(a_silent_source_fails_at_its_limit),
        TEST(a_body_that_stops_has_stalled),
        TEST(a_cancel_ends_waiting_for_the_head),
        TEST(a_cancel_ends_waiting_for_the_body),
        TEST(a_refused_connection_is_told),
        TEST(what_is_no_http_is_told),
        TEST(an_endless_head_is_cut),
        TEST(a_body_is_taken_up),
        TEST(a_resume_that_is_not_honoured_begins_at_the_start),
        TEST(a_wrong_part_is_not_taken),
        TEST(a_large_body_comes_whole),
        TEST(what_is_no_remote_is_refused),
        TEST(doubled_slashes_are_not_sent),
        TEST(names_are_encoded),
        TEST(the_fingerprint_tells_where_is_asked),
    };
    source_http_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
