// SPDX-License-Identifier: MIT
//
// Why: what became of a request, or of the last one for a symbol, and what would become of one now.
// Asked by the path that a client asks for, by name and id, or by a request id.
#include <string.h>

#include "base/text.h"
#include "proxy/explain_rules.h"
#include "proxy/quarantine.h"
#include "record/archive.h"
#include "record/attempts_text.h"
#include "server/api.h"

enum {
    TARGET_BYTES = 2048,
    KEY_BYTES = NAME_BYTES_MAX + ID_BYTES_MAX + 2,
    REFUSED_SHOWN = 20,
    LAST_BYTES_MAX = 256 * 1024,
};

/* What is asked about, and what is known of it. */
struct why {
    struct exchange *exchange;
    char request_id[REQUEST_ID_BYTES]; /* of one request; empty: of a symbol */
    uint64_t request_n;                /* its number, since clients may give many the same id; 0 */
    char path[TARGET_BYTES];           /* below /symbols/ */
    enum path_meaning meaning;
    struct error wrong; /* with the path */
    struct question question;
    bool folded;         /* how the client spelled it is not known: the question is the key's */
    char key[KEY_BYTES]; /* "<name>/<id>", canonical; empty: the path names no symbol */
    struct explanation *now;
    bool found;         /* a request of earlier: */
    struct buffer last; /* it, as JSON, with what its attempts are told by */
    struct telling telling;
};

/* --- what is asked --------------------------------------------------------------------------- */

static const char *below_symbols(const char *path) {
    path += path[0] == '/';
    return text_starts(path, "symbols/") ? path + strlen("symbols/") : path;
}

static void understand(struct why *why) {
    struct symbol_path parsed;
    why->meaning = layout_parse_path(why->path, strcspn(why->path, "?#"), &parsed, &why->wrong);
    if (why->meaning != PATH_SYMBOL && why->meaning != PATH_FOLLOW_UP)
        return;
    why->question = (struct question){.key = parsed.key, .spelling = parsed.spelling};
    text_format(why->key, sizeof why->key, "%s/%s", parsed.key.name, parsed.key.id);
}

/* The key and the path of a question that was made from name and id. */
static void name_key(struct why *why) {
    const struct spelling *spelling = &why->question.spelling;
    text_format(why->key, sizeof why->key, "%s/%s", why->question.key.name, why->question.key.id);
    text_format(why->path, sizeof why->path, "%s/%s/%s", spelling->name, spelling->id,
                spelling->name);
}

/* Name and id, as a client would ask for them. */
static bool take_key(struct why *why, const char *query, struct error *err) {
    struct spelling *spelling = &why->question.spelling;
    if (!query_spelling(query, spelling, err) ||
        !symbol_key_make(spelling, &why->question.key, err))
        return false;
    why->meaning = PATH_SYMBOL;
    name_key(why);
    return true;
}

static bool read_asked(struct why *why, const char *query, struct error *err) {
    if (query_has(query, "path")) {
        char path[TARGET_BYTES];
        if (!query_text(query, "path", path, sizeof path, err))
            return false;
        text_copy(why->path, sizeof why->path, below_symbols(path));
        understand(why);
        return true;
    }
    if (query_has(query, "name"))
        return take_key(why, query, err);
    if (!query_text(query, "id", why->request_id, sizeof why->request_id, err) ||
        !query_number(query, "n", 0, INT64_MAX, &why->request_n, err))
        return false;
    return why->request_id[0] ||
           error_set(err, ERROR_INVALID,
                     "say what: ?path=/symbols/NAME/ID/NAME, ?name=NAME&id=ID, or ?id=REQUEST-ID");
}

/* --- what was -------------------------------------------------------------------------------- */

static void append_told(struct buffer *out, const struct telling *telling) {
    api_text(out, "sentence", telling->sentence);
    buffer_append_text(out, ", ");
    api_text(out, "cure", telling->cure);
}

static void append_chain(struct buffer *out, const struct outcome *outcome,
                         const struct attempt_note *notes, const char *key) {
    buffer_append_text(out, ", \"chain\": [");
    for (unsigned i = 0; i < outcome->note_count; i++) {
        struct telling telling;
        explain_attempt(outcome, notes, i, key, &telling);
        buffer_append_text(out, i ? ", {" : "{");
        api_text(out, "source", notes[i].source);
        buffer_append_text(out, ", ");
        append_told(out, &telling);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "]");
}

/* Looked at once the path is known, since what would happen now helps to tell what did. */
static void look_now(struct why *why) {
    const struct server *server = why->exchange->call->server;
    if (why->meaning != PATH_SYMBOL) {
        explain_path(why->meaning, &why->wrong, why->key, &why->telling);
        return;
    }
    why->now =
        explain_now(server->options.symbols, why->exchange->settings->roster, &why->question);
    explain_rule_cures(server->options.rules, why->exchange->settings->roster->policy, why->now);
}

/* What comes after the next slash; NULL: there is none. */
static const char *part_after(const char *path) {
    const char *slash = strchr(path, '/');
    return slash ? slash + 1 : NULL;
}

/* Name and id as they stand in a path that was kept cut: are they whole there, and the key's? A
   tier directory may come before them. */
static bool understand_cut(struct why *why, const char *key) {
    char kept[TARGET_BYTES];
    text_copy(kept, sizeof kept, why->path);
    for (const char *name = kept; name; name = part_after(name)) {
        const char *id = part_after(name);
        const char *file = id ? part_after(id) : NULL;
        if (!file)
            return false;
        text_format(why->path, sizeof why->path, "%.*s%.*s", (int)(file - name), name,
                    (int)(id - name - 1), name);
        understand(why);
        if (strcmp(why->key, key) == 0)
            return true;
    }
    return false;
}

/* A long path is kept cut, and says something else then; the key is whole. */
static void take_path(struct why *why, const struct archive_row *row) {
    struct spelling *spelling = &why->question.spelling;
    struct error ignored = {0};
    text_copy(why->path, sizeof why->path, below_symbols(row->outcome.text.path));
    understand(why);
    if (!row->key[0] || strcmp(why->key, row->key) == 0)
        return;
    if (!understand_cut(why, row->key)) {
        why->folded = true;
        why->question = (struct question){0};
        if (!spelling_read(row->key, spelling) ||
            !symbol_key_make(spelling, &why->question.key, &ignored))
            return;
        name_key(why);
    }
    why->meaning = row->outcome.follow_up ? PATH_FOLLOW_UP : PATH_SYMBOL;
}

static bool take_row(const struct archive_row *row, void *context) {
    struct why *why = context;
    struct attempt_note notes[OUTCOME_NOTES_MAX];
    struct outcome outcome = row->outcome;
    why->found = true;
    if (why->request_id[0]) {
        take_path(why, row);
        look_now(why);
    }
    outcome.note_count = attempts_read(row->attempts, notes, OUTCOME_NOTES_MAX);
    if (why->meaning != PATH_TIER_MARK) /* an answer by itself */
        explain_outcome(&outcome, notes, row->key, why->now, &why->telling);
    buffer_append_text(&why->last, "{\"request\": ");
    request_append(&why->last, row);
    buffer_append_text(&why->last, ", ");
    append_told(&why->last, &why->telling);
    append_chain(&why->last, &outcome, notes, row->key);
    buffer_append_text(&why->last, "}");
    return false;
}

/* One that lies in memory still. */
static bool take_outcome(const struct outcome *outcome, const struct attempt_note *notes,
                         void *context) {
    char key[KEY_BYTES] = "";
    if (!outcome->about_symbol)
        return true;
    if (outcome->text.name[0])
        text_format(key, sizeof key, "%s/%s", outcome->text.name, outcome->text.key_id);
    CLEANUP(buffer_release) struct buffer attempts;
    buffer_init(&attempts, LAST_BYTES_MAX);
    attempts_text(&attempts, notes, outcome->note_count);
    const struct archive_row row = {
        .outcome = *outcome, .key = key, .attempts = attempts.failed ? "[]" : attempts.bytes};
    return take_row(&row, context);
}

static bool find_last(struct why *why, struct reading *reading, struct error *err) {
    struct recorder *recorder = why->exchange->call->server->options.recorder;
    recorder_settle(recorder);
    if (why->request_id[0] && why->request_n == 0)
        (void)recorder_find(recorder, why->request_id, take_outcome, why);
    if (why->found || !reading || (!why->request_id[0] && !why->key[0]))
        return true;
    struct archive_query query = {
        .id = why->request_id, .key = why->key, .n = (int64_t)why->request_n, .limit = 1};
    /* Debuggers ask for a file's other forms after it: the last request for it is the one before.
     */
    if (!why->request_id[0])
        query.forms = why->meaning == PATH_FOLLOW_UP ? ARCHIVE_FOLLOW_UPS : ARCHIVE_LOOKUPS;
    return archive_each(reading, &query, take_row, why, err);
}

/* --- what would be --------------------------------------------------------------------------- */

/* In a word: a server, a shelf, and (in words of verdicts where there is one) the whole. */
static const char *const states[TOLD_COUNT] = {
    [TOLD_GLOBAL] = "excluded",
    [TOLD_DISABLED] = "off",
    [TOLD_KIND] = "kind",
    [TOLD_WHITELIST] = "not in whitelist",
    [TOLD_BLACKLIST] = "blacklist",
    [TOLD_GIVEN_UP] = "pattern given up",
    [TOLD_FOLLOWS] = "follows",
    [TOLD_SERVER_ASKED] = "asked",
    [TOLD_SERVER_SPARED] = "spared",
    [TOLD_SERVER_CROWDED] = "crowded",
    [TOLD_SERVER_REMEMBERED] = "remembered",
    [TOLD_SERVER_UNLISTED] = "not in its index",
    [TOLD_SERVER_PLACELESS] = "no place in its layout",
    [TOLD_SERVER_UNASKABLE] = "unaskable",
    [TOLD_SERVER_RESTING] = "resting",
    [TOLD_SERVER_PAUSED] = "paused",
    [TOLD_SERVER_PROBED] = "probed",
    [TOLD_SERVER_ENDED] = "ended before",
    [TOLD_NOBODY] = "excluded",
    [TOLD_UNINDEXED] = "absent",
    [TOLD_NOW_HERE] = "hit",
    [TOLD_NOW_OTHER_FORM] = "hit",
    [TOLD_NOW_UNDER_WAY] = "joined",
    [TOLD_NOW_ASKED] = "ask",
    [TOLD_NOW_PAUSED] = "wait",
    [TOLD_NOW_PAUSED_BESIDE] = "ask",
    [TOLD_NOW_REPLAY] = "wait",
    [TOLD_NOW_ABSENT] = "absent",
    [TOLD_NOW_UNLISTED] = "absent",
    [TOLD_NOW_PLACELESS] = "absent",
    [TOLD_NOW_RESTING] = "failed",
    [TOLD_NOW_UNASKABLE] = "failed",
    [TOLD_SHELF_NOTHING] = "not there",
    [TOLD_SHELF_GOOD] = "there",
    [TOLD_SHELF_OTHER] = "in another form",
    [TOLD_SHELF_FALSE] = "false",
    [TOLD_SHELF_HANGS] = "hangs",
};

/* The pattern that decided (null: none did), and the rule made while it runs, where it is one's
   word. row: NULL for the global blacklist. */
static void append_pattern(struct buffer *out, const struct server *server,
                           const struct explanation *now, const struct explained_server *row) {
    struct rule made;
    const char *pattern = row ? row->rule : now->rule;
    buffer_append_text(out, ", ");
    if (pattern)
        api_text(out, "rule", pattern);
    else
        buffer_append_text(out, "\"rule\": null");
    if (explain_rule(server->options.rules, now, row, &made)) {
        buffer_append_text(out, ", \"made\": ");
        rule_append(out, &made);
    }
}

static void append_server(struct buffer *out, struct server *server, const struct explanation *now,
                          unsigned index) {
    const struct explained_server *row = &now->servers[index];
    buffer_append_text(out, index ? ",\n {" : "\n {");
    api_text(out, "identifier", row->source->options.identifier);
    buffer_append_text(out, ", ");
    api_text(out, "name", row->source->options.name);
    buffer_format(out, ", \"position\": %u, \"turn\": %u, ", index + 1, row->turn);
    api_text(out, "state", states[row->told]);
    append_pattern(out, server, now, row);
    const struct queue_counters *queue = queue_counters(row->source->queue);
    buffer_format(out, ", \"waiting\": %llu, \"running\": %llu",
                  (unsigned long long)counted(&queue->waiting),
                  (unsigned long long)counted(&queue->running));
    if (row->shelf) {
        buffer_append_text(out, ", ");
        api_text(out, "cache", shelf_path(row->shelf));
    }
    if (row->said_s)
        buffer_format(out, ", \"said_ms\": %lld", (long long)row->said_s * 1000);
    if (row->rest.cause != REST_NONE) {
        buffer_append_text(out, ", ");
        api_text(out, "rest", rest_cause_name(row->rest.cause));
    }
    if (row->left_ms > 0)
        buffer_format(out, ", \"left_ms\": %lld", (long long)row->left_ms);
    buffer_append_text(out, ", ");
    append_told(out, &row->telling);
    buffer_append_text(out, "}");
}

static void append_shelves(struct buffer *out, const struct explanation *now) {
    buffer_append_text(out, ", \"shelves\": [");
    for (unsigned i = 0; i < now->shelf_count; i++) {
        const struct explained_shelf *shelf = &now->shelves[i];
        buffer_append_text(out, i ? ", {" : "{");
        api_text(out, "path", shelf->path);
        buffer_append_text(out, ", ");
        api_text(out, "state", states[shelf->told]);
        buffer_format(out, ", \"size\": %llu, ", (unsigned long long)shelf->size);
        append_told(out, &shelf->telling);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "]");
}

struct refused_list {
    struct buffer *out;
    unsigned count;
};

static void show_refused(const struct quarantined *record, void *context) {
    struct refused_list *list = context;
    buffer_append_text(list->out, list->count++ ? ", " : "");
    quarantine_append(list->out, record, false);
}

static void append_now(struct buffer *out, const struct why *why) {
    const struct explanation *now = why->now;
    struct server *server = why->exchange->call->server;
    buffer_append_text(out, "{");
    append_told(out, &now->telling);
    buffer_append_text(out, ", ");
    api_text(out, "would", states[now->globally ? TOLD_GLOBAL : now->told]);
    buffer_format(out, ", \"excluded\": %s", now->globally ? "true" : "false");
    append_pattern(out, server, now, NULL);
    append_shelves(out, now);
    buffer_append_text(out, ", \"copy\": ");
    if (now->has_copy)
        listing_append(out, &now->copy);
    else
        buffer_append_text(out, "null");
    buffer_append_text(out, ", \"quarantine\": [");
    quarantine_list(symbols_quarantine(server->options.symbols), why->question.key.name,
                    why->question.key.id, REFUSED_SHOWN, show_refused,
                    &(struct refused_list){.out = out});
    buffer_append_text(out, "], \"servers\": [");
    for (unsigned i = 0; i < now->server_count; i++)
        append_server(out, server, now, i);
    buffer_append_text(out, "]}");
}

/* --- the answer ------------------------------------------------------------------------------ */

static const char *const identifiers[IDENTIFIER_COUNT] = {
    [IDENTIFIER_OTHER] = "of no known kind",
    [IDENTIFIER_PDB70] = "PDB: GUID and age",
    [IDENTIFIER_PORTABLE] = "portable PDB: GUID",
    [IDENTIFIER_PDB20] = "PDB 2.0: signature and age",
    [IDENTIFIER_PE] = "PE: time stamp and size of the image",
    [IDENTIFIER_ELF] = "ELF: build id",
    [IDENTIFIER_MACHO] = "Mach-O: UUID",
    [IDENTIFIER_SHA1] = "SHA-1 of the file",
};

static void append_key(struct buffer *out, const struct why *why) {
    const struct question *question = &why->question;
    if (!why->key[0]) {
        buffer_append_text(out, "null");
        return;
    }
    const struct {
        const char *name;
        const char *value;
    } texts[] = {
        {"name", question->spelling.name},
        {"id", question->spelling.id},
        {"key", why->key},
        {"kind", symbol_kind_name(question->key.kind)},
        {"identifier", identifiers[question->key.identifier]},
        {"path", why->path},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buffer_append_text(out, i ? ", " : "{");
        api_text(out, texts[i].name, texts[i].value);
    }
    buffer_format(out, ", \"spelled\": %s, ", why->folded ? "false" : "true");
    api_text(out, "note",
             why->folded
                 ? "The path was too long to be kept whole, so the client's own spelling is "
                   "not known: a request now is told for the name in lower case, and "
                   "filters that count case may say something else."
                 : "");
    buffer_append_text(out, "}");
}

static void append_all(struct buffer *out, struct why *why, bool enabled) {
    buffer_append_text(out, "{\"key\": ");
    append_key(out, why);
    buffer_append_text(out, ", ");
    if (why->now && !why->found)
        why->telling = why->now->telling;
    append_told(out, &why->telling);
    buffer_format(out, ", \"enabled\": %s, \"last\": ", enabled ? "true" : "false");
    buffer_append_text(out, why->found && why->last.bytes ? why->last.bytes : "null");
    buffer_append_text(out, ", \"now\": ");
    if (why->now)
        append_now(out, why);
    else
        buffer_append_text(out, "null");
    buffer_append_text(out, "}\n");
    out->failed |= why->last.failed;
}

static void answer(struct why *why, struct reading *reading) {
    struct exchange *exchange = why->exchange;
    struct error err = {0};
    if (!why->request_id[0])
        look_now(why);
    if (!find_last(why, reading, &err))
        api_fail(exchange, 503, err.what);
    else if (why->request_id[0] && !why->found)
        api_fail(exchange, 404,
                 reading ? "no request with this id is kept: it is too long ago, or it was none "
                           "for a symbol"
                         : "statistics are switched off (general.enableStatistics), so that no "
                           "request is kept");
    else
        append_all(&exchange->text, why, reading != NULL);
}

static void explain(struct exchange *exchange) {
    struct why why = {.exchange = exchange};
    struct error err = {0};
    if (!read_asked(&why, exchange->call->query, &err)) {
        api_fail(exchange, 400, err.what);
        return;
    }
    CLEANUP(reading_close_at) struct reading *reading = api_reading(exchange);
    if (exchange->call->status)
        return;
    buffer_init(&why.last, LAST_BYTES_MAX);
    answer(&why, reading);
    buffer_release(&why.last);
    explanation_free(why.now);
}

void serve_explain(struct exchange *exchange, const char *query, const char *bytes) {
    api_work(exchange, query, bytes, explain);
}
