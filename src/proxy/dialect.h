// SPDX-License-Identifier: MIT
//
// Client families, as far as they differ in what they can stand. A table: how each is recognised,
// how long it waits by itself. Facts: docs/clients.md.
#pragma once

#include <stdint.h>

enum dialect {
    DIALECT_OTHER,
    DIALECT_SYMSRV, /* Microsoft-Symbol-Server/… */
    DIALECT_DOTNET, /* dotnet-symbol, SOS: send no User-Agent at all */
    DIALECT_PERFVIEW,
    DIALECT_GHIDRA,
    DIALECT_SYMBOLICATOR,
    DIALECT_LLVM,
    DIALECT_ELFUTILS,
    DIALECT_BROWSER,
    DIALECT_COUNT
};

/* By the User-Agent ("" when none was sent). */
enum dialect dialect_recognise(const char *user_agent);

/* "symsrv", …; never NULL. */
const char *dialect_name(enum dialect dialect);

/* How long a request waits before it is told "later", in ms: what the client announces in
   Symbol-Agent-Receive-Timeout (milliseconds, decimal or 0x hexadecimal; "" when absent), less 10
   %, at least 0.5 s less; the standard where that says nothing. */
int64_t dialect_limit_ms(const char *announced, int64_t standard_ms);
