// SPDX-License-Identifier: MIT
#include "proxy/adviser_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "symbol/pattern.h"

enum {
    NAMES_MAX = 200000,
    BYTES_MAX = 64 * 1024 * 1024,
    PREFIX_MAX = 64, /* a line of the configuration is read by somebody */
    PATTERN_BYTES = 2 * PREFIX_MAX + 16,
};

/* Names that begin alike (or a whole name) and were never found. */
struct candidate {
    const char *prefix;
    size_t length;
    bool whole;
    uint64_t no;
};

/* What one server has said, by name in the order of their bytes, and what is suggested for it. */
struct heard {
    const struct roster *roster;
    unsigned source;
    unsigned count;
    struct evidence_row *list;
    char next[NAME_BYTES_MAX + 1]; /* the first of those that there was no room for; "": none */
    struct buffer names;           /* their texts, one behind the other */
    unsigned candidate_count;
    struct candidate candidates[ADVICE_SOURCE_MAX]; /* those with most to spare */
};

/* --- gathering --- */

/* What the rules in force keep away already needs no advice; but a file that was found there speaks
   against others, for rules are taken back. */
static bool gather(const struct evidence_row *said, void *context) {
    struct heard *heard = context;
    size_t bytes = strlen(said->name) + 1;
    if (said->may_have == 0 && !policy_lets(heard->roster->policy, heard->source, said->name))
        return true;
    if (heard->count == NAMES_MAX || !buffer_append(&heard->names, said->name, bytes)) {
        text_copy(heard->next, sizeof heard->next, said->name);
        return false;
    }
    heard->list[heard->count++] = *said;
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct evidence_row *)a)->name, ((const struct evidence_row *)b)->name);
}

/* The texts stand still only now. */
static void place_names(struct heard *heard) {
    const char *at = heard->names.bytes;
    for (unsigned i = 0; i < heard->count; i++, at += strlen(at) + 1)
        heard->list[i].name = at;
    qsort(heard->list, heard->count, sizeof *heard->list, by_name);
}

/* --- patterns --- */

size_t advice_escape(char *out, size_t at, const char *name, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (strchr(".^$*+?{}[]\\|()", name[i]))
            out[at++] = '\\';
        out[at++] = name[i];
    }
    return at;
}

size_t advice_common(const char *a, const char *b) {
    size_t length = 0;
    while (a[length] && a[length] == b[length])
        length++;
    while (length > 0 && (a[length] & 0xC0) == 0x80)
        length--;
    return length;
}

/* A prefix as a pattern. Names are kept in lower case, so case does not count. */
static void write_pattern(char out[PATTERN_BYTES], const struct candidate *candidate) {
    size_t at = (size_t)snprintf(out, PATTERN_BYTES, "(?i)");
    at = advice_escape(out, at, candidate->prefix, candidate->length);
    snprintf(out + at, PATTERN_BYTES - at, "%s", candidate->whole ? "$" : ".*");
}

/* Tries the rule on every name. */
static bool replay(const struct heard *heard, struct advice *advice) {
    size_t offset;
    struct error err;
    struct pattern *pattern = pattern_new(advice->rule.value, &offset, &err);
    if (!pattern)
        return false;
    for (unsigned i = 0; i < heard->count; i++) {
        const struct evidence_row *said = &heard->list[i];
        if (pattern_try(pattern, said->name) != PATTERN_YES)
            continue;
        advice->names++;
        advice->questions += said->found + said->absent + said->failed;
        advice->time_us += said->time_us;
        advice->lost += said->may_have;
    }
    pattern_free(pattern);
    return true;
}

/* FNV-1a, the same on every machine and in every run. */
static void name_advice(struct advice *advice) {
    uint64_t hash = UINT64_C(14695981039346656037);
    const char *const parts[] = {rule_list_name(advice->rule.list), advice->rule.server,
                                 advice->rule.value, advice->module};
    unsigned count = advice->module[0] ? 4 : 3;
    for (unsigned i = 0; i < count; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
            if (!*at)
                break;
        }
    text_format(advice->id, sizeof advice->id, "%016" PRIx64, hash);
}

/* False: nothing to be suggested. */
static bool suggest(const struct heard *heard, const struct candidate *candidate,
                    struct advice *advice) {
    const struct source *source = heard->roster->sources[heard->source];
    char pattern[PATTERN_BYTES];
    write_pattern(pattern, candidate);
    advice_begin(advice, ADVICE_NEVER_HAS, RULE_BLACKLIST, source->options.identifier, pattern);
    if (!replay(heard, advice) || advice->lost > 0)
        return false;
    text_format(advice->rule.comment, sizeof advice->rule.comment,
                "%" PRIu64 " questions about %" PRIu64 " name%s, and never a file",
                advice->questions, advice->names, advice->names == 1 ? "" : "s");
    return true;
}

/* --- prefixes --- */

/* Takes the place of the one with least to spare, where there is no free one. */
static void propose(struct heard *heard, const struct candidate *candidate) {
    struct candidate *place = &heard->candidates[0];
    if (heard->candidate_count < ADVICE_SOURCE_MAX) {
        heard->candidates[heard->candidate_count++] = *candidate;
        return;
    }
    for (unsigned i = 1; i < ADVICE_SOURCE_MAX; i++)
        if (heard->candidates[i].no < place->no)
            place = &heard->candidates[i];
    if (place->no < candidate->no)
        *place = *candidate;
}

/* The names from `first` up to `end` share `depth` bytes. Where nothing speaks for a file of any of
   them they are one suggestion, else they are split by their next byte. */
static void descend(struct heard *heard, unsigned first, unsigned end, size_t depth) {
    const struct evidence_row *list = heard->list;
    uint64_t may_have = 0, no = 0;
    for (unsigned i = first; i < end; i++) {
        may_have += list[i].may_have;
        no += list[i].absent;
    }
    if (no < ADVICE_SAYS_MIN)
        return;
    size_t shared = advice_common(list[first].name, list[end - 1].name);
    /* What there was no room for comes behind in their order: it may begin alike, and be there. */
    bool known = !heard->next[0] || strncmp(heard->next, list[first].name, shared) != 0;
    if (may_have == 0 && known && shared >= ADVICE_PREFIX_MIN && shared <= PREFIX_MAX) {
        const struct candidate candidate = {list[first].name, shared, end - first == 1, no};
        propose(heard, &candidate);
        return;
    }
    if (strcmp(list[first].name, list[end - 1].name) == 0)
        return;
    depth = shared > depth ? shared : depth;
    for (unsigned from = first, to; from < end; from = to) {
        to = from + 1;
        while (to < end && list[to].name[depth] == list[from].name[depth])
            to++;
        descend(heard, from, to, depth + 1);
    }
}

/* --- all servers --- */

static int by_no(const void *a, const void *b) {
    uint64_t left = ((const struct candidate *)a)->no;
    uint64_t right = ((const struct candidate *)b)->no;
    return (left < right) - (left > right);
}

static struct evidence_server server_of(const struct roster *roster, unsigned source,
                                        const char *servers) {
    return (struct evidence_server){
        .identifier = roster->sources[source]->options.identifier,
        .mark = source_mark(roster->sources[source]),
        .own_shelf = roster->own_shelves >> source & 1,
        .servers = servers,
    };
}

static void show_all(struct asking *asking, struct heard *heard) {
    struct advice advice;
    qsort(heard->candidates, heard->candidate_count, sizeof *heard->candidates, by_no);
    for (unsigned i = 0; i < heard->candidate_count && !asking->enough; i++)
        if (suggest(heard, &heard->candidates[i], &advice)) {
            advice.since_ms = asking->said[heard->source].since_ms;
            advice_show(asking, &advice);
        }
}

bool advice_races(const struct roster *roster, unsigned source) {
    int priority = roster->sources[source]->options.priority;
    for (unsigned i = 0; i < roster->count; i++)
        if (i != source && roster->sources[i]->options.priority == priority)
            return true;
    return false;
}

static struct shelf *own_shelf(const struct asking *asking, unsigned source) {
    bool own = asking->roster->own_shelves >> source & 1;
    return own ? cache_shelf(asking->cache, asking->roster->shelf[source]) : NULL;
}

static bool see_one(const char *name, void *context) {
    (void)name, (void)context;
    return false;
}

bool advice_sees(const struct asking *asking, unsigned source) {
    struct shelf *shelf = own_shelf(asking, source);
    return !shelf || shelf_each_name(shelf, see_one, NULL);
}

struct shown_names {
    bool (*show)(const struct evidence_row *said, void *context);
    void *context;
    bool enough;
};

static bool show_said(const struct evidence_row *said, void *context) {
    struct shown_names *shown = context;
    shown->enough = !shown->show(said, shown->context);
    return !shown->enough;
}

static bool show_shelved(const char *name, void *context) {
    return show_said(&(struct evidence_row){.name = name, .may_have = 1}, context);
}

bool advice_each_said(struct asking *asking, unsigned source,
                      bool (*show)(const struct evidence_row *said, void *context), void *context) {
    const struct evidence_server server = server_of(asking->roster, source, asking->servers);
    struct shown_names shown = {show, context, false};
    struct shelf *shelf = own_shelf(asking, source);
    if (!reading_evidence_names(asking->reading, &server, show_said, &shown, asking->err))
        return false;
    return !shelf || shown.enough || shelf_each_name(shelf, show_shelved, &shown) ||
           error_set(asking->err, ERROR_DISK, "the cache \"%s\" cannot be read", shelf_path(shelf));
}

bool advise_names(struct asking *asking) {
    const struct roster *roster = asking->roster;
    CLEANUP(free_block) struct heard *heard = NEW(struct heard);
    CLEANUP(free_block) struct evidence_row *list = NEW_ARRAY(struct evidence_row, NAMES_MAX);
    bool good = true;
    for (unsigned i = 0; good && !asking->enough && i < roster->count; i++) {
        if (advice_races(roster, i) || !advice_sees(asking, i))
            continue;
        *heard = (struct heard){.roster = roster, .source = i, .list = list};
        buffer_init(&heard->names, BYTES_MAX);
        good = advice_each_said(asking, i, gather, heard);
        place_names(heard);
        bool whole = !heard->next[0] || !own_shelf(asking, i);
        if (good && whole && heard->count > 0) {
            descend(heard, 0, heard->count, 0);
            show_all(asking, heard);
        }
        buffer_release(&heard->names);
    }
    return good;
}

/* --- all kinds --- */

const char *advice_kind_name(enum advice_kind kind) {
    static const char *const names[ADVICE_KINDS] = {
        [ADVICE_NEVER_HAS] = "never has", [ADVICE_WHITELIST] = "has few names",
        [ADVICE_USELESS] = "useless",     [ADVICE_DOWN] = "down",
        [ADVICE_RETRY] = "asked again",   [ADVICE_EARLIER] = "comes later",
        [ADVICE_ORDER] = "order",         [ADVICE_WATCH] = "missing",
    };
    return names[kind];
}

void advice_begin(struct advice *advice, enum advice_kind kind, enum rule_list list,
                  const char *server, const char *value) {
    *advice = (struct advice){.kind = kind, .rule = {.list = list, .origin = RULE_ADVISER}};
    text_copy(advice->rule.server, sizeof advice->rule.server, server ? server : "");
    text_copy(advice->rule.value, sizeof advice->rule.value, value);
}

void advice_show(struct asking *asking, struct advice *advice) {
    name_advice(advice);
    asking->enough = !asking->show(advice, asking->context);
}

static bool read_said(const struct asking *asking, struct evidence_total said[]) {
    bool good = true;
    for (unsigned i = 0; good && i < asking->roster->count; i++) {
        const struct evidence_server server = server_of(asking->roster, i, asking->servers);
        good = reading_evidence(asking->reading, &server, &said[i], asking->err);
    }
    return good;
}

static void list_servers(const struct roster *roster, struct buffer *out) {
    buffer_append_text(out, "[");
    for (unsigned i = 0; i < roster->count; i++) {
        buffer_append_text(out, i ? ", \"" : "\"");
        buffer_append_json(out, roster->sources[i]->options.identifier);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "]");
}

bool adviser_ask(const struct advice_view *view,
                 bool (*show)(const struct advice *advice, void *context), void *context,
                 struct error *err) {
    struct evidence_total said[SOURCES_MAX];
    CLEANUP(buffer_release) struct buffer servers;
    buffer_init(&servers, BYTES_MAX);
    list_servers(view->roster, &servers);
    struct asking asking = {.reading = view->reading,
                            .roster = view->roster,
                            .cache = view->cache,
                            .rules = view->rules,
                            .watched = view->watched,
                            .show = show,
                            .context = context,
                            .said = said,
                            .servers = servers.bytes,
                            .err = err};
    bool (*const kinds[])(struct asking * asking) = {advise_watch, advise_servers, advise_retries,
                                                     advise_order, advise_names};
    if (!read_said(&asking, said))
        return false;
    struct trace *trace = trace_read(view->reading, view->roster, said, err);
    bool good = trace != NULL;
    asking.trace = trace;
    for (size_t i = 0; good && !asking.enough && i < sizeof kinds / sizeof *kinds; i++)
        good = kinds[i](&asking);
    trace_free(trace);
    return good;
}
