// SPDX-License-Identifier: MIT
#include "unit/source/asker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/lock.h"

enum { CANNED_BYTES = 512 };

struct asker asker;
pthread_mutex_t asker_lock = PTHREAD_MUTEX_INITIALIZER;
const struct hash_key asker_key = {{1, 2}};

/* Guarded by asker_lock. */
static char canned[2][CANNED_BYTES];
static unsigned canned_sent;

struct source_options asker_options(const char *remote) {
    return (struct source_options){.identifier = "one",
                                   .name = "One",
                                   .remote = remote,
                                   .enabled = true,
                                   .first_byte_ms = 20000,
                                   .stall_ms = 20000,
                                   .user_agent = "tester/1",
                                   .absent_statuses = {403}};
}

void asker_use(const struct source_options *options) {
    asker.source = source_http_new(options, &asker_key, &asker.err);
    assert_non_null(asker.source);
    asker.worker = asker.source->ops->worker_new();
}

void asker_begin_bare(origin_script *script) {
    memset(&asker, 0, sizeof asker);
    cancel_init(&asker.cancel);
    snprintf(asker.path, sizeof asker.path, "%s", &ASKER_PATH[strlen("/base/")]);
    asker.origin = origin_new(script);
}

void asker_begin(origin_script *script) {
    asker_begin_bare(script);
    struct source_options options = asker_options(origin_url(asker.origin, "/base"));
    asker_use(&options);
}

int asker_finish(void **state) {
    (void)state;
    reader_close(asker.reader);
    if (asker.source) {
        asker.source->ops->worker_free(asker.worker);
        source_free(asker.source);
    }
    origin_free(asker.origin);
    cancel_release(&asker.cancel);
    return 0;
}

enum source_answer asker_ask_with(const struct resume *resume, bool fresh_connection) {
    reader_close(asker.reader);
    asker.reader = NULL;
    error_clear(&asker.err);
    asker.note = (struct attempt_note){0};
    asker.call = (struct source_call){.path = asker.path,
                                      .resume = resume,
                                      .unless = asker.unless,
                                      .cancel = &asker.cancel,
                                      .fresh_connection = fresh_connection,
                                      .note = &asker.note};
    struct source_local local;
    return asker.source->ops->ask(asker.source, asker.worker, &asker.call, true, &asker.content,
                                  &asker.reader, &local, &asker.err);
}

enum source_answer asker_ask(void) {
    return asker_ask_with(NULL, false);
}

ssize_t asker_read(char *bytes, size_t size, size_t piece) {
    size_t used = 0;
    for (;;) {
        assert_true(used < size);
        size_t room = size - used < piece ? size - used : piece;
        ssize_t got = reader_read(asker.reader, bytes + used, room, &asker.err);
        if (got <= 0)
            return got < 0 ? -1 : (ssize_t)used;
        used += (size_t)got;
    }
}

void assert_body(const char *expected) {
    char bytes[4096];
    ssize_t length = asker_read(bytes, sizeof bytes - 1, 7);
    assert_true(length >= 0);
    bytes[length] = '\0';
    assert_string_equal(bytes, expected);
}

void assert_broken(enum error_kind kind) {
    static char bytes[1024 * 1024];
    assert_int_equal(asker_read(bytes, sizeof bytes, sizeof bytes), -1);
    assert_string_equal(error_kind_name(asker.err.kind), error_kind_name(kind));
}

void assert_failed(enum error_kind kind) {
    assert_int_equal(asker_ask(), SOURCE_FAILED);
    assert_string_equal(error_kind_name(asker.err.kind), error_kind_name(kind));
    assert_true(asker.err.what[0]);
}

void asker_can(const char *first, const char *then) {
    SCOPED_LOCK(&asker_lock);
    snprintf(canned[0], CANNED_BYTES, "%s", first);
    snprintf(canned[1], CANNED_BYTES, "%s", then ? then : first);
    canned_sent = 0;
}

bool asker_serve_canned(struct peer *peer) {
    char text[CANNED_BYTES];
    {
        SCOPED_LOCK(&asker_lock);
        snprintf(text, sizeof text, "%s", canned[canned_sent]);
        canned_sent = 1;
    }
    peer_send(peer, text);
    return !strcasestr(text, "connection: close");
}
