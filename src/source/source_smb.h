// SPDX-License-Identifier: MIT
//
// A symbol store on a network share (SMB 2 and 3), read through symgate-smb: this program has
// nothing to do with libsmbclient. Each worker has a helper process of its own, as those of
// source_http have connections, so that a slow file or a dead server holds up nothing but itself;
// helpers end with their workers. A helper that crashes, or is silent for longer than the limits
// allow, is ended, and the question is a failure.
//
// A path is looked for exactly as asked, then without regard to ASCII case. Absent is only what is
// missing below a share and directory that are in order; everything else is a failure. A file
// younger than 10 s is marked (content.unsettled); one whose size or time is another at its end
// than it was at its beginning ends in ERROR_CHANGED.
#pragma once

#include "source/source.h"

/* Who asks; each may be NULL. What is given here wins over what the remote says. */
struct smb_credentials {
    const char *user; /* without one: as a guest; DOMAIN\user is understood */
    const char *password;
    const char *domain;
    const char *keytab;    /* Kerberos: a ticket is got with it, and kept in the state directory */
    const char *principal; /* of the keytab; its first one where not given */
    const char *helper;    /* where symgate-smb is; NULL: it is looked for (smb_helper_find) */
};

/* Makes one; nobody is asked yet. Fails for a remote that cannot be a share. */
struct source *source_smb_new(const struct source_options *options,
                              const struct smb_credentials *credentials, const struct hash_key *key,
                              struct error *err) MUST_CHECK;
