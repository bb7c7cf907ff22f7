// SPDX-License-Identifier: MIT
//
// Python's regular expressions (the module re, str patterns, as of 3.11) written anew in PCRE2's
// syntax, so that both match the same names. Every construct is parsed and given out in a form that
// means one thing only; what is an error in Python is one here, and what PCRE2 has no exact form
// for is an error that says so. Source: "re — Regular expression operations" in Python's library
// reference; pcre2pattern(3). Pure, but for the buffer.
#pragma once

#include "base/buffer.h"
#include "base/error.h"

enum {
    PYTHON_BYTES_MAX = 16 * 1024,       /* of a pattern */
    PYTHON_NESTING_MAX = 100,           /* groups in groups */
    PYTHON_GROUPS_MAX = 500,            /* capturing groups */
    PYTHON_REPEAT_MAX = 65535,          /* PCRE2's ceiling */
    PYTHON_OUT_BYTES_MAX = 1024 * 1024, /* what a caller's buffer should allow */
};

/* Appends the PCRE2 form to out, which is to be compiled with PCRE2_UTF, PCRE2_ANCHORED and newline
 *LF. On an error out_offset is the byte in the text at which it was noticed. */
bool python_translate(const char *text, struct buffer *out, size_t *out_offset,
                      struct error *err) MUST_CHECK;
