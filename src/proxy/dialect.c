// SPDX-License-Identifier: MIT
#include "proxy/dialect.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/numbers.h"
#include "base/text.h"

enum { LIMIT_MAX_MS = 60 * 60 * 1000, MARGIN_MIN_MS = 500, LIMIT_MIN_MS = 1 };

/* How a client is known by its User-Agent: by its beginning, without regard to case; the first row
 * that fits counts. */
static const struct {
    const char *prefix;
    enum dialect dialect;
} agents[] = {
    {"Microsoft-Symbol-Server/", DIALECT_SYMSRV},
    {"PerfView", DIALECT_PERFVIEW},
    {"Microsoft-PerfView", DIALECT_PERFVIEW},
    {"Ghidra", DIALECT_GHIDRA},
    {"symbolicator", DIALECT_SYMBOLICATOR},
    {"LLVM", DIALECT_LLVM},
    {"elfutils/", DIALECT_ELFUTILS},
    {"Mozilla/", DIALECT_BROWSER},
};

static const char *const names[DIALECT_COUNT] = {
    [DIALECT_OTHER] = "other",     [DIALECT_SYMSRV] = "symsrv",
    [DIALECT_DOTNET] = "dotnet",   [DIALECT_PERFVIEW] = "perfview",
    [DIALECT_GHIDRA] = "ghidra",   [DIALECT_SYMBOLICATOR] = "symbolicator",
    [DIALECT_LLVM] = "llvm",       [DIALECT_ELFUTILS] = "elfutils",
    [DIALECT_BROWSER] = "browser",
};

enum dialect dialect_recognise(const char *user_agent) {
    /* Of those that ask symbol-store paths, only dotnet's tools send none at all. */
    if (!*user_agent)
        return DIALECT_DOTNET;
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++)
        if (text_starts_folded(user_agent, agents[i].prefix))
            return agents[i].dialect;
    return DIALECT_OTHER;
}

const char *dialect_name(enum dialect dialect) {
    assert(dialect < DIALECT_COUNT);
    return names[dialect];
}

static bool parse_announced(const char *announced, uint64_t *out_ms) {
    if (text_starts_folded(announced, "0x"))
        return number_parse_hex(announced + 2, strlen(announced + 2), out_ms);
    return number_parse(announced, out_ms);
}

int64_t dialect_limit_ms(const char *announced, int64_t standard_ms) {
    uint64_t told_ms;
    if (!parse_announced(announced, &told_ms) || told_ms == 0)
        return standard_ms;
    int64_t limit_ms = told_ms < LIMIT_MAX_MS ? (int64_t)told_ms : LIMIT_MAX_MS;
    int64_t margin_ms = limit_ms / 10;
    if (margin_ms < MARGIN_MIN_MS)
        margin_ms = MARGIN_MIN_MS;
    return limit_ms > margin_ms ? limit_ms - margin_ms : LIMIT_MIN_MS;
}
