// SPDX-License-Identifier: MIT
//
// What the parts of the adviser share: adviser_said.c (what was answered about each name),
// adviser.c (names), adviser_servers.c (whole servers, watched modules), adviser_trace.c (what was
// answered when).
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
    const struct losses *losses;
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

/* What a source has said about one name. */
struct said {
    const char *name;
    uint64_t found, absent, failed, time_us;
    uint64_t may_have; /* what speaks for its having a file: found, served from a shelf where it has
                          one of its own, slower than another one, or only ever failed */
};

/* Shows what a source has said, in no order, until show returns false; a name may come twice. */
bool advice_each_said(struct asking *asking, unsigned source,
                      bool (*show)(const struct said *said, void *context),
                      void *context) MUST_CHECK;

/* Do the sums know all files that a source has had? Not when some lie on a shelf of its own, or
   another source was faster. */
bool advice_knows(const struct asking *asking, unsigned source);

/* The questions that a source lost to a faster one; NULL with err when they cannot be read. */
struct losses *losses_find(struct reading *reading, const struct roster *roster,
                           struct error *err) MUST_CHECK;
void losses_free(struct losses *losses);

/* Is the source asked together with another? Then what it has is told by nothing: the slower one of
   two that both have a file is never seen to have it. */
bool advice_races(const struct roster *roster, unsigned source);
