// SPDX-License-Identifier: MIT
//
// A growing buffer with a ceiling: whatever has a size that comes from outside is gathered here and
// fails politely. Appending past the ceiling, or without memory, sets `failed`, keeps what is there
// and refuses all that follows, so a writer may append many times and ask once. Contents are always
// followed by a NUL that does not count.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *bytes; /* NULL while empty */
    size_t length;
    size_t capacity;
    size_t bytes_max;
    bool failed;
};

/* An empty buffer that never holds more than bytes_max. */
void buffer_init(struct buffer *buffer, size_t bytes_max);

/* Frees; the struct may be initialised again. `CLEANUP(buffer_release)`. */
void buffer_release(struct buffer *buffer);

/* Empties, keeps the memory and forgets a failure. */
void buffer_clear(struct buffer *buffer);

/* Takes off what came after the first `length` bytes and forgets a failure: as if it had not been
   tried to append that. */
void buffer_cut(struct buffer *buffer, size_t length);

/* Appends bytes; false once the buffer has failed. */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);

/* Appends text; false once the buffer has failed. */
bool buffer_append_text(struct buffer *buffer, const char *text);

/* Appends formatted text; false once the buffer has failed. The arguments must not lie in the
 * buffer. */
bool buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends text as the inside of a JSON string (without the quotes); false once the buffer has
 * failed. */
bool buffer_append_json(struct buffer *buffer, const char *text);

/* Room for `length` more bytes at the end, to be filled by a read; then buffer_filled. NULL when
   that would be over the ceiling, without memory, or after a failure; asking for too much is not
   itself a failure. */
char *buffer_room(struct buffer *buffer, size_t length);

/* Counts `length` bytes that were written into the room. */
void buffer_filled(struct buffer *buffer, size_t length);

/* Takes `length` bytes off the front; there must be as many. */
void buffer_consume(struct buffer *buffer, size_t length);
