// SPDX-License-Identifier: MIT
//
// What one question to one source came to: the unit of explanations and log lines. A plain value.
#pragma once

#include <stdint.h>

#include "base/error.h"

enum attempt_result {
    ATTEMPT_WAITING,    /* in the source's queue, or being asked */
    ATTEMPT_FOUND,      /* delivered, or delivers */
    ATTEMPT_ABSENT,     /* the source's own no */
    ATTEMPT_REMEMBERED, /* not asked: its no of earlier still counts */
    ATTEMPT_FILTERED,   /* not asked: a filter, its kinds, or `enabled` */
    ATTEMPT_LOST,       /* another source delivered first */
    ATTEMPT_FAILED,     /* `cause` says why; a break after some bytes too */
    ATTEMPT_UNASKED,    /* could not be asked: resting, busy, or withdrawn; `cause` says which */
};

struct attempt_note {
    char source[64]; /* the source's identifier */
    char url[256];   /* masked, or a path; empty when not asked */
    enum attempt_result result;
    enum error_kind cause; /* with ATTEMPT_FAILED and ATTEMPT_UNASKED; with ATTEMPT_WAITING
                              ERROR_BUSY while it waits for a place */
    int status;            /* HTTP status of the last answer, or 0 */
    int64_t started_ms;    /* since the search began */
    int64_t place_ms;      /* waited for a place in the queue */
    int64_t head_ms;       /* from the place to the head */
    int64_t total_ms;      /* from the place to the end */
    uint64_t bytes;
    char what[160]; /* the error's text, masked */
};

/* "found", "absent", …; never NULL. */
const char *attempt_result_name(enum attempt_result result);
