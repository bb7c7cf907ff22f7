// SPDX-License-Identifier: MIT
//
// Prometheus text: every counter of every module, from tables. Names and meanings are listed by
// tools from here (docs/metrics.md).
#include <stddef.h>

#include "base/log.h"
#include "server/exchange.h"
#include "server/internal.h"

enum owner { OWNER_RECORDER, OWNER_SYMBOLS, OWNER_CACHE, OWNER_ABSENCES };

struct metric {
    const char *name;
    const char *help;
    bool gauge;
    enum owner owner;
    size_t offset;
};

#define RECORDER(field) OWNER_RECORDER, offsetof(struct recorder_counters, field)
#define SYMBOLS(field) OWNER_SYMBOLS, offsetof(struct symbols_counters, field)
#define CACHE(field) OWNER_CACHE, offsetof(struct cache_counters, field)
#define ABSENCES(field) OWNER_ABSENCES, offsetof(struct absences_counters, field)

static const struct metric metrics[] = {
    {"symgate_requests_total", "Requests answered", false, RECORDER(requests)},
    {"symgate_sent_bytes_total", "Bytes of bodies sent", false, RECORDER(bytes_sent)},
    {"symgate_broken_total", "Answers that did not come to their end", false, RECORDER(broken)},
    {"symgate_hung_up_total", "Answers that the client did not wait for", false, RECORDER(hung_up)},
    {"symgate_searches_total", "Searches begun", false, SYMBOLS(searches)},
    {"symgate_attempts_total", "Questions put into the sources' queues", false, SYMBOLS(attempts)},
    {"symgate_hedges_total", "Questions asked beside a silent source", false, SYMBOLS(hedges)},
    {"symgate_take_ups_total", "Bodies taken up after a break", false, SYMBOLS(take_ups)},
    {"symgate_replaced_total", "Copies replaced because other bytes had to take their place", false,
     SYMBOLS(replaced)},
    {"symgate_dropped_total", "Searches dropped because nobody wanted them any more", false,
     SYMBOLS(dropped)},
    {"symgate_renewals_total", "Kept files looked after in the background", false,
     SYMBOLS(renewals)},
    {"symgate_renewed_total", "Kept files replaced by newer or better ones", false,
     SYMBOLS(renewed)},
    {"symgate_pattern_limits_total", "Filters that gave up at their limit", false,
     SYMBOLS(pattern_limits)},
    {"symgate_open_files", "Complete files held open", true, CACHE(open_files)},
    {"symgate_small_bytes", "Memory that holds small bodies", true, CACHE(small_bytes)},
    {"symgate_searching", "Copies searched for or arriving", true, CACHE(searching)},
    {"symgate_committed_total", "Files put on a shelf", false, CACHE(committed)},
    {"symgate_not_kept_total", "Files delivered and not kept", false, CACHE(not_kept)},
    {"symgate_evicted_total", "Descriptors closed to make room", false, CACHE(evicted)},
    {"symgate_absences", "Absences remembered", true, ABSENCES(entries)},
    {"symgate_absences_learned_total", "Absences learned", false, ABSENCES(remembered)},
    {"symgate_absences_found_total", "Questions spared by a remembered absence", false,
     ABSENCES(found)},
    {"symgate_absences_displaced_total", "Absences forgotten to make room", false,
     ABSENCES(displaced)},
    {"symgate_absences_unlogged_total", "Absences that could not be written down", false,
     ABSENCES(unlogged)},
};

struct source_metric {
    const char *name;
    const char *help;
    bool of_queue;
    bool gauge;
    size_t offset;
};

#define SOURCE(field) false, false, offsetof(struct source_counters, field)
#define QUEUE(field, gauge) true, gauge, offsetof(struct queue_counters, field)

static const struct source_metric source_metrics[] = {
    {"symgate_source_asked_total", "Questions put to the server", SOURCE(asked)},
    {"symgate_source_found_total", "Files it delivered", SOURCE(found)},
    {"symgate_source_absent_total", "Times it said no", SOURCE(absent)},
    {"symgate_source_failed_total", "Times it could not answer", SOURCE(failed)},
    {"symgate_source_lost_total", "Files that another server delivered first", SOURCE(lost)},
    {"symgate_source_login_total", "Login pages it sent in place of files", SOURCE(login)},
    {"symgate_source_bytes_total", "Bytes that came from it", SOURCE(bytes)},
    {"symgate_source_waiting", "Questions that wait for a place", QUEUE(waiting, true)},
    {"symgate_source_running", "Places taken", QUEUE(running, true)},
    {"symgate_source_lent", "Bodies that go on without a place", QUEUE(lent, true)},
    {"symgate_source_busy_total", "Questions refused because the queue was full",
     QUEUE(busy, false)},
};

static void describe(struct buffer *out, const char *name, const char *help, bool gauge) {
    buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                  gauge ? "gauge" : "counter");
}

static const void *owner_of(const struct server_options *options, enum owner owner) {
    switch (owner) {
    case OWNER_RECORDER:
        return recorder_counters(options->recorder);
    case OWNER_SYMBOLS:
        return symbols_counters(options->symbols);
    case OWNER_CACHE:
        return cache_counters(options->cache);
    case OWNER_ABSENCES:
        break;
    }
    return absences_counters(options->absences);
}

static uint64_t value_at(const void *counters, size_t offset) {
    return counted((const counter *)(const void *)((const char *)counters + offset));
}

static void append_metrics(struct buffer *out, const struct server_options *options) {
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        const struct metric *metric = &metrics[i];
        describe(out, metric->name, metric->help, metric->gauge);
        buffer_format(
            out, "%s %llu\n", metric->name,
            (unsigned long long)value_at(owner_of(options, metric->owner), metric->offset));
    }
}

static void append_verdicts(struct buffer *out, const struct recorder *recorder) {
    describe(out, "symgate_verdicts_total", "Requests by verdict", false);
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        buffer_format(out, "symgate_verdicts_total{verdict=\"%s\"} %llu\n",
                      verdict_name((enum verdict)i),
                      (unsigned long long)counted(&recorder_counters(recorder)->by_verdict[i]));
}

static void append_sources(struct buffer *out, const struct roster *roster) {
    for (size_t i = 0; i < sizeof source_metrics / sizeof *source_metrics; i++) {
        const struct source_metric *metric = &source_metrics[i];
        describe(out, metric->name, metric->help, metric->gauge);
        for (unsigned n = 0; n < roster->count; n++) {
            const struct source *source = roster->sources[n];
            const void *counters = metric->of_queue ? (const void *)queue_counters(source->queue)
                                                    : (const void *)source->counters;
            buffer_format(out, "%s{source=\"", metric->name);
            buffer_append_json(out, source->options.identifier);
            buffer_format(out, "\"} %llu\n",
                          (unsigned long long)value_at(counters, metric->offset));
        }
    }
}

static void append_own(struct buffer *out, const struct server *server) {
    describe(out, "symgate_connections", "Client connections open", true);
    buffer_format(out, "symgate_connections %u\n", server->connections);
    describe(out, "symgate_connections_refused_total", "Connections closed to stay below the limit",
             false);
    buffer_format(out, "symgate_connections_refused_total %llu\n",
                  (unsigned long long)counted(&server->refused_connections));
    describe(out, "symgate_log_dropped_total", "Log lines lost to a slow disk", false);
    buffer_format(out, "symgate_log_dropped_total %llu\n", (unsigned long long)log_dropped());
}

void serve_metrics(struct exchange *exchange) {
    const struct server *server = exchange->connection->loop->server;
    struct buffer *out = &exchange->text;
    append_metrics(out, &server->options);
    append_verdicts(out, server->options.recorder);
    append_sources(out, exchange->settings->roster);
    append_own(out, server);
    answer_buffer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8");
}
