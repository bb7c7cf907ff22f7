// SPDX-License-Identifier: MIT
#pragma once

#include "codec/blocks.h"
#include "codec/outlet.h"

/* Expands all blocks of MSZIP ([MS-MCI]): each a deflate stream of its own behind "CK", which may
   refer to what the block before it unfolded to. */
bool mszip_run(struct blocks *blocks, struct outlet *outlet, struct error *err) MUST_CHECK;
