// SPDX-License-Identifier: MIT
//
// What the parts of the adviser share: adviser.c (names), adviser_servers.c (whole servers, watched
// modules), adviser_trace.c (what was answered when).
#pragma once

#include "proxy/adviser.h"

/* One round of advice. */
struct asking {
    struct reading *reading;
    const struct roster *roster;
    const struct watch_list *watched;
    bool (*show)(const struct advice *advice, void *context);
    void *context;
    bool enough; /* show has said so */
    struct error *err;
};

/* An advice about a server (NULL: about none) that changes this list to this value. */
void advice_begin(struct advice *advice, enum advice_kind kind, enum rule_list list,
                  const char *server, const char *value);

/* Gives it its id and shows it. */
void advice_show(struct asking *asking, struct advice *advice);

/* Each looks for its kinds; false with err when the statistics cannot be read. */
bool advise_names(struct asking *asking) MUST_CHECK;
bool advise_servers(struct asking *asking) MUST_CHECK;
bool advise_trace(struct asking *asking) MUST_CHECK;
bool advise_watch(struct asking *asking) MUST_CHECK;

/* Appends the first `length` bytes of a name with all that patterns want escaped; the new
   length. */
size_t advice_escape(char *out, size_t at, const char *name, size_t length);

/* How many bytes two names begin with alike; it does not end within a character. */
size_t advice_common(const char *a, const char *b);

/* What a source has said, name by name in the order of their bytes; with what may lie on a shelf of
   its own, where it has one. */
bool advice_each_name(struct asking *asking, unsigned source,
                      bool (*show)(const char *name, const struct pair_row *row, void *context),
                      void *context) MUST_CHECK;

/* Answers about a name that speak for its having a file: who has only failed has not said that it
   does not have it. */
uint64_t advice_may_have(const struct pair_row *row);

/* Is the source asked together with another? Then what it has is told by nothing: the slower one of
   two that both have a file is never seen to have it. */
bool advice_races(const struct roster *roster, unsigned source);
