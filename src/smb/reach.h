// SPDX-License-Identifier: MIT
//
// Can a server be reached at all? libsmbclient neither tells apart nor limits what goes wrong
// before it has a connection, so one is tried before.
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Connects to host and port within a limit, and closes. A name that is no DNS name passes: it may
   be one that only libsmbclient can find. Blocks. */
bool reach(const char *host, unsigned port, int64_t limit_ms, struct error *err) MUST_CHECK;
