// SPDX-License-Identifier: MIT
//
// Sizes and times as people write them. Sizes: "200 GiB", "64KB", "1.5 MiB", bare bytes; KiB and KB
// (and K) are both 1024 times, as administrators mean them. Times: "10m", "25s", "250ms", "1.5h",
// "7d", bare seconds.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Parses a whole unsigned decimal; false for anything else or overflow. */
bool number_parse(const char *text, uint64_t *out_number) MUST_CHECK;

/* Parses a whole unsigned hexadecimal of 1 to 16 digits. */
bool number_parse_hex(const char *text, size_t length, uint64_t *out_number) MUST_CHECK;

/* Parses a size into bytes. */
bool number_parse_size(const char *text, uint64_t *out_bytes) MUST_CHECK;

/* Thirty thousand years: sums of times stay far from where they would run over. */
static const int64_t number_time_ms_max = INT64_C(1000000000000000);

/* Parses a duration into milliseconds, number_time_ms_max at most. */
bool number_parse_time(const char *text, int64_t *out_ms) MUST_CHECK;

/* Writes a size as "1.5 GiB": rounded to a tenth of the largest unit that fits. */
void number_format_size(char *out, size_t size, uint64_t bytes);

/* Writes a duration as "10m" or "1.5s": exact in the largest unit that needs at most one decimal,
   else milliseconds up to 10 s and tenths of a second beyond. */
void number_format_time(char *out, size_t size, int64_t ms);
