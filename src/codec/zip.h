// SPDX-License-Identifier: MIT
#pragma once

#include "codec/outlet.h"

/* Expands a ZIP archive of one file, whatever name stands in it. */
bool zip_run(struct feed *feed, struct outlet *outlet, struct error *err) MUST_CHECK;
