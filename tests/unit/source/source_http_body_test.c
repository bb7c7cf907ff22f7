// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/lock.h"
#include "base/threads.h"
#include "unit/source/asker.h"

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
    SCOPED_LOCK(&asker_lock);
    packed_length = gzip_of(bytes, length, packed, sizeof packed);
}

static void pack_more(const void *bytes, size_t length) {
    SCOPED_LOCK(&asker_lock);
    packed_length += gzip_of(bytes, length, packed + packed_length, sizeof packed - packed_length);
}

static bool serve_packed(struct peer *peer) {
    SCOPED_LOCK(&asker_lock);
    peer_send_head(peer, "200 OK\r\nContent-Encoding: gzip\r\nETag: \"x\"\r\nContent-Length: %zu",
                   packed_length);
    peer_send_bytes(peer, packed, packed_length);
    return true;
}

static void gzip_is_undone(void **state) {
    (void)state;
    asker_begin(serve_packed);
    pack("hello, hello, hello", 19);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_true(asker.content.encoded);
    assert_true(asker.content.size == SIZE_UNKNOWN);
    assert_string_equal(asker.content.validator, "");
    assert_body("hello, hello, hello");
    pack_more(" and more", 9); /* two members are one body */
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("hello, hello, hello and more");
    assert_int_equal(origin_connections(asker.origin), 1);
}

static void cut_packed(size_t bytes) {
    SCOPED_LOCK(&asker_lock);
    packed_length -= bytes;
}

static void damage_packed(size_t at) {
    SCOPED_LOCK(&asker_lock);
    packed[at] ^= 1;
}

static void broken_gzip_is_told(void **state) {
    (void)state;
    asker_begin(serve_packed);
    pack("hello, hello, hello", 19);
    cut_packed(1);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_broken(ERROR_LENGTH);
    pack("hello, hello, hello", 19);
    damage_packed(packed_length - 1);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_broken(ERROR_ENCODING);
    damage_packed(0);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_broken(ERROR_ENCODING);
}

static void pack_zeros(size_t count) {
    void *zeros = calloc(1, count);
    pack(zeros, count);
    free(zeros);
}

/* Reads to the end, or to where it breaks; the bytes that came, and what the last read said. */
static size_t read_all(ssize_t *out_last) {
    static char piece[65536];
    size_t length = 0;
    while ((*out_last = reader_read(asker.reader, piece, sizeof piece, &asker.err)) > 0)
        length += (size_t)*out_last;
    return length;
}

/* A little that unfolds to much is pulled piece by piece. */
static void gzip_may_unfold_to_much(void **state) {
    (void)state;
    asker_begin(serve_packed);
    pack_zeros(UNFOLDED_FREE_BYTES);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    ssize_t last;
    assert_int_equal(read_all(&last), UNFOLDED_FREE_BYTES);
    assert_int_equal(last, 0);
}

static void gzip_bombs_are_refused(void **state) {
    (void)state;
    asker_begin(serve_packed);
    pack_zeros(2 * (size_t)UNFOLDED_FREE_BYTES);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    ssize_t last;
    assert_true(read_all(&last) <= UNFOLDED_FREE_BYTES);
    assert_int_equal(last, -1);
    assert_int_equal(asker.err.kind, ERROR_ENCODING);
    assert_non_null(strstr(asker.err.what, "is a bomb"));
}

static void other_codings_are_refused(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", NULL);
    assert_failed(ERROR_ENCODING);
}

static void a_short_body_is_told(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhello", NULL);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
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
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello world", NULL);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_broken(ERROR_LENGTH);
    asker_can("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("hello");
}

static void what_comes_behind_a_body_is_no_next_answer(void **state) {
    (void)state;
    asker_begin(serve_excess_later);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    origin_open_gate(asker.origin);
    assert_broken(ERROR_LENGTH);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
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
    asker_begin(serve_excess_last);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("hello");
    origin_open_gate(asker.origin);
    sem_wait(&excess_sent);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_body("true");
}

static void two_lengths_are_refused(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n"
              "Connection: close\r\n\r\nhello!",
              NULL);
    assert_failed(ERROR_LENGTH);
}

static void a_chunked_body_is_read(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n6\r\n world\r\n0\r\nETag: \"late\"\r\n\r\n",
              NULL);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(asker_ask(), SOURCE_FOUND);
        assert_true(asker.content.size == SIZE_UNKNOWN);
        assert_body("hello world");
    }
    assert_int_equal(origin_connections(asker.origin), 1);
}

static void a_cut_chunked_body_is_told(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
              "5\r\nhello\r\n6\r\n wo",
              NULL);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_broken(ERROR_RESET);
}

static void a_body_may_end_with_its_connection(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello", NULL);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_true(asker.content.size == SIZE_UNKNOWN);
    assert_body("hello");
}

static void an_empty_body_is_found(void **state) {
    (void)state;
    asker_begin(asker_serve_canned);
    asker_can("HTTP/1.1 200 OK\r\nETag: W/\"weak\"\r\nContent-Type: text/plain\r\n"
              "Content-Length: 0\r\n\r\n",
              NULL);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_int_equal(asker.content.size, 0);
    assert_true(asker.content.announced_text);
    assert_string_equal(asker.content.validator, "");
    assert_body("");
}

static bool serve_reset(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    return peer_pass_gate(peer) ? peer_reset(peer) : false;
}

static void a_reset_in_the_body_is_told(void **state) {
    (void)state;
    asker_begin(serve_reset);
    char bytes[64];
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_int_equal(reader_read(asker.reader, bytes, sizeof bytes, &asker.err), 5);
    assert_false(reader_ready(asker.reader));
    origin_open_gate(asker.origin);
    assert_broken(ERROR_RESET);
}

static bool serve_nothing(struct peer *peer) {
    (void)peer;
    return false;
}

static void a_connection_closed_without_an_answer_is_a_reset(void **state) {
    (void)state;
    asker_begin(serve_nothing);
    assert_failed(ERROR_RESET);
    assert_int_equal(origin_requests(asker.origin), 1);
}

static bool serve_and_close_kept(struct peer *peer) {
    if (peer->connection == 0 && peer->request == 1)
        return false;
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    return true;
}

static void a_kept_connection_that_ends_is_no_failure(void **state) {
    (void)state;
    asker_begin(serve_and_close_kept);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(asker_ask(), SOURCE_FOUND);
        assert_body("hello");
    }
    assert_int_equal(origin_connections(asker.origin), 2);
    assert_int_equal(origin_requests(asker.origin), 3);
}

static bool serve_silence(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n");
    peer_pass_gate(peer);
    return false;
}

static void a_silent_source_fails_at_its_limit(void **state) {
    (void)state;
    asker_begin_bare(serve_silence);
    struct source_options options = asker_options(origin_url(asker.origin, "/base"));
    options.first_byte_ms = 200;
    asker_use(&options);
    assert_failed(ERROR_TIMEOUT);
}

static bool serve_stall(struct peer *peer) {
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    peer_pass_gate(peer);
    return false;
}

static void a_body_that_stops_has_stalled(void **state) {
    (void)state;
    asker_begin_bare(serve_stall);
    struct source_options options = asker_options(origin_url(asker.origin, "/base"));
    options.stall_ms = 200;
    asker_use(&options);
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_broken(ERROR_STALLED);
}

static void *raise_after_request(void *context) {
    (void)context;
    origin_wait_requests(asker.origin, 1);
    cancel_raise(&asker.cancel);
    return NULL;
}

static void a_cancel_ends_waiting_for_the_head(void **state) {
    (void)state;
    asker_begin(serve_silence);
    pthread_t thread;
    assert_true(thread_start(&thread, "raise", raise_after_request, NULL, NULL));
    assert_failed(ERROR_CANCELLED);
    pthread_join(thread, NULL);
    assert_failed(ERROR_CANCELLED);
}

static void a_cancel_ends_waiting_for_the_body(void **state) {
    (void)state;
    asker_begin(serve_stall);
    char bytes[64];
    assert_int_equal(asker_ask(), SOURCE_FOUND);
    assert_int_equal(reader_read(asker.reader, bytes, sizeof bytes, &asker.err), 5);
    pthread_t thread;
    assert_true(thread_start(&thread, "raise", raise_after_request, NULL, NULL));
    assert_broken(ERROR_CANCELLED);
    pthread_join(thread, NULL);
}

enum { LARGE = 24 * 1024 * 1024 };

static char *large; /* guarded by the lock of what is canned */

static bool serve_large(struct peer *peer) {
    SCOPED_LOCK(&asker_lock);
    peer_send_head(peer, "200 OK\r\nContent-Length: %d", LARGE);
    peer_send_bytes(peer, large, LARGE);
    return true;
}

static void a_large_body_comes_whole(void **state) {
    (void)state;
    static const size_t pieces[] = {4096, 65536, 1024 * 1024, 3 * 1024 * 1024};
    asker_begin(serve_large);
    char *got = malloc(LARGE + 1);
    lock_take(&asker_lock);
    large = malloc(LARGE);
    for (unsigned i = 0; i < LARGE; i++)
        large[i] = (char)(i * 2654435761U >> 24);
    lock_give(&asker_lock);
    for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_int_equal(asker_ask(), SOURCE_FOUND);
        assert_int_equal(asker_read(got, LARGE + 1, pieces[i]), LARGE);
        assert_memory_equal(got, large, LARGE);
    }
    assert_int_equal(origin_connections(asker.origin), 1);
    free(got);
    SCOPED_LOCK(&asker_lock);
    free(large);
}

#define TEST(name) cmocka_unit_test_teardown(name, asker_finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(gzip_is_undone),
        TEST(broken_gzip_is_told),
        TEST(gzip_may_unfold_to_much),
        TEST(gzip_bombs_are_refused),
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
        TEST(a_large_body_comes_whole),
    };
    source_http_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
