// SPDX-License-Identifier: MIT
//
// Symbol paths as debuggers take them (Windows debugger documentation, "Advanced SymSrv use"),
// turned into a configuration:
//
//   srv*remote               a server
//   srv*cache*remote         a server with a cache of its own
//   srv*cache*store*remote   a chain: the middle store is asked before the remote
//   srv**remote              an empty element: the default cache
//   symsrv*symsrv.dll*…      the same as srv*…
//   cache*directory          the global cache
//   directory, URL           a server
#pragma once

#include <jansson.h>

#include "app/config_read.h"

/* Makes a configuration's JSON from a symbol path. Elements that cannot be used are complained of
 * (warnings). */
json_t *sympath_to_json(struct config_reading *reading, const char *sympath);
