// SPDX-License-Identifier: MIT
// The small modules: cleanup, clock, counter, error, hash, memory.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "unit/base/check.h"

static void errors_say_what_and_why(void **state) {
    (void)state;
    struct error err = {.os = 5, .hint = "old"};
    assert_false(error_set(&err, ERROR_TIMEOUT, "source \"%s\" is silent", "mss"));
    assert_int_equal(err.kind, ERROR_TIMEOUT);
    assert_int_equal(err.os, 0);
    assert_string_equal(err.what, "source \"mss\" is silent");
    assert_string_equal(err.hint, "");
    assert_false(error_hint(&err, "Ask %s.", "again"));
    assert_string_equal(err.hint, "Ask again.");
    assert_false(error_os(&err, ERROR_DISK, ENOSPC, "could not write \"%s\"", "x"));
    assert_int_equal(err.os, ENOSPC);
    assert_string_equal(err.what, "could not write \"x\": No space left on device");
    error_clear(&err);
    assert_int_equal(err.kind, ERROR_NONE);
    assert_false(error_set(NULL, ERROR_DISK, "nobody listens"));
    assert_false(error_os(NULL, ERROR_DISK, EIO, "nobody listens"));
    assert_false(error_hint(NULL, "nobody listens"));
}

static void errors_are_cut_and_may_wrap_themselves(void **state) {
    (void)state;
    struct error err = {0};
    char longer[600];
    memset(longer, 'x', sizeof longer);
    longer[599] = '\0';
    error_set(&err, ERROR_DISK, "%s", longer);
    assert_int_equal(strlen(err.what), sizeof err.what - 1);
    error_os(&err, ERROR_DISK, EIO, "%s", longer);
    assert_int_equal(strlen(err.what), sizeof err.what - 1);
    error_hint(&err, "%s", longer);
    assert_int_equal(strlen(err.hint), sizeof err.hint - 1);
    error_set(&err, ERROR_RESET, "broken");
    error_set(&err, err.kind, "source \"mss\": %s", err.what);
    assert_string_equal(err.what, "source \"mss\": broken");
    error_os(&err, err.kind, EPIPE, "again: %s", err.what);
    assert_string_equal(err.what, "again: source \"mss\": broken: Broken pipe");
}

static void every_kind_has_a_name_of_its_own(void **state) {
    (void)state;
    for (enum error_kind kind = ERROR_NONE; kind < ERROR_KIND_COUNT; kind++) {
        assert_true(strlen(error_kind_name(kind)) > 0);
        assert_true(strlen(error_kind_sentence(kind)) > 0);
        for (enum error_kind other = ERROR_NONE; other < kind; other++)
            assert_string_not_equal(error_kind_name(kind), error_kind_name(other));
    }
}

/* The vectors of the SipHash paper's reference code: key 00 01 … 0f, input 00 01 … */
static void siphash_is_siphash(void **state) {
    (void)state;
    static const struct hash_key key = {
        {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
    unsigned char input[16];
    for (unsigned char i = 0; i < sizeof input; i++)
        input[i] = i;
    assert_true(hash_bytes(&key, input, 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(hash_bytes(&key, input, 1) == UINT64_C(0x74f839c593dc67fd));
    assert_true(hash_bytes(&key, input, 8) == UINT64_C(0x93f5f5799a932462));
    assert_true(hash_bytes(&key, input, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void keys_are_random(void **state) {
    (void)state;
    struct hash_key one = hash_new_key();
    struct hash_key two = hash_new_key();
    assert_memory_not_equal(&one, &two, sizeof one);
    assert_ptr_equal(hash_process_key(), hash_process_key());
    assert_true(hash_process_key()->words[0] != 0 || hash_process_key()->words[1] != 0);
    assert_true(hash_bytes(&one, "x", 1) != hash_bytes(&two, "x", 1));
}

static void blocks_are_zeroed(void **state) {
    (void)state;
    CLEANUP(free_block) unsigned char *block = memory_new(1000);
    CLEANUP(free_block) uint32_t *array = NEW_ARRAY(uint32_t, 100);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(block[i], 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(array[i], 0);
    CLEANUP(free_block) void *nothing = memory_new(0);
    assert_non_null(nothing);
    CLEANUP(free_block) char *copy = memory_text("text");
    assert_string_equal(copy, "text");
    assert_null(memory_text(NULL));
}

static void clocks_go_forward_and_agree(void **state) {
    (void)state;
    int64_t us = clock_us();
    int64_t ms = clock_ms();
    assert_true(ms >= us / 1000 && ms - us / 1000 < 10000);
    assert_true(clock_us() >= us);
    int64_t wall_s = clock_wall_s();
    int64_t libc_s = (int64_t)time(NULL);
    assert_true(libc_s - wall_s < 10000 && wall_s - libc_s < 10000);
    assert_true(clock_wall_ns() / 1000000000 - wall_s < 10000);
    assert_true(clock_wall_ns() / 1000000000 >= wall_s);
}

static void counters_count(void **state) {
    (void)state;
    counter value = 0;
    count(&value);
    count_many(&value, 41);
    assert_int_equal(counted(&value), 42);
    count_down(&value);
    assert_int_equal(counted(&value), 41);
}

static char *handed_over(void) {
    CLEANUP(free_block) char *text = memory_text("mine");
    CLEANUP(free_block) char *kept = memory_text("freed here");
    assert_non_null(kept);
    return TAKE(text);
}

static void ownership_ends_or_is_handed_over(void **state) {
    (void)state;
    CLEANUP(free_block) char *text = handed_over();
    assert_string_equal(text, "mine");
    int kept = -1;
    int closed = -1;
    {
        CLEANUP(close_fd) int one = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CLEANUP(close_fd) int two = open("/dev/null", O_RDONLY | O_CLOEXEC);
        closed = two;
        kept = TAKE_FD(one);
        assert_int_equal(one, -1);
    }
    assert_true(fcntl(kept, F_GETFD) >= 0);
    assert_int_equal(fcntl(closed, F_GETFD), -1);
    close_fd(&kept);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_say_what_and_why),
        cmocka_unit_test(errors_are_cut_and_may_wrap_themselves),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
        cmocka_unit_test(siphash_is_siphash),
        cmocka_unit_test(keys_are_random),
        cmocka_unit_test(blocks_are_zeroed),
        cmocka_unit_test(clocks_go_forward_and_agree),
        cmocka_unit_test(counters_count),
        cmocka_unit_test(ownership_ends_or_is_handed_over),
    };
    return RUN_TESTS(tests);
}
