// SPDX-License-Identifier: MIT
//
// The URL of a symbol server taken apart: what requests are made from, and who asks. No I/O.
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum { HTTP_REMOTE_BYTES_MAX = 4096 };

struct http_remote {
    char *base;     /* up to the query, without user-info, without slashes at its end */
    char *query;    /* "?…" (a signature that opens a bucket), or "" */
    char *user;     /* decoded; NULL: none */
    char *password; /* the same */
};

/* Takes it apart; false with err for what is no URL that can be asked. `identifier` is the
   source's, for messages. */
bool http_remote_parse(const char *url, const char *identifier, struct http_remote *out_remote,
                       struct error *err) MUST_CHECK;

/* What is wrong with the URL of a symbol server, as a clause that quotes nothing of it, or NULL. */
const char *http_remote_fault(const char *url);

/* What is wrong with the URL of a proxy, as a clause that quotes nothing of it, or NULL.
 *out_named: it says who asks. */
const char *http_proxy_fault(const char *url, bool *out_named);

/* Overwrites and frees. */
void http_remote_release(struct http_remote *remote);
