// SPDX-License-Identifier: MIT
//
// Remembers that a directory was a mount point when it was last in order, so that a share that is
// not mounted is told from an empty directory. Kept in a small file (its first line carries a
// format version) so that a restart does not forget it. Its own lock; any thread.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

struct mount_memory {
    pthread_mutex_t lock;
    bool mounted;    /* it was a mount point */
    char *directory; /* of the file, or NULL: only this process remembers */
    char name[40];
};

/* Reads what was remembered under this fingerprint; state_directory may be NULL. */
void mount_memory_init(struct mount_memory *memory, const char *state_directory,
                       uint64_t fingerprint);

/* Gives back what mount_memory_init made. */
void mount_memory_release(struct mount_memory *memory);

/* Was the directory a mount point, by what is kept, and is none now? Writes nothing, and remembers
   nothing. True: err is ERROR_UNMOUNTED. */
bool mount_memory_lost(const char *state_directory, uint64_t fingerprint, const char *path,
                       struct error *err);

/* Is an open root in order: what it was? Remembers a mount point seen for the first time. False:
 * err is ERROR_UNMOUNTED. */
bool mount_memory_check(struct mount_memory *memory, int root_fd, const char *path,
                        struct error *err) MUST_CHECK;
