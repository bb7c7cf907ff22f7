// SPDX-License-Identifier: MIT
//
// How one request went: the single record from which its log line, the statistics and explanations
// are made. Texts are borrowed: they live as long as the call that an outcome is given to. Those
// that come from outside are escaped where they are shown; URLs are masked before they come here.
#pragma once

#include <stdint.h>

#include "symbol/attempt.h"
#include "symbol/question.h"
#include "symbol/verdict.h"

enum {
    REQUEST_ID_BYTES = 65,
    CLIENT_BYTES = 48,
    REQUEST_PATH_BYTES = 512, /* of the path that is kept, with its end */
    OUTCOME_NOTES_MAX = 80,
};

struct outcome {
    int64_t wall_ns;     /* when it came */
    int64_t waited_us;   /* until the answer began */
    int64_t total_us;    /* until it ended */
    uint64_t bytes;      /* of the body that were sent */
    const char *dialect; /* these two live for ever */
    const char *method;
    enum verdict verdict;
    int status;
    bool about_symbol; /* below /symbols/: only then the verdict counts */
    bool follow_up;    /* another form of a file, such as `.pd_`: no lookup of its own */
    bool joined; /* a lookup that an earlier request had begun: its notes are told there too */
    bool broken; /* ended before its end: by us, or by the client (hung_up) */
    bool hung_up;
    bool not_kept;       /* delivered, but the shelf could not keep it */
    unsigned note_count; /* attempts, given beside the outcome; at most OUTCOME_NOTES_MAX count */
    struct outcome_texts {
        const char *id;     /* X-Request-Id; none of these is NULL */
        const char *client; /* address, full, shortened or empty: general.logClients */
        const char *path;   /* as asked, cut; the query is masked */
        const char *name;   /* the canonical key, empty when there is none */
        const char *key_id;
        const char *rule;   /* the filter that decided, or empty */
        const char *source; /* who delivered, or empty */
        const char *reason; /* X-Symgate-Reason */
    } text;
};

/* What is told about outcomes; false: enough. */
typedef bool outcome_show(const struct outcome *outcome, const struct attempt_note *notes,
                          void *context);
