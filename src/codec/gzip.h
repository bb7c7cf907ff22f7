// SPDX-License-Identifier: MIT
#pragma once

#include "codec/outlet.h"

/* Expands gzip: all members, each with its check sum. */
bool gzip_run(struct feed *feed, struct outlet *outlet, struct error *err) MUST_CHECK;
