// SPDX-License-Identifier: MIT
#include "store/absence_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "unit/base/check.h"

enum { NOW_S = 1800000000, BYTES_AN_ENTRY_MAX = 64 };

static uint64_t hash_of(unsigned n) {
    static const struct hash_key key = {{1, 2}};
    uint64_t hash = hash_bytes(&key, &n, sizeof n);
    return hash ? hash : 1;
}

static enum absence_put put(struct absence_table *table, unsigned n, uint64_t rest,
                            uint32_t retry_s) {
    struct absence_slot entry = {hash_of(n), rest, NOW_S, retry_s};
    return absence_table_put(table, &entry, NOW_S);
}

static bool there(struct absence_table *table, unsigned n, uint64_t rest) {
    uint32_t when_s;
    return absence_table_find(table, hash_of(n), rest, &when_s);
}

/* What the table holds in memory. */
static size_t bytes_of(const struct absence_table *table) {
    size_t bytes = sizeof *table;
    for (unsigned i = 0; i < ABSENCE_SHARDS; i++)
        bytes += table->shards[i].capacity * sizeof *table->shards[i].slots;
    return bytes;
}

static void finds_what_was_put_in(void **state) {
    (void)state;
    struct absence_table table;
    uint32_t when_s = 7;
    absence_table_init(&table, 1000);
    assert_false(absence_table_find(&table, hash_of(1), 5, &when_s));
    assert_int_equal(when_s, 7);
    assert_int_equal(put(&table, 1, 5, 60), ABSENCE_NEW);
    assert_true(absence_table_find(&table, hash_of(1), 5, &when_s));
    assert_int_equal(when_s, NOW_S);
    assert_false(there(&table, 1, 6));
    assert_false(there(&table, 2, 5));
    assert_int_equal(absence_table_count(&table), 1);
    absence_table_release(&table);
}

static void never_becomes_older(void **state) {
    (void)state;
    struct absence_table table;
    uint32_t when_s;
    absence_table_init(&table, 1000);
    struct absence_slot entry = {hash_of(1), 5, NOW_S, 60};
    assert_int_equal(absence_table_put(&table, &entry, NOW_S), ABSENCE_NEW);
    entry.when_s = NOW_S - 10;
    assert_int_equal(absence_table_put(&table, &entry, NOW_S), ABSENCE_AGAIN);
    assert_true(absence_table_find(&table, entry.key, 5, &when_s));
    assert_int_equal(when_s, NOW_S);
    entry.when_s = NOW_S + 10;
    assert_int_equal(absence_table_put(&table, &entry, NOW_S), ABSENCE_AGAIN);
    assert_true(absence_table_find(&table, entry.key, 5, &when_s));
    assert_int_equal(when_s, NOW_S + 10);
    assert_int_equal(absence_table_count(&table), 1);
    absence_table_release(&table);
}

/* All sources and spellings of a key go, and none of another. */
static void forgets_a_key(void **state) {
    (void)state;
    struct absence_table table;
    absence_table_init(&table, 10000);
    for (unsigned n = 0; n < 500; n++)
        for (uint64_t rest = 1; rest <= 3; rest++)
            put(&table, n, rest, 60);
    assert_int_equal(absence_table_forget(&table, hash_of(77)), 3);
    assert_int_equal(absence_table_forget(&table, hash_of(77)), 0);
    assert_int_equal(absence_table_forget(&table, hash_of(999)), 0);
    assert_int_equal(absence_table_count(&table), 1497);
    for (unsigned n = 0; n < 500; n++)
        for (uint64_t rest = 1; rest <= 3; rest++)
            assert_int_equal(there(&table, n, rest), n != 77);
    assert_int_equal(put(&table, 77, 2, 60), ABSENCE_NEW);
    assert_true(there(&table, 77, 2));
    assert_false(there(&table, 77, 1));
    absence_table_release(&table);
}

/* Forgetting and remembering for ever uses the same slots. */
static void uses_forgotten_slots_again(void **state) {
    (void)state;
    struct absence_table table;
    absence_table_init(&table, 1000000);
    for (unsigned n = 0; n < 1000; n++)
        put(&table, n, 1, 60);
    size_t before = bytes_of(&table);
    for (unsigned round = 0; round < 100; round++)
        for (unsigned n = 0; n < 1000; n++) {
            assert_int_equal(absence_table_forget(&table, hash_of(n)), 1);
            assert_int_equal(put(&table, n, 1, 60), ABSENCE_NEW);
        }
    assert_int_equal(absence_table_count(&table), 1000);
    assert_int_equal(bytes_of(&table), before);
    absence_table_release(&table);
}

static void costs_at_most_64_bytes_an_entry(void **state) {
    (void)state;
    struct absence_table table;
    size_t most = 0;
    absence_table_init(&table, 8000000);
    for (unsigned n = 0; n < 400000; n++) {
        assert_int_equal(put(&table, n, n % 7, 60), ABSENCE_NEW);
        if (n < 20000 || n % 100 != 0)
            continue;
        size_t each = bytes_of(&table) / (n + 1);
        most = each > most ? each : most;
        assert_true(each <= BYTES_AN_ENTRY_MAX);
    }
    assert_true(most >= sizeof(struct absence_slot)); /* it was measured */
    print_message("at most %zu bytes an entry\n", most);
    for (unsigned n = 0; n < 400000; n += 1000)
        assert_true(there(&table, n, n % 7));
    absence_table_release(&table);
}

/* What has expired makes room before the table grows. */
static void lets_go_of_what_has_expired(void **state) {
    (void)state;
    struct absence_table table;
    size_t first = 0;
    absence_table_init(&table, 8000000);
    for (unsigned round = 0; round < 20; round++) {
        uint32_t now_s = NOW_S + round * 100;
        for (unsigned n = 0; n < 10000; n++) {
            struct absence_slot entry = {hash_of(round * 10000 + n), 1, now_s, 60};
            absence_table_put(&table, &entry, now_s);
        }
        if (round == 1)
            first = bytes_of(&table);
    }
    assert_true(bytes_of(&table) <= first + first / 2);
    assert_true(there(&table, 199999, 1));
    absence_table_release(&table);
}

/* At the ceiling those nearest their expiry go first: a short one before any long one. */
static void displaces_what_expires_first(void **state) {
    (void)state;
    struct absence_table table;
    enum { ENTRIES_MAX = 6400, SHORT_S = 60, LONG_S = 86400 };
    unsigned displaced = 0;
    unsigned kept = 0;
    absence_table_init(&table, ENTRIES_MAX);
    for (unsigned n = 0; n < ENTRIES_MAX / 2; n++)
        put(&table, n, 1, LONG_S);
    for (unsigned n = 0; n < 4 * ENTRIES_MAX; n++)
        displaced += put(&table, 100000 + n, 1, SHORT_S) == ABSENCE_DISPLACED;
    for (unsigned n = 0; n < ENTRIES_MAX / 2; n++)
        kept += there(&table, n, 1);
    uint64_t count = absence_table_count(&table);
    assert_true(count <= ENTRIES_MAX + ABSENCE_SHARDS);
    assert_int_equal(count + displaced, ENTRIES_MAX / 2 + 4 * ENTRIES_MAX);
    /* A sample of 64 is looked at, so a long one may go now and then. */
    assert_true(kept > ENTRIES_MAX / 2 * 95 / 100);
    /* The newcomer is always in. */
    assert_true(there(&table, 100000 + 4 * ENTRIES_MAX - 1, 1));
    absence_table_release(&table);
}

static void copies_its_entries_shard_by_shard(void **state) {
    (void)state;
    struct absence_table table;
    size_t copied = 0;
    absence_table_init(&table, 10000);
    for (unsigned n = 0; n < 1000; n++)
        put(&table, n, 1, 60);
    absence_table_forget(&table, hash_of(3));
    for (unsigned i = 0; i < ABSENCE_SHARDS; i++) {
        size_t count = 7;
        CLEANUP(free_block) struct absence_slot *entries = absence_table_copy(&table, i, &count);
        assert_int_equal(entries == NULL, count == 0);
        for (size_t at = 0; at < count; at++) {
            assert_true(entries[at].key != hash_of(3));
            assert_int_equal(entries[at].when_s, NOW_S);
            assert_int_equal(entries[at].key % ABSENCE_SHARDS, i);
        }
        copied += count;
    }
    assert_int_equal(copied, 999);
    absence_table_release(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put_in),
        cmocka_unit_test(never_becomes_older),
        cmocka_unit_test(forgets_a_key),
        cmocka_unit_test(uses_forgotten_slots_again),
        cmocka_unit_test(costs_at_most_64_bytes_an_entry),
        cmocka_unit_test(lets_go_of_what_has_expired),
        cmocka_unit_test(displaces_what_expires_first),
        cmocka_unit_test(copies_its_entries_shard_by_shard),
    };
    return RUN_TESTS(tests);
}
