// SPDX-License-Identifier: MIT
//
// What was refused: a record for each body that came in place of a symbol file and was not taken
// (a page, a login, another file, one that is cut or cannot be expanded), with the server, the
// masked URL, the reason and its first bytes, so that one can see what a server sends. A thousand
// records, the newest; the same body again for the same symbol from the same server is counted in
// its record, which becomes the newest. Nothing is ever served from here.
//
// They are kept in memory and in "<data>/quarantine": JSON, an object a line, the first of which
// tells the format's version; a record that has changed stands there once more, and the last one
// counts. Only appended to, each line in one write, so a kill costs the last line at most; beyond
// 8 MiB, or after a line could not be written, the file is replaced by one of what counts. Written
// on a thread of its own: what finds it too far behind, or the disk in trouble, is counted.
//
// The first bytes may hold anything, so they are for those who may change things alone, and the
// file is its owner's alone. In pages and text the queries and user-infos of URLs are masked,
// since a login page repeats the signed URL that led to it.
#pragma once

#include "base/buffer.h"
#include "base/counter.h"
#include "symbol/key.h"

enum {
    QUARANTINE_RECORDS_MAX = 1000,
    QUARANTINE_FIRST_BYTES = 256,
};

struct quarantine;

struct quarantine_counters {
    counter records;   /* there are at present */
    counter refused;   /* bodies noted, each time anew */
    counter displaced; /* records that went to make room */
    counter lost;      /* bodies that were not noted, or not written down */
};

/* A body that was refused. */
struct refusal {
    const struct symbol_key *key;
    const char *server; /* its identifier */
    const char *url;    /* masked, or a path */
    const struct error *why;
    uint64_t size;     /* of what had come */
    const void *first; /* as it came; not more than QUARANTINE_FIRST_BYTES are kept */
    size_t first_length;
};

struct quarantined {
    char name[NAME_BYTES_MAX + 1];
    char id[ID_BYTES_MAX + 1];
    enum part part;
    char server[64];
    char url[256];
    char cause[24]; /* the name of an error kind */
    char reason[160];
    int64_t first_s; /* wall clock, when it came first … */
    int64_t last_s;  /* … and last */
    uint64_t times;
    uint64_t size;
    unsigned char first[QUARANTINE_FIRST_BYTES];
    size_t first_length;
};

/* Reads what is written in a data folder (the descriptor stays the caller's). What cannot be read
   is left out; NULL with err only when a newer symgate wrote it. */
struct quarantine *quarantine_open(int directory_fd, struct error *err) MUST_CHECK;

/* Writes what waits and ends the thread. NULL is allowed. */
void quarantine_close(struct quarantine *quarantine);

/* Notes a body; NULL for quarantine: nothing does. Never blocks; any thread. */
void quarantine_add(struct quarantine *quarantine, const struct refusal *refusal);

/* Calls show for the newest records first, at most `limit`, with the records locked: it must not
   block. Of one name and one id where they are not NULL, in any case. */
void quarantine_list(struct quarantine *quarantine, const char *name, const char *id,
                     unsigned limit, void (*show)(const struct quarantined *record, void *context),
                     void *context);

/* Appends a record as a JSON object; its first bytes as hexadecimal digits, or null. */
void quarantine_append(struct buffer *out, const struct quarantined *record, bool with_first);

/* To be read at any time while it lives; all zero for NULL. */
const struct quarantine_counters *quarantine_counters(const struct quarantine *quarantine);
