// SPDX-License-Identifier: MIT
//
// Metrics that are more than one number: histograms of waiting times and sizes, of each server's
// answers, and its failures by cause.
#include "server/metrics.h"

#include <string.h>

#include "store/usage.h"

/* One histogram's lines: `labels` stands within the braces of each ("" or `source="…",`). */
struct spread {
    const char *name;
    const char *labels;
    enum histogram_scale scale;
    double unit; /* by which bounds and the sum are divided */
    const counter *counts;
    uint64_t sum;
};

static void append_spread(struct buffer *out, const struct spread *spread) {
    unsigned last = histogram_steps(spread->scale) - 1;
    uint64_t below = 0;
    for (unsigned i = 0; i < last; i++) {
        below += counted(&spread->counts[i]);
        buffer_format(out, "%s_bucket{%sle=\"%.9g\"} %llu\n", spread->name, spread->labels,
                      (double)histogram_bound(spread->scale, i) / spread->unit,
                      (unsigned long long)below);
    }
    below += counted(&spread->counts[last]);
    size_t labels = strlen(spread->labels);
    const char *open = labels ? "{" : "", *close = labels ? "}" : "";
    int length = labels ? (int)labels - 1 : 0; /* without the comma */
    buffer_format(out, "%s_bucket{%sle=\"+Inf\"} %llu\n", spread->name, spread->labels,
                  (unsigned long long)below);
    buffer_format(out, "%s_sum%s%.*s%s %.9g\n", spread->name, open, length, spread->labels, close,
                  (double)spread->sum / spread->unit);
    buffer_format(out, "%s_count%s%.*s%s %llu\n", spread->name, open, length, spread->labels, close,
                  (unsigned long long)below);
}

static void append_lookups(struct buffer *out, const struct ledger_counters *counters) {
    const struct spread waits = {
        .name = "symgate_wait_seconds",
        .labels = "",
        .scale = SCALE_TIME,
        .unit = 1e6,
        .counts = counters->waits,
        .sum = counted(&counters->wait_us),
    };
    const struct spread sizes = {
        .name = "symgate_answer_bytes",
        .labels = "",
        .scale = SCALE_SIZE,
        .unit = 1,
        .counts = counters->sizes,
        .sum = counted(&counters->size_bytes),
    };
    metric_describe(out, waits.name, "How long symbol requests waited for their answers to begin",
                    "histogram");
    append_spread(out, &waits);
    metric_describe(out, sizes.name, "How large the bodies sent for symbol requests were",
                    "histogram");
    append_spread(out, &sizes);
}

static void append_answers(struct buffer *out, const struct roster *roster) {
    const char *name = "symgate_source_answer_seconds";
    metric_describe(out, name, "How long the server's answers took to begin", "histogram");
    for (unsigned i = 0; i < roster->count; i++) {
        const struct source *source = roster->sources[i];
        CLEANUP(buffer_release) struct buffer labels;
        buffer_init(&labels, 1024);
        buffer_append_text(&labels, "source=\"");
        buffer_append_json(&labels, source->options.identifier);
        buffer_append_text(&labels, "\",");
        const struct spread times = {
            .name = name,
            .labels = labels.bytes,
            .scale = SCALE_TIME,
            .unit = 1e6,
            .counts = source->counters->times,
            .sum = counted(&source->counters->time_us),
        };
        append_spread(out, &times);
    }
}

/* Those that have happened: there are many causes, and each server knows few. */
static void append_causes(struct buffer *out, const struct roster *roster) {
    const char *name = "symgate_source_failures_total";
    metric_describe(out, name, "Times it could not answer, by cause", "counter");
    for (unsigned i = 0; i < roster->count; i++)
        for (unsigned n = 0; n < ERROR_KIND_COUNT; n++) {
            uint64_t failures = counted(&roster->sources[i]->counters->failed_by[n]);
            if (failures == 0)
                continue;
            metric_label(out, name, roster->sources[i]);
            buffer_format(out, ",cause=\"%s\"} %llu\n", error_kind_name((enum error_kind)n),
                          (unsigned long long)failures);
        }
}

static void append_usage(struct buffer *out, const struct usage *usage) {
    struct usage_view view = {0};
    if (usage)
        usage_glance(usage, &view);
    metric_describe(out, "symgate_disk_usage_bytes", "Bytes of the files in the caches", "gauge");
    buffer_format(out, "symgate_disk_usage_bytes %llu\n", (unsigned long long)view.bytes);
    metric_describe(out, "symgate_disk_usage_counting", "Whether they are still being counted",
                    "gauge");
    buffer_format(out, "symgate_disk_usage_counting %d\n", view.counting);
}

void metrics_spreads(struct buffer *out, const struct server_options *options,
                     const struct roster *roster) {
    append_lookups(out, ledger_counters(options->ledger));
    append_answers(out, roster);
    append_causes(out, roster);
    append_usage(out, options->usage);
}
