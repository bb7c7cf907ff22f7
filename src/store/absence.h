// SPDX-License-Identifier: MIT
//
// Absences: what which source said no to, and when. Only a source's own no is one. An absence
// belongs to the source's fingerprint (where and how it is asked), the spelling and the forms
// asked. Whether it still counts is the reader's business: the source's retry time of the moment is
// compared with its age.
//
// In memory: shards of open-addressed slots of at most 64 bytes an entry in all (growth in steps),
// found by hashes under the data folder's key; a ceiling in entries, where the ones nearest expiry
// go first, counted. On disk: an append-only file, written before the client is told, not synced,
// compacted from time to time in the background, replayed by a thread of its own after the start. A
// record that cannot be written stays in memory, counted. File format: a head (magic, version),
// then fixed records, each with a check sum; a torn tail is cut off.
#pragma once

#include "base/counter.h"
#include "base/hash.h"
#include "symbol/question.h"

struct absences;

struct absences_options {
    const char *directory; /* the data folder */
    struct hash_key key;   /* the data folder's key */
    uint64_t entries_max;  /* 8 million by default */
};

struct absences_counters {
    counter entries;
    counter remembered; /* added since start */
    counter found;      /* looked for and found */
    counter displaced;  /* gone to make room */
    counter unlogged;   /* kept in memory only: the log could not be written */
};

/* Opens or creates the log and starts to replay it on a thread. Fails for a log of a newer format
 * version. */
struct absences *absences_open(const struct absences_options *options,
                               struct error *err) MUST_CHECK;

/* Ends the thread, after the replay or compaction it is at, and closes the log. NULL is allowed. */
void absences_close(struct absences *absences);

/* Has the log been replayed? Until then "not found" proves nothing, and misses wait. */
bool absences_ready(const struct absences *absences);

/* A question's hashes, made once and used for each source. */
struct absence_mark {
    uint64_t key;      /* of the folded key */
    uint64_t spelling; /* of the spelling */
};

/* The marks of a question. Pure; any thread. */
struct absence_mark absence_mark(const struct absences *absences, const struct question *question);

/* Has this source said no to this spelling in these forms? *out_wall_s: when. Never blocks. */
bool absence_find(struct absences *absences, const struct absence_mark *mark, uint64_t fingerprint,
                  unsigned forms, int64_t *out_wall_s);

/* Remembers, or remembers anew, that it just did. retry_s orders what goes first at the ceiling.
   Appends to the log first, without syncing it. */
void absence_add(struct absences *absences, const struct absence_mark *mark, uint64_t fingerprint,
                 unsigned forms, uint32_t retry_s);

/* Forgets every absence of a key, of all sources and spellings; how many. Waits for the replay. */
unsigned absence_forget(struct absences *absences, const struct symbol_key *key);

/* The counters, to be read at any time while the absences live. */
const struct absences_counters *absences_counters(const struct absences *absences);
