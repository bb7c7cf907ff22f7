// SPDX-License-Identifier: MIT
//
// A shelf's directory as it is open now: the root, the room for staging files and the lock. A value
// that is made whole and shared by references; when the directory is made anew (it was removed, or
// can be written at last) a new one takes its place and the old one lives until its last staging
// file is gone.
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "base/error.h"

struct shelf_root {
    atomic_uint references;
    int fd;
    int staging_fd;  /* -1: cannot be written to */
    int lock_fd;     /* held as long as the root lives; -1 without staging */
    bool two_tier;   /* an index2.txt lay there when it was opened */
    bool quick;      /* a file system in memory: no answer needs a disk */
    bool tells_time; /* a file system of this machine: a directory's time tells of every change */
};

/* Opens. False: it cannot be used (*out_root NULL) or only read from; err says why, ERROR_BUSY with
   the other's pid when another program holds it. Empties the staging room. May block. */
bool shelf_root_open(const char *path, bool read_only, struct shelf_root **out_root,
                     struct error *err) MUST_CHECK;

/* References; unref takes NULL. */
struct shelf_root *shelf_root_ref(struct shelf_root *root);
void shelf_root_unref(struct shelf_root *root);
void shelf_root_unref_at(struct shelf_root **root);

/* Do the names in this directory lie behind a tier? */
bool shelf_root_has_tiers(int root_fd);

/* Is this still the directory that `path` names, with its staging room in it? May block. */
bool shelf_root_current(const struct shelf_root *root, const char *path);
