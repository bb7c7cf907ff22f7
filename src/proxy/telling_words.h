// SPDX-License-Identifier: MIT
//
// The sentences that telling.c fills in: one table a kind of thing that is told. Set at creation,
// then read-only.
#pragma once

#include <stddef.h>

#include "proxy/telling.h"

/* Templates, with words in braces as telling.h lists them. */
struct words {
    const char *sentence;
    const char *cure;
};

/* For each that is told, and for each cause of a failure. */
extern const struct words telling_words[TOLD_COUNT];
extern const struct words telling_failures[ERROR_KIND_COUNT];

/* ERROR_RESTING of a host that the server redirects to. */
extern const struct words telling_host_rests;

/* What single statuses mean more than others. `to` inclusive. */
struct status_words {
    int from, to;
    struct words words;
};
extern const struct status_words telling_statuses[];
extern const size_t telling_status_count;
