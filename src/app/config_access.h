// SPDX-License-Identifier: MIT
//
// How a server on HTTP is reached, as the configuration says it: what follows from several values
// together, and what contradicts what.
#pragma once

#include "app/config_read.h"

/* One server, once it is known what sort its remote is. */
void config_finish_access(struct config_reading *reading, struct config_server *server,
                          const char *prefix);
