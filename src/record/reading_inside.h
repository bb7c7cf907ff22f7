// SPDX-License-Identifier: MIT
//
// What reading and archive share.
#pragma once

#include <sqlite3.h>

#include "record/reading.h"

struct reading {
    sqlite3 *db;
    sqlite3_stmt *pairs; /* asked once for every name of a long list, as is the next one */
    sqlite3_stmt *ids;
    const char *path;     /* the caller's, as is the next one */
    atomic_bool *doubted; /* may be NULL */
};

/* Prepares; NULL with err. */
sqlite3_stmt *reading_prepare(struct reading *reading, const char *sql, struct error *err);

/* Goes to the next row. False: there is none, and *good says whether that is the end. */
bool reading_next(struct reading *reading, sqlite3_stmt *statement, bool *good, struct error *err);

/* A text of the row, never NULL. */
const char *reading_text(sqlite3_stmt *statement, int column);

/* A number of the row. */
uint64_t reading_number(sqlite3_stmt *statement, int column);

/* Binds a text that lives as long as the statement is used. */
void reading_bind(sqlite3_stmt *statement, int at, const char *text);
