// SPDX-License-Identifier: MIT
//
// Undoes gzip (RFC 1952) on the way: a pull through zlib, which holds no more than one block of
// input however much that may unfold to. Several members in a row are one body. A stream that is
// cut, or followed by something else, is an error.
#pragma once

#include "symbol/reader.h"

struct gunzip;

/* Reads what is to be undone from `input`, which stays the caller's. */
struct gunzip *gunzip_new(struct reader *input);

/* NULL is allowed. */
void gunzip_free(struct gunzip *gunzip);

/* As a reader's read. */
ssize_t gunzip_read(struct gunzip *gunzip, void *bytes, size_t length, struct error *err);

/* As a reader's ready. */
bool gunzip_ready(struct gunzip *gunzip);
