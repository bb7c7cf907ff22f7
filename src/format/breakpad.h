// SPDX-License-Identifier: MIT
//
// Breakpad's text symbols, whose first line names the file: "MODULE <os> <arch> <id> <name>".
// Source: docs/symbol_files.md of google/breakpad.
#pragma once

#include "format/identity.h"
#include "format/probe.h"

/* Reads the first line. The text does not say how long it is. */
bool breakpad_identify(struct probe *probe, struct identity *out) MUST_CHECK;
