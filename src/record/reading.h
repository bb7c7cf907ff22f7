// SPDX-License-Identifier: MIT
//
// Reads the book: one snapshot of it, through a connection of its own that only reads. For threads
// that may block on a disk. Rows are given to a callback one after the other, so nothing grows with
// the table; texts in a row live during the callback. Requests: record/archive.h.
#pragma once

#include <stdatomic.h>

#include "record/sheet.h"

struct reading;

/* Opens a snapshot. `path` is ledger_path's; what is to be seen was settled before. *doubted is set
   when the file turns out not to be what was written there: ledger_doubt's, or NULL. */
struct reading *reading_open(const char *path, atomic_bool *doubted, struct error *err) MUST_CHECK;

/* NULL is allowed. */
void reading_close(struct reading *reading);

/* `CLEANUP(reading_close_at)`. */
void reading_close_at(struct reading **reading);

struct history_row {
    int64_t at_s;
    uint64_t verdicts[VERDICT_COUNT];
    uint64_t bytes;
    struct histogram waits;
};

/* The steps (60, 3,600 or 86,400 s) from from_s on in which anything happened, oldest first, until
   show returns false. False with err when it cannot be read, as all here. */
bool reading_history(struct reading *reading, int64_t step_s, int64_t from_s,
                     bool (*show)(const struct history_row *row, void *context), void *context,
                     struct error *err) MUST_CHECK;

/* The sums of a name, or of an id of a name. */
struct sum_row {
    const char *name; /* "": all that were folded together */
    const char *id;   /* "" in rows of names, and for an id that was folded */
    uint64_t requests, exclusions, success, hits, bytes, time_us;
    int64_t last_s;
    uint64_t ids;        /* of names: how many, folded ones apart */
    const char *verdict; /* of ids: the last one */
};

enum sum_order {
    ORDER_NAME,
    ORDER_REQUESTS,
    ORDER_EXCLUSIONS,
    ORDER_SUCCESS,
    ORDER_FAIL,
    ORDER_HITS,
    ORDER_MISSES,
    ORDER_BYTES,
    ORDER_TIME,
    ORDER_LAST,
    ORDER_COUNT
};

struct names_query {
    const char *search; /* in the name, any case; "": all */
    enum sum_order order;
    bool descending;
    bool never_found; /* only names that were asked for and never delivered */
    int64_t since_s;  /* only names asked for at that time or later; 0: all */
    uint64_t offset;
    uint64_t limit;
};

/* How many names a query selects, whatever its offset and limit. */
bool reading_count_names(struct reading *reading, const struct names_query *query,
                         uint64_t *out_count, struct error *err) MUST_CHECK;

/* The names that a query selects, in order. */
bool reading_names(struct reading *reading, const struct names_query *query,
                   bool (*show)(const struct sum_row *row, void *context), void *context,
                   struct error *err) MUST_CHECK;

/* One name; *out_found says whether it is there. show is called at most once. */
bool reading_name(struct reading *reading, const char *name,
                  bool (*show)(const struct sum_row *row, void *context), void *context,
                  bool *out_found, struct error *err) MUST_CHECK;

/* The ids of a name, the one asked for last first. */
bool reading_ids(struct reading *reading, const char *name, uint64_t offset, uint64_t limit,
                 bool (*show)(const struct sum_row *row, void *context), void *context,
                 struct error *err) MUST_CHECK;

struct pair_row {
    const char *source;
    uint64_t found, absent, failed, time_us, bytes;
};

/* What the servers answered about a name. May be called within show of reading_names. */
bool reading_pairs(struct reading *reading, const char *name,
                   bool (*show)(const struct pair_row *row, void *context), void *context,
                   struct error *err) MUST_CHECK;

struct source_row {
    uint64_t found, absent, failed, time_us, bytes;
    struct histogram times;
    int64_t failed_ms; /* 0: it has never failed */
    char failure[160];
};

/* What a server answered, about anything; zeros when it is not there. */
bool reading_source(struct reading *reading, const char *source, struct source_row *out_row,
                    struct error *err) MUST_CHECK;

/* --- evidence (record/evidence.h) --------------------------------------------------------------
 */

/* A server as it is asked now: what it said when it was asked in another way is not told. */
struct evidence_server {
    const char *identifier;
    uint64_t mark;       /* 0: not known yet; as it was asked last */
    bool own_shelf;      /* it may have files there that it was never asked for */
    const char *servers; /* all identifiers that there are, as a JSON list */
};

struct evidence_total {
    int64_t since_ms; /* since when evidence is whole; 0: it was not asked yet, all else is 0 */
    uint64_t found, absent, failed, time_us;
    uint64_t kept;    /* answered from files that bear its name and were here already */
    uint64_t open;    /* questions to which its answer is not known */
    uint64_t unknown; /* names of files that were here already, and nobody knows whose */
};

/* Of all names. */
bool reading_evidence(struct reading *reading, const struct evidence_server *server,
                      struct evidence_total *out_total, struct error *err) MUST_CHECK;

/* The number from which on every request is kept that tells of servers' answers. */
bool reading_trace_from(struct reading *reading, int64_t *out_n, struct error *err) MUST_CHECK;

struct evidence_row {
    const char *name;
    uint64_t found, absent, failed, time_us;
    uint64_t may_have; /* what speaks for its having a file of that name: that it had one, that one
                          is here and may be its own, and open questions */
};

/* Name by name in the order of their bytes. */
bool reading_evidence_names(struct reading *reading, const struct evidence_server *server,
                            bool (*show)(const struct evidence_row *row, void *context),
                            void *context, struct error *err) MUST_CHECK;
