// SPDX-License-Identifier: MIT
//
// One share of an SMB server, by libsmbclient: the only files that know it are share.c and
// folder.c. One thread; at most one file is open. "Not there" is said of a file only when the
// directory that was asked for is itself in order then. Errors: ERROR_CONNECT (not reached, or not
// let in), ERROR_UNMOUNTED (share or directory missing or not readable), ERROR_RESET and
// ERROR_TIMEOUT (the connection broke or fell silent), ERROR_DISK (about this file). All block,
// until the server is silent longer than it may be.
#pragma once

#include <sys/types.h>

#include "smb/protocol.h"

struct share;

enum share_found { SHARE_FOUND, SHARE_ABSENT, SHARE_FAILED };

/* Connects, logs in and looks at the directory; NULL: err. `how` is kept. */
struct share *share_new(const struct smb_connect *how, struct error *err) MUST_CHECK;

/* Opens a file, exactly as spelled, then without regard to ASCII case; closes the one before. */
enum share_found share_open(struct share *share, const char *path, struct error *err) MUST_CHECK;

/* Size and time of the open file, as they were when it was opened. */
bool share_look(struct share *share, struct smb_opened *out_opened, struct error *err) MUST_CHECK;

/* Closes the file and looks at it again: while it is open servers tell its time of before. One that
   is gone by then is ERROR_CHANGED. */
bool share_close_and_look(struct share *share, struct smb_opened *out_opened,
                          struct error *err) MUST_CHECK;

/* Reads exactly `length` bytes of the open file, less only where it ends; -1: err. */
ssize_t share_read(struct share *share, void *bytes, size_t length, uint64_t offset,
                   struct error *err) MUST_CHECK;

/* Closes the open file, if there is one. */
void share_close(struct share *share);

/* Does the server itself pass over the case of names? */
enum smb_folding share_folding(const struct share *share);
