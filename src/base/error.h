// SPDX-License-Identifier: MIT
//
// An error that the world made (our own mistakes are asserts). It lives on the caller's stack and
// is never allocated. Functions that can fail take `struct error *err` last, return false (or an
// outcome enum) and fill it; on success it is left alone. `what` is lower case, without full stop,
// and names and quotes the object; `hint` is a full sentence that tells the operator what to
// change, or empty. Either log an error or return it, never both.
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"

enum error_kind {
    ERROR_NONE,
    ERROR_INVALID,   /* input that can never be right */
    ERROR_CONFIG,    /* the configuration says something impossible */
    ERROR_SYSTEM,    /* the kernel said no; `os` has the errno */
    ERROR_DISK,      /* a shelf or spill file cannot be written or read */
    ERROR_CONNECT,   /* a source cannot be reached, its name not resolved */
    ERROR_TLS,       /* certificate or handshake */
    ERROR_TIMEOUT,   /* silent longer than the limit */
    ERROR_STALLED,   /* a body stopped coming */
    ERROR_RESET,     /* connection broken */
    ERROR_STATUS,    /* an HTTP status that is neither good nor absent */
    ERROR_THROTTLED, /* 429, or any status with Retry-After */
    ERROR_REDIRECT,  /* too many redirects, or to a scheme that is not allowed */
    ERROR_HTML,      /* a page where a symbol file was expected; a login page */
    ERROR_EMPTY,     /* a body of no bytes */
    ERROR_TEXT,      /* plain text where a binary symbol file was expected */
    ERROR_LENGTH,    /* shorter or longer than announced */
    ERROR_ENCODING,  /* a content coding that cannot be undone */
    ERROR_IDENTITY,  /* not the symbol that was asked for, or cut */
    ERROR_DIFFERENT, /* a body read again that differs from what was already passed on */
    ERROR_CHANGED,   /* a local file that changed while it was read */
    ERROR_UNMOUNTED, /* a directory root that is missing or not in order */
    ERROR_UNMAPPED,  /* a Windows path or share that nothing maps: it was not asked */
    ERROR_ELSEWHERE, /* a pointer that leads where it may not */
    ERROR_WITHDRAWN, /* the store says that the file is not to be had, and why */
    ERROR_UNINDEXED, /* the same, for every store there is */
    ERROR_LOOP,      /* the question came back: the source is this symgate itself */
    ERROR_RESTING,   /* the source rests, it was not asked */
    ERROR_BUSY,      /* a full queue, or a ceiling reached */
    ERROR_CANCELLED, /* nobody needs the answer any more */
    ERROR_REMOVED,   /* the source went with a new configuration before it was asked */
    ERROR_KIND_COUNT
};

struct error {
    enum error_kind kind;
    int os; /* errno, or 0 */
    char what[256];
    char hint[160];
};

/* Fills err (may be NULL) and returns false, so that `return error_set(err, …)` reads as a
 * sentence. */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same for a failed system call: appends ": " and the text of `os`, which it also keeps. */
bool error_os(struct error *err, enum error_kind kind, int os, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Adds the sentence that says what to change; returns false like error_set. */
bool error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Empties err, for a struct that is used again. */
void error_clear(struct error *err);

/* The short name of a kind as it stands in logs, metrics and the API ("timeout"); never NULL. */
const char *error_kind_name(enum error_kind kind);

/* A sentence that explains a kind to a person, without full stop; never NULL. */
const char *error_kind_sentence(enum error_kind kind);
