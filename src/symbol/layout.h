// SPDX-License-Identifier: MIT
//
// Keys and paths. Two directions: what a client's path below /symbols/ means, and where a file lies
// in a symbol-store tree (one tier: <name>/<id>/<file>). Formats: the Windows debugger
// documentation, "SymStore"; SSQP. Pure; no I/O.
#pragma once

#include "symbol/question.h"

enum path_meaning {
    PATH_SYMBOL, /* <name>/<id>/<name> or <name>/<id>/<stem>.sym: a file itself, *out is filled */
    PATH_FOLLOW_UP, /* <name>/<id>/<name_> or file.ptr: another form of a file, *out is filled and
                       out->form says which */
    PATH_TIER_MARK, /* index2.txt */
    PATH_PING,      /* pingme.txt */
    PATH_ROOT,      /* nothing */
    PATH_UNKNOWN,   /* a well-formed path that names no symbol: 404 */
    PATH_INVALID,   /* 400, err says why */
};

struct symbol_path {
    struct spelling spelling;
    struct symbol_key key;
    enum form form;
};

/* What the raw (still percent-encoded) path after "/symbols/" means. Components are decoded, then
   split: "%2F" separates, doubled slashes count once, a component that is a Windows path
   ("C:\x\app.pdb") stands for its last part; a leading tier directory ("nt/ntdll.pdb/…": the first
   two characters of the name) is accepted. A broken escape stands for itself: names may hold "%". A
   name or id that begins with a dot is PATH_UNKNOWN; "." and ".." anywhere, control characters,
   what is too long, and paths over 8 KiB are PATH_INVALID. The last component counts as the name
   also where the case of ASCII letters differs. The query must be cut off before. *out is to be
   read after PATH_SYMBOL and PATH_FOLLOW_UP only. Allocates nothing. */
enum path_meaning layout_parse_path(const char *path, size_t length, struct symbol_path *out,
                                    struct error *err) MUST_CHECK;

enum { LAYOUT_PATH_BYTES = 2 * (NAME_BYTES_MAX + 1) + ID_BYTES_MAX + 24 };

/* Where symgate writes a symbol on a shelf: folded name, canonical id, folded name. */
void layout_shelf_path(const struct symbol_key *key, char out[LAYOUT_PATH_BYTES]);

/* The same in a form; false when the form has no name of its own ("app_" compressed). */
bool layout_shelf_form_path(const struct symbol_key *key, enum form form,
                            char out[LAYOUT_PATH_BYTES]) MUST_CHECK;

enum { LAYOUT_TIER_BYTES = 2 * 4 + 2 }; /* two characters of UTF-8, a slash */

/* Where two tiers are kept, what stands before the path of a name: its first two characters, or one
   where the second is a dot ("_.debug"), and a slash. */
void layout_tier(const char *name, char out[LAYOUT_TIER_BYTES]);

/* The one-tier path of a spelling in a form, as a directory is asked for it. */
bool layout_spelled_path(const struct spelling *spelling, enum form form,
                         char out[LAYOUT_PATH_BYTES]) MUST_CHECK;

/* The name of the file that a spelling stands for: its name, or <stem>.sym (google/breakpad,
   simple_symbol_supplier: the stem is the name without ".pdb"). False when it is longer than a name
   may be: then no key was made of the spelling. */
bool layout_file_name(const struct spelling *spelling, char out[NAME_BYTES_MAX + 1]);

/* The compressed form's file name: the last character (of UTF-8) replaced by "_". The name is one
   of 1 to NAME_BYTES_MAX bytes. */
void layout_compressed_name(const char *name, char out[NAME_BYTES_MAX + 1]);

/* The name of a form's file, where the plain one is called `plain`: itself, compressed, or
   "file.ptr". False when the form has no name of its own. */
bool layout_form_name(enum form form, const char *plain, char out[NAME_BYTES_MAX + 1]) MUST_CHECK;
