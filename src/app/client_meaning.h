// SPDX-License-Identifier: MIT
//
// What the words and numbers mean that debuggers and debuginfod's clients write about a server.
// Sources: WinINet's and WinHTTP's error numbers, also as HRESULTs; what symsrv.dll, symsrv's newer
// back end, libcurl and elfutils print.
#pragma once

#include "app/report.h"

struct meaning {
    const char *codes; /* whole tokens of letters and digits, without 0x, with | between; NULL */
    const char *words; /* the same, anywhere in the line; NULL */
    const char *name;
    enum finding_weight weight;
    const char *sentence;
    const char *cure;
};

/* What a line, in lower case, means; NULL: nothing that is known. */
const struct meaning *client_meaning(const char *line);

/* What it means that debuginfod has no servers. */
const struct meaning *client_meaning_no_server(void);
