// SPDX-License-Identifier: MIT
//
// The logging section as pySymProxy has it: a Python logging.config dictionary. Of it counts where
// lines go: the handlers named by `root` or by the logger "", console and (rotating) files, with
// their levels. Formats and filters have no effect, and are told. Without the section lines go to
// standard error from INFO up.
#pragma once

#include "app/config_read.h"

/* Reads the section (NULL: absent) into config->logging. */
void config_read_logging(struct config_reading *reading, const json_t *section);

/* Frees what it owns. */
void config_logging_release(struct config_logging *logging);
