// SPDX-License-Identifier: MIT
//
// The file of absences: a head, then records of 32 bytes, each with a check sum, only ever
// appended. Integers are little-endian, as the machine has them.
//
//   head    16 bytes "symgate absences", u32 version, 12 bytes zero
//   record  u64 key, u64 rest, u32 when_s, u32 retry_s, u32 kind, u32 CRC-32 of the 28 bytes before
//   it
//
// kind 1: an absence. kind 2: all of this key are forgotten. A tail that is no whole record was
// being written when the program ended, and is cut off.
#pragma once

#include "base/error.h"
#include "store/absence_table.h"

enum { ABSENCE_LOG_VERSION = 1 };

struct absence_log {
    pthread_mutex_t lock; /* guards all below but directory_fd */
    int directory_fd;
    int fd;           /* -1: cannot be written at present */
    int next_fd;      /* the file that compaction makes, which is appended to as well; -1 */
    bool next_failed; /* a record is missing in it */
    uint64_t records; /* in fd */
};

/* Opens or creates the file. Fails for a newer version, and for a directory that cannot be opened;
   a file that cannot be written leaves a log that refuses records. */
bool absence_log_open(struct absence_log *log, const char *directory, struct error *err) MUST_CHECK;

/* Closes. */
void absence_log_close(struct absence_log *log);

/* Reads all records into the table, the later ones over the earlier; cuts a torn tail off. */
void absence_log_replay(struct absence_log *log, struct absence_table *table, uint32_t now_s);

/* Appends an absence; false when the record could not be written. */
bool absence_log_add(struct absence_log *log, const struct absence_slot *entry);

/* Appends that a key was forgotten. */
bool absence_log_forget(struct absence_log *log, uint64_t key);

/* Is most of the file out of date? */
bool absence_log_bloated(struct absence_log *log, uint64_t entries);

/* Writes the table to a new file that takes the old one's place. Whoever adds holds `adding` from
   the record to the table, so that what went to the old file alone is in the table before it is
   read; whoever forgets holds `pause`, which is held here from reading a shard to writing it, so
   that nothing forgotten is written again. */
bool absence_log_compact(struct absence_log *log, struct absence_table *table,
                         pthread_mutex_t *adding, pthread_mutex_t *pause,
                         struct error *err) MUST_CHECK;
