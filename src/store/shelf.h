// SPDX-License-Identifier: MIT
//
// A shelf: a directory tree in symbol-store shape where symbol files are kept, readable by any
// symbol-store reader: in one tier, or in two where an index2.txt lay at its root when it was
// opened. symgate's own things lie in ".symgate/" below it: staging files (emptied at start) and a
// lock file with the pid, so that two programs never write to one shelf. A shelf that is missing,
// read-only or hangs is never a reason to stop: symbols are then delivered and not kept, and the
// shelf is tried again every few seconds.
//
// Looking: by the path as asked, then by the canonical path, then through an index of the root's
// entries that are not canonically written (adopted trees of any case). The index is bounded, made
// in the background and made anew when the root's time has changed; no directory is read per miss.
// A look without answer for 1 s counts as "not there", and the shelf is left out until its thread
// answers.
#pragma once

#include <stdint.h>

#include "base/counter.h"
#include "base/pool.h"
#include "symbol/layout.h"

struct shelf;
struct vetting;

struct shelf_options {
    const char *path;
    uint64_t free_min_bytes; /* space to be left on the disk */
    bool free_min_default;   /* true: shelf_default_free instead */
    bool read_only;          /* never staged on, never locked (check, tests) */
    struct vetting *vetting; /* what checks its files; NULL: nothing does. Must outlive the shelf */
};

struct shelf_found {
    int fd;
    uint64_t size;
    int64_t modified_ns;
    uint64_t inode;
    uint64_t device;
    char path[LAYOUT_PATH_BYTES]; /* below the root, for looking again and removing */
    enum form form;
};

/* Opens, creating the directory when missing. Fails only when another program holds the shelf (err
   names its pid) or memory is out; a directory that cannot be used is logged once and tried again
   later. */
struct shelf *shelf_new(const struct shelf_options *options, struct error *err) MUST_CHECK;

/* Closes it, once its threads have ended (a thread that hangs is left behind after 1 s); every file
   staged on it must be gone. NULL is allowed. */
void shelf_free(struct shelf *shelf);

enum shelf_look {
    SHELF_FOUND,      /* *out_found is filled, its fd is the caller's */
    SHELF_OTHER_FORM, /* the file itself is not there, but compressed, or a file.ptr that tells of
                         it: only path and form of *out_found are filled */
    SHELF_NOTHING,
    SHELF_COLD, /* only with `cached`: the answer needs the disk */
};

/* Looks for the plain file of a key, and then whether it lies there in another form: that is seen
   in the listing of its directory, which a look has at hand. `cached` true: for loops, never
   blocks. False: for the shelf's pool, may block. Empty files are not found, nor those that are not
   what the key says (store/ vetting.h); a file that has not been checked yet is cold. Otherwise a
   disk that never makes an answer slow (tmpfs) is never cold. */
enum shelf_look shelf_look(struct shelf *shelf, const struct spelling *spelling,
                           const struct symbol_key *key, bool cached,
                           struct shelf_found *out_found);

/* As shelf_look_form with leave to block, but of whatever lies there, be it what the key says or
 * not.
 */
enum shelf_look shelf_look_unvetted(struct shelf *shelf, const struct spelling *spelling,
                                    const struct symbol_key *key, enum form form,
                                    struct shelf_found *out_found);

/* As shelf_look for the very file of a form ("app.pd_", "file.ptr"), which is no OTHER_FORM then.
 */
enum shelf_look shelf_look_form(struct shelf *shelf, const struct spelling *spelling,
                                const struct symbol_key *key, enum form form, bool cached,
                                struct shelf_found *out_found);

/* Is the file, which is open still, what was found (same inode, size and time), and in its place?
   Never blocks; "cannot say without the disk" is true. */
bool shelf_unchanged(struct shelf *shelf, const struct shelf_found *found);

/* Where a key's file is put: canonical, behind its tier where the shelf has two. */
void shelf_place(struct shelf *shelf, const struct symbol_key *key, char out[LAYOUT_PATH_BYTES]);

/* A file that was checked has been put in its place: it need not be checked again. */
void shelf_vouch(struct shelf *shelf, const struct symbol_key *key,
                 const struct shelf_found *found);

/* A file in another form (at `path`, an archive perhaps under the plain name) has been read and
   found false: it is as if it were not there from then on. May block. */
void shelf_condemn(struct shelf *shelf, const struct symbol_key *key, enum form form,
                   const char *path, const char *why);

/* Removes a key's files (every spelling known to the index, in every form); how many. May block. */
unsigned shelf_remove(struct shelf *shelf, const struct symbol_key *key);

/* The threads for whatever may block on this shelf. */
struct pool *shelf_pool(struct shelf *shelf);

/* Is the shelf left out because it hangs? */
bool shelf_hangs(struct shelf *shelf);

/* Shows the names that lie there, folded, in no order, until show returns false; whether there is a
   file of each is not looked at. False: they could not be read. Blocks on the disk. */
bool shelf_each_name(struct shelf *shelf, bool (*show)(const char *name, void *context),
                     void *context) MUST_CHECK;

/* By how much its files have grown since the start, by what symgate itself has kept, replaced and
   removed. */
int64_t shelf_growth(const struct shelf *shelf);

/* Bytes of what it has removed and replaced since the start. */
uint64_t shelf_gone(const struct shelf *shelf);

/* What is left free of a disk of this size where nothing else is wanted: 5 %, at most 10 GiB. */
uint64_t shelf_default_free(uint64_t disk_bytes);

/* Free bytes and size of its disk, and whether so little is free that nothing is kept any more;
   false when it cannot be used at present. May block. */
bool shelf_space(struct shelf *shelf, uint64_t *out_free, uint64_t *out_size, bool *out_low);

/* Its path as configured. */
const char *shelf_path(const struct shelf *shelf);
