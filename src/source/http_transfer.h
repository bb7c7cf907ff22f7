// SPDX-License-Identifier: MIT
//
// One HTTP transfer that is pulled, on a worker's own libcurl multi handle. The multi handle keeps
// the connections and can be woken, so waiting ends when bytes come, when a limit passes or when
// the attempt is cancelled, whichever is first.
//
// What libcurl delivers goes straight into the buffer of the read that waits for it; what does not
// fit there is gathered, with a ceiling that one round of libcurl does not reach, so that pausing
// it (which costs speed) is the last resort. One thread at a time. Made for libcurl 7.88.
//
// Digest, NTLM and Negotiate answer a 401 or 407 by themselves: its head is final only when libcurl
// has ended with it, or passes its body on. Redirects are not followed here.
#pragma once

#include "source/http_answer.h"
#include "source/http_setup.h"
#include "symbol/reader.h"

struct http_worker;
struct http_transfer;

/* What a worker thread keeps: connections. */
struct http_worker *http_worker_new(void);

/* Closes them. */
void http_worker_free(struct http_worker *worker);

/* Begins; the strings are copied, but for `source`. NULL: err. */
struct http_transfer *http_transfer_new(struct http_worker *worker,
                                        const struct http_request *request,
                                        struct error *err) MUST_CHECK;

/* Ends it at whatever stage; the connection is kept when all has been read. NULL is allowed. */
void http_transfer_free(struct http_transfer *transfer);

/* Waits for the final head; false with err when it has not come by deadline_ms. */
bool http_transfer_head(struct http_transfer *transfer, int64_t deadline_ms,
                        struct error *err) MUST_CHECK;

/* Where its final head says that the answer is, as it says it; NULL where it does not. Good until
   the transfer goes on. */
const char *http_transfer_location(const struct http_transfer *transfer);

/* Was it refused for what had been learned from an earlier answer (a nonce that counts no more)?
   Asked again it is not. */
bool http_transfer_outdated(const struct http_transfer *transfer);

/* The URL that it asks. Lives as long as the transfer. */
const char *http_transfer_url(const struct http_transfer *transfer);

/* The head so far. */
const struct http_answer *http_transfer_answer(const struct http_transfer *transfer);

/* The body as it comes, not decoded: as a reader's read. Silent for stall_ms it has stalled. */
ssize_t http_transfer_read(struct http_transfer *transfer, void *bytes, size_t length,
                           int64_t stall_ms, struct error *err);

/* For transfers that move together: http_worker_perform lets all of a worker do what can be done
   without waiting, http_worker_wait waits until something happens to any of them, at most to the
   deadline (false with err: cancelled). The first is false where libcurl itself fails. */
bool http_worker_perform(struct http_worker *worker);
bool http_worker_wait(struct http_worker *worker, struct cancel *cancel, int64_t deadline_ms,
                      struct error *err) MUST_CHECK;

enum { HTTP_TRANSFER_NOTHING = -2 };

/* As http_transfer_read, but never waits: HTTP_TRANSFER_NOTHING when no byte is here. */
ssize_t http_transfer_try(struct http_transfer *transfer, void *bytes, size_t length,
                          struct error *err);

/* How many body bytes are gathered. */
size_t http_transfer_gathered(const struct http_transfer *transfer);

/* Has it ended, well or not? Gathered bytes may still be read. */
bool http_transfer_over(const struct http_transfer *transfer);

/* Why it ended badly: err; returns false. */
bool http_transfer_why(const struct http_transfer *transfer, struct error *err);

/* So much of the body may be gathered, in place of the usual ceiling. */
void http_transfer_gather_up_to(struct http_transfer *transfer, size_t bytes_max);

/* Ends the transfer and its connection; what is gathered may still be read. */
void http_transfer_stop(struct http_transfer *transfer);

/* As a reader's ready. */
bool http_transfer_ready(struct http_transfer *transfer);

/* Lets a body that nobody wants pass by, where it is short and comes at once, so that the
 * connection can be kept. */
void http_transfer_drain(struct http_transfer *transfer);
