// SPDX-License-Identifier: MIT
//
// What the Windows debuggers print of a symbol path that is set: the table "Path validation
// summary", a row for each element, and a line for each folder that could not be opened. Sources:
// what WinDbg and cdb of version 6.3 and 10 print; Windows' error numbers.
#pragma once

#include "app/report.h"

/* Where the head of such a table begins in a line; NULL: it does not. */
const char *client_summary_head(const char *line);

/* Reads a line below that head: "Deferred    srv*C:\symbols*https://…". False: it belongs to the
   table no more. */
bool client_summary_row(const char *line, struct report *report);

/* Reads "Error: … attempts to access 'C:\symbols' failed: 0x2 - …". False: it is no such line. */
bool client_summary_error(const char *line, struct report *report);
