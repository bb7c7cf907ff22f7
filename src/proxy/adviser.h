// SPDX-License-Identifier: MIT
//
// The adviser: what the recorded traffic says should be changed. What a change would have spared,
// and which files would have been lost by it, is counted by playing what was recorded once more
// under it: names are tried on the evidence (record/evidence.h), retry times and orders on the last
// requests with what each server answered. Nothing is changed here. Blocks on the disk.
#pragma once

#include "proxy/roster.h"
#include "proxy/rules.h"
#include "record/reading.h"

enum advice_kind {
    ADVICE_NEVER_HAS, /* names that a server has never had: a pattern for its blacklist */
    ADVICE_WHITELIST, /* it has files of few names alone: a pattern for its whitelist */
    ADVICE_USELESS,   /* it was asked often and has never had a file */
    ADVICE_DOWN,      /* it has never answered */
    ADVICE_RETRY,     /* its no is asked for again too often, and has never turned */
    ADVICE_EARLIER,   /* its no has turned into a file several times: it counts too long */
    ADVICE_ORDER,     /* it should be asked before the one that is asked now */
    ADVICE_WATCH,     /* a module of general.watchList was asked for and is not there */
    ADVICE_KINDS
};

/* "never has", …; never NULL. */
const char *advice_kind_name(enum advice_kind kind);

enum {
    ADVICE_ID_BYTES = 17,
    ADVICE_SAYS_MIN = 20,      /* answers of "not here" that make a suggestion worth its line */
    ADVICE_PREFIX_MIN = 2,     /* bytes that a pattern must begin with */
    ADVICE_SOURCE_MAX = 10,    /* suggestions for one server, the most sparing of them */
    ADVICE_USELESS_MIN = 200,  /* answers without a file, before a server is called useless */
    ADVICE_TURNED_MIN = 3,     /* times that a no has turned into a file */
    ADVICE_TRACE_MAX = 300000, /* answers of servers that are played again, the last ones */
};

struct advice {
    char id[ADVICE_ID_BYTES]; /* of what is suggested: the same as long as that is the same */
    char module[NAME_BYTES_MAX + 1]; /* ADVICE_WATCH: which; else "" */
    int64_t since_ms;                /* the figures are of the time since */
    enum advice_kind kind;
    struct rule rule;   /* origin and comment, the sentence, are set; without a value: there is
                           nothing to be applied */
    uint64_t names;     /* different ones that the rule meets */
    uint64_t questions; /* that would not have been put */
    uint64_t time_us;   /* that they took */
    uint64_t lost;      /* files that would not have been found */
};

/* The patterns of general.watchList. */
struct watch_list {
    struct pattern **patterns; /* the owner's, as the array is */
    unsigned count;
};

/* What advice is drawn from. All is the caller's. */
struct advice_view {
    struct reading *reading;
    const struct roster *roster;
    const struct cache *cache; /* holds the shelves that servers have of their own */
    struct rules *rules;       /* those that are in force; may be NULL */
    const struct watch_list *watched;
};

/* Shows what is suggested, kind by kind, until show returns false. False with err when the
   statistics cannot be read. */
bool adviser_ask(const struct advice_view *view,
                 bool (*show)(const struct advice *advice, void *context), void *context,
                 struct error *err) MUST_CHECK;

/* What a rule with a pattern would have done. */
struct advice_preview {
    int64_t span_ms;                          /* over which requests are recorded */
    uint64_t names, questions, time_us, lost; /* in that span */
    uint64_t unknown;      /* questions about them that no server answered: there may be files */
    uint64_t day_requests; /* of the last day's lookups, so many are met … */
    uint64_t day_files;    /* … and so many of those got a file */
};

/* Plays the last requests, whose names are known as clients spell them, under a rule that is not in
   force yet and whose server is there. Only for lists of patterns (ERROR_INVALID otherwise). False
   with err, too, when the statistics cannot be read. */
bool adviser_preview(struct reading *reading, const struct roster *roster, const struct rule *rule,
                     struct advice_preview *out_preview, struct error *err) MUST_CHECK;
