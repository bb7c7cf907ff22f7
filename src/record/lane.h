// SPDX-License-Identifier: MIT
//
// A lane: how the outcomes of one loop get to the record thread. Two blocks: one is filled by the
// loop while the other one is read. The lock is shared by these two threads alone, and held for the
// copy of one outcome or the exchange of the blocks. What does not fit is lost and counted: a slow
// disk never delays a request.
#pragma once

#include <pthread.h>

#include "base/counter.h"
#include "base/list.h"
#include "record/outcome.h"

enum { LANE_BYTES = 1 << 20 };

struct lane {
    struct list in_recorder;
    pthread_mutex_t lock; /* guards what follows */
    char *filling;        /* packets, one behind the other */
    size_t filled;
    char *spare;
    counter lost;
};

/* What has become of an outcome, and whether it should be fetched soon. */
enum lane_put { LANE_TAKEN, LANE_HALF_FULL, LANE_LOST };

/* An empty lane; free with lane_free. */
struct lane *lane_new(void);
void lane_free(struct lane *lane);

/* Appends a copy. */
enum lane_put lane_put(struct lane *lane, const struct outcome *outcome,
                       const struct attempt_note *notes);

/* Takes all that is in it: *out_bytes of packets, valid until the next call. One reader. */
const char *lane_take(struct lane *lane, size_t *out_bytes);
