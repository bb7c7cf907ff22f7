// SPDX-License-Identifier: MIT
#include "base/alarm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/threads.h"

enum { CAPACITY_AT_FIRST = 64, SLEEP_MS = 60000 };

/* A binary heap, the earliest at index 1. It grows with the alarms' owners, whose number has
 * ceilings of its own. */
struct alarm_clock {
    pthread_mutex_t lock; /* guards all below but `thread` */
    pthread_cond_t changed;
    struct alarm **heap;
    size_t count;
    size_t capacity;
    int64_t wakes_ms; /* when the thread looks next by itself; INT64_MIN: it is looking */
    bool stopping;
    pthread_t thread;
};

static void place(struct alarm_clock *clock, size_t index, struct alarm *alarm) {
    clock->heap[index] = alarm;
    alarm->heap_index = index;
}

static void sift_up(struct alarm_clock *clock, struct alarm *alarm, size_t index) {
    while (index > 1 && clock->heap[index / 2]->at_ms > alarm->at_ms) {
        place(clock, index, clock->heap[index / 2]);
        index /= 2;
    }
    place(clock, index, alarm);
}

static void sift_down(struct alarm_clock *clock, struct alarm *alarm, size_t index) {
    for (;;) {
        size_t child = index * 2;
        if (child > clock->count)
            break;
        if (child < clock->count && clock->heap[child + 1]->at_ms < clock->heap[child]->at_ms)
            child++;
        if (clock->heap[child]->at_ms >= alarm->at_ms)
            break;
        place(clock, index, clock->heap[child]);
        index = child;
    }
    place(clock, index, alarm);
}

static void settle(struct alarm_clock *clock, struct alarm *alarm, size_t index) {
    if (index > 1 && clock->heap[index / 2]->at_ms > alarm->at_ms)
        sift_up(clock, alarm, index);
    else
        sift_down(clock, alarm, index);
}

static void take_out(struct alarm_clock *clock, struct alarm *alarm) {
    size_t index = alarm->heap_index;
    assert(index >= 1 && index <= clock->count && clock->heap[index] == alarm);
    struct alarm *last = clock->heap[clock->count--];
    alarm->heap_index = 0;
    if (last != alarm)
        settle(clock, last, index);
}

static void make_place(struct alarm_clock *clock) {
    if (clock->count + 1 < clock->capacity)
        return;
    size_t capacity = clock->capacity ? clock->capacity * 2 : CAPACITY_AT_FIRST;
    struct alarm **heap = NEW_ARRAY(struct alarm *, capacity);
    if (clock->heap)
        memcpy(heap, clock->heap, clock->capacity * sizeof(struct alarm *));
    free(clock->heap);
    clock->heap = heap;
    clock->capacity = capacity;
}

/* Takes out the first alarm whose time has come, or sleeps until the next one's. */
static struct alarm *next_due(struct alarm_clock *clock) {
    SCOPED_LOCK(&clock->lock);
    while (!clock->stopping) {
        int64_t now_ms = clock_ms();
        struct alarm *first = clock->count > 0 ? clock->heap[1] : NULL;
        if (first && first->at_ms <= now_ms) {
            take_out(clock, first);
            return first;
        }
        clock->wakes_ms = first ? first->at_ms : now_ms + SLEEP_MS;
        (void)condition_wait(&clock->changed, &clock->lock, clock->wakes_ms);
        clock->wakes_ms = INT64_MIN;
    }
    return NULL;
}

static void *run_alarms(void *context) {
    struct alarm_clock *clock = context;
    for (struct alarm *alarm = next_due(clock); alarm; alarm = next_due(clock))
        alarm->ring(alarm);
    return NULL;
}

struct alarm_clock *alarm_clock_new(struct error *err) {
    struct alarm_clock *clock = NEW(struct alarm_clock);
    clock->wakes_ms = INT64_MIN;
    pthread_mutex_init(&clock->lock, NULL);
    condition_init(&clock->changed);
    if (thread_start(&clock->thread, "alarms", run_alarms, clock, err))
        return clock;
    pthread_cond_destroy(&clock->changed);
    pthread_mutex_destroy(&clock->lock);
    free(clock);
    return NULL;
}

void alarm_clock_free(struct alarm_clock *clock) {
    if (!clock)
        return;
    lock_take(&clock->lock);
    clock->stopping = true;
    pthread_cond_signal(&clock->changed);
    lock_give(&clock->lock);
    pthread_join(clock->thread, NULL);
    pthread_cond_destroy(&clock->changed);
    pthread_mutex_destroy(&clock->lock);
    free(clock->heap);
    free(clock);
}

void alarm_clock_look(struct alarm_clock *clock) {
    SCOPED_LOCK(&clock->lock);
    pthread_cond_signal(&clock->changed);
}

bool alarm_set(struct alarm_clock *clock, struct alarm *alarm, int64_t at_ms) {
    SCOPED_LOCK(&clock->lock);
    bool was_set = alarm->heap_index != 0;
    alarm->at_ms = at_ms;
    if (was_set) {
        settle(clock, alarm, alarm->heap_index);
    } else {
        make_place(clock);
        clock->count++;
        sift_up(clock, alarm, clock->count);
    }
    /* Most alarms are cancelled long before their time: the thread is not woken for those that are
       later than it would look anyway. */
    if (at_ms < clock->wakes_ms)
        pthread_cond_signal(&clock->changed);
    return was_set;
}

bool alarm_cancel(struct alarm_clock *clock, struct alarm *alarm) {
    SCOPED_LOCK(&clock->lock);
    if (alarm->heap_index == 0)
        return false;
    take_out(clock, alarm);
    return true;
}
