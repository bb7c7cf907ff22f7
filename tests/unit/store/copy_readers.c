// SPDX-License-Identifier: MIT
//
// Those who read a copy: when they are woken, at which speed they go, what a break means for them.
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "unit/store/bench.h"

enum { WAKE_BYTES = 256 << 10 };

struct setting {
    struct bench bench;
    struct inbox inbox;
    struct watch watch;
};

static int set_up(void **state) {
    struct setting *setting = NEW(struct setting);
    bench_open(&setting->bench, BENCH_OPEN_FILES_MAX);
    inbox_init(&setting->inbox);
    setting->watch.inbox = &setting->inbox;
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    inbox_release(&setting->inbox);
    bench_close(&setting->bench);
    free(setting);
    return 0;
}

/* Was the watch put into its loop's inbox since the last time? */
static bool woken(struct setting *setting) {
    struct list taken;
    inbox_take(&setting->inbox, &taken);
    bool was = !list_empty(&taken);
    inbox_remove(&setting->inbox, &setting->watch);
    return was;
}

/* --- waking --------------------------------------------------------------------------------- */

static void wakes_at_first_bytes_and_every_256_kib(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    struct copy *copy = bench_searching(&setting->bench);
    copy_watch(copy, &setting->watch, &now);
    assert_int_equal(now.phase, COPY_SEARCHING);
    assert_false(woken(setting));
    bench_begin(&setting->bench, copy, SIZE_UNKNOWN);
    assert_true(woken(setting));
    bench_append(copy, 1);
    assert_true(woken(setting));
    bench_append(copy, WAKE_BYTES - 1);
    assert_false(woken(setting));
    bench_append(copy, 1);
    assert_true(woken(setting));
    bench_append(copy, 3 * WAKE_BYTES);
    assert_true(woken(setting));
    bench_append(copy, 100);
    assert_false(woken(setting));
    copy_certain(copy);
    assert_true(woken(setting));
    copy_whole(copy, true);
    assert_true(woken(setting));
    cache_complete(setting->bench.cache, copy, true);
    assert_true(woken(setting));
    copy_unwatch(copy, &setting->watch);
    copy_unref(copy);
}

static void wakes_at_the_end_and_when_hurried(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    struct copy *copy = bench_searching(&setting->bench);
    copy_watch(copy, &setting->watch, &now);
    assert_int_equal(now.hurried_ms, 0);
    copy_hurry(copy);
    assert_true(woken(setting));
    copy_look(copy, &now);
    assert_true(now.hurried_ms > 0);
    cache_end(setting->bench.cache, copy, COPY_ABSENT, NULL);
    assert_true(woken(setting));
    copy_unwatch(copy, &setting->watch);
    copy_unref(copy);
}

static void wakes_nobody_who_has_left(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    struct copy *copy = bench_arriving(&setting->bench, &setting->bench.question, SIZE_UNKNOWN);
    copy_watch(copy, &setting->watch, &now);
    copy_watch(copy, &setting->watch, &now); /* registered once */
    bench_append(copy, 10);
    copy_unwatch(copy, &setting->watch); /* with a wake-up on its way */
    assert_false(woken(setting));
    bench_append(copy, WAKE_BYTES);
    assert_false(woken(setting));
    copy_unwatch(copy, &setting->watch);
    bench_give_up(&setting->bench, copy);
}

/* --- many readers --------------------------------------------------------------------------- */

enum { READERS = 8, BODY_BYTES = 3 << 20, SLOWEST_PART = 4096 };

struct reader_thread {
    pthread_t thread;
    struct copy *copy; /* a reference */
    size_t part_bytes; /* read at once: what makes it slow */
    uint64_t got;
    enum copy_phase ended_in;
    struct gate *begun;
    bool right;
};

static bool read_part(struct reader_thread *reader, uint64_t written) {
    char there[SLOWEST_PART];
    char wanted[SLOWEST_PART];
    int fd;
    uint64_t at;
    uint64_t bytes;
    copy_file(reader->copy, reader->got, &fd, &at, &bytes);
    size_t part = bytes < reader->part_bytes ? (size_t)bytes : reader->part_bytes;
    if (part > written - reader->got)
        part = (size_t)(written - reader->got);
    bench_fill(wanted, part, reader->got);
    if (pread(fd, there, part, (off_t)at) != (ssize_t)part || memcmp(there, wanted, part) != 0)
        return false;
    reader->got += part;
    return true;
}

/* What a loop does: reads what is there, and waits to be woken for more. A copy that stops growing
   without an end would leave it waiting: the deadline ends the test. */
static void *read_all(void *context) {
    struct reader_thread *reader = context;
    struct inbox inbox;
    struct copy_state now;
    inbox_init(&inbox);
    struct watch watch = {.inbox = &inbox};
    copy_watch(reader->copy, &watch, &now);
    gate_raise(reader->begun);
    for (reader->right = true; reader->right;) {
        while (reader->right && reader->got < now.written)
            reader->right = read_part(reader, now.written);
        if (now.phase >= COPY_WHOLE)
            break;
        struct pollfd fd = {.fd = inbox.event_fd, .events = POLLIN};
        struct list taken;
        reader->right = reader->right && poll(&fd, 1, 20000) == 1;
        inbox_take(&inbox, &taken);
        inbox_remove(&inbox, &watch);
        copy_look(reader->copy, &now);
    }
    reader->ended_in = now.phase;
    copy_unwatch(reader->copy, &watch);
    copy_leave(reader->copy, COPY_LEFT_SERVED);
    copy_unref(reader->copy);
    inbox_release(&inbox);
    return NULL;
}

static void begin_reader(struct setting *setting, struct reader_thread *reader, unsigned n,
                         struct gate *begun) {
    bool leading;
    struct error err;
    *reader = (struct reader_thread){.part_bytes = (size_t)SLOWEST_PART >> n, .begun = begun};
    reader->copy = cache_claim(setting->bench.cache, &setting->bench.question.key, &leading, &err);
    assert_false(leading);
    assert_true(thread_start(&reader->thread, "reader", read_all, reader, NULL));
}

/* Half of the readers are there from the start, the others come when half has been written. */
static void feeds_readers_each_at_its_own_speed(void **state) {
    struct setting *setting = *state;
    struct reader_thread readers[READERS];
    struct gate begun = GATE_CLOSED;
    struct copy *copy = bench_arriving(&setting->bench, &setting->bench.question, BODY_BYTES);
    for (unsigned i = 0; i < READERS / 2; i++)
        begin_reader(setting, &readers[i], i, &begun);
    gate_wait(&begun, READERS / 2);
    size_t part = 1;
    for (size_t written = 0; written < BODY_BYTES; written += part) {
        part = (part * 7 + 1000) % 70000 + 1;
        if (part > BODY_BYTES - written)
            part = BODY_BYTES - written;
        if (written < BODY_BYTES / 2 && written + part >= BODY_BYTES / 2) {
            for (unsigned i = READERS / 2; i < READERS; i++)
                begin_reader(setting, &readers[i], i - READERS / 2, &begun);
            gate_wait(&begun, READERS);
        }
        bench_append(copy, part);
    }
    copy_whole(copy, true);
    cache_complete(setting->bench.cache, copy, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_true(readers[i].right);
        assert_int_equal(readers[i].got, BODY_BYTES);
        assert_true(readers[i].ended_in == COPY_WHOLE || readers[i].ended_in == COPY_COMPLETE);
    }
    copy_unref(copy);
}

static void gives_a_late_joiner_everything_at_once(void **state) {
    struct setting *setting = *state;
    struct copy *joined;
    struct copy_state now;
    struct copy *copy = bench_arriving(&setting->bench, &setting->bench.question, 100000);
    bench_append(copy, 60000);
    assert_int_equal(cache_find(setting->bench.cache, &setting->bench.question, 1, &joined),
                     CACHE_FOUND);
    assert_ptr_equal(joined, copy);
    copy_watch(joined, &setting->watch, &now);
    assert_int_equal(now.written, 60000);
    bench_check(joined, now.written);
    copy_unwatch(joined, &setting->watch);
    copy_unref(joined);
    bench_give_up(&setting->bench, copy);
}

/* --- breaks and takes ----------------------------------------------------------------------- */

static void compares_a_body_that_is_read_again(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct copy *copy = bench_arriving(&setting->bench, &setting->bench.question, 100000);
    CLEANUP(free_block) char *again = NEW_ARRAY(char, 50000);
    bench_append(copy, 50000);
    bench_fill(again, 50000, 0);
    assert_true(copy_same(copy, again, 50000, 0, &err));
    assert_true(copy_same(copy, again + 30000, 20000, 30000, &err));
    assert_true(copy_same(copy, again, 0, 50000, &err));
    again[49999] ^= 1;
    assert_false(copy_same(copy, again + 30000, 20000, 30000, &err));
    assert_int_equal(err.kind, ERROR_DIFFERENT);
    assert_false(copy_same(copy, again, 1, 50000, &err));
    assert_int_equal(err.kind, ERROR_DISK);
    bench_append(copy, 50000);
    bench_check(copy, 100000);
    bench_give_up(&setting->bench, copy);
}

/* A failed copy's bytes stay readable for those who are in the middle of them. */
static void keeps_its_bytes_when_it_breaks(void **state) {
    struct setting *setting = *state;
    struct error why;
    struct copy *copy = bench_arriving(&setting->bench, &setting->bench.question, 100000);
    bench_append(copy, 40000);
    error_set(&why, ERROR_RESET, "the connection was reset");
    cache_end(setting->bench.cache, copy, COPY_FAILED, &why);
    assert_int_equal(bench_phase(copy), COPY_FAILED);
    bench_check(copy, 40000);
    error_clear(&why);
    copy_why(copy, &why);
    assert_int_equal(why.kind, ERROR_RESET);
    assert_string_equal(why.what, "the connection was reset");
    assert_null(copy_successor(copy));
    copy_unref(copy);
}

static void hands_over_to_its_successor(void **state) {
    struct setting *setting = *state;
    struct error why;
    struct copy_state now;
    struct attempt_note note = {.source = "first"};
    struct copy *copy = bench_arriving(&setting->bench, &setting->bench.question, 100000);
    copy_watch(copy, &setting->watch, &now);
    copy_note(copy, &note);
    bench_append(copy, 100);
    copy_leave(copy, COPY_LEFT_LATER);
    woken(setting);
    error_set(&why, ERROR_IDENTITY, "not the symbol that was asked for");
    struct copy *next = cache_replace(setting->bench.cache, copy, &why);
    assert_true(woken(setting));
    assert_int_equal(bench_phase(copy), COPY_FAILED);
    struct copy *successor = copy_successor(copy);
    assert_ptr_equal(successor, next);
    copy_unwatch(copy, &setting->watch);
    assert_int_equal(bench_phase(next), COPY_SEARCHING);
    assert_int_equal(copy_notes(next, &note, 1), 1);
    assert_string_equal(note.source, "first");
    assert_false(copy_waited_for(next)); /* readers move themselves */
    assert_true(copy_wanted(next));      /* the promise has moved */
    copy_join(successor);
    assert_true(copy_waited_for(next));
    copy_why(next, &why);
    assert_int_equal(why.kind, ERROR_NONE);
    bench_begin(&setting->bench, next, 10);
    bench_append(next, 10);
    bench_check(next, 10);
    bench_check(copy, 100); /* nothing that was written is changed */
    copy_unref(successor);
    copy_unref(copy);
    bench_give_up(&setting->bench, next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(wakes_at_first_bytes_and_every_256_kib),
        TEST(wakes_at_the_end_and_when_hurried),
        TEST(wakes_nobody_who_has_left),
        TEST(feeds_readers_each_at_its_own_speed),
        TEST(gives_a_late_joiner_everything_at_once),
        TEST(compares_a_body_that_is_read_again),
        TEST(keeps_its_bytes_when_it_breaks),
        TEST(hands_over_to_its_successor),
    };
    return RUN_TESTS(tests);
}
