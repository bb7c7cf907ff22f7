// SPDX-License-Identifier: MIT
//
// The files of the page, as tools/embed_web has put them into the program.
#pragma once

#include <stddef.h>

struct web_file {
    const char *name; /* "main.js" */
    const char *type; /* of the content, for the head */
    const unsigned char *bytes;
    size_t length;
};

/* Ends with a row without a name. */
extern const struct web_file web_files[];

/* Where they are: "/web/<digest>/". A hash of all of them stands there, so that they may be cached
   for ever. */
extern const char web_folder[];
