// SPDX-License-Identifier: MIT
//
// The file of the quarantine (proxy/quarantine.h says how it is made). Blocks; one thread at a
// time.
#pragma once

#include "proxy/quarantine.h"

/* Calls take for every record that can be read, in the order in which they were written; sets
   whether the file must be replaced before it is appended to. False only when a newer symgate wrote
   it. */
bool quarantine_file_read(int directory_fd,
                          void (*take)(const struct quarantined *record, void *context),
                          void *context, bool *out_replace, struct error *err) MUST_CHECK;

/* Appends a record; sets whether the file has become too long. */
bool quarantine_file_append(int directory_fd, const struct quarantined *record, bool *out_replace,
                            struct error *err) MUST_CHECK;

/* Begins, fills (oldest first) and writes a whole file in the place of the old one. */
void quarantine_file_begin(struct buffer *file);
void quarantine_file_add(struct buffer *file, const struct quarantined *record);
bool quarantine_file_replace(int directory_fd, const struct buffer *file,
                             struct error *err) MUST_CHECK;
