// SPDX-License-Identifier: MIT
//
// The last requests about symbols as they lie in the book: for the log of the page and for
// explanations. Read through a reading, newest first.
#pragma once

#include "record/reading.h"

/* How a request ended, as bits of the column "broken". */
enum archive_mark {
    MARK_BROKEN = 1,
    MARK_HUNG_UP = 2,
    MARK_NOT_KEPT = 4,
    MARK_FOLLOW_UP = 8,
    MARK_JOINED = 16
};

/* Which requests: those for a file itself, or for another form of one (`.pd_`, file.ptr). */
enum archive_forms { ARCHIVE_ALL, ARCHIVE_LOOKUPS, ARCHIVE_FOLLOW_UPS };

/* In the place of a verdict: failed, later or busy. */
#define ARCHIVE_FAILURE "failure"

struct archive_query {
    const char *id;      /* X-Request-Id; NULL or "": any, as all texts here */
    const char *key;     /* "<name>/<id>", canonical */
    const char *verdict; /* its name, or ARCHIVE_FAILURE */
    const char *source;  /* who delivered, or was asked */
    const char *client;
    const char *result; /* some server was asked, and its attempt ended so: attempt_result_name */
    const char *search; /* in the path, the key or the reason, any case */
    enum archive_forms forms;
    int64_t n;         /* the one with this number; 0: any */
    int64_t before_ms; /* only older ones; 0: all */
    int64_t before_n;  /* and of that very millisecond those with a smaller number */
    uint64_t limit;
};

struct archive_row {
    struct outcome outcome; /* note_count is 0, name and key_id are empty */
    const char *key;        /* "<name>/<id>", canonical; "" when there is none */
    int64_t n;              /* its number: later ones have larger ones */
    const char *attempts;   /* JSON list, as record/attempts_text.h writes it: "[]" without any */
};

/* Calls show for what a query selects until it returns false. Texts live during show. False with
   err when it cannot be read. */
bool archive_each(struct reading *reading, const struct archive_query *query,
                  bool (*show)(const struct archive_row *row, void *context), void *context,
                  struct error *err) MUST_CHECK;
