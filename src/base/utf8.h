// SPDX-License-Identifier: MIT
//
// UTF-8 (RFC 3629), as far as names, patterns and what is shown of them need it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character that text begins with, of which `left` bytes are there; 0 where it is
   not well-formed: a byte astray, an overlong form, a surrogate, past U+10FFFF, cut, or nothing. */
size_t utf8_length(const char *text, size_t left);

/* Is all of it well-formed? */
bool utf8_valid(const char *text, size_t length);

/* Takes one character off well-formed text that is not at its end. */
uint32_t utf8_take(const char **at);

/* Writes UTF-16 (`length` bytes of it, without a mark) as UTF-8; out has room for 3 * length / 2
   bytes. What is half a pair becomes U+FFFD. Returns how many bytes were written. */
size_t utf8_from_utf16(char *out, const char *bytes, size_t length, bool big_endian);

/* Writes bytes as what they are in Latin-1; out has room for 2 * length bytes. Returns how many
 * were written. */
size_t utf8_from_latin1(char *out, const char *bytes, size_t length);
