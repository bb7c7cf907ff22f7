// SPDX-License-Identifier: MIT
//
// The adviser: what the recorded traffic says should be changed. So far one kind of advice: the
// names that a server has never had, as a short pattern for its blacklist. Found in the sums by
// name and server that the statistics keep; what a rule would have spared is counted by trying its
// pattern on every one of these names, not guessed. Nothing is changed here. Blocks on the disk.
#pragma once

#include "proxy/roster.h"
#include "proxy/rules.h"
#include "record/reading.h"

enum {
    ADVICE_ID_BYTES = 17,
    ADVICE_SAYS_MIN = 20,   /* answers of "not here" that make a suggestion worth its line */
    ADVICE_PREFIX_MIN = 2,  /* bytes that a pattern must begin with */
    ADVICE_SOURCE_MAX = 10, /* suggestions for one server, the most sparing of them */
};

struct advice {
    char id[ADVICE_ID_BYTES]; /* of what is suggested: the same as long as that is the same */
    struct rule rule;         /* origin and comment are set */
    uint64_t names;           /* different ones that the rule meets */
    uint64_t questions;       /* that would not have been put */
    uint64_t time_us;         /* that they took */
    uint64_t lost;            /* files that would not have been found */
};

/* Shows what is suggested, server by server, until show returns false. False with err when the
   statistics cannot be read. */
bool adviser_ask(struct reading *reading, const struct roster *roster,
                 bool (*show)(const struct advice *advice, void *context), void *context,
                 struct error *err) MUST_CHECK;
