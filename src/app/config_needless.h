// SPDX-License-Identifier: MIT
//
// Keys of a server that do nothing there: the table of parameters says for which kinds of remote
// each one counts.
#pragma once

#include "app/config_read.h"

/* Warns of what a server's object (NULL: none) says for remotes of another kind than its own; null,
   false and what is empty say nothing. */
void config_warn_of_needless(struct config_reading *reading, const struct config_server *server,
                             const char *prefix, json_t *json);

/* What kind of remote a server has: one of REMOTE_…. */
unsigned config_remote_of(const struct config_server *server);
