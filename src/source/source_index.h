// SPDX-License-Identifier: MIT
//
// What a source's published index (symbol/store_index.h) says: which files it has, so that nobody
// has to ask it for others. It is believed only while it is whole and young: every live transaction
// was read and understood, something is listed, and no more time than the source's index_refresh_ms
// has passed since it was looked whether it has changed. At any other time the source is asked as
// if it had none.
//
// Reading it is cut into steps of one question each, so that whoever does it can let others go
// first. At most one reads at a time (source_index_claim). What is kept between two readings: the
// transactions that were read, and by what the list of them and the newest one are known again. The
// newest is always looked at once more: it may still have been written. Kept in memory: 8 bytes a
// file (twice that while it is read). Shared by the snapshots of a source over reloads.
#pragma once

#include "base/buffer.h"
#include "base/counter.h"
#include "base/hash_set.h"
#include "source/source.h"

enum {
    INDEX_TRANSACTIONS_MAX = 10 * 1000,  /* as many as Symbolicator reads */
    INDEX_FILES_MAX = 8 * 1000 * 1000,   /* 64 MB */
    INDEX_BYTES_MAX = 256 * 1024 * 1024, /* of one of its files */
    INDEX_FILE_MS = 60 * 1000,           /* for one of its files */
    INDEX_RETRY_MS = 10 * 60 * 1000,     /* after a failure, or sooner: index_refresh_ms */
};

/* Which of the index's files is asked for next. */
enum index_step { INDEX_STEP_LAST, INDEX_STEP_LIVE, INDEX_STEP_FILES };

struct index_transaction {
    uint64_t number;
    bool read; /* its files are in the set, or gathered */
};

struct source_index {
    _Atomic unsigned refs;
    counter files;        /* in the set */
    counter spared;       /* questions that it spared */
    counter failures;     /* readings that failed */
    pthread_mutex_t lock; /* guards these: */
    struct hash_set set;  /* of the keys' hashes */
    int64_t looked_ms;    /* when it was seen last that the set is all there is; 0: never */
    int64_t again_ms;     /* it is not read before */
    bool claimed;
    /* Whoever has claimed it: */
    enum index_step step;
    int64_t began_ms;
    uint64_t last;                  /* the last transaction, of this reading … */
    uint64_t last_whole;            /* … and of the one before that came to its end */
    struct index_transaction *live; /* in order */
    size_t live_count;
    size_t at;               /* the next one to be looked at */
    struct file_mark list;   /* of server.txt */
    struct file_mark newest; /* of the newest transaction's file … */
    uint64_t newest_number;  /* … and which one it was */
    bool anew;               /* what is gathered takes the set's place */
    struct buffer gathered;  /* hashes that are not in the set yet */
    char why[256];           /* of the last failure, so that each is told once */
};

/* Empty, one reference. */
struct source_index *source_index_new(void);

/* References; unref takes NULL. */
struct source_index *source_index_ref(struct source_index *index);
void source_index_unref(struct source_index *index);

/* Has the source certainly no such file? False where it has no index that counts, too. Never
   blocks; any thread. */
bool source_index_lacks(const struct source *source, const struct symbol_key *key);

/* A question was not put to the source, since its index lacks the file. */
void source_index_note_spared(const struct source *source);

/* Is it time to read the index, and does nobody? Then it is the caller's, until a step says that it
   is over or source_index_leave. */
bool source_index_claim(const struct source *source);

enum index_progress {
    INDEX_MORE,         /* another step is to follow */
    INDEX_WHOLE,        /* over: it counts from now on */
    INDEX_FAILED,       /* over: err says why */
    INDEX_FAILED_AGAIN, /* the same, and so it was the last time; or it was cancelled */
};

/* One question, and what follows from it. On a worker of the source; blocks. `call` brings cancel
   and note, and takes what the answer says of the source; *out_answer is the answer itself. */
enum index_progress source_index_step(struct source *source, void *worker, struct source_call *call,
                                      enum source_answer *out_answer, struct error *err);

/* The caller goes no further; somebody may after retry_ms. */
void source_index_leave(const struct source *source, int64_t retry_ms);
