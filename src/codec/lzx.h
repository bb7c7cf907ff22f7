// SPDX-License-Identifier: MIT
#pragma once

#include "codec/blocks.h"
#include "codec/outlet.h"

enum { LZX_WINDOW_MIN = 15, LZX_WINDOW_MAX = 21 }; /* powers of two */

/* Expands all blocks of LZX with a window of 1 << window_bits through libmspack, which reads one
   block ahead. */
bool lzx_run(struct blocks *blocks, unsigned window_bits, struct outlet *outlet,
             struct error *err) MUST_CHECK;
