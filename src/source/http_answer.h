// SPDX-License-Identifier: MIT
//
// What the head of a symbol server's answer says, gathered line by line (RFC 9110, 9112). Where an
// answer is followed by another one (1xx, what a handshake is asked again with), the next status
// line begins anew. Pure; no I/O.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/content.h"

enum coding { CODING_NONE, CODING_GZIP, CODING_OTHER };

enum { RETRY_UNTOLD = -1 };

struct http_answer {
    int status;
    bool complete; /* the head's empty line has come */
    bool located;  /* names another place */
    bool chunked;
    bool lengths_differ;  /* two Content-Lengths, or one that is no number */
    uint64_t length;      /* Content-Length, or SIZE_UNKNOWN */
    uint64_t range_start; /* Content-Range, or SIZE_UNKNOWN, as the next two */
    uint64_t range_end;   /* of the last byte */
    uint64_t range_total;
    enum coding coding;
    int64_t retry_after_s; /* or RETRY_UNTOLD */
    int64_t last_modified; /* or 0 */
    int64_t date;          /* the server's clock, seconds since 1970; 0: not told */
    bool undecided;        /* a proxy's 404 that only means that it could not tell */
    bool ranges;           /* the server says that it knows byte ranges */
    bool html;
    bool text;
    char etag[VALIDATOR_BYTES]; /* a strong one, with its quotes, else empty */
    size_t head_bytes;          /* of all heads together … */
    unsigned heads; /* … and how many: interim ones, and each time credentials are wanted */
};

/* Nothing has come. */
void http_answer_init(struct http_answer *answer);

/* Takes one line of a head as it came, line end included. */
void http_answer_line(struct http_answer *answer, const char *line, size_t length);

/* Has a whole head come that is no interim one (1xx)? */
bool http_answer_final(const struct http_answer *answer);

/* Is it more head than any answer has? Then why, as a clause; else NULL. */
const char *http_answer_endless(const struct http_answer *answer);

/* Does a part with this head belong to the body with that validator ("": none) and that time (0:
   none)? The head has to say so itself (RFC 9110 15.3.7 wants the tag there), for there are servers
   that pass conditions over. */
bool http_answer_belongs(const struct http_answer *answer, const char *validator,
                         int64_t last_modified);

/* Is it one that leads elsewhere? */
bool http_answer_leads_on(const struct http_answer *answer);
