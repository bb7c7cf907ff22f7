// SPDX-License-Identifier: MIT
//
// What follows from several values together, after a section has been read: paths mapped and made
// absolute, identifiers made unique, defaults that depend on others.
#pragma once

#include "app/config_read.h"

/* general: data and cache locations, choices by name. */
void config_finish_general(struct config_reading *reading, const char *data_override);

/* One server. json: as it stands in the file, NULL where it does not: keys that do nothing there
   are warned of. */
void config_finish_server(struct config_reading *reading, struct config_server *server,
                          const char *prefix, unsigned index, json_t *json);

/* All servers together: unique identifiers. */
void config_finish_servers(struct config_reading *reading);
