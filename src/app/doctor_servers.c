// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "app/doctor.h"
#include "app/roster_make.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "base/threads.h"
#include "proxy/telling.h"
#include "record/archive.h"

enum {
    LIMIT_MS = 15 * 1000,
    SLOW_MS = 5 * 1000,
    CLOCK_S = 5 * 60,
    ROWS_LOOKED_AT = 200,
    PATH_BYTES = 4096,
};

/* --- what is told ---------------------------------------------------------------------------- */

static const struct finding_words {
    const char *name, *sentence, *cure;
} words[CHECKUP_WORDS] = {
    [CHECKUP_PAGE] =
        {"page",
         "A web page comes for a file that nobody can have, where a symbol "
         "server says 404.",
         "Correct remote: it leads to a site that answers everything, or to a sign-in. "
         "If it wants credentials, give user and password, token or headers."},
    [CHECKUP_LOGIN] = {"login",
                       "It redirects to a page, as servers do that want somebody to sign "
                       "in.",
                       "Give it credentials: token, or user and password (docs/sources.md)."},
    [CHECKUP_FALSE] = {"false", "What comes for a file that it should have is no symbol file.",
                       "Look at that file on the server; it may be damaged, or a page of its own."},
    [CHECKUP_MISSING] = {"missing",
                         "It does not have the symbol that was asked for, in any "
                         "layout.",
                         "If it should: is remote the root of the store, and is the file "
                         "published with this id?"},
};

static void tell_word(struct report *report, const char *thing, const struct checkup *checkup) {
    const struct finding_words *chosen = &words[checkup->word];
    char sentence[700];
    enum finding_weight weight =
        checkup->word == CHECKUP_MISSING ? FINDING_WARNING : FINDING_PROBLEM;
    text_format(sentence, sizeof sentence, "%s (%s)", chosen->sentence, checkup->url);
    report_add(report, weight, chosen->name, thing, sentence, chosen->cure);
}

static const char *name_of_failure(const struct checkup *checkup) {
    if (checkup->why.kind == ERROR_TLS)
        return "certificate";
    if (checkup->why.kind == ERROR_CANCELLED)
        return "timeout";
    if (checkup->status == 407)
        return "proxy";
    return error_kind_name(checkup->why.kind);
}

static void tell_failed(struct report *report, const char *thing, const struct source *source,
                        const struct checkup *checkup) {
    struct telling telling;
    const struct facts facts = {
        .server = source->options.identifier, .what = checkup->why.what, .status = checkup->status};
    enum error_kind kind = checkup->why.kind == ERROR_CANCELLED ? ERROR_TIMEOUT : checkup->why.kind;
    tell_failure(kind, &facts, &telling);
    const char *cure = checkup->why.hint[0] ? checkup->why.hint : telling.cure;
    report_add(report, FINDING_PROBLEM, name_of_failure(checkup), thing, telling.sentence, cure);
}

/* Where a no is wanted. */
static void tell_forbids(struct report *report, const char *thing, const struct source *source,
                         const struct checkup *checkup) {
    char sentence[700], cure[400];
    if (checkup->status == 401 && !checkup->found) {
        const struct source_access *access = &source->options.access;
        bool shown = access->authentication != AUTHENTICATION_NONE || access->header_names.count;
        report_add(report, FINDING_PROBLEM, "credentials", thing,
                   shown ? "It does not accept the credentials that it is shown (status 401)."
                         : "It wants credentials (status 401), and is shown none.",
                   shown ? "Renew them: a token may have expired, a password may have been changed."
                         : "Give it user and password, token or headers (docs/sources.md).");
        return;
    }
    text_format(sentence, sizeof sentence,
                "It answers status %d for a file that it does not have, which counts as a failure "
                "and not as a no.%s",
                checkup->status,
                checkup->found ? ""
                               : " It may also be that it lets nobody in without credentials.");
    text_format(cure, sizeof cure,
                "If it is a store of objects that answers so, write \"absentStatus\": [%d] into "
                "the server%s.",
                checkup->status,
                checkup->found ? ""
                               : "; see that with a symbol that it has: symgate doctor "
                                 "--symbol NAME/ID");
    report_add(report, FINDING_PROBLEM, "absentStatus", thing, sentence, cure);
}

static void tell_layout(struct report *report, const char *thing, const struct checkup *checkup) {
    char sentence[300], cure[200];
    text_format(sentence, sizeof sentence,
                "It has the symbol, but in the layout \"%s\" and not where it is looked for.",
                layout_name(checkup->layout));
    text_format(cure, sizeof cure, "Write \"layout\": \"%s\" into the server.",
                layout_name(checkup->layout));
    report_add(report, FINDING_PROBLEM, "layout", thing, sentence, cure);
}

static void tell_clock(struct report *report, const char *thing, const struct checkup *checkup) {
    char sentence[200], off[32];
    int64_t off_s = checkup->ahead_s < 0 ? -checkup->ahead_s : checkup->ahead_s;
    number_format_time(off, sizeof off, off_s * 1000);
    text_format(sentence, sizeof sentence, "Its clock is %s %s of this machine's.", off,
                checkup->ahead_s < 0 ? "behind" : "ahead");
    report_add(report, FINDING_WARNING, "clock", thing, sentence,
               "Set the clock that is wrong: Kerberos, signed URLs and certificates depend on it.");
}

static void tell_good(struct report *report, const char *thing, const struct checkup *checkup) {
    char sentence[300], took[32];
    number_format_time(took, sizeof took, checkup->took_ms);
    bool slow = checkup->took_ms > SLOW_MS;
    text_format(sentence, sizeof sentence, "It answers in %s%s.", took,
                checkup->found ? ", and has the symbol that was asked for" : "");
    report_add(report, slow ? FINDING_WARNING : FINDING_GOOD, slow ? "slow" : "server", thing,
               sentence,
               slow ? "Put it behind quicker servers, and keep names from it that it never has: "
                      "symgate advise"
                    : NULL);
}

void doctor_tell(struct report *report, const struct source *source,
                 const struct checkup *checkup) {
    char thing[300];
    struct telling telling;
    text_format(thing, sizeof thing, "server \"%s\"", source->options.identifier);
    switch (checkup->word) {
    case CHECKUP_GOOD:
        tell_good(report, thing, checkup);
        break;
    case CHECKUP_OFF:
        report_add(report, FINDING_GOOD, "off", thing, "It is switched off and was not asked.",
                   NULL);
        break;
    case CHECKUP_UNASKABLE:
        tell(TOLD_SERVER_UNASKABLE, &(struct facts){.server = source->options.identifier},
             &telling);
        report_add(report, FINDING_PROBLEM, "unmapped", thing, telling.sentence, telling.cure);
        break;
    case CHECKUP_FAILED:
        tell_failed(report, thing, source, checkup);
        break;
    case CHECKUP_FORBIDS:
        tell_forbids(report, thing, source, checkup);
        break;
    case CHECKUP_LAYOUT:
        tell_layout(report, thing, checkup);
        break;
    case CHECKUP_PAGE:
    case CHECKUP_LOGIN:
    case CHECKUP_FALSE:
    case CHECKUP_MISSING:
    case CHECKUP_WORDS:
        tell_word(report, thing, checkup);
        break;
    }
    if (checkup->ahead_s > CLOCK_S || checkup->ahead_s < -CLOCK_S)
        tell_clock(report, thing, checkup);
}

/* --- asking ---------------------------------------------------------------------------------- */

struct round {
    pthread_mutex_t lock;
    pthread_cond_t over;
    unsigned left; /* guarded by the lock */
};

struct examination {
    struct round *round;
    struct source *source;
    struct question known;
    bool has_known;
    struct cancel cancel;
    struct checkup checkup;
    pthread_t thread;
    bool running;
};

static void *examine(void *context) {
    struct examination *it = context;
    checkup_source(it->source, it->has_known ? &it->known : NULL, &it->cancel, &it->checkup);
    SCOPED_LOCK(&it->round->lock);
    it->round->left--;
    pthread_cond_signal(&it->round->over);
    return NULL;
}

/* --- a file that a server should have --------------------------------------------------------- */

struct wanted {
    const char *server;
    struct question *out;
    bool found;
};

static bool look_at_row(const struct archive_row *row, void *context) {
    struct wanted *wanted = context;
    struct spelling *spelling = &wanted->out->spelling;
    const char *slash = strchr(row->key, '/');
    struct error ignored;
    if (row->outcome.verdict != VERDICT_FETCHED || !slash ||
        strcmp(row->outcome.text.source, wanted->server) != 0)
        return true;
    text_copy_n(spelling->name, sizeof spelling->name, row->key, (size_t)(slash - row->key));
    text_copy(spelling->id, sizeof spelling->id, slash + 1);
    wanted->found = symbol_key_make(spelling, &wanted->out->key, &ignored);
    return !wanted->found;
}

/* The last file that this server has delivered. */
static bool find_known(const char *data, const char *server, struct question *out_known) {
    char path[PATH_BYTES];
    struct error ignored = {0};
    struct wanted wanted = {.server = server, .out = out_known};
    const struct archive_query query = {
        .source = server, .verdict = "fetched", .limit = ROWS_LOOKED_AT};
    if (!files_join(path, sizeof path, data, "statistics.db"))
        return false;
    CLEANUP(reading_close_at) struct reading *reading = reading_open(path, &ignored);
    return reading && archive_each(reading, &query, look_at_row, &wanted, &ignored) && wanted.found;
}

static void begin(struct examination *it, struct round *round, struct source *source,
                  const struct question *known, const char *data) {
    struct error err = {0};
    it->round = round;
    it->source = source;
    cancel_init(&it->cancel);
    it->has_known = known != NULL;
    if (known)
        it->known = *known;
    else
        it->has_known = find_known(data, source->options.identifier, &it->known);
    {
        SCOPED_LOCK(&round->lock);
        round->left++;
    }
    it->running = thread_start(&it->thread, "doctor", examine, it, &err);
    if (!it->running) {
        it->checkup = (struct checkup){.word = CHECKUP_FAILED, .why = err};
        SCOPED_LOCK(&round->lock);
        round->left--;
    }
}

static void wait_for_all(struct round *round) {
    int64_t deadline_ms = clock_ms() + LIMIT_MS;
    SCOPED_LOCK(&round->lock);
    while (round->left > 0 && condition_wait(&round->over, &round->lock, deadline_ms))
        continue;
}

static void end(struct examination *it, struct report *report) {
    cancel_raise(&it->cancel);
    if (it->running)
        pthread_join(it->thread, NULL);
    cancel_release(&it->cancel);
    doctor_tell(report, it->source, &it->checkup);
}

bool doctor_servers(struct config *config, const struct question *known, struct report *report,
                    struct error *err) {
    const struct hash_key key = hash_new_key();
    struct roster *roster = roster_make(config, &key, NULL, err);
    if (!roster)
        return false;
    struct round round = {.lock = PTHREAD_MUTEX_INITIALIZER};
    condition_init(&round.over);
    struct examination *all = NEW_ARRAY(struct examination, roster->count + 1);
    for (unsigned i = 0; i < roster->count; i++)
        begin(&all[i], &round, roster->sources[i], known, config->general.data_location);
    wait_for_all(&round);
    for (unsigned i = 0; i < roster->count; i++)
        end(&all[i], report);
    free(all);
    pthread_cond_destroy(&round.over);
    roster_unref(roster);
    return true;
}
