// SPDX-License-Identifier: MIT
//
// Configurations from texts in memory, named "it.json", with the data folder "/data"; and what was
// complained of.
#pragma once

#include "app/config.h"

struct parsed {
    struct config *config; /* NULL: there were errors */
    struct config_problems problems;
};

#define PARSED CLEANUP(parsed_release) struct parsed

/* Reads a text. */
struct parsed parse(const char *text);

/* The same, of a format with one text to be put in. */
struct parsed parse_with(const char *format, const char *text);

/* Reads a text about which nothing may be complained of but notes. */
struct parsed parse_good(const char *text);

/* Frees both. */
void parsed_release(struct parsed *parsed);

/* The first problem of this severity about this key; fails the test when there is none. */
const struct config_problem *problem_about(const struct parsed *parsed,
                                           enum problem_severity severity, const char *key);

/* How many problems there are of this severity. */
unsigned problems_of(const struct parsed *parsed, enum problem_severity severity);

/* The text must be refused: the first error is about this key, stands at this place and says this
   (a part of its sentence). */
void refuses(const char *text, const char *key, int line, int column, const char *what);

/* The text must be taken with one warning, which is about this key, stands at this place and has
   this hint. */
void warns(const char *text, const char *key, int line, int column, const char *hint);
