// SPDX-License-Identifier: MIT
//
// A question put into libcurl's words: what is asked, how libcurl shall behave, what the server is
// shown and which way leads there. Every option that any question sets is set by each, so a handle
// may be used again. Made for libcurl 7.88.
#pragma once

#include <curl/curl.h>

#include "source/access.h"
#include "source/cancel.h"
#include "source/host_rests.h"

struct http_request {
    const char *source;            /* the source's name, for messages */
    const char *url;               /* without user-info of the source's: that is access */
    const char *user_agent;        /* may be NULL */
    const char *range;             /* a Range header's value without its unit ("100-"), or NULL */
    const char *if_range;          /* a validator or date, or NULL */
    const char *if_none_match;     /* a validator, or NULL */
    const char *if_modified_since; /* a date, or NULL */
    const char *checksums;         /* what the server is told in SymbolChecksum, or NULL */
    bool fresh_connection;
    int64_t connect_ms;
    struct cancel *cancel; /* may be NULL */
    const struct source_access *access;
    const struct source_route *route;
    struct host_rests *host_rests; /* of the hosts that redirects lead to; may be NULL */
    uint64_t key_hash;             /* of the symbol, as the rests tell them apart */
    bool at_home; /* this is the source's own server: it is shown what is in access */
};

/* Sets them; the strings are copied. *out_fields lives as long as the transfer, and is given back
   by http_fields_free. */
void http_setup(CURL *easy, const struct http_request *request, struct curl_slist **out_fields);

/* Overwrites and frees. NULL is allowed. */
void http_fields_free(struct curl_slist *fields);

/* May an answer 401 or 407 be a step of a handshake that libcurl goes on with by itself? */
bool http_shakes_hands(const struct http_request *request);

/* Is there something that a handle learns from one answer for the next question (the nonce of
   Digest), so that it is worth keeping? */
bool http_handle_learns(const struct http_request *request);
