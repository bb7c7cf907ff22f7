// SPDX-License-Identifier: MIT
//
// The cache: key → copy. It holds every copy that is under way, and the complete ones used last
// (with their descriptors, small bodies in memory), bounded. Sharded: a shard's lock guards its
// table and orders everything that makes or ends an entry. Lock order: shard, then copy.
#pragma once

#include "store/copy.h"
#include "store/shelf.h"

struct cache;

enum { CACHE_SHELVES_MAX = 64 }; /* the global one and one a source */

struct cache_options {
    struct shelf *const *
        shelves; /* [0] the global one, [n + 1] that of source n or NULL; not owned, must outlive */
    unsigned shelf_count;
    struct spill *spill;
    unsigned open_files_max;  /* complete copies kept open */
    uint64_t small_bytes_max; /* memory for small bodies, in all */
    unsigned searches_max;    /* copies that are SEARCHING or ARRIVING at any time */
};

struct cache_counters {
    counter open_files; /* complete copies held */
    counter small_bytes;
    counter searching; /* entries that are SEARCHING or ARRIVING */
    counter committed; /* files put on a shelf */
    counter not_kept;  /* delivered but not kept */
    counter evicted;   /* descriptors closed to make room */
};

/* An empty cache (the shelves are looked at when they are asked); aborts without memory or threads,
   at start only. */
struct cache *cache_new(const struct cache_options *options);

/* Ends it: waits up to 2 s for cold looks under way, which are then not told, and lets go of every
   copy. Those that somebody holds still may be read and let go, as long as the shelves live; all
   searches have ended. NULL is allowed. */
void cache_free(struct cache *cache);

enum cache_found {
    CACHE_FOUND,   /* *out_copy: complete or under way, a new reference and interest */
    CACHE_NOTHING, /* no copy, and no file on the shelves asked */
    CACHE_COLD,    /* no copy; whether a file is there needs the disk, or it lies there in another
                      form:    claim, then cache_look_cold */
};

/* Finds. Never blocks; the hit path. `shelves` is a mask of the shelves that may be looked at (bit
   0 the global one, bit n + 1 that of source n): a copy that is already in the table is found
   whatever the mask says. */
enum cache_found cache_find(struct cache *cache, const struct question *question, uint64_t shelves,
                            struct copy **out_copy);

/* Another form's file (".pd_", file.ptr), where that very file lies on one of the shelves: a copy
   of its own, which does not come into the table; a new reference and interest. It is COMPLETE, or
   SEARCHING while the disk is asked, and then COMPLETE or ABSENT. False: not there. Never blocks.
   `path` names no plain form. */
bool cache_find_form(struct cache *cache, const struct symbol_path *path, uint64_t shelves,
                     struct copy **out_copy) MUST_CHECK;

/* The copy under way or complete, or a new one that is SEARCHING: *out_leading says which. A new
   reference and interest. NULL (ERROR_BUSY) only when searches_max are under way. */
struct copy *cache_claim(struct cache *cache, const struct symbol_key *key, bool *out_leading,
                         struct error *err);

/* A SEARCHING copy that is in no table, so that nobody joins it: what is on its way to take a
   COMPLETE one's place. When it becomes COMPLETE on a shelf, it takes the entry. A reference. */
struct copy *cache_detached(struct cache *cache, const struct symbol_key *key);

/* A COMPLETE copy's file, where another has taken its place that lies elsewhere: takes the entry
   out, and removes the file unless `by` lies on the same shelf. May block. */
void cache_supersede(struct cache *cache, struct copy *old, const struct copy *by);

/* The shelves, as bits, that a COMPLETE copy's file lies on: several where they are the same one;
   0: served in place. */
uint64_t cache_shelves_of(const struct cache *cache, const struct copy *copy);

/* Where a shelf has a file in another form alone. */
struct shelved_form {
    unsigned shelf; /* its index */
    enum form form;
    char path[LAYOUT_PATH_BYTES]; /* below its root */
};

/* Looks on the shelves with leave to block, on their pools' threads, one shelf after the other,
   each for at most 1 s, then calls done(context, found, other) once on some thread. found: the
   claimed copy has become COMPLETE. Else `other` is the first other form that was seen, or NULL. */
void cache_look_cold(struct cache *cache, struct copy *copy, const struct question *question,
                     uint64_t shelves,
                     void (*done)(void *context, bool found, const struct shelved_form *other),
                     void *context);

/* Puts a WHOLE copy on its shelf (blocks: sync and rename) and raises COMPLETE; where that fails or
   must not be, the copy stays WHOLE and its entry is taken out, with the reason in copy_why. Writer
   only. */
void cache_complete(struct cache *cache, struct copy *copy, bool keep);

/* Makes a SEARCHING copy COMPLETE from a file that lies elsewhere and is served in place. Takes the
   descriptor. keep: may stay in the table for a second or two (it is not one that just changed).
   False when the copy has begun or ended otherwise. */
bool cache_adopt(struct cache *cache, struct copy *copy, int fd, uint64_t size, int64_t modified_ns,
                 const char *source, struct pool *pool, bool keep) MUST_CHECK;

/* The end of a search without a file: takes the entry out and raises ABSENT or FAILED in one step,
   with the reason. The copy is SEARCHING, or (FAILED only) ARRIVING or WHOLE; one that a cold look
   has made COMPLETE meanwhile stays so. */
void cache_end(struct cache *cache, struct copy *copy, enum copy_phase phase,
               const struct error *why);

/* Another file must take this one's place: a new SEARCHING copy takes the entry with the old one's
   owner and its readers' interest is not moved (each moves itself or leaves); the old one fails
   with `why` and the new as successor. Returns the new copy (a reference). */
struct copy *cache_replace(struct cache *cache, struct copy *copy, const struct error *why);

/* Drops a search that nobody wants any more: if copy_wanted is false, ends it as FAILED
   (ERROR_CANCELLED) under the same lock under which others would join, and returns true. */
bool cache_drop_unwanted(struct cache *cache, struct copy *copy);

/* Forgets a key: the complete copy's entry and its files on all shelves; how many files were
   removed. Copies under way are left alone. May block. */
unsigned cache_forget(struct cache *cache, const struct symbol_key *key);

/* Takes all complete copies out of the table (reload). */
void cache_release_complete(struct cache *cache);

struct cache_listing {
    struct symbol_key key;
    struct copy_state state;
    int64_t age_ms;
    unsigned readers; /* requests that want it */
    char source[64];
};

/* Calls show for every copy that is not COMPLETE, with no lock held; at most `listings_max`. */
void cache_list(struct cache *cache, unsigned listings_max,
                void (*show)(const struct cache_listing *listing, void *context), void *context);

/* Describes the copy of one key that is not COMPLETE. False: there is none. */
bool cache_show(struct cache *cache, const struct symbol_key *key,
                struct cache_listing *out_listing);

/* A staging file for a copy of a key that is about to begin, on the shelf with this index (or the
   global one where it is NULL); on none where something lies there in the file's place. */
bool cache_stage(struct cache *cache, const struct symbol_key *key, unsigned shelf_index,
                 uint64_t size, struct staging **out_staging, struct error *err) MUST_CHECK;

/* The shelf with this index; NULL: there is none. */
struct shelf *cache_shelf(const struct cache *cache, unsigned index);

/* The cache's own counters, to be read at any time while it lives. */
const struct cache_counters *cache_counters(const struct cache *cache);
