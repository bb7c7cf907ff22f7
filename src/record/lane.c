// SPDX-License-Identifier: MIT
#include "record/lane.h"

#include <stdlib.h>

#include "base/lock.h"
#include "base/memory.h"
#include "record/packet.h"

struct lane *lane_new(void) {
    struct lane *lane = NEW(struct lane);
    pthread_mutex_init(&lane->lock, NULL);
    lane->filling = memory_new(LANE_BYTES);
    lane->spare = memory_new(LANE_BYTES);
    return lane;
}

void lane_free(struct lane *lane) {
    if (!lane)
        return;
    pthread_mutex_destroy(&lane->lock);
    free(lane->filling);
    free(lane->spare);
    free(lane);
}

enum lane_put lane_put(struct lane *lane, const struct outcome *outcome,
                       const struct attempt_note *notes) {
    struct packet_size size;
    packet_measure(outcome, notes, &size);
    SCOPED_LOCK(&lane->lock);
    size_t before = lane->filled;
    if (before + size.bytes > LANE_BYTES) {
        count(&lane->lost);
        return LANE_LOST;
    }
    packet_write(lane->filling + before, &size, outcome, notes);
    lane->filled += size.bytes;
    bool half = before < LANE_BYTES / 2 && lane->filled >= LANE_BYTES / 2;
    return half ? LANE_HALF_FULL : LANE_TAKEN;
}

const char *lane_take(struct lane *lane, size_t *out_bytes) {
    SCOPED_LOCK(&lane->lock);
    char *taken = lane->filling;
    *out_bytes = lane->filled;
    lane->filling = lane->spare;
    lane->spare = taken;
    lane->filled = 0;
    return taken;
}
