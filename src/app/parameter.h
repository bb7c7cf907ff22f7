// SPDX-License-Identifier: MIT
//
// The one table of what a configuration file may say. From it come the parser, the suggestions for
// misspelled keys, the JSON schema (symgate reference --schema), the reference page (symgate
// reference --markdown) and the man page's list. A parameter is added here and nowhere else.
#pragma once

#include <stddef.h>

#include "base/error.h"

enum parameter_type {
    PARAMETER_TEXT,
    PARAMETER_SECRET, /* text, or {"file": "…"}; never shown */
    PARAMETER_PATH,   /* text; mapped by pathMap, relative to the working directory */
    PARAMETER_BOOLEAN,
    PARAMETER_NUMBER,    /* unsigned, within least and most */
    PARAMETER_SIZE,      /* number of bytes, or "200 GiB" */
    PARAMETER_TIME,      /* number of seconds, or "10m"; kept in ms */
    PARAMETER_TIME_NULL, /* the same, or null for never (-1) */
    PARAMETER_LIST,      /* of texts */
    PARAMETER_PATTERNS,  /* list of regular expressions */
    PARAMETER_NUMBERS,   /* list of unsigned */
    PARAMETER_MAP,       /* object of texts */
    PARAMETER_SECRETS,   /* the same of secrets */
    PARAMETER_TIMEOUTS,  /* an object of SECTION_TIMEOUTS */
    PARAMETER_BREAKER,   /* an object of SECTION_BREAKER */
};

enum parameter_section {
    SECTION_IDENTITY,
    SECTION_GENERAL,
    SECTION_SERVER,
    SECTION_TIMEOUTS, /* servers[].timeouts */
    SECTION_BREAKER,  /* servers[].breaker */
};

enum { SECTION_COUNT = SECTION_BREAKER + 1 };

/* What a server's remote may be, as bits. */
enum { REMOTE_URL = 1, REMOTE_DIRECTORY = 2, REMOTE_SHARE = 4 };

struct parameter {
    enum parameter_section section;
    const char *key;
    enum parameter_type type;
    size_t offset; /* in the section's struct (app/config.h) */
    unsigned long least;
    unsigned long most;        /* 0: no limit */
    const char *standard;      /* the default, as JSON; NULL: none */
    const char *standard_told; /* what is said of the default where JSON cannot; or NULL */
    const char *help;          /* one or two sentences */
    const char *alias_of;      /* another spelling of that key ("retryTimout") */
    unsigned remotes;          /* SECTION_SERVER: the REMOTE_… it counts for; 0: all */
};

/* The table and its length. */
const struct parameter *parameters(size_t *out_count);

/* The parameter of a section by key, or NULL. */
const struct parameter *parameter_find(enum parameter_section section, const char *key);

/* The key nearest to a misspelled one, or NULL when none is near. */
const char *parameter_suggest(enum parameter_section section, const char *key);
