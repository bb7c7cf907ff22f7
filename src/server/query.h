// SPDX-License-Identifier: MIT
//
// The query of a request: "name=value&…". Values are percent-decoded.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "symbol/key.h"

/* Is there a parameter with this name, empty or not? */
bool query_has(const char *query, const char *name);

/* A parameter's value; false when it is not there, cannot be decoded, has a NUL in it, or is too
   long for out once it is decoded. */
bool query_value(const char *query, const char *name, char *out, size_t size) MUST_CHECK;

/* A whole number; `standard` where the parameter is not there. Refuses what is no number, and what
   is above most (ERROR_INVALID, a sentence that names the parameter). */
bool query_number(const char *query, const char *name, uint64_t standard, uint64_t most,
                  uint64_t *out_number, struct error *err) MUST_CHECK;

/* A text; "" where the parameter is not there. Refuses what cannot be decoded or is too long. */
bool query_text(const char *query, const char *name, char *out, size_t size,
                struct error *err) MUST_CHECK;

/* A symbol's name and id, each "" where it is not there. */
bool query_spelling(const char *query, struct spelling *out_spelling, struct error *err) MUST_CHECK;

/* One of some words, as its index; `standard` where the parameter is not there. words ends with
   NULL. */
bool query_choice(const char *query, const char *name, const char *const *words, unsigned standard,
                  unsigned *out_index, struct error *err) MUST_CHECK;
