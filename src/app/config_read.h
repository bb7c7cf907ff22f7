// SPDX-License-Identifier: MIT
//
// Reading a section: walks a JSON object with the table of parameters and puts values into the
// section's struct. What is wrong is added to the problems, with its place in the text; reading
// always goes on, so one look shows all.
#pragma once

#include "app/config.h"
#include "app/parameter.h"
#include "base/json.h"

struct config_reading {
    const char *path; /* of the file, for messages */
    const char *text; /* NULL: made by us, problems have no place */
    size_t length;
    struct config *config;
    struct config_problems *problems;
};

/* Adds a problem about the value at `key` ("servers[0].remote"). hint may be "". */
void config_complain(struct config_reading *reading, enum problem_severity severity,
                     const char *key, const char *hint, const char *format, ...) PRINTF_LIKE(5, 6);

/* Has the value at `key` been complained of? */
bool config_complained(const struct config_reading *reading, const char *key);

/* "prefix.name", or "prefix[\"na.me\"]" where the name needs it (base/json.h finds both). */
void config_key(char *out, size_t size, const char *prefix, const char *name);

/* Puts the defaults of a section's table into its struct. */
void config_defaults(struct config_reading *reading, enum parameter_section section, void *target);

/* Reads an object into a section's struct; prefix is "general", "servers[0]" …. A value that is no
 * object is a problem. */
void config_read_section(struct config_reading *reading, enum parameter_section section,
                         const json_t *object, const char *prefix, void *target);

/* Frees what a section's struct owns, by the table. */
void config_release_section(enum parameter_section section, void *target);

/* Expands ${NAME} and $${ in a text (a new block); NULL for an undefined name, which has been
 * complained of. */
char *config_expand(struct config_reading *reading, const char *key, const char *text);
