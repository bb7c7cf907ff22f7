// SPDX-License-Identifier: MIT
//
// UTF-8 (RFC 3629), as far as patterns and names need it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is all of it well-formed: no byte astray, no overlong form, no surrogate, nothing past U+10FFFF?
 */
bool utf8_valid(const char *text, size_t length);

/* Takes one character off well-formed text that is not at its end. */
uint32_t utf8_take(const char **at);

/* Writes bytes as what they are in Latin-1; out has room for 2 * length bytes. Returns how many
 * were written. */
size_t utf8_from_latin1(char *out, const char *bytes, size_t length);
