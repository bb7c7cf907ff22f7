// SPDX-License-Identifier: MIT
//
// A sheet gathers what happened since the last one was written into the book: sums by name, by id,
// by name and server, by server and by minute, evidence, and the requests themselves. Bounded: what
// finds no room any more is counted in `lost` and left out. Not thread-safe: the ledger's lock
// guards the sheet that is being filled, one that is being written belongs to the writer.
#pragma once

#include <stdbool.h>

#include "base/histogram.h"
#include "record/evidence.h"
#include "record/outcome.h"
#include "symbol/key.h"

enum {
    SHEET_NAMES_MAX = 50000,
    SHEET_IDS_MAX = 100000,
    SHEET_PAIRS_MAX = 50000,
    SHEET_SOURCES_MAX = 256,
    SHEET_MINUTES_MAX = 2880,
    SHEET_REQUESTS_MAX = 10000,
    SHEET_HITS_MAX = 5000, /* requests that are plain hits: they leave room for the others */
};

/* What a request counts as. */
struct lookup {
    enum verdict verdict; /* INVALID for follow-ups and for what is no lookup */
    bool counts;          /* a lookup: it has a key and its name is the file's own */
    bool success;
};

/* Sums of lookups, of a name (second is "") or of a name and an id. */
struct name_sum {
    struct sum_key key;
    uint64_t requests, exclusions, success, hits, bytes, time_us;
    int64_t last_ns;
    enum verdict verdict;      /* of the last one */
    struct evidence_sum *kept; /* of names: what the last hit was counted in, or NULL */
};

/* What a server answered about a name: first the name, second the server. */
struct pair_sum {
    struct sum_key key;
    uint64_t found, absent, failed, time_us, bytes;
};

/* What it answered about anything: first the server, second "". */
struct source_sum {
    struct pair_sum all;
    struct histogram times; /* from the place to the head, of answers */
    int64_t failed_ms;      /* when it failed last, 0: not */
    char failure[160];
};

struct minute_sum {
    int64_t at_s;
    uint64_t verdicts[VERDICT_COUNT];
    uint64_t bytes;
    struct histogram waits;
};

/* A request as it will stand in the book. */
struct sheet_request {
    struct sheet_request *next;
    char packet[]; /* record/packet.h */
};

struct sheet {
    struct arena arena; /* sums and requests */
    struct table names, ids, pairs, sources;
    struct evidence evidence;
    struct minute_sum *minutes;
    unsigned minute_count, minute_room;
    struct sheet_request *first, *last;
    unsigned request_count, hit_count;
    bool trace_lost; /* a request that tells of servers' answers was left out */
    uint64_t lost;   /* details left out for want of room */
};

/* An empty one. */
struct sheet *sheet_new(void);

/* Frees it with all that it holds. NULL is allowed. */
void sheet_free(struct sheet *sheet);

/* Is there nothing to be written? */
bool sheet_empty(const struct sheet *sheet);

/* Finds out what a request counts as. False: it was not about a symbol at all. Pure. */
bool sheet_judge(const struct outcome *outcome, struct lookup *out_lookup);

/* Adds a request about a symbol. */
void sheet_add(struct sheet *sheet, const struct outcome *outcome, const struct attempt_note *notes,
               const struct lookup *lookup);

/* Adds what a question to one server came to, at wall_ms. */
void sheet_add_answer(struct sheet *sheet, const struct reply *reply, int64_t wall_ms);
