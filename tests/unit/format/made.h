// SPDX-License-Identifier: MIT
//
// Files that tests make byte by byte, and what must hold for every file, however it is broken.
#pragma once

#include "format/identity.h"

struct made {
    unsigned char *bytes;
    size_t length;
};

/* A file of zeros. */
struct made made_new(size_t length);

/* For CLEANUP. */
void made_free(struct made *made);

/* Cuts off, or appends zeros. */
void made_resize(struct made *made, size_t length);

/* Writes a number of 2, 4 or 8 bytes, little-endian, into the file. */
void put_16(struct made *made, size_t at, unsigned value);
void put_32(struct made *made, size_t at, uint32_t value);
void put_64(struct made *made, size_t at, uint64_t value);

/* The same in either order. */
void put_number(struct made *made, size_t at, uint64_t value, unsigned bytes, bool big_endian);

/* Writes bytes into the file. */
void put_bytes(struct made *made, size_t at, const void *bytes, size_t length);

/* What identify says of the file, which lies in memory of exactly its length. */
enum identify_outcome look(const struct made *made, struct identity *out, struct error *err);

/* The file must be read, and be of that format. */
struct identity must_read(const struct made *made, enum format format);

/* The file must be found damaged, with these words in the reason. */
struct identity must_damage(const struct made *made, const char *words);

/* The file must be none that is known. */
void must_be_unknown(const struct made *made);

/* Of a good file whose structure demands all of it: no beginning of it may pass for whole. */
void must_notice_cuts(const struct made *made);

/* Breaks each byte in several ways and looks at each file, which must end in some way. */
void must_survive_flips(const struct made *made);

/* Fails each read of the file in turn: that must be told as such, never as damage. */
void must_tell_failures(const struct made *made);
