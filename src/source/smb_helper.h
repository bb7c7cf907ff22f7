// SPDX-License-Identifier: MIT
//
// A symgate-smb process, and the socket to it. Owned by one worker thread at a time; one question
// after the other (smb/protocol.h says which). A helper that breaks the protocol, dies, or does not
// answer in time is of no more use: whoever gets false from any function here ends it. Everything
// that waits does so until its deadline, or until the cancel is raised (ERROR_CANCELLED).
#pragma once

#include "smb/protocol.h"
#include "source/cancel.h"

struct smb_helper;

/* How long to wait, and what silence is then called. */
struct smb_patience {
    struct cancel *cancel; /* may be NULL */
    int64_t deadline_ms;
    enum error_kind silence;
};

/* Where symgate-smb is: beside this program, or in libexec/symgate beside its folder; false, with a
   hint, when it is not installed. */
bool smb_helper_find(char *out_path, size_t size, struct error *err) MUST_CHECK;

/* Starts one. `shown` is seen among the processes: no secrets. */
struct smb_helper *smb_helper_start(const char *path, const char *shown,
                                    struct error *err) MUST_CHECK;

/* Ends it at once, whatever it does. NULL is allowed. */
void smb_helper_end(struct smb_helper *helper);

/* Sends a question. */
bool smb_helper_send(struct smb_helper *helper, const struct smb_message *message,
                     struct error *err) MUST_CHECK;

/* Receives an answer other than DATA. FAILED is one. */
bool smb_helper_receive(struct smb_helper *helper, const struct smb_patience *patience,
                        struct smb_message *out_message, struct error *err) MUST_CHECK;

/* Receives the head of DATA; false for FAILED too, which is then in err. */
bool smb_helper_receive_data(struct smb_helper *helper, const struct smb_patience *patience,
                             size_t *out_length, struct error *err) MUST_CHECK;

/* Receives up to `length` of the bytes that follow the head of DATA, as soon as some are there; -1:
   err. */
ssize_t smb_helper_receive_bytes(struct smb_helper *helper, const struct smb_patience *patience,
                                 void *bytes, size_t length, struct error *err) MUST_CHECK;

/* Is something there to be received right now? */
bool smb_helper_ready(const struct smb_helper *helper);
