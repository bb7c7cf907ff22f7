// SPDX-License-Identifier: MIT
//
// Text made piece by piece in a caller's block: what every request writes (its log line, its head,
// its id) without the cost of reading a format. Always ends with NUL; what does not fit is cut and
// `cut` is set.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line {
    char *bytes;
    size_t size; /* of the block, at least 1 */
    size_t length;
    bool cut;
};

/* An empty line in a block. */
void line_begin(struct line *line, char *bytes, size_t size);

/* Appends text. */
void line_text(struct line *line, const char *text);

/* Appends `length` bytes. */
void line_bytes(struct line *line, const char *bytes, size_t length);

/* Appends a decimal number. */
void line_number(struct line *line, uint64_t number);

/* Appends a lower-case hexadecimal number of at least `digits` digits. */
void line_hex(struct line *line, uint64_t number, unsigned digits);

/* Appends microseconds as milliseconds, rounded to a tenth: "12.3". Negative ones count as 0. */
void line_ms(struct line *line, int64_t us);
