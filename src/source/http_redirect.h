// SPDX-License-Identifier: MIT
//
// One question over all its redirects, which are followed here and not by libcurl: what is shown to
// the source's own server (struct source_access) must reach no other one. Own is what has the same
// scheme, host and port as the source. The first redirect to another origin ends it for good: a
// later one that leads back is asked like a stranger too, so that nobody else can have symgate ask
// its own server for something in its name. Range, If-Range, Accept-Encoding and User-Agent go
// along, and so does the proxy. Each other host has a breaker of its own (source/host_rests.h).
#pragma once

#include "source/http_transfer.h"

enum { REDIRECTS_MAX = 10 };

/* How an answer was come by. */
struct http_way {
    unsigned redirects;
    bool left;   /* for another origin; what is shown to the source's server stayed behind */
    bool behind; /* it is another host that has answered, failed, or rests */
    struct host_visit visit; /* of that host: to be ended with what its answer means; where there
                                is no answer, it has been ended */
};

/* Asks and follows redirects until there is a head that leads no further; the limit is for all
   together. NULL: err. A body that a redirect has is let pass by. */
struct http_transfer *http_question(struct http_worker *worker, const struct http_request *request,
                                    int64_t deadline_ms, struct http_way *out_way,
                                    struct error *err) MUST_CHECK;

/* Do two URLs have the same scheme, host and port? */
bool http_same_origin(const char *a, const char *b);

/* Where a Location (RFC 9110, 10.2.2) leads from a URL: a new text, or NULL with err for what is
   neither http nor https or no URL. */
char *http_redirect_target(const char *url, const char *location, struct error *err) MUST_CHECK;
