// SPDX-License-Identifier: MIT
//
// What the targets of this folder share.
#pragma once

#include "codec/decoder.h"

/* Expands the bytes as that coding, twice: in one piece and in small ones, which must come to the
   same. Aborts where a promise of codec/decoder.h is broken. */
void expand(enum coding coding, const uint8_t *bytes, size_t length);
