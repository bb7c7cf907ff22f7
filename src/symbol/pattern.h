// SPDX-License-Identifier: MIT
//
// A filter pattern with the meaning that Python's re.match gives it: tried at the start of the name
// only, not tied to its end, case-sensitive. The differences between the two syntaxes are
// translated (symbol/python.h); what Python refuses, and what cannot be translated, is an error
// that says so. Of what Python knows these are refused: references and conditions on groups inside
// of a repeat, back references and (?a) under (?i), repeated look-arounds, \N{…}, repeats over
// 65,535. PCRE2 with JIT and a match limit, so no pattern can hold a loop up. A pattern is
// read-only after it was made and may be used by all threads at once.
#pragma once

#include <stddef.h>

#include "base/error.h"

struct pattern;

enum pattern_match {
    PATTERN_YES,
    PATTERN_NO,
    PATTERN_LIMIT, /* gave up: the match limit, or a name over 1,024 bytes */
};

/* Compiles; NULL on an error, and *out_offset is then the byte of the text where it was noticed. */
struct pattern *pattern_new(const char *text, size_t *out_offset, struct error *err) MUST_CHECK;

/* NULL is allowed. */
void pattern_free(struct pattern *pattern);

/* Tries the pattern at the start of a name (bytes that are not UTF-8 are matched as Latin-1). */
enum pattern_match pattern_try(const struct pattern *pattern, const char *name);

/* The text as it was configured. */
const char *pattern_text(const struct pattern *pattern);
