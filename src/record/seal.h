// SPDX-License-Identifier: MIT
//
// The seal beside the book: a number in a file of its own, written when the book was closed in
// order with all that was taken, and taken away when it is opened. It names the file that was
// closed by what a copy of it cannot have, inode and change time. So a seal that is there, fits the
// file and says what the book says tells that nothing happened in between: no crash, no run without
// statistics, no backup put in its place. Blocks on the disk.
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Takes the seal of the book at `path` away; what it said, 0: there is none that fits. Before the
   book is opened. */
uint64_t seal_break(const char *path);

/* Puts one there, once the book is closed. False: it could not be, and there is none. */
bool seal_put(const char *path, uint64_t seal) MUST_CHECK;
