// SPDX-License-Identifier: MIT
//
// The book: statistics as they lie on the disk, one SQLite file in WAL mode. One writer, who has
// the only connection that writes (readers: record/reading.h, record/archive.h); a sheet is written
// in one transaction, so a crash loses a sheet or nothing of it. Tables are described in
// docs/statistics.md; PRAGMA user_version is the format. Not thread-safe: the ledger's thread owns
// it. Everything here may block on the disk.
#pragma once

#include "record/sheet.h"

struct book;

enum { BOOK_FORMAT = 3, BOOK_TOTALS_MAX = 32 };

struct book_options {
    const char *path;
    uint64_t names_max;    /* names that have sums of their own; the others are "" together */
    uint64_t ids_max;      /* ids, of all names */
    uint64_t bytes_max;    /* of the file */
    uint64_t requests_max; /* the last ones that are kept, failures apart */
    uint64_t failures_max;
    int64_t days_max; /* history by day, and names and ids not asked for so long; 0: for ever */
};

enum book_open {
    BOOK_OPEN,
    BOOK_BROKEN, /* it is no database, or a damaged one: to be set aside */
    BOOK_NEWER,  /* a later version of the program has written it */
    BOOK_FAILED, /* cannot be used at present */
};

/* Opens or makes it, and brings an older format to this one. The options are copied, the path is
   not. */
enum book_open book_open(const struct book_options *options, struct book **out_book,
                         struct error *err) MUST_CHECK;

/* Counts its rows, for which much of it is read; before the first write. False with err: it is
   damaged. */
bool book_count(struct book *book, struct error *err) MUST_CHECK;

/* NULL is allowed. */
void book_close(struct book *book);

/* Is the file still the one that was opened, in its place? */
bool book_in_place(const struct book *book);

/* Puts a file that cannot be read out of the way, beside its place; out_to is where it went. */
bool book_set_aside(const char *path, char *out_to, size_t size, struct error *err) MUST_CHECK;

/* A number that is kept by name ("requests"); 0 when it never was. */
uint64_t book_number(struct book *book, const char *name);

struct book_numbers {
    const char *const *names;
    const uint64_t *values;
    unsigned count;
};

enum book_written { BOOK_WRITTEN, BOOK_WRITE_BROKEN, BOOK_WRITE_FAILED };

/* Writes a sheet and numbers in one transaction. */
enum book_written book_write(struct book *book, const struct sheet *sheet,
                             const struct book_numbers *numbers, struct error *err) MUST_CHECK;

/* Does what keeps it below its ceilings and within its retention, as far as anything is due, in
   steps of a bounded size. */
enum book_written book_trim(struct book *book, int64_t now_s, struct error *err) MUST_CHECK;

/* Begins evidence anew: from now on it is whole again (record/evidence.h). */
enum book_written book_begin_evidence(struct book *book, struct error *err) MUST_CHECK;

/* Seals it, as the last thing that is written: a number that no other seal has, and what was
   written is on the disk when it returns. 0 with err: it could not. */
uint64_t book_seal(struct book *book, struct error *err) MUST_CHECK;

/* How many different names it has seen. One that went into "other" and came back counts twice. */
uint64_t book_names_seen(const struct book *book);

/* Names and ids that have gone into "other" since the file was made. */
uint64_t book_folded(const struct book *book);

/* Bytes in use within the file. */
uint64_t book_bytes(struct book *book);
