// SPDX-License-Identifier: MIT
//
// What the parts of /metrics share (the Prometheus text format, version 0.0.4).
#pragma once

#include "base/buffer.h"
#include "server/server.h"

/* Appends the help and the type of a metric. */
void metric_describe(struct buffer *out, const char *name, const char *help, const char *type);

/* Appends the beginning of a server's line: name{source="identifier" */
void metric_label(struct buffer *out, const char *name, const struct source *source);

/* Appends histograms, failures by cause and what lies on the disk (metrics_spread.c). */
void metrics_spreads(struct buffer *out, const struct server_options *options,
                     const struct roster *roster);
