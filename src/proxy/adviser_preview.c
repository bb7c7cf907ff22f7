// SPDX-License-Identifier: MIT
//
// What a filter would have done to the last requests: they alone tell how clients spell names, and
// patterns see that spelling.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "proxy/adviser.h"
#include "record/archive.h"
#include "record/attempts_text.h"
#include "symbol/layout.h"

enum { ROWS_MAX = 250000 };

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
static const char below[] = "/symbols/";

struct replay {
    struct pattern *pattern; /* owned */
    bool keeps;              /* a whitelist: what fits goes on, the rest is met */
    const struct roster *roster;
    int only; /* the one server that the rule is about; -1: all */
    int64_t now_ms, oldest_ms;
    uint64_t *met; /* owned: hashes of the names that the rule met, some of them often */
    size_t met_count;
    struct advice_preview *out;
};

/* The name as the client spelled it; where the path is not whole any more, the canonical one. */
static void read_name(const struct archive_row *row, char out[NAME_BYTES_MAX + 1]) {
    struct symbol_path parsed;
    struct error ignored;
    const char *path = row->outcome.text.path;
    enum path_meaning meaning = PATH_UNKNOWN;
    if (text_starts(path, below))
        meaning = layout_parse_path(path + strlen(below), strcspn(path, "?") - strlen(below),
                                    &parsed, &ignored);
    if (meaning == PATH_SYMBOL || meaning == PATH_FOLLOW_UP)
        text_copy(out, NAME_BYTES_MAX + 1, parsed.spelling.name);
    else
        text_copy_n(out, NAME_BYTES_MAX + 1, row->key, strcspn(row->key, "/"));
}

/* A pattern beside others in a whitelist lets more through: nothing is met by it. */
static bool meets(const struct replay *replay, const char *name) {
    if (replay->keeps && policy_has_whitelist(replay->roster->policy, (unsigned)replay->only))
        return false;
    return (pattern_try(replay->pattern, name) == PATTERN_YES) != replay->keeps;
}

static bool was_put(const struct attempt_note *note) {
    return note->url[0] && (note->result == ATTEMPT_FOUND || note->result == ATTEMPT_ABSENT ||
                            note->result == ATTEMPT_FAILED);
}

/* Failed, lost to a faster one, or not put to it at all. */
static bool is_open(const struct attempt_note *note) {
    return note->result == ATTEMPT_FAILED || note->result == ATTEMPT_LOST ||
           note->result == ATTEMPT_UNASKED || note->result == ATTEMPT_WAITING;
}

static void count_questions(struct replay *replay, const struct archive_row *row) {
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    unsigned count = attempts_read(row->attempts, notes, OUTCOME_NOTES_MAX);
    /* Nobody could be asked at all: of whom that is so is not noted. */
    replay->out->unknown +=
        count == 0 && !row->outcome.joined && verdict_open(row->outcome.verdict);
    for (unsigned i = 0; i < count; i++) {
        int source = roster_find(replay->roster, notes[i].source);
        if (replay->only >= 0 && source != replay->only)
            continue;
        replay->out->unknown += !row->outcome.joined && is_open(&notes[i]);
        replay->out->lost += replay->only >= 0 && notes[i].result == ATTEMPT_FOUND;
        if (!was_put(&notes[i]) || row->outcome.joined)
            continue;
        replay->out->questions++;
        replay->out->time_us += notes[i].total_ms > 0 ? (uint64_t)notes[i].total_ms * 1000 : 0;
    }
}

/* Is a file withheld that did not come by a question? Where nobody may be asked, every one; where
   one server, what lies on its own shelf. */
static bool loses_kept(const struct replay *replay, const struct outcome *outcome) {
    if (replay->only < 0)
        return verdict_delivered(outcome->verdict);
    return outcome->verdict == VERDICT_HIT && (replay->roster->own_shelves >> replay->only & 1) &&
           roster_find(replay->roster, outcome->text.source) == replay->only;
}

static bool replay_request(const struct archive_row *row, void *context) {
    struct replay *replay = context;
    char name[NAME_BYTES_MAX + 1];
    int64_t at_ms = row->outcome.wall_ns / 1000000;
    replay->oldest_ms = at_ms < replay->oldest_ms ? at_ms : replay->oldest_ms;
    read_name(row, name);
    if (row->outcome.follow_up || !name[0] || !meets(replay, name))
        return true;
    if (replay->now_ms - at_ms < day_ms) {
        replay->out->day_requests++;
        replay->out->day_files += verdict_delivered(row->outcome.verdict);
    }
    replay->met[replay->met_count++] = hash_bytes(hash_process_key(), name, strlen(name));
    replay->out->lost += loses_kept(replay, &row->outcome);
    count_questions(replay, row);
    return true;
}

static int by_number(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void count_names(struct replay *replay) {
    qsort(replay->met, replay->met_count, sizeof *replay->met, by_number);
    for (size_t i = 0; i < replay->met_count; i++)
        replay->out->names += i == 0 || replay->met[i] != replay->met[i - 1];
}

bool adviser_preview(struct reading *reading, const struct roster *roster, const struct rule *rule,
                     struct advice_preview *out_preview, struct error *err) {
    const struct archive_query last = {.limit = ROWS_MAX};
    size_t offset;
    *out_preview = (struct advice_preview){0};
    if (rule->list != RULE_EVERYWHERE && rule->list != RULE_BLACKLIST &&
        rule->list != RULE_WHITELIST)
        return error_set(err, ERROR_INVALID, "only filters can be tried on what was recorded");
    int64_t now_ms = clock_wall_ns() / 1000000;
    struct replay replay = {.pattern = pattern_new(rule->value, &offset, err),
                            .keeps = rule->list == RULE_WHITELIST,
                            .roster = roster,
                            .only = roster_find(roster, rule->server),
                            .now_ms = now_ms,
                            .oldest_ms = now_ms,
                            .out = out_preview};
    if (!replay.pattern)
        return false;
    replay.met = NEW_ARRAY(uint64_t, ROWS_MAX);
    bool good = archive_each(reading, &last, replay_request, &replay, err);
    if (good)
        count_names(&replay);
    out_preview->span_ms = now_ms - replay.oldest_ms;
    free(replay.met);
    pattern_free(replay.pattern);
    return good;
}
