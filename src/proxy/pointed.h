// SPDX-License-Identifier: MIT
//
// Follows a pointer file (symbol/pointer.h) under the place of the attempt that found it. A target
// may lie in the source's own tree or below one of its pointer roots, plain or compressed; any
// other is refused with the root to add. A message instead of a path is the store's own no.
#pragma once

#include "proxy/delivery.h"
#include "symbol/pointer.h"

/* What asking for a pointer's target has come to. */
struct pointed {
    struct content content;
    struct reader *reader; /* owned */
    struct source *root;   /* whose reader it is, where the target lies below a pointer root … */
    void *root_worker;     /* … and what that was asked with, owned */
    enum form form;
    bool refused; /* FAILED, since it leads where it may not */
};

/* Reads a pointer's body to its end. False: err; *out_refused: what came is no pointer. */
bool pointed_read(struct reader *reader, const struct content *content, struct pointer *out_pointer,
                  bool *out_refused, struct error *err) MUST_CHECK;

/* Asks for what a pointer of the source's names. FOUND: *out has the target's body. ABSENT: nothing
   is there (ERROR_WITHDRAWN in err: a message, for the user; ERROR_UNINDEXED: one that ends the
   search). FAILED: err. `call->path` is the pointer's, whose reader has been closed before.
   Whatever comes of it, *out is to be released. */
enum source_answer pointed_follow(struct source *source, void *worker, struct source_call *call,
                                  const struct pointer *pointer, struct pointed *out,
                                  struct error *err);

/* What a pointer says, as it may be shown: without secrets. */
void pointed_show(const struct pointer *pointer, char *out, size_t size);

/* Frees what is owned. */
void pointed_release(struct pointed *pointed);

/* All of it for a delivery, whose reader holds the pointer (which is closed): reader and content
   are the target's where it is found, *out_form its form. Answers as pointed_follow. */
enum source_answer pointed_ask(struct delivery *delivery, struct source_call *call,
                               enum form *out_form, struct error *err);
