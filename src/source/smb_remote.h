// SPDX-License-Identifier: MIT
//
// Where a share is, as people write it: \\server\share\dir, //server/share/dir,
// smb://domain;user:password@server:port/share/dir (draft-crhertel-smb-url; percent-decoded). Pure.
#pragma once

#include "smb/protocol.h"

struct smb_remote {
    char host[SMB_WORD_BYTES]; /* an IPv6 address without brackets */
    unsigned port;             /* 445 where not told */
    char share[SMB_WORD_BYTES];
    char directory[SMB_PATH_BYTES]; /* with slashes, none at its ends; may be empty */
    char user[SMB_WORD_BYTES];      /* these only from a URL */
    char domain[SMB_WORD_BYTES];
    char password[SMB_WORD_BYTES];
};

/* Is this meant as a share? */
bool smb_remote_is_one(const char *text);

/* Takes a remote apart; false, with err, for one that names no server or share. */
bool smb_remote_parse(const char *text, struct smb_remote *out_remote,
                      struct error *err) MUST_CHECK;

/* "//server/share/dir" for people: without user and password. Cuts. */
void smb_remote_show(const struct smb_remote *remote, char *out, size_t size);
