// SPDX-License-Identifier: MIT
//
// What a checkup has found, in words.
#include "base/numbers.h"
#include "base/text.h"
#include "proxy/checkup.h"
#include "proxy/telling.h"

enum { SLOW_MS = 5 * 1000, CLOCK_S = 5 * 60 };

static void say(struct checkup_told *out, enum checkup_weight weight, const char *name,
                const char *sentence, const char *cure) {
    out->weight = weight;
    text_copy(out->name, sizeof out->name, name);
    text_copy(out->sentence, sizeof out->sentence, sentence);
    text_copy(out->cure, sizeof out->cure, cure ? cure : "");
}

static const struct {
    const char *name, *sentence, *cure;
} words[CHECKUP_WORDS] = {
    [CHECKUP_PAGE] =
        {"page",
         "A web page comes for a file that nobody can have, where a symbol server says "
         "404.",
         "Correct remote: it leads to a site that answers everything, or to a sign-in. "
         "If it wants credentials, give user and password, token or headers."},
    [CHECKUP_ANYTHING] =
        {"anything",
         "Something comes for a file that nobody can have, where a symbol server says 404.",
         "Correct remote: it leads to a server that answers everything with the same."},
    [CHECKUP_LOGIN] = {"login",
                       "It redirects to a page, as servers do that want somebody to sign in.",
                       "Give it credentials: token, or user and password (docs/sources.md)."},
    [CHECKUP_FALSE] = {"false", "What comes for a file that it should have is not that file.",
                       "Look at that file on the server; it may lie in a wrong place, be damaged, "
                       "or a page of its own."},
    [CHECKUP_MISSING] = {"missing",
                         "It does not have the symbol that was asked for, in any layout.",
                         "If it should: is remote the root of the store, and is the file published "
                         "with this id?"},
};

static void tell_word(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence];
    bool missing = checkup->word == CHECKUP_MISSING;
    bool reasoned = checkup->word == CHECKUP_FALSE || (missing && checkup->why.what[0]);
    text_format(sentence, sizeof sentence, "%s%s%s (%s)", words[checkup->word].sentence,
                reasoned ? " It is told so: " : "", reasoned ? checkup->why.what : "",
                checkup->url);
    bool own_cure = checkup->word == CHECKUP_FALSE && checkup->why.hint[0];
    say(out, missing ? CHECKUP_WARNING : CHECKUP_PROBLEM, words[checkup->word].name, sentence,
        own_cure ? checkup->why.hint : words[checkup->word].cure);
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

static const char keep_names_from_it[] =
    "Put it behind quicker servers, and keep names from it that it never has: symgate advise";

/* The time of the checkup was over, and not that of a question. */
static void tell_unfinished(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence], took[32];
    number_format_time(took, sizeof took, checkup->took_ms);
    text_format(
        sentence, sizeof sentence,
        "It answers, within %s, but so slowly that the time of a checkup was not enough for "
        "all questions.",
        took);
    say(out, CHECKUP_WARNING, "slow", sentence, keep_names_from_it);
}

static void tell_failed(const struct source *source, const struct checkup *checkup,
                        struct checkup_told *out) {
    struct telling telling;
    bool cancelled = checkup->why.kind == ERROR_CANCELLED;
    char silence[300] = "there was no answer within the time of a checkup";
    if (checkup->answers > 0) /* so it is this question */
        text_format(silence, sizeof silence,
                    "it answers, but not this within the time of a checkup: %s", checkup->url);
    const struct facts facts = {
        .server = source->options.identifier,
        .what = cancelled ? silence : telling_what(checkup->why.what, source->options.identifier),
        .status = checkup->status};
    tell_failure(cancelled ? ERROR_TIMEOUT : checkup->why.kind, &facts, &telling);
    say(out, CHECKUP_PROBLEM, name_of_failure(checkup), telling.sentence,
        checkup->why.hint[0] ? checkup->why.hint : telling.cure);
}

static bool shows_credentials(const struct source *source) {
    const struct source_access *access = &source->options.access;
    return access->authentication != AUTHENTICATION_NONE || access->header_names.count ||
           access->client_certificate;
}

static void tell_credentials(const struct source *source, int status, struct checkup_told *out) {
    char sentence[sizeof out->sentence];
    bool shown = shows_credentials(source);
    text_format(sentence, sizeof sentence,
                shown ? "It does not accept the credentials that it is shown (status %d)."
                      : "It wants credentials (status %d), and is shown none.",
                status);
    say(out, CHECKUP_PROBLEM, "credentials", sentence,
        shown ? "Renew them: a token may have expired, a password may have been changed."
              : "Give it user and password, token or headers (docs/sources.md).");
}

/* Where a no is wanted. Only a server that is seen to have files is surely one that forbids those
   that it does not have; to call a 403 a no in any other case would make absences of failures. */
static void tell_forbids(const struct source *source, const struct checkup *checkup,
                         struct checkup_told *out) {
    char sentence[sizeof out->sentence], cure[sizeof out->cure];
    if (!checkup->found && (checkup->status == 401 || shows_credentials(source))) {
        tell_credentials(source, checkup->status, out);
        return;
    }
    text_format(sentence, sizeof sentence,
                "It answers status %d for a file that it does not have, which counts as a failure "
                "and not as a no.%s",
                checkup->status,
                checkup->found ? ""
                               : " It may also be that it lets nobody in without credentials.");
    if (checkup->found)
        text_format(cure, sizeof cure, "Write \"absentStatus\": [%d] into the server.",
                    checkup->status);
    else if (checkup->forbids)
        text_format(cure, sizeof cure,
                    "It says the same of the symbol that was asked for, in every layout: if that "
                    "is there, give it credentials; else see with one that it has: symgate doctor "
                    "--symbol NAME/ID");
    else
        text_format(cure, sizeof cure,
                    "See which it is with a symbol that it has: symgate doctor --symbol NAME/ID");
    say(out, CHECKUP_PROBLEM, "absentStatus", sentence, cure);
}

/* A cure, and that of what it says of files that it does not have. */
static void say_cure(const struct checkup *checkup, struct checkup_told *out, const char *name,
                     const char *sentence, const char *cure) {
    char both[sizeof out->cure], also[80] = "";
    if (checkup->forbids)
        text_format(also, sizeof also, " Write \"absentStatus\": [%d] into it, too.",
                    checkup->forbids);
    text_format(both, sizeof both, "%s%s", cure, also);
    say(out, CHECKUP_PROBLEM, name, sentence, both);
}

static void tell_layout(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence], cure[sizeof out->cure];
    text_format(sentence, sizeof sentence,
                "It has the symbol, but in the layout \"%s\" and not where it is looked for.",
                layout_name(checkup->layout));
    text_format(cure, sizeof cure, "Write \"layout\": \"%s\" into the server.",
                layout_name(checkup->layout));
    say_cure(checkup, out, "layout", sentence, cure);
}

static void tell_form(const struct checkup *checkup, struct checkup_told *out) {
    static const char *const names[] = {
        [FORM_PLAIN] = "plain", [FORM_COMPRESSED] = "compressed", [FORM_POINTER] = "pointer"};
    char sentence[sizeof out->sentence], cure[sizeof out->cure];
    text_format(sentence, sizeof sentence,
                "It has the symbol, but in the form \"%s\", which it is not asked for.",
                names[checkup->form]);
    text_format(cure, sizeof cure, "Add \"%s\" to forms of the server.", names[checkup->form]);
    say_cure(checkup, out, "form", sentence, cure);
}

static void tell_good(const struct checkup *checkup, struct checkup_told *out) {
    char sentence[sizeof out->sentence], took[32];
    bool slow = checkup->took_ms > SLOW_MS;
    number_format_time(took, sizeof took, checkup->took_ms > 0 ? checkup->took_ms : 1);
    text_format(sentence, sizeof sentence, "It answers within %s%s.", took,
                checkup->found ? ", and has the symbol that was asked for" : "");
    if (slow)
        say(out, CHECKUP_WARNING, "slow", sentence, keep_names_from_it);
    else
        say(out, CHECKUP_FINE, "server", sentence, NULL);
}

void checkup_tell(const struct source *source, const struct checkup *checkup,
                  struct checkup_told *out_told) {
    struct telling telling;
    switch (checkup->word) {
    case CHECKUP_GOOD:
        tell_good(checkup, out_told);
        return;
    case CHECKUP_OFF:
        say(out_told, CHECKUP_FINE, "off", "It is switched off and was not asked.", NULL);
        return;
    case CHECKUP_UNASKABLE:
        tell(TOLD_SERVER_UNASKABLE, &(struct facts){.server = source->options.identifier},
             &telling);
        say(out_told, CHECKUP_PROBLEM, "unmapped", telling.sentence, telling.cure);
        return;
    case CHECKUP_FAILED:
        /* Slow is a server that was at it; one that keeps silent about a file is not. */
        if (checkup->why.kind == ERROR_CANCELLED && checkup->answers > 0 &&
            checkup->silent_ms < SLOW_MS)
            tell_unfinished(checkup, out_told);
        else
            tell_failed(source, checkup, out_told);
        return;
    case CHECKUP_FORBIDS:
        tell_forbids(source, checkup, out_told);
        return;
    case CHECKUP_LAYOUT:
        tell_layout(checkup, out_told);
        return;
    case CHECKUP_FORM:
        tell_form(checkup, out_told);
        return;
    case CHECKUP_PAGE:
    case CHECKUP_ANYTHING:
    case CHECKUP_LOGIN:
    case CHECKUP_FALSE:
    case CHECKUP_MISSING:
    case CHECKUP_WORDS:
        break;
    }
    tell_word(checkup, out_told);
}

bool checkup_tell_clock(const struct checkup *checkup, struct checkup_told *out_told) {
    char sentence[sizeof out_told->sentence], off[32];
    int64_t off_s = checkup->ahead_s < 0 ? -checkup->ahead_s : checkup->ahead_s;
    int64_t unit_s = off_s < 2 * 3600 ? 60 : 3600;
    if (off_s <= CLOCK_S)
        return false;
    number_format_time(off, sizeof off, (off_s + unit_s / 2) / unit_s * unit_s * 1000);
    text_format(sentence, sizeof sentence, "Its clock is %s %s this machine's.", off,
                checkup->ahead_s < 0 ? "behind" : "ahead of");
    say(out_told, CHECKUP_WARNING, "clock", sentence,
        "Set the clock that is wrong: Kerberos, signed URLs and certificates depend on it.");
    return true;
}
