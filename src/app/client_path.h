// SPDX-License-Identifier: MIT
//
// A symbol path as the Windows debuggers read it: _NT_SYMBOL_PATH, .sympath. Judged element by
// element, as it stands; nobody named in it is asked. Source: the Windows debugger documentation
// ("Advanced SymSrv use", "Symbol path for Windows debuggers").
#pragma once

#include "app/report.h"

/* Judges the path that a line holds ("set _NT_SYMBOL_PATH=…", ".sympath+ …", "Symbol search path
   is: …"), or, where it is `alone`, that it is. False: it holds none. */
bool client_path_read(const char *line, bool alone, struct report *report);
