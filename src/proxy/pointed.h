// SPDX-License-Identifier: MIT
//
// Follows a pointer file (symbol/pointer.h) under the place of the attempt that found it. A target
// may lie in the source's own tree or below one of its pointer roots, plain or compressed; any
// other is refused with the root to add. A message instead of a path is the store's own no.
#pragma once

#include "proxy/delivery.h"

/* Where a pointer leads. */
struct pointed_target {
    struct source *source; /* the pointer's own, or that of one of its roots */
    char path[LAYOUT_PATH_BYTES];
};

enum pointed_word {
    POINTED_TARGET,  /* *out says where to */
    POINTED_MESSAGE, /* the store's own no: ERROR_UNINDEXED where that ends the search, else
                        ERROR_WITHDRAWN */
    POINTED_REFUSED, /* it leads where none is followed */
    POINTED_FALSE,   /* it is no pointer */
};

/* What the bytes of a pointer file say (its first POINTER_BYTES_MAX + 1 at most) that lies at this
   path of a source. err says why there is no target. */
enum pointed_word pointed_read(struct source *source, const char *pointer_path, const char *bytes,
                               size_t length, struct pointed_target *out, struct error *err);

/* Asks for a target, plain, then compressed; call->path is changed. The worker is of its source. */
enum source_answer pointed_ask_target(struct pointed_target *target, struct source_call *call,
                                      void *worker, struct content *out_content,
                                      struct reader **out_reader, enum form *out_form,
                                      struct error *err);

/* Reads the pointer that delivery's reader holds (which is closed) and asks for what it names:
   FOUND: reader and content are the target's, *out_form its form. ABSENT: nothing is there
   (ERROR_WITHDRAWN in err: a message, for the user; ERROR_UNINDEXED: one that ends the search).
   FAILED: err. `call->path` is the pointer's. */
enum source_answer pointed_ask(struct delivery *delivery, struct source_call *call,
                               enum form *out_form, struct error *err);
