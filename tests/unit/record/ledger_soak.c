// SPDX-License-Identifier: MIT
//
// Very many requests, each for another file, as fast as they go: memory and file stay below their
// ceilings and the totals are exact. With SYMGATE_SOAK, which says how many (3,600,000 are an hour
// of 1,000 a second), the ordinary ceilings; else small ones, so that they are reached.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "unit/base/check.h"
#include "unit/base/scratch.h"
#include "unit/record/ledger_bench.h"

enum { AT_ONCE = 2000 };

/* What is put in, and what may come of it. */
struct soak {
    uint64_t requests, names, memory_max_kib;
    struct ledger_options options;
};

static struct soak soak_of(const char *path) {
    const char *wanted = getenv("SYMGATE_SOAK");
    struct soak soak = {
        .requests = wanted ? strtoull(wanted, NULL, 10) : 60000,
        .names = wanted ? 400000 : 1000,
        .memory_max_kib = wanted ? 256 * 1024 : 64 * 1024,
        .options = options_of(path),
    };
    struct book_options *book = &soak.options.book;
    if (!wanted) {
        book->names_max = 500;
        book->ids_max = 5000;
        book->requests_max = 5000;
        book->failures_max = 2000;
        book->bytes_max = 16 << 20;
    }
    return soak;
}

static uint64_t memory_kib(void) {
    char line[200];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %llu", (unsigned long long *)&kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What the load itself has counted. */
struct counted {
    uint64_t requests, success, excluded, bytes;
    double taking_s;
};

static void take_some(struct ledger *ledger, const struct soak *soak, uint64_t first,
                      struct counted *own) {
    static const enum verdict verdicts[] = {VERDICT_HIT, VERDICT_ABSENT, VERDICT_EXCLUDED,
                                            VERDICT_FETCHED, VERDICT_FAILED};
    static char names[AT_ONCE][32], ids[AT_ONCE][40];
    static struct outcome outcomes[AT_ONCE];
    for (unsigned i = 0; i < AT_ONCE; i++) {
        uint64_t number = first + i;
        snprintf(names[i], sizeof names[i], "soak%llu.pdb",
                 (unsigned long long)(number % soak->names));
        snprintf(ids[i], sizeof ids[i], "%032llX1", (unsigned long long)number);
        outcomes[i] = outcome_of(names[i], ids[i], verdicts[number % LENGTH_OF(verdicts)]);
        outcomes[i].text.id = ids[i];
        outcomes[i].wall_ns += (int64_t)number * 1000000; /* a thousand a second */
        own->requests++;
        own->success +=
            outcomes[i].verdict == VERDICT_HIT || outcomes[i].verdict == VERDICT_FETCHED;
        own->excluded += outcomes[i].verdict == VERDICT_EXCLUDED;
        own->bytes += outcomes[i].bytes;
    }
    double before_s = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < AT_ONCE; i++)
        ledger_take(ledger, &outcomes[i], NULL);
    own->taking_s += seconds(CLOCK_THREAD_CPUTIME_ID) - before_s;
}

static bool add_up(const struct sum_row *row, void *requests) {
    *(uint64_t *)requests += row->requests;
    return true;
}

/* Every request is in some row, be it that for all others. */
static void assert_rows(struct ledger *ledger, const struct soak *soak, const struct counted *own) {
    struct error err = {0};
    struct reading *reading = read_it(ledger);
    const struct names_query all = {.search = "", .limit = INT64_MAX};
    uint64_t names = 0, requests = 0, names_max = soak->options.book.names_max;
    assert_true(reading_count_names(reading, &all, &names, &err));
    assert_in_range(names, names_max * 9 / 10, names_max + 1);
    assert_true(reading_names(reading, &all, add_up, &requests, &err));
    assert_int_equal(requests, own->requests);
    reading_close(reading);
}

static void nothing_grows_and_nothing_is_miscounted(void **state) {
    CLEANUP(free_block) char *path = path_of(state);
    struct soak soak = soak_of(path);
    struct ledger *ledger = open_with(&soak.options);
    struct counted own = {0};
    uint64_t most_kib = 0;
    double began_s = seconds(CLOCK_MONOTONIC);
    for (uint64_t first = 0; first < soak.requests; first += AT_ONCE) {
        take_some(ledger, &soak, first, &own);
        assert_true(ledger_settle(ledger, WAIT_MS));
        uint64_t kib = memory_kib();
        most_kib = kib > most_kib ? kib : most_kib;
    }
    assert_int_equal(ledger_total(ledger, TOTAL_REQUESTS), own.requests);
    assert_int_equal(ledger_total(ledger, TOTAL_SUCCESS), own.success);
    assert_int_equal(ledger_total(ledger, TOTAL_EXCLUDED), own.excluded);
    assert_int_equal(ledger_total(ledger, TOTAL_BYTES), own.bytes);
    assert_int_equal(ledger_total(ledger, TOTAL_LOST), 0);
    assert_rows(ledger, &soak, &own);
    ledger_free(ledger);
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_true((uint64_t)file.st_size <= soak.options.book.bytes_max);
    printf("%llu requests in %.1f s, %.0f ns each to take, at most %llu MiB, file %lld KiB\n",
           (unsigned long long)own.requests, seconds(CLOCK_MONOTONIC) - began_s,
           own.taking_s * 1e9 / (double)own.requests, (unsigned long long)most_kib / 1024,
           (long long)file.st_size / 1024);
    if (!getenv("ASAN_OPTIONS") && !getenv("TSAN_OPTIONS"))
        assert_true(most_kib < soak.memory_max_kib);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_grows_and_nothing_is_miscounted, scratch_setup,
                                        scratch_teardown),
    };
    return RUN_TESTS(tests);
}
