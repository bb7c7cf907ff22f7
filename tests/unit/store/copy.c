// SPDX-License-Identifier: MIT
#include "store/copy.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "unit/store/bench.h"

enum { WAKE_BYTES = 256 << 10 };

static const char id[] = "0123456789ABCDEF0123456789ABCDEF1";

struct setting {
    struct bench bench;
    struct question question;
    struct inbox inbox;
    struct watch watch;
};

static int set_up(void **state) {
    struct setting *setting = NEW(struct setting);
    bench_open(&setting->bench, 10);
    setting->question = bench_question("app.pdb", id);
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

static struct copy *arriving(struct setting *setting, uint64_t size) {
    return bench_arriving(&setting->bench, &setting->question, size);
}

static struct copy *searching(struct setting *setting) {
    bool leading;
    struct error err;
    struct copy *copy = cache_claim(setting->bench.cache, &setting->question.key, &leading, &err);
    assert_true(leading);
    return copy;
}

/* Ends a copy that a test is done with. */
static void give_up(struct setting *setting, struct copy *copy) {
    struct error why;
    error_set(&why, ERROR_RESET, "the test is over");
    cache_end(setting->bench.cache, copy, COPY_FAILED, &why);
    copy_unref(copy);
}

/* Was the watch put into its loop's inbox since the last time? */
static bool woken(struct setting *setting) {
    struct list taken;
    inbox_take(&setting->inbox, &taken);
    bool was = !list_empty(&taken);
    inbox_remove(&setting->inbox, &setting->watch);
    return was;
}

/* --- phases and what they show -------------------------------------------------------------- */

static void shows_what_its_phase_knows(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    struct copy *copy = searching(setting);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_SEARCHING);
    assert_true(now.size == SIZE_UNKNOWN && now.written == 0 && !now.certain);
    assert_int_equal(now.modified_ns, 0);
    bench_begin(&setting->bench, copy, SIZE_UNKNOWN);
    bench_append(copy, 1000);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_ARRIVING);
    assert_true(now.size == SIZE_UNKNOWN && now.written == 1000 && !now.certain);
    assert_int_equal(now.modified_ns / 1000000000, 1500000000);
    int64_t modified_ns = now.modified_ns;
    copy_whole(copy);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_WHOLE);
    assert_true(now.size == 1000 && now.written == 1000 && now.certain);
    cache_complete(setting->bench.cache, copy, true);
    copy_look(copy, &now);
    assert_int_equal(now.phase, COPY_COMPLETE);
    assert_true(now.size == 1000 && now.written == 1000 && now.certain && !now.in_place);
    assert_int_equal(now.modified_ns, modified_ns);
    assert_true(symbol_key_equal(copy_key(copy), &setting->question.key));
    bench_check(copy, 1000);
    copy_unref(copy);
}

/* Two copies of files of the same second must not have the same ETag. */
static void has_a_time_of_its_own(void **state) {
    struct setting *setting = *state;
    int64_t times[8];
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        struct copy *copy = arriving(setting, 10);
        struct copy_state now;
        copy_look(copy, &now);
        times[i] = now.modified_ns;
        assert_int_equal(times[i] / 1000000000, 1500000000);
        for (size_t before = 0; before < i; before++)
            assert_int_not_equal(times[i], times[before]);
        give_up(setting, copy);
    }
}

static void gives_the_pen_once(void **state) {
    struct setting *setting = *state;
    struct content content = bench_content(10);
    struct error err;
    struct staging *staging;
    char source[64];
    struct copy *copy = arriving(setting, 10);
    assert_true(cache_stage(setting->bench.cache, 0, 10, &staging, &err));
    assert_int_equal(copy_begin(copy, &content, "second", staging), COPY_LOST);
    copy_source(copy, source, sizeof source);
    assert_string_equal(source, "source");
    copy_ref(copy);
    give_up(setting, copy);
    assert_int_equal(copy_begin(copy, &content, "third", staging), COPY_LOST);
    copy_unref(copy);
    staging_free(staging);
}

static void refuses_a_longer_body_before_it_is_written(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct copy_state now;
    struct copy *copy = arriving(setting, 1000);
    bench_append(copy, 900);
    char more[101] = {0};
    assert_false(copy_append(copy, more, sizeof more, &err));
    assert_int_equal(err.kind, ERROR_LENGTH);
    copy_look(copy, &now);
    assert_int_equal(now.written, 900);
    bench_append(copy, 100);
    assert_true(copy_append(copy, more, 0, &err));
    assert_false(copy_append(copy, more, 1, &err));
    bench_check(copy, 1000);
    give_up(setting, copy);
}

/* --- waking --------------------------------------------------------------------------------- */

static void wakes_at_first_bytes_and_every_256_kib(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    struct copy *copy = searching(setting);
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
    copy_whole(copy);
    assert_true(woken(setting));
    cache_complete(setting->bench.cache, copy, true);
    assert_true(woken(setting));
    copy_unwatch(copy, &setting->watch);
    copy_unref(copy);
}

static void wakes_at_the_end_and_when_hurried(void **state) {
    struct setting *setting = *state;
    struct copy_state now;
    struct copy *copy = searching(setting);
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
    struct copy *copy = arriving(setting, SIZE_UNKNOWN);
    copy_watch(copy, &setting->watch, &now);
    copy_watch(copy, &setting->watch, &now); /* registered once */
    bench_append(copy, 10);
    copy_unwatch(copy, &setting->watch); /* with a wake-up on its way */
    assert_false(woken(setting));
    bench_append(copy, WAKE_BYTES);
    assert_false(woken(setting));
    copy_unwatch(copy, &setting->watch);
    give_up(setting, copy);
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
    reader->copy = cache_claim(setting->bench.cache, &setting->question.key, &leading, &err);
    assert_false(leading);
    assert_true(thread_start(&reader->thread, "reader", read_all, reader, NULL));
}

/* Half of the readers are there from the start, the others come when half has been written. */
static void feeds_readers_each_at_its_own_speed(void **state) {
    struct setting *setting = *state;
    struct reader_thread readers[READERS];
    struct gate begun = GATE_CLOSED;
    struct copy *copy = arriving(setting, BODY_BYTES);
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
    copy_whole(copy);
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
    struct copy *copy = arriving(setting, 100000);
    bench_append(copy, 60000);
    assert_int_equal(cache_find(setting->bench.cache, &setting->question, 1, &joined), CACHE_FOUND);
    assert_ptr_equal(joined, copy);
    copy_watch(joined, &setting->watch, &now);
    assert_int_equal(now.written, 60000);
    bench_check(joined, now.written);
    copy_unwatch(joined, &setting->watch);
    copy_unref(joined);
    give_up(setting, copy);
}

/* --- breaks and takes ----------------------------------------------------------------------- */

static void compares_a_body_that_is_read_again(void **state) {
    struct setting *setting = *state;
    struct error err;
    struct copy *copy = arriving(setting, 100000);
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
    give_up(setting, copy);
}

/* A failed copy's bytes stay readable for those who are in the middle of them. */
static void keeps_its_bytes_when_it_breaks(void **state) {
    struct setting *setting = *state;
    struct error why;
    struct copy *copy = arriving(setting, 100000);
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
    struct copy *copy = arriving(setting, 100000);
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
    give_up(setting, next);
}

/* --- interest ------------------------------------------------------------------------------- */

struct owner {
    struct copy_owner owner;
    unsigned references;
    unsigned told;
};

static void owner_ref(struct copy_owner *owner) {
    ((struct owner *)owner)->references++;
}

static void owner_unref(struct copy_owner *owner) {
    ((struct owner *)owner)->references--;
}

static void owner_interest(struct copy_owner *owner) {
    ((struct owner *)owner)->told++;
}

static const struct copy_owner_ops owner_ops = {owner_ref, owner_unref, owner_interest};

static void tells_its_owner_when_interest_ends_or_begins(void **state) {
    struct setting *setting = *state;
    struct owner owner = {.owner = {&owner_ops}};
    struct copy *copy = searching(setting);
    copy_own(copy, &owner.owner);
    assert_int_equal(owner.references, 1);
    copy_join(copy);
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_int_equal(owner.told, 0);
    assert_true(copy_waited_for(copy) && copy_wanted(copy));
    copy_leave(copy, COPY_LEFT_HUNG_UP);
    assert_int_equal(owner.told, 1);
    assert_false(copy_waited_for(copy) || copy_wanted(copy));
    copy_join(copy);
    assert_int_equal(owner.told, 2);
    copy_leave(copy, COPY_LEFT_LATER);
    assert_int_equal(owner.told, 3);
    assert_false(copy_waited_for(copy));
    assert_true(copy_wanted(copy)); /* a promise was given */
    struct copy_owner *same = copy_owner(copy);
    assert_ptr_equal(same, &owner.owner);
    owner_unref(same);
    copy_own(copy, NULL);
    assert_int_equal(owner.references, 0);
    assert_null(copy_owner(copy));
    copy_join(copy);
    assert_int_equal(owner.told, 3);
    give_up(setting, copy);
}

static void lets_its_owner_go_at_its_end(void **state) {
    struct setting *setting = *state;
    struct owner owner = {.owner = {&owner_ops}};
    struct copy *copy = searching(setting);
    copy_own(copy, &owner.owner);
    give_up(setting, copy);
    assert_int_equal(owner.references, 0);
}

static void counts_no_askers_once_complete(void **state) {
    struct setting *setting = *state;
    struct owner owner = {.owner = {&owner_ops}};
    struct copy *copy = bench_keep(&setting->bench, &setting->question, 10);
    copy_own(copy, &owner.owner);
    copy_join(copy);
    copy_leave(copy, COPY_LEFT_SERVED);
    copy_leave(copy, COPY_LEFT_SERVED);
    assert_int_equal(owner.told, 0);
    copy_own(copy, NULL);
    copy_unref(copy);
}

/* --- notes ---------------------------------------------------------------------------------- */

static void keeps_the_first_notes(void **state) {
    struct setting *setting = *state;
    struct attempt_note notes[COPY_NOTES_MAX + 2];
    struct copy *copy = searching(setting);
    assert_int_equal(copy_notes(copy, notes, LENGTH_OF(notes)), 0);
    for (unsigned i = 0; i < COPY_NOTES_MAX + 2; i++) {
        struct attempt_note note = {.result = ATTEMPT_WAITING, .status = (int)i};
        unsigned index = copy_note(copy, &note);
        assert_int_equal(index, i < COPY_NOTES_MAX ? i : COPY_NOTES_MAX);
        note.result = ATTEMPT_ABSENT;
        copy_note_again(copy, index, &note);
    }
    assert_int_equal(copy_notes(copy, notes, 3), 3);
    assert_int_equal(copy_notes(copy, notes, LENGTH_OF(notes)), COPY_NOTES_MAX);
    for (int i = 0; i < COPY_NOTES_MAX; i++) {
        assert_int_equal(notes[i].status, i);
        assert_int_equal(notes[i].result, ATTEMPT_ABSENT);
    }
    give_up(setting, copy);
}

/* --- small bodies --------------------------------------------------------------------------- */

static void keeps_small_bodies_in_memory(void **state) {
    struct setting *setting = *state;
    const struct cache_counters *counters = cache_counters(setting->bench.cache);
    char wanted[2000];
    struct copy *copy = arriving(setting, 2000);
    bench_append(copy, 2000);
    assert_null(copy_small(copy));
    copy_whole(copy);
    assert_null(copy_small(copy));
    cache_complete(setting->bench.cache, copy, true);
    const char *small = copy_small(copy);
    assert_non_null(small);
    bench_fill(wanted, sizeof wanted, 0);
    assert_memory_equal(small, wanted, sizeof wanted);
    assert_ptr_equal(copy_small(copy), small);
    assert_int_equal(counted(&counters->small_bytes), 2000);
    copy_unref(copy);
    assert_int_equal(counted(&counters->small_bytes), 2000); /* the cache holds it still */
    cache_release_complete(setting->bench.cache);
    assert_int_equal(counted(&counters->small_bytes), 0);
}

static void keeps_no_large_body_in_memory(void **state) {
    struct setting *setting = *state;
    struct copy *copy = bench_keep(&setting->bench, &setting->question, (16 << 10) + 1);
    assert_null(copy_small(copy));
    copy_unref(copy);
}

/* The bench gives 1 MiB to small bodies. */
static void bounds_the_memory_of_small_bodies(void **state) {
    struct setting *setting = *state;
    enum { COPIES = 70, BYTES = 16 << 10 };
    struct copy *copies[COPIES];
    unsigned in_memory = 0;
    for (unsigned i = 0; i < COPIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "app%u.pdb", i);
        struct question question = bench_question(name, id);
        copies[i] = bench_keep(&setting->bench, &question, BYTES);
        in_memory += copy_small(copies[i]) != NULL;
    }
    assert_int_equal(in_memory, (1 << 20) / BYTES);
    assert_int_equal(counted(&cache_counters(setting->bench.cache)->small_bytes), 1 << 20);
    for (unsigned i = 0; i < COPIES; i++)
        copy_unref(copies[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(shows_what_its_phase_knows),
        TEST(has_a_time_of_its_own),
        TEST(gives_the_pen_once),
        TEST(refuses_a_longer_body_before_it_is_written),
        TEST(wakes_at_first_bytes_and_every_256_kib),
        TEST(wakes_at_the_end_and_when_hurried),
        TEST(wakes_nobody_who_has_left),
        TEST(feeds_readers_each_at_its_own_speed),
        TEST(gives_a_late_joiner_everything_at_once),
        TEST(compares_a_body_that_is_read_again),
        TEST(keeps_its_bytes_when_it_breaks),
        TEST(hands_over_to_its_successor),
        TEST(tells_its_owner_when_interest_ends_or_begins),
        TEST(lets_its_owner_go_at_its_end),
        TEST(counts_no_askers_once_complete),
        TEST(keeps_the_first_notes),
        TEST(keeps_small_bodies_in_memory),
        TEST(keeps_no_large_body_in_memory),
        TEST(bounds_the_memory_of_small_bodies),
    };
    return RUN_TESTS(tests);
}
