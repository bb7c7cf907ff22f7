// SPDX-License-Identifier: MIT
//
// How one request went: the single record from which its log line, the statistics and explanations
// are made. A plain value; texts that come from outside are cut here and escaped where they are
// shown; URLs are masked before they come here.
#pragma once

#include <stdint.h>

#include "symbol/attempt.h"
#include "symbol/question.h"
#include "symbol/verdict.h"

enum {
    REQUEST_ID_BYTES = 65,
    CLIENT_BYTES = 48,
};

struct outcome {
    char id[REQUEST_ID_BYTES]; /* X-Request-Id */
    int64_t wall_ns;           /* when it came */
    char client[CLIENT_BYTES]; /* address, full, shortened or empty: general.logClients */
    const char *dialect;
    const char *method;
    char path[512];    /* as asked, cut; the query is masked */
    char key[448];     /* canonical "<name>/<id>", empty when there is none */
    bool about_symbol; /* below /symbols/: only then the verdict counts */
    enum verdict verdict;
    char rule[128];   /* the filter that decided, or empty */
    char source[64];  /* who delivered, or empty */
    char reason[256]; /* X-Symgate-Reason */
    int status;
    uint64_t bytes;    /* of the body that were sent */
    int64_t waited_us; /* until the answer began */
    int64_t total_us;
    bool broken; /* ended before its end: by us, or by the client (hung_up) */
    bool hung_up;
    bool not_kept;       /* delivered, but the shelf could not keep it */
    unsigned note_count; /* attempts, kept beside the outcome */
};
