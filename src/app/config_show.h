// SPDX-License-Identifier: MIT
//
// The configuration in force as a configuration file's text: defaults filled in, secrets masked,
// user-info and queries of URLs too. For the page and /pysymproxy.json.
#pragma once

#include "app/config.h"

/* On the heap; NULL without memory. */
char *config_show(const struct config *config);

/* Does a text hold what stands here for a secret that is not shown? `secret`: it is one as a whole,
   else it may be a URL with some in it. */
bool config_is_mask(const char *text, bool secret);

#define CONFIG_MASK_HINT                                                                           \
    "Write the secret itself, or {\"file\": \"path\"} where it is one as a whole."
