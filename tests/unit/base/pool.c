// SPDX-License-Identifier: MIT
#include "base/pool.h"

#include "unit/base/check.h"
#include "unit/base/clock_fake.h"
#include "unit/base/gate.h"

struct work {
    struct pool_job job;
    struct gate *begun;
    struct gate *may_end;
    struct gate *done;
};

static void run(struct pool_job *job) {
    struct work *work = LIST_ENTRY(job, struct work, job);
    /* The owner may be gone as soon as the last gate is raised. */
    struct gate *done = work->done;
    gate_raise(work->begun);
    if (work->may_end)
        gate_wait(work->may_end, 1);
    gate_raise(done);
}

static void runs_at_most_so_many_at_once(void **state) {
    (void)state;
    struct gate begun = GATE_CLOSED;
    struct gate may_end = GATE_CLOSED;
    struct gate done = GATE_CLOSED;
    struct pool *pool = pool_new("test", 2, 3);
    struct work works[6];
    for (int i = 0; i < 6; i++)
        works[i] = (struct work){{.run = run}, &begun, &may_end, &done};
    assert_true(pool_post(pool, &works[0].job));
    assert_true(pool_post(pool, &works[1].job));
    gate_wait(&begun, 2);
    /* Both threads are busy: three more fit into the queue, and no fourth. */
    assert_true(pool_post(pool, &works[2].job));
    assert_true(pool_post(pool, &works[3].job));
    assert_true(pool_post(pool, &works[4].job));
    assert_false(pool_post(pool, &works[5].job));
    assert_int_equal(gate_count(&begun), 2);
    gate_raise(&may_end);
    gate_wait(&done, 5);
    assert_true(pool_post(pool, &works[5].job));
    gate_wait(&done, 6);
    pool_free(pool);
}

static void free_runs_what_is_queued(void **state) {
    (void)state;
    enum { JOBS = 50 };
    struct gate begun = GATE_CLOSED;
    struct gate done = GATE_CLOSED;
    struct pool *pool = pool_new("test", 1, JOBS);
    struct work works[JOBS];
    for (int i = 0; i < JOBS; i++) {
        works[i] = (struct work){{.run = run}, &begun, NULL, &done};
        assert_true(pool_post(pool, &works[i].job));
    }
    pool_free(pool);
    assert_int_equal(gate_count(&done), JOBS);
}

static void a_hang_is_seen_and_does_not_hold_up_the_end(void **state) {
    (void)state;
    struct gate begun = GATE_CLOSED;
    struct gate may_end = GATE_CLOSED;
    struct gate done = GATE_CLOSED;
    struct pool *pool = pool_new("test", 1, 8);
    struct work hanging = {{.run = run}, &begun, &may_end, &done};
    struct work behind = {{.run = run}, &begun, NULL, &done};
    assert_true(pool_post(pool, &hanging.job));
    gate_wait(&begun, 1);
    assert_false(pool_hangs(pool, 1000));
    clock_fake_advance(1001);
    assert_true(pool_hangs(pool, 1000));
    assert_false(pool_hangs(pool, 2000));
    assert_true(pool_post(pool, &behind.job));
    pool_free(pool);
    assert_false(list_linked(&behind.job.in_queue));
    assert_int_equal(gate_count(&begun), 1);
    gate_raise(&may_end);
    gate_wait(&done, 1);
}

static void a_pool_without_work_does_not_hang(void **state) {
    (void)state;
    struct pool *pool = pool_new("test", 1, 8);
    clock_fake_advance(100000);
    assert_false(pool_hangs(pool, 0));
    pool_free(pool);
    pool_free(NULL);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_at_most_so_many_at_once),
        cmocka_unit_test(free_runs_what_is_queued),
        cmocka_unit_test(a_hang_is_seen_and_does_not_hold_up_the_end),
        cmocka_unit_test(a_pool_without_work_does_not_hang),
    };
    return RUN_TESTS(tests);
}
