// SPDX-License-Identifier: MIT
//
// What a client has written about its search for symbols: `!sym noisy` of the Windows debuggers
// (lines of SYMSRV and DBGHELP), what they say of a symbol path that is set, DEBUGINFOD_VERBOSE of
// debuginfod's clients, or a symbol path. Read only: nobody named in it is asked. Sources: the
// Windows debugger documentation ("Advanced SymSrv use", "!sym"), WinINet's and WinHTTP's error
// numbers, elfutils' debuginfod_find_debuginfo(3).
#pragma once

#include "app/report.h"

/* Adds what a text says of each element that was asked; what is said several times of one is
   counted. Texts of any length and content. */
void client_log_read(const char *text, size_t length, struct report *report);
