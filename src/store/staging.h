// SPDX-License-Identifier: MIT
//
// The file that a copy grows in: one writer appends, any number of readers read what has been
// published. It begins in ".symgate/" on the shelf where it will be kept; when that cannot be
// written (full, read-only, gone, below the free space to be left) it goes on in a spill file from
// the byte where it stopped, at most twice, and is then delivered but never kept. Segments are only
// added, and published by the atomic count: a reader that knows a byte to be written finds the
// descriptor it lies in without a lock.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "store/spill.h"

struct shelf;
struct staging;

/* Begins. shelf may be NULL (not to be kept). With a known size, space is reserved after the first
   bytes have been written; where that fails the file is spilled. Never fails for reasons of the
   shelf; only when no spill can be had either. May block. */
bool staging_new(struct shelf *shelf, struct spill *spill, uint64_t size,
                 struct staging **out_staging, struct error *err) MUST_CHECK;

/* Says why it was begun without a shelf. */
void staging_explain(struct staging *staging, const struct error *why);

/* Closes, and unlinks the file if it was not committed. NULL is allowed. Readers must be done. May
 * block. */
void staging_free(struct staging *staging);

/* Appends. May block on the disk. Writer only. */
bool staging_append(struct staging *staging, const void *bytes, size_t length,
                    struct error *err) MUST_CHECK;

/* Bytes appended so far. Any thread. */
uint64_t staging_length(const struct staging *staging);

/* The descriptor that holds the byte at `offset`, where in it, and how many bytes from there lie in
   the same descriptor (bytes that are not appended yet do not count). Any thread; no lock. */
void staging_at(const struct staging *staging, uint64_t offset, int *out_fd, uint64_t *out_at,
                uint64_t *out_bytes);

/* Reads back what was appended, across segments; the writer compares with it. */
bool staging_read(const struct staging *staging, void *bytes, size_t length, uint64_t offset,
                  struct error *err) MUST_CHECK;

/* Lies the whole file on the shelf so that it can be kept? If not, *out_why (may be NULL) says why.
 * Writer only. */
bool staging_keepable(const struct staging *staging, struct error *out_why);

/* Sets the modification time, syncs, renames to its place on the shelf, syncs the directory. Writer
   only, once, after the last byte; on failure it is not kept and readers may go on. An existing
   file with the same name is replaced. */
bool staging_commit(struct staging *staging, const char *shelf_path, int64_t modified_ns,
                    struct error *err) MUST_CHECK;

/* The shelf it was begun for, or NULL. */
struct shelf *staging_shelf(const struct staging *staging);
