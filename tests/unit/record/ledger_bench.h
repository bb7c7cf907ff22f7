// SPDX-License-Identifier: MIT
//
// A ledger on a file of its own, what is put into it and how it is read back, for tests of the
// record floor. Whatever fails here fails the test.
#pragma once

#include "record/archive.h"
#include "record/ledger.h"
#include "record/reading.h"

enum {
    WAIT_MS = 20000,
    AT_S = 1800000000, /* when requests came */
    PLACE = 7,         /* of every server, and its mark */
};

/* The ordinary bounds. */
struct ledger_options options_of(const char *path);

/* Where the test's file lies; on the heap. */
char *path_of(void **state);

/* A ledger that could be opened. */
struct ledger *open_with(const struct ledger_options *options);
struct ledger *open_at(const char *path);

/* One request, of ten bytes that took two seconds, half of them to wait. */
struct outcome outcome_of(const char *name, const char *id, enum verdict verdict);
void take(struct ledger *ledger, const char *name, const char *id, enum verdict verdict);

/* What a server answered about the id "1" of a name: after 3 ms, 5 bytes; a failure says "it
   burns". */
void take_answer(struct ledger *ledger, const char *name, const char *source,
                 enum attempt_result result);

/* All that was taken, to be read. */
struct reading *read_it(struct ledger *ledger);

/* The rows that were shown: how many, and what the first one said. */
struct rows {
    unsigned count;
    char first[64];
    uint64_t requests, success, hits, exclusions, bytes, time_us, ids;
    char verdict[16];
};
/* Adds a row to those that were shown: a callback. */
bool show_sum(const struct sum_row *row, void *context);
/* What a query selects. */
struct rows names_of(struct ledger *ledger, const struct names_query *query);
/* All names, sorted. */
struct rows all_names(struct ledger *ledger);
/* One name. */
struct rows name_of(struct ledger *ledger, const char *name);

/* The same of requests. */
struct shown {
    unsigned count;
    char first[64], reason[64], attempts[600];
    enum verdict verdict;
};
/* Runs a query; without a limit: all. */
struct shown requests_of(struct ledger *ledger, struct archive_query query);

/* What the server "mss", and no other, answered about a name. */
struct pairs {
    unsigned count;
    uint64_t found, absent, failed;
};
/* Takes the one row that there is: a callback. */
bool show_pair(const struct pair_row *row, void *context);
