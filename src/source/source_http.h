// SPDX-License-Identifier: MIT
//
// A symbol server on HTTP or HTTPS, by libcurl. Each worker owns one multi handle, which keeps the
// connections and can be woken. The body is pulled: read() runs the multi handle until something
// has come into a bounded gather buffer.
//
// Path: <remote>/<name>/<id>/<name> in the spelling of the client. Redirects are followed (at most
// 10, http and https only) without what the source's own server is shown (http_redirect.h); gzip is
// accepted and undone. Absent are 404, 410 and the source's own statuses; every other status but
// 200 (and 206 to a resume), 203 included, is a failure. Who asks, which way and under which
// certificates: access.h. A resume is asked with Range and If-Range; an answer that does not honour
// it begins at 0 (content.start).
#pragma once

#include "source/source.h"

/* Makes one. Fails for a URL that cannot be one. */
struct source *source_http_new(const struct source_options *options, const struct hash_key *key,
                               struct error *err) MUST_CHECK;

/* Once a process, before the first thread. */
void source_http_start(void);
