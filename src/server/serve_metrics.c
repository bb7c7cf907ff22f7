// SPDX-License-Identifier: MIT
//
// Prometheus text: every counter of every module, from tables. Names and meanings are listed by
// tools from here (docs/metrics.md).
#include <stddef.h>

#include "base/log.h"
#include "proxy/provenance.h"
#include "proxy/quarantine.h"
#include "server/exchange.h"
#include "server/internal.h"
#include "server/metrics.h"
#include "source/source_index.h"
#include "store/vetting.h"

enum owner {
    OWNER_LEDGER,
    OWNER_RECORDER,
    OWNER_SYMBOLS,
    OWNER_CACHE,
    OWNER_ABSENCES,
    OWNER_VETTING,
    OWNER_QUARANTINE,
};

struct metric {
    const char *name;
    const char *help;
    bool gauge;
    enum owner owner;
    size_t offset;
};

#define LEDGER(field) OWNER_LEDGER, offsetof(struct ledger_counters, field)
#define RECORDER(field) OWNER_RECORDER, offsetof(struct recorder_counters, field)
#define SYMBOLS(field) OWNER_SYMBOLS, offsetof(struct symbols_counters, field)
#define CACHE(field) OWNER_CACHE, offsetof(struct cache_counters, field)
#define ABSENCES(field) OWNER_ABSENCES, offsetof(struct absences_counters, field)
#define VETTING(field) OWNER_VETTING, offsetof(struct vetting_counters, field)
#define QUARANTINE(field) OWNER_QUARANTINE, offsetof(struct quarantine_counters, field)

static const struct metric metrics[] = {
    {"symgate_requests_total", "Requests answered", false, RECORDER(requests)},
    {"symgate_sent_bytes_total", "Bytes of bodies sent", false, RECORDER(bytes_sent)},
    {"symgate_broken_total", "Answers that did not come to their end", false, RECORDER(broken)},
    {"symgate_hung_up_total", "Answers that the client did not wait for", false, RECORDER(hung_up)},
    {"symgate_outcomes_lost_total", "Requests without log line and detail, for lack of time", false,
     RECORDER(lost)},
    {"symgate_statistics_enabled", "Are statistics kept (general.enableStatistics)", true,
     LEDGER(enabled)},
    {"symgate_statistics_written_total", "Times that statistics were written", false,
     LEDGER(written)},
    {"symgate_statistics_failed_total", "Times that they could not be written", false,
     LEDGER(unwritten)},
    {"symgate_statistics_lost_total", "Details of statistics left out for want of room", false,
     LEDGER(lost)},
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
    {"symgate_shelf_checks_total", "Files on shelves checked for what they are", false,
     VETTING(checked)},
    {"symgate_shelf_false_total", "Files on shelves found not to be what their names say", false,
     VETTING(false_files)},
    {"symgate_absences", "Absences remembered", true, ABSENCES(entries)},
    {"symgate_absences_learned_total", "Absences learned", false, ABSENCES(remembered)},
    {"symgate_absences_found_total", "Questions spared by a remembered absence", false,
     ABSENCES(found)},
    {"symgate_absences_displaced_total", "Absences forgotten to make room", false,
     ABSENCES(displaced)},
    {"symgate_absences_unlogged_total", "Absences that could not be written down", false,
     ABSENCES(unlogged)},
    {"symgate_quarantine_records", "Refused bodies remembered", true, QUARANTINE(records)},
    {"symgate_quarantine_refused_total", "Bodies refused", false, QUARANTINE(refused)},
    {"symgate_quarantine_displaced_total", "Refused bodies forgotten to make room", false,
     QUARANTINE(displaced)},
    {"symgate_quarantine_lost_total", "Refused bodies not noted, or not written down", false,
     QUARANTINE(lost)},
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
    {"symgate_source_ranges_total", "Parts of long bodies that were asked for beside others",
     SOURCE(ranges)},
    {"symgate_source_ranges_taken_up_total",
     "Parts of long bodies that broke and were asked for again", SOURCE(ranges_taken_up)},
    {"symgate_source_ranges_given_up_total",
     "Long bodies that went back to one connection after a refusal or too many breaks",
     SOURCE(ranges_given_up)},
    {"symgate_source_login_total", "Login pages it sent in place of files", SOURCE(login)},
    {"symgate_source_bytes_total", "Bytes that came from it", SOURCE(bytes)},
    {"symgate_source_waiting", "Questions that wait for a place", QUEUE(waiting, true)},
    {"symgate_source_running", "Places taken", QUEUE(running, true)},
    {"symgate_source_lent", "Bodies that go on without a place", QUEUE(lent, true)},
    {"symgate_source_busy_total", "Questions refused because the queue was full",
     QUEUE(busy, false)},
};

/* What a server's rests come to. */
enum rest_metric {
    REST_METRIC_LEFT,
    REST_METRIC_FAILURES,
    REST_METRIC_BEGUN,
    REST_METRIC_HOSTS,
    REST_METRIC_HOSTS_BEGUN,
    REST_METRIC_HOSTS_REFUSED,
    REST_METRIC_HOSTS_PUSHED,
    REST_METRICS
};

static const struct {
    const char *name;
    const char *help;
    bool gauge;
} rest_metrics[REST_METRICS] = {
    [REST_METRIC_LEFT] = {"symgate_source_rest_seconds", "Until its rest is over", true},
    [REST_METRIC_FAILURES] = {"symgate_source_rest_failures", "Failures that count at present",
                              true},
    [REST_METRIC_BEGUN] = {"symgate_source_rests_total", "Rests begun, prolonged ones too", false},
    [REST_METRIC_HOSTS] = {"symgate_source_hosts_resting", "Hosts behind its redirects that rest",
                           true},
    [REST_METRIC_HOSTS_BEGUN] = {"symgate_source_host_rests_total", "Their rests begun", false},
    [REST_METRIC_HOSTS_REFUSED] = {"symgate_source_host_refused_total",
                                   "Redirects not followed because the host rests", false},
    [REST_METRIC_HOSTS_PUSHED] = {"symgate_source_host_pushed_total",
                                  "Hosts forgotten to make room for others", false},
};

void metric_describe(struct buffer *out, const char *name, const char *help, const char *type) {
    buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void describe(struct buffer *out, const char *name, const char *help, bool gauge) {
    metric_describe(out, name, help, gauge ? "gauge" : "counter");
}

static const void *owner_of(const struct server_options *options, enum owner owner) {
    switch (owner) {
    case OWNER_LEDGER:
        return ledger_counters(options->ledger);
    case OWNER_RECORDER:
        return recorder_counters(options->recorder);
    case OWNER_SYMBOLS:
        return symbols_counters(options->symbols);
    case OWNER_CACHE:
        return cache_counters(options->cache);
    case OWNER_VETTING:
        return vetting_counters(options->vetting);
    case OWNER_QUARANTINE:
        return quarantine_counters(symbols_quarantine(options->symbols));
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

void metric_label(struct buffer *out, const char *name, const struct source *source) {
    buffer_format(out, "%s{source=\"", name);
    buffer_append_json(out, source->options.identifier);
    buffer_append_text(out, "\"");
}

static void append_sources(struct buffer *out, const struct roster *roster) {
    for (size_t i = 0; i < sizeof source_metrics / sizeof *source_metrics; i++) {
        const struct source_metric *metric = &source_metrics[i];
        describe(out, metric->name, metric->help, metric->gauge);
        for (unsigned n = 0; n < roster->count; n++) {
            const struct source *source = roster->sources[n];
            const void *counters = metric->of_queue ? (const void *)queue_counters(source->queue)
                                                    : (const void *)source->counters;
            metric_label(out, metric->name, source);
            buffer_format(out, "} %llu\n", (unsigned long long)value_at(counters, metric->offset));
        }
    }
}

static uint64_t rest_value(const struct source *source, enum rest_metric metric) {
    struct rest *rest = queue_rest(source->queue);
    struct host_rests *hosts = queue_host_rests(source->queue);
    switch (metric) {
    case REST_METRIC_LEFT:
        return (uint64_t)(rest_view(rest).left_ms + 999) / 1000;
    case REST_METRIC_FAILURES:
        return rest_view(rest).failures;
    case REST_METRIC_BEGUN:
        return counted(&rest->begun);
    case REST_METRIC_HOSTS:
        return host_rests_resting(hosts);
    case REST_METRIC_HOSTS_BEGUN:
        return counted(&hosts->begun);
    case REST_METRIC_HOSTS_REFUSED:
        return counted(&hosts->refused);
    case REST_METRIC_HOSTS_PUSHED:
        return counted(&hosts->pushed);
    case REST_METRICS:
        break;
    }
    return 0;
}

/* One line for each cause, so that each is a series of its own. */
static void append_causes(struct buffer *out, const struct roster *roster) {
    const char *name = "symgate_source_resting";
    describe(out, name, "Whether it rests, by cause", true);
    for (unsigned n = 0; n < roster->count; n++) {
        const struct source *source = roster->sources[n];
        enum rest_cause cause = rest_view(queue_rest(source->queue)).cause;
        for (unsigned i = REST_NONE + 1; i < REST_CAUSES; i++) {
            metric_label(out, name, source);
            buffer_format(out, ",cause=\"%s\"} %d\n", rest_cause_name((enum rest_cause)i),
                          cause == (enum rest_cause)i);
        }
    }
}

static void append_rests(struct buffer *out, const struct roster *roster) {
    append_causes(out, roster);
    for (unsigned i = 0; i < REST_METRICS; i++) {
        describe(out, rest_metrics[i].name, rest_metrics[i].help, rest_metrics[i].gauge);
        for (unsigned n = 0; n < roster->count; n++) {
            metric_label(out, rest_metrics[i].name, roster->sources[n]);
            buffer_format(out, "} %llu\n",
                          (unsigned long long)rest_value(roster->sources[n], (enum rest_metric)i));
        }
    }
}

/* What a server's published index comes to; 0 without one. */
static const struct {
    const char *name;
    const char *help;
    bool gauge;
    size_t offset;
} index_metrics[] = {
    {"symgate_source_index_files", "Files that its index lists", true,
     offsetof(struct source_index, files)},
    {"symgate_source_index_spared_total", "Questions spared by its index", false,
     offsetof(struct source_index, spared)},
    {"symgate_source_index_failures_total", "Times its index could not be read", false,
     offsetof(struct source_index, failures)},
};

static void append_indexes(struct buffer *out, const struct roster *roster) {
    for (size_t i = 0; i < sizeof index_metrics / sizeof *index_metrics; i++) {
        const char *name = index_metrics[i].name;
        describe(out, name, index_metrics[i].help, index_metrics[i].gauge);
        for (unsigned n = 0; n < roster->count; n++) {
            const struct source_index *index = roster->sources[n]->index;
            metric_label(out, name, roster->sources[n]);
            buffer_format(
                out, "} %llu\n",
                (unsigned long long)(index ? value_at(index, index_metrics[i].offset) : 0));
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
    describe(out, "symgate_provenance_lost_total",
             "Kept files of which it was not written down where they came from", false);
    buffer_format(out, "symgate_provenance_lost_total %llu\n",
                  (unsigned long long)provenance_lost(symbols_provenance(server->options.symbols)));
    describe(out, "symgate_log_dropped_total", "Log lines lost to a slow or full disk", false);
    buffer_format(out, "symgate_log_dropped_total %llu\n", (unsigned long long)log_dropped());
}

void serve_metrics(struct exchange *exchange) {
    const struct server *server = exchange->connection->loop->server;
    struct buffer *out = &exchange->text;
    append_metrics(out, &server->options);
    append_verdicts(out, server->options.recorder);
    append_sources(out, exchange->settings->roster);
    append_rests(out, exchange->settings->roster);
    append_indexes(out, exchange->settings->roster);
    metrics_spreads(out, &server->options, exchange->settings->roster);
    append_own(out, server);
    answer_buffer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8");
}
