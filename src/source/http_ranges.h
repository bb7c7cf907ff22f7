// SPDX-License-Identifier: MIT
//
// A long body that comes over several connections: a reader that gives it in order, as if it came
// over one. Everything runs on the worker that reads: its transfers lie in one libcurl multi handle
// and move together, so there is no lock and no thread here. What lies ahead of the reader is
// gathered in memory, 4 MiB a part, with a ceiling for a body and for the whole process.
//
//   part     is                                      becomes
//   MISSING  a stretch that nobody asks for          ASKED: lowest first, where a place is free
//   ASKED    asked for, head not here yet            COMING (206 that fits), MISSING (broke),
//                                                    REFUSED (any other answer)
//   COMING   its bytes come                          HERE; broken off: what came stays (HERE), the
//                                                    rest is MISSING and asked for by itself
//   HERE     all its bytes are gathered              gone when they are read
//   REFUSED  not asked for again before it is first
//
// Parts lie without a gap from what was read up to the last one. The first transfer, and each one
// that runs alone, is *open*: asked for to the end of the file. It is ended where a part behind it
// comes; where that one is refused or breaks before its first byte, it simply reads on.
//
// Each connection but one counts as a place of the source's queue (queue_borrow) and is given back
// as soon as anybody waits there. Each part is asked for with If-Range and the strong validator,
// and taken only as that very stretch of the same file; so parts of two versions never mix. A part
// that is refused, or more breaks than 5, end the parallel reading (the source is remembered for
// some minutes); when nothing leads on, read fails as any broken body does and the search takes it
// up.
#pragma once

#include "source/http_transfer.h"
#include "source/source.h"

/* What is on its way, and how its parts are asked for. */
struct http_lead {
    struct source *source; /* outlives the reader */
    struct http_worker *worker;
    struct http_transfer *transfer;     /* its head has come; taken over */
    const struct http_request *request; /* that led to it: copied, with its URL; the other strings,
                                           and what it points to, outlive the reader */
    const struct content *content;
};

/* Is this body one to be read so: long, plain, of known size and with a strong validator, from a
   source that knows ranges and is not known to gain nothing? */
bool http_ranges_worth(const struct source *source, const struct http_answer *answer,
                       const struct content *content);

/* The reader. */
struct reader *http_ranges_new(const struct http_lead *lead);
