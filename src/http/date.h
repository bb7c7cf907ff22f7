// SPDX-License-Identifier: MIT
//
// HTTP dates (RFC 9110 5.6.7), independent of locale and time zone.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { DATE_BYTES = 30 };

/* "Sun, 06 Nov 1994 08:49:37 GMT". Years before 0 and after 9999 are written as the nearest moment
 * that can be. */
void date_format(int64_t seconds, char out[DATE_BYTES]);

/* Reads a date in any of the three forms that HTTP knows; false for anything else, the empty text
   too. The name of the weekday must be one, but may be the wrong one. */
bool date_parse(const char *text, int64_t *out_seconds);
