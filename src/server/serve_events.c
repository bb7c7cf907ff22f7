// SPDX-License-Identifier: MIT
//
// Server-sent events (the HTML standard, "Server-sent events"): "overview" and "copies", each when
// something in it has changed, at most once a second. The texts are made by a pool thread once for
// all who watch, and only while somebody does; loops look at their streams at each tick. Whoever
// reads slowly gets the newest when the last is out. A stream ends when the client goes, or at once
// when the server stops.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "server/api.h"

enum {
    EVERY_MS = 1000,
    QUIET_MS = 15000, /* after so long a stream says that it lives */
    TEXT_BYTES_MAX = 4 * 1024 * 1024,
    STREAMS_MAX = 500,
};

enum event { EVENT_OVERVIEW, EVENT_COPIES, EVENTS };

static const char *const names[EVENTS] = {"overview", "copies"};

struct events {
    struct server *server;
    _Atomic unsigned streams;
    pthread_mutex_t lock; /* guards all below */
    struct pool_job job;
    bool making;
    int64_t made_ms;  /* when the last job was begun */
    uint64_t version; /* rises with each change */
    struct {
        char *text; /* NULL: none yet */
        uint64_t version;
    } last[EVENTS];
};

struct events *events_new(struct server *server) {
    struct events *events = NEW(struct events);
    events->server = server;
    events->made_ms = clock_ms() - EVERY_MS;
    pthread_mutex_init(&events->lock, NULL);
    return events;
}

bool events_free(struct events *events) {
    if (!events)
        return true;
    {
        SCOPED_LOCK(&events->lock);
        if (events->making)
            return false;
    }
    for (unsigned i = 0; i < EVENTS; i++)
        free(events->last[i].text);
    pthread_mutex_destroy(&events->lock);
    free(events);
    return true;
}

/* --- making ---------------------------------------------------------------------------------- */

static struct settings *take_settings(struct server *server) {
    SCOPED_LOCK(&server->settings_lock);
    return settings_ref(server->settings);
}

static void keep(struct events *events, enum event event, const struct buffer *text) {
    char *bytes = text->failed ? NULL : memory_text(text->bytes);
    SCOPED_LOCK(&events->lock);
    char *before = events->last[event].text;
    if (!bytes || (before && strcmp(before, bytes) == 0)) {
        free(bytes);
        return;
    }
    events->last[event].text = bytes;
    events->last[event].version = ++events->version;
    free(before);
}

/* On a pool thread. */
static void make(struct pool_job *job) {
    struct events *events = LIST_ENTRY(job, struct events, job);
    struct server *server = events->server;
    struct settings *settings = take_settings(server);
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    recorder_settle(server->options.recorder);
    overview_append(&text, server, settings, NULL);
    keep(events, EVENT_OVERVIEW, &text);
    buffer_clear(&text);
    copies_append(&text, server->options.cache);
    keep(events, EVENT_COPIES, &text);
    settings_unref(settings);
    SCOPED_LOCK(&events->lock);
    events->making = false;
}

void events_tick(struct loop *loop) {
    struct events *events = loop->server->events;
    if (list_empty(&loop->streams))
        return;
    SCOPED_LOCK(&events->lock);
    if (events->making || loop->now_ms - events->made_ms < EVERY_MS)
        return;
    events->job = (struct pool_job){.run = make};
    events->making = pool_post(loop->server->pool, &events->job);
    events->made_ms = loop->now_ms;
}

/* --- sending --------------------------------------------------------------------------------- */

/* Each line of a text is a field of its own. */
static void append_event(struct buffer *out, enum event event, const char *text) {
    buffer_format(out, "event: %s\n", names[event]);
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        buffer_append_text(out, "data: ");
        buffer_append(out, line, length);
        buffer_append_text(out, "\n");
        line += length + (line[length] == '\n');
    }
    buffer_append_text(out, "\n");
}

bool events_next(struct exchange *exchange) {
    struct loop *loop = exchange->connection->loop;
    struct events *events = loop->server->events;
    buffer_clear(&exchange->text);
    exchange->text_sent = 0;
    {
        SCOPED_LOCK(&events->lock);
        for (unsigned i = 0; i < EVENTS; i++)
            if (events->last[i].version > exchange->call->seen)
                append_event(&exchange->text, (enum event)i, events->last[i].text);
        exchange->call->seen = events->version;
    }
    if (exchange->text.length == 0 && exchange->deadline_ms <= loop->now_ms)
        buffer_append_text(&exchange->text, ": still here\n\n");
    if (exchange->text.length > 0)
        exchange->deadline_ms = loop->now_ms + QUIET_MS;
    return exchange->text.length > 0;
}

void events_close(struct loop *loop) {
    LIST_EACH (node, &loop->streams) {
        struct exchange *exchange = LIST_ENTRY(node, struct exchange, in_loop);
        connection_close(exchange->connection, false);
    }
}

void serve_events(struct exchange *exchange, const char *query, const char *bytes) {
    (void)query, (void)bytes;
    struct loop *loop = exchange->connection->loop;
    struct events *events = loop->server->events;
    if (events->streams >= STREAMS_MAX) {
        api_refuse(exchange, 503, "too many pages watch already");
        return;
    }
    exchange->call = NEW(struct api_call);
    exchange->call->held = &events->streams;
    events->streams++;
    exchange->keep_alive = false;
    exchange->deadline_ms = loop->now_ms + QUIET_MS;
    answer_stream(exchange, "text/event-stream");
}
