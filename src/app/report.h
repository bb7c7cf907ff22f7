// SPDX-License-Identifier: MIT
//
// What the doctor has found: a list of findings, each with a name for programs, the thing that it
// is about, a sentence, and what to do. A plain value; one thread.
#pragma once

#include "base/buffer.h"

enum finding_weight { FINDING_GOOD, FINDING_WARNING, FINDING_PROBLEM };

struct finding {
    enum finding_weight weight;
    char name[32];   /* "layout", "certificate", … */
    char thing[300]; /* "server \"acme\"", a path, … */
    char sentence[700];
    char cure[700]; /* may be empty */
};

struct report {
    struct finding *list;
    unsigned count;
    unsigned warnings, problems;
};

/* Adds a finding; texts that are too long are cut. */
void report_add(struct report *report, enum finding_weight weight, const char *name,
                const char *thing, const char *sentence, const char *cure);

/* Is there a finding of this name about this thing? */
bool report_has(const struct report *report, const char *name, const char *thing);

/* Frees the list. */
void report_release(struct report *report);

/* Appends all of it, for people or as a JSON list. */
void report_append_text(struct buffer *out, const struct report *report);
void report_append_json(struct buffer *out, const struct report *report);
