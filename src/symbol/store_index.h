// SPDX-License-Identifier: MIT
//
// The index that SymStore keeps of a symbol store, in its folder 000Admin ("SymStore", Windows
// debugger documentation): lastid.txt is the number of the last transaction; server.txt lists those
// that are live, one a line ("0000000026,add,file,06/14/24,…"); a file for each of them, named by
// its ten digits, lists what it added, one a line ("app.pdb\<id>","where it came from", with or
// without quotes). Who reads it may tell without a question what the store has not, so nothing is
// guessed here: a line that is not understood is BAD, and with it the index. Pure; no I/O.
#pragma once

#include "symbol/key.h"

enum {
    STORE_INDEX_DIGITS = 10,
    STORE_INDEX_PATH_BYTES = 32,
    STORE_INDEX_LINE_BYTES = 512, /* how much of a line is kept: longer than name and id together */
};

/* What a line says. */
enum store_line {
    STORE_LINE_GOOD,
    STORE_LINE_NONE, /* nothing that counts: empty; a removal; a name that nobody is told by */
    STORE_LINE_BAD,
};

/* Where the file of a transaction lies below a store's root. */
void store_index_path(uint64_t transaction, char out[STORE_INDEX_PATH_BYTES]);

/* Reads lastid.txt: digits, and blanks around them. False: it is something else. */
bool store_index_last(const char *bytes, size_t length, uint64_t *out_transaction) MUST_CHECK;

/* Reads a line of server.txt: a transaction that added files or pointers. */
enum store_line store_index_transaction(const char *line, size_t length,
                                        uint64_t *out_transaction) MUST_CHECK;

/* Reads a line of a transaction's file. NONE for names that are not plain ASCII, whose spelling
   depends on whoever wrote them, and for what no client can ask for. */
enum store_line store_index_file(const char *line, size_t length,
                                 struct symbol_key *out_key) MUST_CHECK;

/* May a store's index be asked about this key: would its line be GOOD? */
bool store_index_covers(const struct symbol_key *key);

/* Cuts what comes in pieces into lines. `take` sees each without its end, cut at
   STORE_INDEX_LINE_BYTES; false from it ends everything. */
struct store_lines {
    bool (*take)(struct store_lines *lines, const char *line, size_t length);
    uint64_t number; /* of the line that `take` is given, from 1 */
    char line[STORE_INDEX_LINE_BYTES];
    size_t length;
    bool begun; /* the byte order mark of UTF-8 may not come any more */
};

/* Takes a piece; false when `take` said so. */
bool store_lines_add(struct store_lines *lines, const char *bytes, size_t length) MUST_CHECK;

/* There is no more: the last line may lack its end. */
bool store_lines_end(struct store_lines *lines) MUST_CHECK;
