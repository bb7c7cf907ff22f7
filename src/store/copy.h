// SPDX-License-Identifier: MIT
//
// A copy: one symbol file, complete or still arriving. Whatever a client is answered with is a
// copy; a hit, a request that joins a running fetch and the request that started it are the same
// code.
//
//   phase      entered by                      file               readers              in the cache
//   SEARCHING  cache_claim                     none               wait, with deadline  yes: joined
//   ARRIVING   copy_begin                      staging, growing   read up to written,  yes
//                                                                 less what is held
//   WHOLE      copy_whole: all bytes verified  staging            read all             yes
//   COMPLETE   cache_complete, cache_find      on the shelf       read all             evictable
//   ABSENT     cache_end                       none               told no              taken out
//   FAILED     cache_end, cache_replace        unlinked           told why or cut off  taken out
//
// Phases only rise, except that the last three end a copy: one function raises them, asserts and
// wakes. A copy that cannot or must not be kept stays WHOLE to its end. Nothing that was written is
// ever truncated or changed; if another file must take its place, the copy fails with a successor
// (cache_replace), and readers that have had no byte of the body move to it.
//
// Threads: any number of readers; the one writer is the worker whose attempt leads. `lock` guards
// phase, watches, why, notes and interest; the phase is published as an atomic too, and so is the
// length; size, validator and times are set before ARRIVING is raised and read-only after.
#pragma once

#include "base/counter.h"
#include "store/staging.h"
#include "store/watch.h"
#include "symbol/attempt.h"
#include "symbol/content.h"
#include "symbol/question.h"

enum copy_phase {
    COPY_SEARCHING,
    COPY_ARRIVING,
    COPY_WHOLE,
    COPY_COMPLETE,
    COPY_ABSENT,
    COPY_FAILED,
};

enum { COPY_NOTES_MAX = 80 }; /* more than there may be servers: some are asked again */

struct copy;

/* What a reader needs to know, taken at one moment. */
struct copy_state {
    enum copy_phase phase;
    uint64_t size;       /* SIZE_UNKNOWN while it is; from WHOLE on known */
    uint64_t written;    /* bytes that may be read */
    bool certain;        /* nothing needs to be held back any more (true from WHOLE on) */
    int64_t modified_ns; /* the file's time: Last-Modified and ETag; 0 before ARRIVING */
    bool in_place;       /* a file of a directory source, not ours */
    int64_t hurried_ms;  /* when copy_hurry was called last (monotonic), 0: never */
};

/* Whoever drives a copy (a search). interest and unref are called with no lock held; ref only
   counts and may be called under the copy's lock. */
struct copy_owner {
    const struct copy_owner_ops *ops;
};
struct copy_owner_ops {
    void (*ref)(struct copy_owner *owner);
    void (*unref)(struct copy_owner *owner);
    /* Interest has fallen to nothing, or risen from nothing: copy_wanted tells which. */
    void (*interest)(struct copy_owner *owner);
};

enum copy_left {
    COPY_LEFT_SERVED,  /* answered to the end, or with the end of the search */
    COPY_LEFT_LATER,   /* told "later": will come again, so the search must go on */
    COPY_LEFT_HUNG_UP, /* the client went away */
};

/* References. unref takes NULL; the last one closes the file. */
struct copy *copy_ref(struct copy *copy);
void copy_unref(struct copy *copy);
void copy_unref_at(struct copy **copy);

/* What it is a copy of; never changes. */
const struct symbol_key *copy_key(const struct copy *copy);

/* The state, without registering. Cheap from COMPLETE on (no lock). */
void copy_look(struct copy *copy, struct copy_state *out_state);

/* Registers a watch and returns the state of that very moment: no change can fall between. */
void copy_watch(struct copy *copy, struct watch *watch, struct copy_state *out_state);

/* Takes a watch out, of its inbox too; no change puts it back in. Harmless when it is not
   registered. The watch's loop only. */
void copy_unwatch(struct copy *copy, struct watch *watch);

/* Interest: how many requests want this copy. cache_find, cache_claim and copy_join (for a reader
   that moves to a successor) add one each; every asker leaves exactly once. Falling to nothing or
   rising from it calls the owner. Askers of a COMPLETE copy are not counted. */
void copy_join(struct copy *copy);
void copy_leave(struct copy *copy, enum copy_left how);

/* Does anybody wait, or was anybody told to come later? */
bool copy_wanted(struct copy *copy);

/* Does anybody wait right now (not counting those that were told "later")? */
bool copy_waited_for(struct copy *copy);

/* Where the byte at offset lies (offset < written) and how many bytes from there on lie together in
   that descriptor, which is the copy's. No lock. */
void copy_file(struct copy *copy, uint64_t offset, int *out_fd, uint64_t *out_at,
               uint64_t *out_bytes);

/* A small complete body kept in memory, or NULL; valid while the caller holds its reference. */
const char *copy_small(struct copy *copy);

/* Is a COMPLETE copy's file still what it was when it was opened (size and time)? Asked now and
   then, and of one served in place before the last bytes of an answer are sent. Never blocks. */
bool copy_intact(struct copy *copy);

/* When a hit should look again whether a better file can be had (monotonic; 0: at once); INT64_MAX
   for a copy that is not COMPLETE on a shelf. Cheap. copy_renewal_move changes it from what was
   seen: true for one caller alone; copy_renewal_set ends what that one began. */
int64_t copy_renewal(struct copy *copy);
bool copy_renewal_move(struct copy *copy, int64_t seen_ms, int64_t next_ms) MUST_CHECK;
void copy_renewal_set(struct copy *copy, int64_t next_ms);

/* When its file was last compared with the source's, or came from there (monotonic); 0: unknown. */
int64_t copy_compared(struct copy *copy);
void copy_note_compared(struct copy *copy, int64_t now_ms);

/* When its whole file was last found in the page cache (monotonic); 0: never. For files that are
 * sent in one call, so that those in demand need not be looked at for each. */
int64_t copy_warm(const struct copy *copy);
void copy_note_warm(struct copy *copy, int64_t now_ms);

/* What is said of the source whose file would be preferred to this one; empty: nothing. Set before
   ARRIVING is raised. */
void copy_preferred(struct copy *copy, char *out, size_t size);
void copy_prefer(struct copy *copy, const char *sentence);

/* The threads that may block on this copy's file; NULL for one that never blocks long (spill files,
 * staging). */
struct pool *copy_pool(struct copy *copy);

/* --- the driver's side ---------------------------------------------------------------------- */

/* Names the owner (a reference is taken) or, with NULL, lets it go. */
void copy_own(struct copy *copy, struct copy_owner *owner);

/* The owner, with a new reference (owner->ops->unref), or NULL. */
struct copy_owner *copy_owner(struct copy *copy);

/* The source that is asked now is known to be late: waiting readers are woken and should be told
 * "later" soon. */
void copy_hurry(struct copy *copy);

enum copy_begun {
    COPY_LEAD, /* the caller is the writer now */
    COPY_LOST, /* another attempt writes, or the copy has ended */
};

/* Claims the pen. LEAD: size, validator and times are set from content (no Last-Modified: now), the
   phase is ARRIVING and readers are woken; the copy owns the staging from then on. LOST: the
   staging stays the caller's. `source` is the identifier that will stand in log lines. */
enum copy_begun copy_begin(struct copy *copy, const struct content *content, const char *source,
                           struct staging *staging) MUST_CHECK;

/* Appends, publishes and wakes: the first bytes at once, then every 256 KiB (loops tick for the
   rest). Writer only; may block on the disk. A body longer than its known size is refused
   (ERROR_LENGTH) before it is written. */
bool copy_append(struct copy *copy, const void *bytes, size_t length, struct error *err) MUST_CHECK;

/* Compares bytes that were fetched again with those at offset: ERROR_DIFFERENT when they are
   others, ERROR_DISK when there are none or they cannot be read. Writer only. */
bool copy_same(struct copy *copy, const void *bytes, size_t length, uint64_t offset,
               struct error *err) MUST_CHECK;

/* Nothing is held back any more (identity is certain before the end). */
void copy_certain(struct copy *copy);

/* All bytes are there and verified: fixes the size, raises WHOLE, wakes. `settled`: as
   cache_complete will be told; whoever reads the end knows why it is not kept. Writer only. */
void copy_whole(struct copy *copy, bool settled);

/* Notes what an attempt came to: a new note or, with the number it returned, the same again. At
   most COPY_NOTES_MAX are kept: when there is no room, an earlier one goes that was not its
   source's last word, and is not noted again. */
unsigned copy_note(struct copy *copy, const struct attempt_note *note);
void copy_note_again(struct copy *copy, unsigned number, const struct attempt_note *note);

/* The notes so far, in the order in which they were begun; how many were copied. */
unsigned copy_notes(struct copy *copy, struct attempt_note *out_notes, unsigned notes_max);

/* Why a copy ended or is not kept: filled from FAILED on, or as soon as it is known that it will
 * not be kept. kind ERROR_NONE: nothing. */
void copy_why(struct copy *copy, struct error *out_why);

/* The identifier of the source that delivered, or of the shelf's owner; empty when unknown. */
void copy_source(struct copy *copy, char *out, size_t size);

/* The path of the shelf where a COMPLETE copy lies; NULL for any other. */
const char *copy_shelf(const struct copy *copy);

/* After FAILED: the copy that took its place (a new reference, interest not added), or NULL. */
struct copy *copy_successor(struct copy *copy);
