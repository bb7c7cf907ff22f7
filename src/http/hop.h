// SPDX-License-Identifier: MIT
//
// Where a question comes from: each question to a server bears a mark of this process, so that one
// that comes back is known. That happens where a list of servers names symgate itself, as the
// symbol path of a debugger that already asks it does.
#pragma once

#include <stdbool.h>

#define HOP_HEADER "X-Symgate-Hop"

enum { HOP_BYTES = 17 };

/* This process's mark: random, the same as long as it lives. Any thread. */
void hop_write(char out[HOP_BYTES]);

/* Is it this process's? */
bool hop_is_own(const char *mark);
