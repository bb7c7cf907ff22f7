// SPDX-License-Identifier: MIT
//
// Alarms for modules that are watched: of general.watchList's, builds that were asked for lately
// and nobody delivered. A build is an id of the module: that another one is there says nothing.
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "proxy/adviser_inside.h"
#include "symbol/pattern.h"
#include "symbol/verdict.h"

enum {
    DAY_S = 24 * 60 * 60,
    WATCHED_DAYS = 7,
    NAMES_MAX = 100000,
    BUILDS_MAX = 100000, /* of one module */
};

/* The builds of one module that were asked for lately and never came. */
struct missing {
    int64_t since_s;
    uint64_t denied;   /* the last time everybody said that he has none */
    uint64_t unknown;  /* the last time somebody could not be asked, or it took too long */
    uint64_t requests; /* for them */
};

/* Rows come with the one asked for last first. */
static bool look_at_build(const struct sum_row *build, void *context) {
    struct missing *missing = context;
    if (build->last_s < missing->since_s)
        return false;
    if (!build->id[0] || build->success > 0)
        return true;
    bool denied = strcmp(build->verdict, verdict_name(VERDICT_ABSENT)) == 0;
    bool excluded = strcmp(build->verdict, verdict_name(VERDICT_EXCLUDED)) == 0;
    missing->denied += denied;
    missing->unknown += !denied && !excluded;
    missing->requests += excluded ? 0 : build->requests - build->exclusions;
    return true;
}

static void raise_alarm(struct asking *asking, const char *name, const struct missing *missing) {
    struct advice advice;
    advice_begin(&advice, ADVICE_WATCH, RULE_EVERYWHERE, NULL, "");
    text_copy(advice.module, sizeof advice.module, name);
    advice.since_ms = missing->since_s * 1000;
    advice.names = 1;
    advice.questions = missing->requests;
    uint64_t builds = missing->denied > 0 ? missing->denied : missing->unknown;
    text_format(advice.rule.comment, sizeof advice.rule.comment,
                missing->denied > 0 ? "\"%.100s\" is watched, and nobody has %" PRIu64
                                      " build%s that %s asked for"
                                    : "\"%.100s\" is watched, and who has %" PRIu64
                                      " build%s that %s asked for could not be found out",
                name, builds, builds == 1 ? "" : "s", builds == 1 ? "was" : "were");
    advice_show(asking, &advice);
}

/* A module that is watched, if its names were asked for lately. */
struct watching {
    struct asking *asking;
    int64_t since_s;
    bool failed; /* the builds could not be read */
};

static bool judge_module(const struct sum_row *row, void *context) {
    struct watching *watching = context;
    struct asking *asking = watching->asking;
    struct missing missing = {.since_s = watching->since_s};
    bool watched = false;
    for (unsigned i = 0; i < asking->watched->count && !watched; i++)
        watched = pattern_try(asking->watched->patterns[i], row->name) == PATTERN_YES;
    if (!watched || !row->name[0])
        return true;
    watching->failed = !reading_ids(asking->reading, row->name, 0, BUILDS_MAX, look_at_build,
                                    &missing, asking->err);
    if (missing.denied + missing.unknown > 0 && !watching->failed)
        raise_alarm(asking, row->name, &missing);
    return !asking->enough && !watching->failed;
}

bool advise_watch(struct asking *asking) {
    struct watching watching = {.asking = asking, .since_s = clock_wall_s() - WATCHED_DAYS * DAY_S};
    const struct names_query query = {.search = "",
                                      .order = ORDER_REQUESTS,
                                      .descending = true,
                                      .since_s = watching.since_s,
                                      .limit = NAMES_MAX};
    if (!asking->watched || asking->watched->count == 0)
        return true;
    return reading_names(asking->reading, &query, judge_module, &watching, asking->err) &&
           !watching.failed;
}
