// SPDX-License-Identifier: MIT
//
// Where bytes go when a shelf cannot take them: an unlinked file in the data folder, else in the
// temporary folder, else memory (memfd), all under one ceiling. Spilled symbols are delivered and
// not kept. Any thread.
#pragma once

#include <stdint.h>

#include "base/error.h"

struct spill;

/* data_path may be unusable or NULL; bytes_max bounds what is spilled at any time, in all. */
struct spill *spill_new(const char *data_path, uint64_t bytes_max);

/* Another owner, who ends with spill_free as well (files that are still read outlive the cache). */
struct spill *spill_ref(struct spill *spill);

/* Lets go; the last owner frees. NULL is allowed. */
void spill_free(struct spill *spill);

/* Opens an unlinked file for reading and writing. Fails with ERROR_DISK when no place can be found.
 */
bool spill_open(struct spill *spill, int *out_fd, struct error *err) MUST_CHECK;

/* A file that spill_open gave could not be written: its place is left out for a while. */
void spill_avoid(struct spill *spill, int fd);

/* Charges bytes to the ceiling before they are written; false (ERROR_DISK) when it would be passed.
 */
bool spill_charge(struct spill *spill, uint64_t bytes, struct error *err) MUST_CHECK;

/* Gives charged bytes back when their file is closed. */
void spill_discharge(struct spill *spill, uint64_t bytes);

/* Bytes charged at present. */
uint64_t spill_charged(const struct spill *spill);
