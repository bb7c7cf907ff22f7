// SPDX-License-Identifier: MIT
//
// Where stores of the different layouts keep a file, as paths below their root. A layout may have
// several paths for one file (spellings that its tools disagree about), or none. Sources:
// the Windows debugger documentation ("SymStore"), SSQP key conventions (dotnet/symstore),
// google/breakpad (simple_symbol_supplier), gdb's manual ("Separate Debug Files"), debuginfod(8),
// and the layouts that getsentry/symbolicator documents. Pure; no I/O.
#pragma once

#include "symbol/layout.h"

enum layout {
    LAYOUT_AUTO,         /* one or two tiers: the source finds out */
    LAYOUT_SYMSTORE,     /* <name>/<id>/<file>, as the client spelled it */
    LAYOUT_TWO_TIER,     /* the first two characters of the name before that */
    LAYOUT_SSQP,         /* lower-case names, the ids of dotnet/symstore */
    LAYOUT_BREAKPAD,     /* <debug file>/<ID>/<stem>.sym */
    LAYOUT_DEBUGINFOD,   /* buildid/<id>/debuginfo, executable */
    LAYOUT_BUILD_ID,     /* .build-id/nn/rest.debug, nn/rest */
    LAYOUT_UNIFIED,      /* nn/rest/debuginfo, executable, breakpad */
    LAYOUT_SLASHSYMBOLS, /* <name>/<id>/symbols */
    LAYOUT_COUNT
};

/* What a store that minds the case of its paths wants of the whole path. */
enum casing { CASING_PRESERVE, CASING_LOWER, CASING_UPPER, CASING_COUNT };

enum { STORE_PATHS_MAX = 2 };

struct store_path {
    char
        path[LAYOUT_PATH_BYTES]; /* components and slashes, none at the ends; not percent-encoded */
};

/* The paths of one form of what is asked for, those that are likelier first; how many (0: a store
   of this layout cannot have it). AUTO counts as SYMSTORE. */
unsigned store_paths(enum layout layout, enum casing casing, const struct question *question,
                     enum form form, struct store_path out_paths[STORE_PATHS_MAX]);

/* "symstore", "two-tier", …: as in a server's `layout`; "preserve", "lower", "upper". The other
   way: false for an unknown name. */
const char *layout_name(enum layout layout);
bool layout_parse(const char *name, enum layout *out_layout) MUST_CHECK;
const char *casing_name(enum casing casing);
bool casing_parse(const char *name, enum casing *out_casing) MUST_CHECK;
