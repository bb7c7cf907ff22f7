// SPDX-License-Identifier: MIT
//
// The log. Lines are put into a bounded queue and written by one thread, so a slow or full log disk
// drops lines (counted) and never delays a request. Only `app`, the edges of `server` and
// background loops log. Where lines go is a list of sinks: the standard error stream, and files
// that rotate by size. Sinks are replaced as a whole on reload; log_reopen closes and opens files
// for outside rotation. Before log_start and after log_stop lines go to standard error at once.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_LEVEL_COUNT };

struct log_sink {
    char *path;           /* NULL: standard error */
    enum log_level level; /* lines below it are not written here */
    uint64_t bytes_max;   /* a file is rotated before it grows past this; 0: never */
    unsigned backups_max; /* how many rotated files (path.1 …) are kept; 0: never rotated, as with
                             Python */
};

/* Starts the writing thread with a copy of the sinks; level is the lowest that is queued at all.
   Folders of log files are made. Starting, reloading and stopping are for one thread, the main one.
 */
bool log_start(const struct log_sink *sinks, size_t count, enum log_level level,
               struct error *err) MUST_CHECK;

/* Replaces the sinks of a running log (reload). */
bool log_use(const struct log_sink *sinks, size_t count, enum log_level level,
             struct error *err) MUST_CHECK;

/* Closes and opens the files again (SIGHUP after logrotate). */
void log_reopen(void);

/* Writes what is queued and ends the thread; a log disk that hangs is waited for 5 s at most. */
void log_stop(void);

/* One line; a line end is added, control characters are escaped, over 4 KiB it is cut. */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same for text that is ready, `length` bytes of it, about what was at a time (clock_wall_ns).
 */
void log_text(enum log_level level, int64_t at_ns, const char *text, size_t length);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/* An error as one line: "doing: what (hint)". */
void log_failure(enum log_level level, const char *doing, const struct error *err);

/* For what might have to be said with every request: true once a minute. `pace` begins as 0. */
bool log_due(_Atomic int64_t *pace);

/* Lines lost since start: to a full queue, and those that a file could not take. */
uint64_t log_dropped(void);

/* The name of a level ("INFO"). */
const char *log_level_name(enum log_level level);

/* Parses the name of a level in any case (pySymProxy's: DEBUG INFO WARNING WARN ERROR CRITICAL
 * FATAL). */
bool log_level_parse(const char *name, enum log_level *out_level) MUST_CHECK;
