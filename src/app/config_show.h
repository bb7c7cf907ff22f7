// SPDX-License-Identifier: MIT
//
// The configuration in force as a configuration file's text: defaults filled in, secrets masked,
// user-info and queries of URLs too. For the page and /pysymproxy.json.
#pragma once

#include "app/config.h"

/* On the heap; NULL without memory. */
char *config_show(const struct config *config);
