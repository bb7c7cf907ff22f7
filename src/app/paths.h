// SPDX-License-Identifier: MIT
//
// Paths of the configuration: Windows paths and shares are mapped to local directories
// (general.pathMap), never created.
#pragma once

#include "app/config.h"

enum path_kind {
    PATH_URL,     /* http:// or https:// */
    PATH_LOCAL,   /* a path of this machine */
    PATH_WINDOWS, /* C:\…, \\?\…: needs a map */
    PATH_SHARE,   /* \\server\share, //server/share, smb://… */
};

/* What sort of path a text is. */
enum path_kind path_kind(const char *text);

/* Maps by the longest beginning that fits (ASCII case and the direction of slashes do not count);
   what follows has its backslashes turned. \\?\C:\… is C:\…. A new text; NULL when no entry fits.
 */
char *path_mapped(const struct config_map *map, const char *text);

/* The line that would map this path, for a hint: `"pathMap": {"\\\\build\\symbols":
 * "/mnt/symbols"}`. */
void path_map_example(const char *text, char *out, size_t size);

/* Is a comment of pathMap an entry to whoever wrote it: "//server/share" that leads to a path? Then
   the hint says how it is written. `to` may be NULL. */
bool path_map_misspelt(const char *name, const char *to, char *hint, size_t size);

/* Absolute, from the working directory, without empty and "." components, so that one directory has
 * one text; a new text. */
char *path_absolute(const char *text);

/* "directory/name"; a new text. */
char *path_below(const char *directory, const char *name);

/* Where data lies by default: /var/lib/symgate as root, else below $XDG_STATE_HOME. A new text. */
char *path_default_data(void);
