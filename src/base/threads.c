// SPDX-License-Identifier: MIT
#include "base/threads.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/memory.h"
#include "base/text.h"

enum { SLICE_NS = 100000, NICE_BEHIND = 5 };

struct start {
    void *(*run)(void *context);
    void *context;
    bool detached;
    char name[16];
};

static pthread_once_t made = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended;
static unsigned detached; /* that run; guarded by lock */

static void make_condition(void) {
    condition_init(&ended);
}

static void count_detached(int by) {
    pthread_once(&made, make_condition);
    SCOPED_LOCK(&lock);
    detached += (unsigned)by;
    if (detached == 0)
        pthread_cond_broadcast(&ended);
}

bool thread_wait_detached(int64_t deadline_ms) {
    pthread_once(&made, make_condition);
    SCOPED_LOCK(&lock);
    while (detached > 0)
        if (!condition_wait(&ended, &lock, deadline_ms))
            return detached == 0;
    return true;
}

/* The thread names itself: a detached one may be gone before its maker could do it. */
static void *begin(void *start_given) {
    struct start start = *(struct start *)start_given;
    free(start_given);
    pthread_setname_np(pthread_self(), start.name);
    void *result = start.run(start.context);
    if (start.detached)
        count_detached(-1);
    return result;
}

static bool start_with(const pthread_attr_t *attributes, pthread_t *out_thread, const char *name,
                       void *(*run)(void *context), void *context, struct error *err) {
    struct start *start = NEW(struct start);
    start->run = run;
    start->context = context;
    start->detached = attributes != NULL;
    text_copy(start->name, sizeof start->name, name);
    /* A new thread inherits the mask, so no signal finds it unblocked for a moment. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    if (attributes)
        count_detached(1);
    int rc = pthread_create(&thread, attributes, begin, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        if (attributes)
            count_detached(-1);
        free(start);
        return error_os(err, ERROR_SYSTEM, rc, "could not start thread \"%s\"", name);
    }
    *out_thread = thread;
    return true;
}

bool thread_start(pthread_t *out_thread, const char *name, void *(*run)(void *context),
                  void *context, struct error *err) {
    return start_with(NULL, out_thread, name, run, context, err);
}

bool thread_start_detached(const char *name, void *(*run)(void *context), void *context,
                           struct error *err) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    bool started = start_with(&attributes, &thread, name, run, context, err);
    pthread_attr_destroy(&attributes);
    return started;
}

/* Linux's struct sched_attr; glibc 2.36 knows neither it nor the calls. */
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime; /* for ordinary threads since Linux 6.12: the slice */
    uint64_t deadline;
    uint64_t period;
};

void thread_prefer_latency(void) {
    struct scheduling now = {.size = sizeof now};
    if (syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) != 0 || now.policy != SCHED_OTHER)
        return;
    now.runtime = SLICE_NS;
    syscall(SYS_sched_setattr, 0, &now, 0);
}

void thread_stand_back(void) {
    /* For the calling thread alone: on Linux each has its own. */
    (void)setpriority(PRIO_PROCESS, 0, NICE_BEHIND);
}

unsigned thread_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    /* More processors than the set has room for. */
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}
