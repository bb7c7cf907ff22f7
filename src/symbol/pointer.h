// SPDX-License-Identifier: MIT
//
// file.ptr: the text that stands in a symbol store for a file that lies elsewhere ("SymStore",
// Windows debugger documentation): a path, with or without "PATH:", or "MSG:" and why there is no
// file. What it says is a stranger's word: whoever follows it decides where it may lead. Pure.
#pragma once

#include "symbol/layout.h"

enum { POINTER_BYTES_MAX = 4096 };

enum pointer_kind {
    POINTER_PATH,    /* text is an absolute path: Windows, a share, or POSIX */
    POINTER_NEAR,    /* text is a path from the pointer's own folder */
    POINTER_MESSAGE, /* text is for the user: the file is not to be had */
    POINTER_INVALID, /* nothing that could be followed */
};

struct pointer {
    enum pointer_kind kind;
    char text[POINTER_BYTES_MAX + 1]; /* trimmed; slashes instead of backslashes in paths */
};

/* Reads a pointer file's bytes. */
void pointer_parse(const char *bytes, size_t length, struct pointer *out_pointer);

/* Is it a message that the file is no longer indexed ("MSG: NoLongerIndexed", in any case, with or
   without words after it)? Microsoft's SymProxy knows this one text. */
bool pointer_unindexed(const struct pointer *pointer) MUST_CHECK;

/* The path below a root, of a target that lies there: `prefix` is the root as pointers write it,
   in any case and with either slash. False: the target lies elsewhere. */
bool pointer_below(const char *target, const char *prefix, char out[LAYOUT_PATH_BYTES]) MUST_CHECK;

/* Where a target lies that is told from the folder of `pointer_path` and leads out of its tree,
   whose root is `prefix`: an absolute path, for pointer_below. False: there is no such place. */
bool pointer_from(const char *prefix, const char *pointer_path, const char *target,
                  char out[POINTER_BYTES_MAX + 1]) MUST_CHECK;

/* The path below the root of a target that is told from the folder of `pointer_path`. False: it
   leads out of the root. */
bool pointer_near(const char *target, const char *pointer_path,
                  char out[LAYOUT_PATH_BYTES]) MUST_CHECK;
