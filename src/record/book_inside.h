// SPDX-License-Identifier: MIT
//
// What the parts of the book share.
#pragma once

#include <sqlite3.h>

#include "record/book.h"

enum book_statement {
    BOOK_BEGIN,
    BOOK_COMMIT,
    BOOK_UPDATE_NAME,
    BOOK_INSERT_NAME,
    BOOK_UPDATE_ID,
    BOOK_INSERT_ID,
    BOOK_ADD_PAIR,
    BOOK_GET_MARK,
    BOOK_PUT_MARK,
    BOOK_DROP_SAID,
    BOOK_KEEP_HAD,
    BOOK_DROP_QUESTIONS,
    BOOK_ADD_EVIDENCE,
    BOOK_OPEN_QUESTION,
    BOOK_CLOSE_QUESTION,
    BOOK_GET_SOURCE,
    BOOK_PUT_SOURCE,
    BOOK_GET_HISTORY,
    BOOK_PUT_HISTORY,
    BOOK_PUT_REQUEST,
    BOOK_PUT_FAILURE,
    BOOK_PUT_NUMBER,
    BOOK_GET_NUMBER,
    BOOK_STATEMENTS
};

enum { QUESTION_SHARE = 10 }; /* open questions are kept: one in so many of ids_max */

struct book {
    struct book_options options;
    sqlite3 *db;
    sqlite3_stmt *statements[BOOK_STATEMENTS];
    uint64_t device, inode;
    bool broken;                   /* something could not be read because the file is damaged */
    uint64_t name_count, id_count; /* rows, those for "other" apart */
    uint64_t folded_names, folded_ids;
    int64_t next_request; /* the number of the next request */
    int64_t cut_at;       /* what it was when requests were cut last */
    int64_t trimmed_s;    /* when retention and size were seen to last */
    int64_t strays_s;     /* when strays were counted last */
    int64_t trace_from;   /* from this number on every request is there that tells of answers */
};

/* The statement, ready to be bound; NULL with err. */
sqlite3_stmt *book_statement(struct book *book, enum book_statement which, struct error *err);

/* Runs a statement that gives no rows, and resets it. */
bool book_step(struct book *book, sqlite3_stmt *statement, struct error *err);

/* Binds a text that lives until the statement has run (NULL: an empty one), and a number. */
void book_bind_text(sqlite3_stmt *statement, int at, const char *text);
void book_bind_number(sqlite3_stmt *statement, int at, uint64_t number);

/* Runs SQL without parameters. */
bool book_run(struct book *book, const char *sql, struct error *err);

/* Runs one statement with a number in it (?1). */
bool book_run_with(struct book *book, const char *sql, int64_t number, struct error *err);

/* The number that SQL gives; 0 on failure, and `broken` is set where the file is damaged. */
int64_t book_ask(struct book *book, const char *sql);

/* Fills err from the connection's last failure; false. */
bool book_fail(const struct book *book, const char *doing, struct error *err);

/* What a failure means for the caller. */
enum book_written book_failure(const struct book *book);

/* The same, and takes the transaction back that it happened in. */
enum book_written book_give_up(struct book *book);

/* Writes a sheet's evidence, within its transaction. */
bool book_write_evidence(struct book *book, const struct evidence *evidence, struct error *err);

/* Notes that requests with smaller numbers are not all there any more. */
bool book_cut_trace(struct book *book, int64_t from, struct error *err);

/* Keeps evidence within its bounds: strays, which are what servers once had of names that are in
   "other" by now, and open questions. A server with too many begins anew. */
bool book_bound_evidence(struct book *book, int64_t now_s, struct error *err);
