// SPDX-License-Identifier: MIT
//
// Which files on shelves are what their names say. Another program may have put them there, so each
// is checked at its first use, and again when its size or time has changed; symgate's own were
// checked before they came there. What was found out is kept as a hash of device, inode, size,
// time, form and key in a table that all shelves share, where the oldest are forgotten and checked
// once more. A file that was found false is told in the log once, and is as if it were not there.
//
// Nothing is written down: after a start each file is checked when it is first asked for. No lock:
// any thread; marks that two threads add at the same moment may cost one a second check.
#pragma once

#include "base/counter.h"
#include "store/shelf.h"

struct vetting;

enum vetted {
    VETTED_UNKNOWN,
    VETTED_GOOD,
    VETTED_PACKED, /* an archive under the file's own name: another form of it */
    VETTED_FALSE,
};

enum { VETTING_MARKS = 1 << 20 }; /* files remembered; 8 bytes each */

struct vetting_options {
    /* Is the open file, in its form, what the key says? Not VETTED_UNKNOWN. VETTED_FALSE: err says
       why, with ERROR_DISK when it could not be read. May block. */
    enum vetted (*verify)(void *context, const struct symbol_key *key,
                          const struct shelf_found *found, struct error *err);
    void *context;
    size_t marks; /* about so many files are remembered */
};

/* An empty table. */
struct vetting *vetting_new(const struct vetting_options *options);

/* The shelves that use it are gone. NULL is allowed. */
void vetting_free(struct vetting *vetting);

/* What is remembered of a file. Never blocks. */
enum vetted vetting_find(const struct vetting *vetting, const struct symbol_key *key,
                         const struct shelf_found *found);

/* Checks a file, and remembers and logs what came of it; `root` is the shelf's path.
   VETTED_UNKNOWN: it cannot be read, or may be being written still. May block. */
enum vetted vetting_check(struct vetting *vetting, const struct symbol_key *key,
                          const struct shelf_found *found, const char *root) MUST_CHECK;

/* Remembers, logs and counts that a file was found false by somebody who has read it. */
void vetting_condemn(struct vetting *vetting, const struct symbol_key *key,
                     const struct shelf_found *found, const char *root, const char *why);

/* Remembers a file that was checked already. */
void vetting_pass(struct vetting *vetting, const struct symbol_key *key,
                  const struct shelf_found *found);

struct vetting_counters {
    counter checked;
    counter false_files; /* found false */
};

/* The counters, to be read at any time while it lives. */
const struct vetting_counters *vetting_counters(const struct vetting *vetting);
