// SPDX-License-Identifier: MIT
//
// Writes the head of an answer into a caller's block. Values that come from outside are cleaned of
// control characters here, so no header can be split. The Date line is made once a second by each
// thread that writes heads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAD_BYTES_MAX = 2048 };

struct head {
    char *bytes;
    size_t size;
    size_t length;
    bool overflow; /* something did not fit; what is there is still a proper head */
};

/* Begins with the status line and Date ("HTTP/1.1 404 Not Found"); size is at least 128. */
void head_begin(struct head *head, char *bytes, size_t size, int status);

/* One line, whole or (with `overflow`) not at all. Control characters in value become spaces. */
void head_field(struct head *head, const char *name, const char *value);

/* One line with a number. */
void head_number(struct head *head, const char *name, uint64_t value);

/* One line with an HTTP date. */
void head_date(struct head *head, const char *name, int64_t seconds);

/* The empty line, for which there is always room; returns the length of the whole head. */
size_t head_end(struct head *head);

/* "Not Found"; "Status" for a number that is not known. */
const char *head_status_text(int status);
