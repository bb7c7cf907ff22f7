// SPDX-License-Identifier: MIT
//
// What each server has said about each name, and what it was not heard to say: a server that is
// asked beside another one loses when that one is faster, and then nobody knows whether it has the
// file. The sums do not tell of those; the last requests do.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "proxy/adviser_inside.h"
#include "record/archive.h"
#include "record/attempts_text.h"

enum { ROWS_MAX = 250000, LOSSES_MAX = 100000 };

/* --- losses --- */

struct loss {
    unsigned source;
    char *name; /* owned */
};

struct losses {
    unsigned count;
    struct loss list[LOSSES_MAX];
};

struct gathering {
    const struct roster *roster;
    struct losses *losses;
};

static void add_loss(struct losses *losses, unsigned source, const char *key) {
    char name[NAME_BYTES_MAX + 1];
    text_copy_n(name, sizeof name, key, strcspn(key, "/"));
    losses->list[losses->count++] = (struct loss){source, memory_text(name)};
}

static bool gather(const struct archive_row *row, void *context) {
    struct gathering *gathering = context;
    struct losses *losses = gathering->losses;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    unsigned count = attempts_read(row->attempts, notes, OUTCOME_NOTES_MAX);
    for (unsigned i = 0; i < count && losses->count < LOSSES_MAX; i++) {
        int source = roster_find(gathering->roster, notes[i].source);
        if (source >= 0 && notes[i].result == ATTEMPT_LOST && notes[i].url[0])
            add_loss(losses, (unsigned)source, row->key);
    }
    return losses->count < LOSSES_MAX;
}

struct losses *losses_find(struct reading *reading, const struct roster *roster,
                           struct error *err) {
    const struct archive_query query = {.result = attempt_result_name(ATTEMPT_LOST),
                                        .limit = ROWS_MAX};
    struct losses *losses = NEW(struct losses);
    struct gathering gathering = {roster, losses};
    if (archive_each(reading, &query, gather, &gathering, err))
        return losses;
    losses_free(losses);
    return NULL;
}

void losses_free(struct losses *losses) {
    for (unsigned i = 0; losses && i < losses->count; i++)
        free(losses->list[i].name);
    free(losses);
}

/* --- what was said --- */

struct telling {
    bool (*show)(const struct said *said, void *context);
    void *context;
    bool enough;
};

static bool tell(const char *name, const struct pair_row *row, void *context) {
    struct telling *telling = context;
    /* Who has only failed has not said that it does not have the file. */
    uint64_t unknown = row->absent == 0 ? row->failed : 0;
    const struct said said = {.name = name,
                              .found = row->found,
                              .may_have = row->found + row->hits + unknown,
                              .absent = row->absent,
                              .failed = row->failed,
                              .time_us = row->time_us};
    telling->enough = !telling->show(&said, telling->context);
    return !telling->enough;
}

static void tell_losses(const struct losses *losses, unsigned source, struct telling *telling) {
    for (unsigned i = 0; i < losses->count && !telling->enough; i++) {
        const struct said said = {.name = losses->list[i].name, .may_have = 1};
        if (losses->list[i].source == source)
            telling->enough = !telling->show(&said, telling->context);
    }
}

bool advice_each_said(struct asking *asking, unsigned source,
                      bool (*show)(const struct said *said, void *context), void *context) {
    const struct roster *roster = asking->roster;
    const char *identifier = roster->sources[source]->options.identifier;
    struct telling telling = {show, context, false};
    tell_losses(asking->losses, source, &telling);
    if (telling.enough)
        return true;
    return roster->own_shelves >> source & 1
               ? reading_shelf_names(asking->reading, identifier, tell, &telling, asking->err)
               : reading_source_names(asking->reading, identifier, tell, &telling, asking->err);
}

bool advice_knows(const struct asking *asking, unsigned source) {
    if (asking->roster->own_shelves >> source & 1)
        return false;
    for (unsigned i = 0; i < asking->losses->count; i++)
        if (asking->losses->list[i].source == source)
            return false;
    return true;
}
