// SPDX-License-Identifier: MIT
#include "base/threads.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/lock.h"
#include "unit/base/check.h"
#include "unit/base/gate.h"

struct seen {
    char name[16];
    bool blocked;
    struct gate done;
};

static void *look(void *context) {
    struct seen *seen = context;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    seen->blocked = sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGUSR1) == 1;
    gate_raise(&seen->done);
    return context;
}

static void threads_have_names_and_no_signals(void **state) {
    (void)state;
    struct seen seen = {.done = GATE_CLOSED};
    pthread_t thread;
    struct error err = {0};
    assert_true(thread_start(&thread, "a name that is too long", look, &seen, &err));
    void *result = NULL;
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &seen);
    assert_string_equal(seen.name, "a name that is ");
    assert_true(seen.blocked);
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    assert_int_equal(sigismember(&set, SIGTERM), 0);
}

static void detached_threads_run_too(void **state) {
    (void)state;
    struct seen seen = {.done = GATE_CLOSED};
    struct error err = {0};
    assert_true(thread_start_detached("worker", look, &seen, &err));
    gate_wait(&seen.done, 1);
    assert_string_equal(seen.name, "worker");
    assert_true(seen.blocked);
}

static void *prefer(void *context) {
    thread_prefer_latency();
    *(int *)context = sched_getscheduler(0);
    return NULL;
}

static void preferring_latency_keeps_policy_and_nice(void **state) {
    (void)state;
    int nice_before = getpriority(PRIO_PROCESS, 0);
    int policy = -1;
    pthread_t thread;
    struct error err = {0};
    assert_true(thread_start(&thread, "loop", prefer, &policy, &err));
    pthread_join(thread, NULL);
    assert_int_equal(policy, SCHED_OTHER);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), nice_before);
}

static void processors_are_those_allowed(void **state) {
    (void)state;
    unsigned all = thread_processors();
    assert_true(all >= 1);
    cpu_set_t before;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(thread_processors(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool come;
};

static void *come(void *context) {
    struct meeting *meeting = context;
    SCOPED_LOCK(&meeting->lock);
    meeting->come = true;
    pthread_cond_signal(&meeting->changed);
    return NULL;
}

static void conditions_wait_for_a_signal_or_a_deadline(void **state) {
    (void)state;
    struct meeting meeting = {.lock = PTHREAD_MUTEX_INITIALIZER};
    condition_init(&meeting.changed);
    lock_take(&meeting.lock);
    assert_false(condition_wait(&meeting.changed, &meeting.lock, clock_ms() - 1000));
    assert_false(condition_wait(&meeting.changed, &meeting.lock, 0));
    int64_t until_ms = clock_ms() + 20;
    while (condition_wait(&meeting.changed, &meeting.lock, until_ms))
        continue;
    assert_true(clock_ms() >= until_ms - 1);
    pthread_t thread;
    struct error err = {0};
    assert_true(thread_start(&thread, "guest", come, &meeting, &err));
    until_ms = clock_ms() + 20000;
    while (!meeting.come)
        assert_true(condition_wait(&meeting.changed, &meeting.lock, until_ms));
    lock_give(&meeting.lock);
    pthread_join(thread, NULL);
}

static void a_scoped_lock_is_given_back_on_every_way_out(void **state) {
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    for (int i = 0; i < 3; i++) {
        SCOPED_LOCK(&lock);
        assert_int_not_equal(pthread_mutex_trylock(&lock), 0);
        if (i == 1)
            continue;
    }
    assert_int_equal(pthread_mutex_trylock(&lock), 0);
    pthread_mutex_unlock(&lock);
}

static void *wait_for_post(void *context) {
    assert_int_equal(sem_wait(context), 0);
    return NULL;
}

static void the_end_of_detached_threads_is_waited_for(void **state) {
    (void)state;
    struct error err;
    sem_t go;
    assert_int_equal(sem_init(&go, 0, 0), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_true(thread_start_detached("worker", wait_for_post, &go, &err));
    assert_false(thread_wait_detached(0));
    assert_int_equal(sem_post(&go), 0);
    assert_int_equal(sem_post(&go), 0);
    assert_false(thread_wait_detached(clock_ms() + 20));
    assert_int_equal(sem_post(&go), 0);
    assert_true(thread_wait_detached(clock_ms() + 20000));
    assert_true(thread_wait_detached(0));
    sem_destroy(&go);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_have_names_and_no_signals),
        cmocka_unit_test(detached_threads_run_too),
        cmocka_unit_test(the_end_of_detached_threads_is_waited_for),
        cmocka_unit_test(preferring_latency_keeps_policy_and_nice),
        cmocka_unit_test(processors_are_those_allowed),
        cmocka_unit_test(conditions_wait_for_a_signal_or_a_deadline),
        cmocka_unit_test(a_scoped_lock_is_given_back_on_every_way_out),
    };
    return RUN_TESTS(tests);
}
