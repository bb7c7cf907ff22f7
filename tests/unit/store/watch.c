// SPDX-License-Identifier: MIT
#include "store/watch.h"

#include <poll.h>
#include <stdatomic.h>

#include "base/threads.h"
#include "unit/base/check.h"

static bool readable(const struct inbox *inbox) {
    struct pollfd fd = {.fd = inbox->event_fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void is_put_in_once(void **state) {
    (void)state;
    struct inbox inbox;
    struct list taken;
    inbox_init(&inbox);
    struct watch one = {.inbox = &inbox};
    struct watch two = {.inbox = &inbox};
    assert_false(readable(&inbox));
    inbox_put(&inbox, &one);
    inbox_put(&inbox, &two);
    inbox_put(&inbox, &one);
    assert_true(readable(&inbox));
    inbox_take(&inbox, &taken);
    assert_false(readable(&inbox));
    assert_ptr_equal(taken.next, &one.in_inbox);
    assert_ptr_equal(taken.next->next, &two.in_inbox);
    assert_ptr_equal(taken.previous, &two.in_inbox);
    inbox_remove(&inbox, &one);
    inbox_remove(&inbox, &two);
    assert_true(list_empty(&taken));
    inbox_release(&inbox);
}

static void is_put_in_again_once_taken_off(void **state) {
    (void)state;
    struct inbox inbox;
    struct list taken;
    inbox_init(&inbox);
    struct watch watch = {.inbox = &inbox};
    inbox_put(&inbox, &watch);
    inbox_take(&inbox, &taken);
    inbox_put(&inbox, &watch);
    assert_false(readable(&inbox));
    inbox_remove(&inbox, &watch);
    inbox_put(&inbox, &watch);
    assert_true(readable(&inbox));
    inbox_remove(&inbox, &watch);
    inbox_take(&inbox, &taken);
    assert_true(list_empty(&taken));
    inbox_release(&inbox);
}

enum { PUTS = 20000 };

struct putter {
    struct watch watch;
    atomic_uint changes; /* raised before each put */
};

static void *put_many(void *context) {
    struct putter *putter = context;
    for (unsigned i = 0; i < PUTS; i++) {
        atomic_fetch_add(&putter->changes, 1);
        inbox_put(putter->watch.inbox, &putter->watch);
    }
    return NULL;
}

/* Whatever was changed before a put is seen by the loop afterwards. */
static void loses_no_change(void **state) {
    (void)state;
    struct inbox inbox;
    inbox_init(&inbox);
    struct putter putters[2] = {{.watch = {.inbox = &inbox}}, {.watch = {.inbox = &inbox}}};
    unsigned seen[2] = {0, 0};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_true(thread_start(&threads[i], "putter", put_many, &putters[i], NULL));
    while (seen[0] < PUTS || seen[1] < PUTS) {
        struct pollfd fd = {.fd = inbox.event_fd, .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 20000), 1);
        struct list taken;
        inbox_take(&inbox, &taken);
        while (!list_empty(&taken)) {
            struct watch *watch = LIST_ENTRY(taken.next, struct watch, in_inbox);
            inbox_remove(&inbox, watch);
            struct putter *putter = LIST_ENTRY(watch, struct putter, watch);
            seen[putter - putters] = atomic_load(&putter->changes);
        }
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    inbox_release(&inbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_put_in_once),
        cmocka_unit_test(is_put_in_again_once_taken_off),
        cmocka_unit_test(loses_no_change),
    };
    return RUN_TESTS(tests);
}
