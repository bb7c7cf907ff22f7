// SPDX-License-Identifier: MIT
//
// The body of a request, for the few that may have one: counts a body of known length, undoes a
// chunked one, with a ceiling. Incremental.
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "http/request.h"

enum body_state { BODY_MORE, BODY_WHOLE, BODY_TOO_LARGE, BODY_BAD };

struct body {
    struct request *request; /* its parser goes on */
    struct buffer bytes;
    uint64_t wire_bytes; /* taken so far, chunk heads included: they have a ceiling of their own */
};

/* A body that may be at most bytes_max long, of a request whose head is complete. `request` must
 * stay where it is. */
void body_init(struct body *body, struct request *request, size_t bytes_max);
/* Frees what was gathered. */
void body_release(struct body *body);

/* Takes what has arrived; *out_used says how many bytes belonged to this request. BODY_WHOLE for a
   request without one. After BODY_TOO_LARGE and BODY_BAD the connection must be closed. */
enum body_state body_feed(struct body *body, const char *bytes, size_t length,
                          size_t *out_used) MUST_CHECK;
