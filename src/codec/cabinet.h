// SPDX-License-Identifier: MIT
#pragma once

#include "codec/outlet.h"

/* Expands a cabinet of one file in one piece, whatever name stands in it. */
bool cabinet_run(struct feed *feed, struct outlet *outlet, struct error *err) MUST_CHECK;
