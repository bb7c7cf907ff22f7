// SPDX-License-Identifier: MIT
//
// Entity tags and conditional requests (RFC 9110 13). The tag of a symbol file is made from its
// modification time in nanoseconds, which symgate sets itself at commit: the same before the size
// is known, after it, and after a restart.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ETAG_BYTES = 24 };

/* The strong tag of a file with this modification time, with its quotes. */
void conditional_etag(int64_t modified_ns, char out[ETAG_BYTES]);

/* Does If-None-Match (or, when it is absent, If-Modified-Since) say that the client already has it?
 * Empty values are absent. */
bool conditional_not_modified(const char *if_none_match, const char *if_modified_since,
                              const char *etag, int64_t modified_s);

/* Does If-Range allow a part to be sent? An empty value does. */
bool conditional_range_allowed(const char *if_range, const char *etag, int64_t modified_s);
