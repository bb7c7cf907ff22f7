// SPDX-License-Identifier: MIT
#include "record/recorder.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "record/packet.h"
#include "record/recent.h"
#include "record/request_line.h"

enum {
    NAP_MS = 10, /* between two looks while outcomes are coming: nobody needs to wake the thread */
    SLEEP_MS = 60000, /* while none come: the first wakes it */
};

/* Locks, in this order: draining, then lanes_lock or a lane's own. */
struct recorder {
    struct recorder_options options;
    struct recorder_counters counters;
    struct recent *recent;
    pthread_mutex_t draining; /* held by whoever carries outcomes on */
    pthread_mutex_t lanes_lock;
    struct list lanes; /* guarded by lanes_lock; they are only ever added */
    pthread_mutex_t wake_lock;
    pthread_cond_t wake;
    bool stopping;      /* guarded by wake_lock, as is `hurry` */
    bool hurry;         /* somebody has called while it did not wait */
    atomic_bool asleep; /* the thread wants to be woken by the next outcome */
    pthread_t thread;
};

static void raise_counters(struct recorder *recorder, const struct outcome *outcome) {
    struct recorder_counters *counters = &recorder->counters;
    count(&counters->requests);
    if (outcome->about_symbol)
        count(&counters->by_verdict[outcome->verdict]);
    if (outcome->bytes)
        count_many(&counters->bytes_sent, outcome->bytes);
    if (outcome->broken)
        count(&counters->broken);
    if (outcome->hung_up)
        count(&counters->hung_up);
}

static void carry(struct recorder *recorder, const char *packet) {
    struct outcome outcome;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    packet_read(packet, &outcome, notes);
    if (recorder->options.log_requests)
        request_line_write(&outcome, notes);
    recent_add(recorder->recent, packet);
    if (recorder->options.take)
        recorder->options.take(recorder->options.context, &outcome, notes);
}

static struct lane *lane_after(struct recorder *recorder, struct lane *lane) {
    SCOPED_LOCK(&recorder->lanes_lock);
    struct list *next = lane ? lane->in_recorder.next : recorder->lanes.next;
    return next == &recorder->lanes ? NULL : LIST_ENTRY(next, struct lane, in_recorder);
}

/* Carries on what lies in the lanes; false when there was nothing. */
static bool drain(struct recorder *recorder) {
    SCOPED_LOCK(&recorder->draining);
    bool any = false;
    for (struct lane *lane = NULL; (lane = lane_after(recorder, lane));) {
        size_t bytes;
        const char *packets = lane_take(lane, &bytes);
        any = any || bytes > 0;
        for (size_t at = 0; at < bytes; at += packet_bytes(packets + at))
            carry(recorder, packets + at);
    }
    return any;
}

/* Waits to be woken, for a time; false: it is time to end. */
static bool wait_for_more(struct recorder *recorder, int64_t wait_ms) {
    SCOPED_LOCK(&recorder->wake_lock);
    if (!recorder->stopping && !recorder->hurry)
        (void)condition_wait(&recorder->wake, &recorder->wake_lock, clock_ms() + wait_ms);
    recorder->hurry = false;
    atomic_store(&recorder->asleep, false);
    return !recorder->stopping;
}

/* Whoever puts something after the last look in vain sees that the thread is asleep. */
static bool falls_asleep(struct recorder *recorder) {
    atomic_store(&recorder->asleep, true);
    return !drain(recorder);
}

static void *run(void *context) {
    struct recorder *recorder = context;
    bool asleep = false;
    do
        asleep = !drain(recorder) && falls_asleep(recorder);
    while (wait_for_more(recorder, asleep ? SLEEP_MS : NAP_MS));
    return NULL;
}

struct recorder *recorder_new(const struct recorder_options *options, struct error *err) {
    struct recorder *recorder = NEW(struct recorder);
    recorder->options = *options;
    recorder->recent = recent_new(options->outcomes_max);
    pthread_mutex_init(&recorder->draining, NULL);
    pthread_mutex_init(&recorder->lanes_lock, NULL);
    pthread_mutex_init(&recorder->wake_lock, NULL);
    condition_init(&recorder->wake);
    list_init(&recorder->lanes);
    if (thread_start(&recorder->thread, "record", run, recorder, err))
        return recorder;
    recent_free(recorder->recent);
    free(recorder);
    return NULL;
}

static void wake(struct recorder *recorder, bool stopping) {
    SCOPED_LOCK(&recorder->wake_lock);
    recorder->hurry = true;
    recorder->stopping = recorder->stopping || stopping;
    atomic_store(&recorder->asleep, false);
    pthread_cond_signal(&recorder->wake);
}

void recorder_free(struct recorder *recorder) {
    if (!recorder)
        return;
    wake(recorder, true);
    pthread_join(recorder->thread, NULL);
    drain(recorder);
    LIST_EACH (node, &recorder->lanes)
        lane_free(LIST_ENTRY(node, struct lane, in_recorder));
    recent_free(recorder->recent);
    pthread_cond_destroy(&recorder->wake);
    pthread_mutex_destroy(&recorder->wake_lock);
    pthread_mutex_destroy(&recorder->lanes_lock);
    pthread_mutex_destroy(&recorder->draining);
    free(recorder);
}

struct lane *recorder_lane(struct recorder *recorder) {
    struct lane *lane = lane_new();
    SCOPED_LOCK(&recorder->lanes_lock);
    list_push_back(&recorder->lanes, &lane->in_recorder);
    return lane;
}

void recorder_put(struct recorder *recorder, struct lane *lane, const struct outcome *outcome,
                  const struct attempt_note *notes) {
    raise_counters(recorder, outcome);
    enum lane_put put = lane_put(lane, outcome, notes);
    if (put == LANE_LOST)
        count(&recorder->counters.lost);
    if (put == LANE_HALF_FULL || atomic_load(&recorder->asleep))
        wake(recorder, false);
}

void recorder_settle(struct recorder *recorder) {
    drain(recorder);
}

bool recorder_find(struct recorder *recorder, const char *id, outcome_show *show, void *context) {
    return recent_find(recorder->recent, id, show, context);
}

void recorder_recent(struct recorder *recorder, unsigned count_max, outcome_show *show,
                     void *context) {
    recent_each(recorder->recent, count_max, show, context);
}

const struct recorder_counters *recorder_counters(const struct recorder *recorder) {
    return &recorder->counters;
}
