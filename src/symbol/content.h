// SPDX-License-Identifier: MIT
//
// A body on its way: what a source's head said of it, and what its first bytes show. Pure; no I/O.
#pragma once

#include <stdint.h>

#include "symbol/key.h"

#define SIZE_UNKNOWN UINT64_MAX

enum {
    CONTENT_LOOK_BYTES = 4096, /* how much of a body is looked at before it may begin a copy … */
    CONTENT_LEAST_BYTES = 512, /* … and where that takes too long, at least so much, which tells a
                                  page from a symbol file */
    VALIDATOR_BYTES = 128,
    UNFOLDED_FREE_BYTES = 64 << 20, /* so much may unfold from however few bytes, … */
    UNFOLDED_RATIO = 200, /* … and beyond that so many times as many: what is emptier is no symbol
                             file, but a bomb */
};

struct content {
    uint64_t size;  /* bytes of the whole body, decoded; SIZE_UNKNOWN when not announced */
    uint64_t start; /* where the reader begins: 0, or the offset that a resume asked for and got */
    int64_t last_modified;           /* seconds since 1970, 0 when unknown */
    char validator[VALIDATOR_BYTES]; /* a strong ETag with its quotes, else empty */
    bool encoded; /* came with a content coding that the reader undoes (no resume by offset) */
    bool announced_html; /* Content-Type says text/html */
    bool announced_text; /* Content-Type says text/plain */
    bool redirected;     /* came after a redirect: HTML is then a login page */
    bool unsettled;      /* a file that may still be written: to be delivered, not to be kept */
};

/* Is a file on a disk old enough to be whole: unchanged for 10 s? A time more than a day ahead says
   only that somebody's clock was wrong. */
bool content_settled(int64_t modified_ns, int64_t now_ns);

enum content_look {
    CONTENT_BINARY, /* nothing speaks against it */
    CONTENT_TEXT,   /* looks like plain text */
    CONTENT_HTML,   /* looks like a web page */
    CONTENT_EMPTY,  /* no byte */
};

/* What the first bytes look like (at most CONTENT_LOOK_BYTES are read). */
enum content_look content_look(const void *bytes, size_t length);

/* May a body that looks like this be the symbol? HTML is refused but for .htm, .html and sha1 keys,
   text for pdb, pe, elf and macho, the empty body always. False: err has kind and sentence (a login
   page where it came after a redirect). */
bool content_acceptable(const struct symbol_key *key, const struct content *content,
                        const void *first_bytes, size_t length, struct error *err) MUST_CHECK;
