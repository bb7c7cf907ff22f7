// SPDX-License-Identifier: MIT
//
// JSON by jansson, with two things that it does not have: the line and column of a value, and
// comments in the form that configuration files use (object keys that begin with "_" or "//", and
// "$schema", by which editors find the schema, are skipped by whoever walks: see json_is_comment).
#pragma once

#include <jansson.h>

#include "base/error.h"

/* Parses text (a BOM and CRLF are accepted). On a syntax error err says what, and in the one
   case that is known from the field (a value followed by a string on the next line: a missing
   comma) what to do; *out_line and *out_column (may be NULL) say where. */
bool json_parse(const char *text, size_t length, json_t **out_root, int *out_line, int *out_column,
                struct error *err) MUST_CHECK;

/* Does an object of a text that parsed have a key twice? Of such keys the last one counts, as in
   Python; comments may stand there as often as they like (behind one that does, nothing is
   noticed). *out_line: where it was noticed; `what` of out_told names the key. */
bool json_has_duplicate(const char *text, size_t length, int *out_line, int *out_column,
                        struct error *out_told) MUST_CHECK;

/* Finds line and column (from 1) where the value at `path` ("servers[1].remote", keys with dots as
   ["a.b"]) begins in a text that parsed; false when it is not there. A small scan of the text; used
   for error messages only. */
bool json_locate(const char *text, size_t length, const char *path, int *out_line,
                 int *out_column) MUST_CHECK;

/* Is this object key a comment? */
bool json_is_comment(const char *key);

/* A member's text; "" where it is none. The object's own. */
const char *json_text_of(const json_t *object, const char *name);

/* A member's whole number; 0 where it is none. */
long long json_integer_of(const json_t *object, const char *name);

/* json_decref for CLEANUP. */
void json_unref(json_t **value);
