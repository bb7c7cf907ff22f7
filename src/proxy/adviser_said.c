// SPDX-License-Identifier: MIT
//
// What each server has said about each name, and what it was not heard to say.
#include <string.h>

#include "proxy/adviser_inside.h"

struct telling {
    const struct trace *trace;
    unsigned source;
    bool (*show)(const struct said *said, void *context);
    void *context;
    bool enough;
};

static bool tell(const char *name, const struct pair_row *row, void *context) {
    struct telling *telling = context;
    uint64_t unheard = row->failed;
    if (unheard > 0) {
        uint64_t cleared = trace_doubts(telling->trace, telling->source, name).cleared;
        unheard -= cleared < unheard ? cleared : unheard;
    }
    const struct said said = {.name = name,
                              .found = row->found,
                              .may_have = row->found + row->hits + unheard,
                              .absent = row->absent,
                              .failed = row->failed,
                              .time_us = row->time_us};
    telling->enough = !telling->show(&said, telling->context);
    return !telling->enough;
}

/* The sums do not tell of questions that it lost to a faster one, or that were not put to it. */
static void tell_lost(struct telling *telling) {
    struct doubts doubts = trace_doubts(telling->trace, telling->source, "");
    for (unsigned i = 0; i < doubts.count && !telling->enough; i++) {
        const struct said said = {.name = doubts.first[i].name, .may_have = 1};
        if (doubts.first[i].result != ATTEMPT_FAILED && !doubts.first[i].dispelled)
            telling->enough = !telling->show(&said, telling->context);
    }
}

bool advice_each_said(struct asking *asking, unsigned source,
                      bool (*show)(const struct said *said, void *context), void *context) {
    const struct roster *roster = asking->roster;
    const char *identifier = roster->sources[source]->options.identifier;
    struct telling telling = {asking->trace, source, show, context, false};
    tell_lost(&telling);
    if (telling.enough)
        return true;
    return roster->own_shelves >> source & 1
               ? reading_shelf_names(asking->reading, identifier, tell, &telling, asking->err)
               : reading_source_names(asking->reading, identifier, tell, &telling, asking->err);
}

bool advice_knows(const struct asking *asking, unsigned source) {
    return !(asking->roster->own_shelves >> source & 1) &&
           trace_doubts(asking->trace, source, "").lost == 0;
}

bool advice_heard(const struct asking *asking, unsigned source, const struct source_row *row) {
    struct doubts doubts = trace_doubts(asking->trace, source, "");
    return row->failed <= doubts.cleared && doubts.unasked == 0;
}
