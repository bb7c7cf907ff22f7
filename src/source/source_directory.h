// SPDX-License-Identifier: MIT
//
// A symbol store in a local directory (or a network mount): <root>/<name>/<id>/<name>, exactly as
// spelled first, then without regard to ASCII case, by reading the directories concerned. Nothing
// outside the root is ever opened; links are followed only with followLinks, and only below the
// root.
//
// "Not here" is an absence only below a root that is in order. A root that is missing, unreadable,
// answers ESTALE, EIO, EACCES or ENOTCONN, or was a mount point when it was last in order
// (remembered in the state directory) and is none now, is a failure (ERROR_UNMOUNTED). A file that
// changed within 10 s is marked (content.unsettled, source_local.settled): it is delivered but not
// kept. One that changes while it is read ends in ERROR_CHANGED in place of its end.
#pragma once

#include "source/source.h"

/* Makes one; the directory need not exist. */
struct source *source_directory_new(const struct source_options *options,
                                    const struct hash_key *key, struct error *err) MUST_CHECK;
