// SPDX-License-Identifier: MIT
//
// A body on its way from a source into a copy. What is read is expanded where it is compressed,
// gathered, and looked at; then it claims the copy's pen, is compared where it takes another one's
// place, written, and judged at its end. Runs on the source's worker and blocks there.
//
//   reader ─► [decoder ─►] gathered bytes ─► look ─► [choose ─►] lead ─► compare ─► copy ─► judge
//   ─► finish
#pragma once

#include "proxy/fetcher.h"

struct delivery {
    struct fetch *fetch;
    struct reader *reader; /* owned; set by whoever asked, with content */
    struct content content;
    struct reader counted;                       /* reads `reader` and counts what comes */
    uint64_t came;                               /* bytes of this body, as they came … */
    unsigned char first[QUARANTINE_FIRST_BYTES]; /* … and the first of them */
    struct source *pointed; /* whose reader it is, where a pointer led to another source … */
    void *pointed_worker;   /* … and what it was asked with, owned */
    char *bytes;            /* gathered, not written yet */
    size_t filled;
    size_t capacity;
    uint64_t held;    /* of capacity, counted by choice.h */
    uint64_t at;      /* offset in the whole body of bytes[0] */
    uint64_t written; /* what the copy has */
    bool led;
    bool keep;
    bool ended;
    bool lent;
    int64_t began_ms;
    int64_t first_ms; /* when its first bytes came; 0: none have */
    int64_t lend_at_ms;
};

/* Empty; began now. */
void delivery_init(struct delivery *delivery, struct fetch *fetch);

/* Closes the reader and frees what is gathered. */
void delivery_release(struct delivery *delivery);

/* The head is good, and reader and content are set: brings the body to its end. `form`: what was
   asked for; a compressed one is expanded, and so is a plain one whose kind cannot be an archive.
 */
enum fetch_end delivery_run(struct delivery *delivery, enum form form, struct error *err);

/* So much more of the body has come. */
void delivery_came(struct delivery *delivery, const void *bytes, size_t length);

/* The body is not what was asked for, or no body at all: notes it. A disk's error says nothing
   about it. */
void delivery_refuse(struct delivery *delivery, const struct error *why);

/* What was asked for has come: the rest of the attempt's note. */
void delivery_note_total(struct delivery *delivery);
