// SPDX-License-Identifier: MIT
//
// The far end of the log: opened sinks, the form of a line, rotation. Used by base/log.c only:
// log_files_open on the thread that starts or reloads, everything else on the log's own thread.
// Lines are gathered per sink and written in large pieces; a sink that cannot be written says so
// once on standard error, loses its lines (counted), and is tried again.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/log.h"

enum {
    LOG_TEXT_MAX = 4096, /* of a line's text, with its end */
    LOG_HEAD_MAX = 40,   /* "2026-11-24 08:15:05.123 WARNING " */
};

struct log_files;

/* Opens every sink; NULL when one of them cannot be, as a pipe that nobody reads. `lost` counts
   the lines that a sink could not take, each sink's for itself, and must stay. */
struct log_files *log_files_open(const struct log_sink *sinks, size_t count, counter *lost,
                                 struct error *err) MUST_CHECK;

/* Writes what is pending, closes and frees; NULL is allowed. */
void log_files_free(struct log_files *files);

/* Puts a line into every sink whose level lets it through, rotating where it would grow too long.
 */
void log_files_line(struct log_files *files, int64_t at_ns, enum log_level level, const char *text,
                    size_t length);

/* Writes what is pending; false while there is a sink that cannot be written. */
bool log_files_flush(struct log_files *files);

/* Writes what is pending, closes the files and opens them by name again. */
void log_files_reopen(struct log_files *files);

/* One line on standard error at once, from any thread. */
void log_files_direct(int64_t at_ns, enum log_level level, const char *text, size_t length);
