// SPDX-License-Identifier: MIT
//
// How much lies on the shelves. What was there at the start is counted once, by a thread that
// rests between its steps so that a disk has time for others; what is kept, replaced and removed
// from then on is added by the shelves themselves; what is removed while it counts makes it count
// once more. Nothing is ever walked because somebody asks.
// What other programs put into a tree or take out of it is seen at the next start.
#pragma once

#include "store/shelf.h"

struct usage;

/* Begins to count; the shelves (NULLs, and the same one several times, are allowed) must outlive
   it. The array is copied. */
struct usage *usage_new(struct shelf *const *shelves, unsigned count, struct error *err) MUST_CHECK;

/* Stops counting, and frees. NULL is allowed. */
void usage_free(struct usage *usage);

struct usage_view {
    uint64_t bytes; /* of files on all shelves */
    bool counting;  /* what was there at the start is not all in it yet */
    bool usable;    /* the global shelf's disk could be asked: */
    bool low;       /* so little is free there that nothing is kept */
    uint64_t free;  /* bytes */
    uint64_t size;  /* bytes of that disk */
};

/* How things stand. May block on the global shelf's disk. */
void usage_look(struct usage *usage, struct usage_view *out_view);

/* The same without the disk: bytes and counting alone. Never blocks. */
void usage_glance(const struct usage *usage, struct usage_view *out_view);
