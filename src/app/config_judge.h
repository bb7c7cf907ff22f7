// SPDX-License-Identifier: MIT
//
// What is wrong with a configuration that lies in memory, as the API tells it.
#pragma once

#include "base/buffer.h"

/* Appends {"errors": [line, …], "warnings": [line, …]} for the text of a configuration; opens, asks
   and creates nothing. The first argument is not used. */
void config_judge(void *nothing, const char *text, size_t length, struct buffer *out);
