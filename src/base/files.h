// SPDX-License-Identifier: MIT
//
// Files below a root. Everything that symgate opens by a name that came from outside is opened with
// openat2(RESOLVE_BENEATH), so no name, link or mount trick leads out of the root. Errors below a
// root are of the kind ERROR_DISK, those about absolute paths ERROR_SYSTEM, with the errno.
#pragma once

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

enum file_found {
    FILE_FOUND,  /* *out_fd is open */
    FILE_ABSENT, /* the kernel says there is no such file (ENOENT, ENOTDIR, ENAMETOOLONG, or a link
                    that is not followed) */
    FILE_COLD,   /* not to be answered without touching the disk (only with FILES_CACHED) */
    FILE_FAILED, /* everything else; err has it */
};

enum files_flag {
    FILES_CACHED = 1,       /* RESOLVE_CACHED: never waits for a disk, answers FILE_COLD instead */
    FILES_FOLLOW_LINKS = 2, /* symbolic links are followed, but only below the root */
};

/* Opens a directory to be a root; with `create` makes it and its parents (mode 0755). */
bool files_open_root(int *out_fd, const char *path, bool create, struct error *err) MUST_CHECK;

/* Opens a regular file for reading below root_fd; anything but a regular file is FILE_ABSENT. */
enum file_found files_open_beneath(int root_fd, const char *path, unsigned files_flags, int *out_fd,
                                   struct error *err) MUST_CHECK;

/* Opens a directory below root_fd (O_RDONLY|O_DIRECTORY). */
enum file_found files_open_directory_beneath(int root_fd, const char *path, unsigned files_flags,
                                             int *out_fd, struct error *err) MUST_CHECK;

/* Makes the directories of `path` below root_fd (path's last component is a directory too) and
 * opens the last. */
bool files_make_directories(int root_fd, const char *path, int *out_fd,
                            struct error *err) MUST_CHECK;

/* Makes a directory by absolute or relative path, with its parents. */
bool files_make_path(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* Writes all bytes at an offset; handles short writes and EINTR. */
bool files_write_at(int fd, const void *bytes, size_t length, uint64_t offset,
                    struct error *err) MUST_CHECK;

/* Reads up to length bytes at an offset until that many or the end; the count, or -1. */
ssize_t files_read_at(int fd, void *bytes, size_t length, uint64_t offset,
                      struct error *err) MUST_CHECK;

/* Reads a whole file of at most bytes_max into a heap block that ends with NUL. */
bool files_read_whole(const char *path, size_t bytes_max, char **out_text, size_t *out_length,
                      struct error *err) MUST_CHECK;

/* Writes a small file whole or not at all: temporary file beside it, fsync, rename. */
bool files_replace(int directory_fd, const char *name, const void *bytes, size_t length,
                   mode_t mode, struct error *err) MUST_CHECK;

/* Free and total bytes of the file system that fd lies on (what an unprivileged writer may use). */
bool files_space(int fd, uint64_t *out_free, uint64_t *out_total, struct error *err) MUST_CHECK;

/* Joins with exactly one slash (an empty directory: the name alone); false when it does not fit. */
bool files_join(char *out, size_t size, const char *directory, const char *name) MUST_CHECK;
