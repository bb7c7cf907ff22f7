// SPDX-License-Identifier: MIT
//
// What copy.c and the cache share of a copy. Locks: `in_table`, `in_complete` and `listed` belong
// to the shard's; `lock` guards what stands below it; the rest is atomic, or set before the phase
// that shows it is raised and then read-only.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "store/cache.h"

enum { COPY_SMALL_BYTES = 16 << 10 }; /* bodies up to this size may be kept in memory */

/* What an attempt came to, with the number that it is noted again under. */
struct copy_note {
    unsigned number;
    struct attempt_note note;
};

struct copy {
    struct table_node in_table;
    struct list in_complete;    /* the shard's complete copies, for making room */
    bool listed;                /* in the table, which holds a reference */
    atomic_bool used;           /* since the last search for one to evict came by */
    _Atomic int64_t checked_ms; /* when its file was last seen to be in its place, … */
    _Atomic int64_t intact_ms;  /* … and to be unchanged */
    atomic_uint references;
    struct cache *cache; /* a reference */
    struct symbol_key key;
    int64_t started_ms;

    atomic_int phase;
    _Atomic uint64_t size;
    atomic_bool certain;
    _Atomic int64_t hurried_ms;
    _Atomic(char *) small;   /* a COMPLETE body in memory; set once */
    atomic_bool small_tried; /* it cannot be had without blocking on this file system */

    int64_t modified_ns;
    struct staging *staging; /* owned; NULL when it never arrived here */
    uint64_t woken_at;       /* writer's: the length at which readers were woken last */
    int fd;                  /* without staging: of the file; else -1 */
    bool in_place;
    bool detached;              /* never listed before it is COMPLETE; set when it is made */
    _Atomic int64_t renewal_ms; /* see copy_renewal */
    _Atomic int64_t compared_ms;
    _Atomic int64_t warm_ms; /* see copy_warm */
    struct pool *pool;
    struct shelf *shelf; /* where it is COMPLETE */
    char *shelf_path;
    uint64_t inode; /* with device and file_ns: which file lies there */
    uint64_t device;
    int64_t file_ns;
    char source[64];
    struct pool_job ending; /* closes a file that is thrown away */

    pthread_mutex_t lock; /* guards all below, and every raising of the phase */
    struct list watches;
    unsigned interest;
    bool promised; /* somebody was told "later" */
    struct copy_owner *owner;
    struct copy *successor;
    struct error *why;
    char *preferred;
    struct copy_note *notes;
    unsigned note_count, note_room;
    unsigned notes_made; /* the next one's number */
};

/* Takes a copy's notes over to the one that goes on with its search; under the old one's lock,
   before anybody knows the new one. */
void copy_notes_hand_over(struct copy *old, struct copy *next);

/* A new SEARCHING copy of one reference, in no table. */
struct copy *copy_new(struct cache *cache, const struct symbol_key *key);

/* Raises the phase and wakes; asserts that the step is one of the table in copy.h. Under the copy's
 * lock. */
void copy_raise(struct copy *copy, enum copy_phase phase);

/* The phase, with everything that was set before it was raised. */
enum copy_phase copy_phase_now(const struct copy *copy);

/* Wakes every watch. Under the copy's lock. */
void copy_wake(struct copy *copy);

/* Counts one more asker. Under the copy's lock; an owner that is to be told is returned with a
   reference, for copy_tell_owner once no lock is held. */
struct copy_owner *copy_add_interest(struct copy *copy);

/* Calls the owner and lets it go; NULL is allowed. No lock held. */
void copy_tell_owner(struct copy_owner *owner);

/* Why it is not kept whose source may still be writing it; false. */
bool copy_unsettled(struct error *why);

/* Keeps why; the last reason counts. Under the copy's lock. */
void copy_keep_why(struct copy *copy, const struct error *why);
